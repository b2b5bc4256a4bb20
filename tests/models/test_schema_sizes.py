"""What language models read of a request's schema is short: it is sent with every call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from groundstate_models.constraints.schema import REQUEST as CONSTRAINTS
from groundstate_models.scheduling.schema import REQUEST as SCHEDULING

MOST = 4_500
"""Characters, which is about 1,100 tokens."""


@pytest.mark.parametrize("schema", [CONSTRAINTS, SCHEDULING], ids=["constraints", "scheduling"])
def test_a_request_schema_fits_into_an_agents_budget(schema: dict[str, Any]) -> None:
    shown = {name: part for name, part in schema.items() if name != "examples"}
    assert len(json.dumps(shown, separators=(",", ":"))) <= MOST
