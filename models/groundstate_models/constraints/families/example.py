"""What a generator returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from groundstate_models.constraints.factors import Value

Request = dict[str, Any]
"""A problem in the request language, see `groundstate_models.constraints.schema`."""


@dataclass(frozen=True)
class Example:
    """A problem and a solution that is known.

    Attributes:
        family: What it is one of: ``queens``, ``zebra``, …
        request: The problem.
        solution: The value of each variable in some solution; often there are others.
    """

    family: str
    request: Request
    solution: dict[str, Value]


def literal(variable: str, value: Value) -> dict[str, Value]:
    return {"variable": variable, "value": value}


def all_different(names: list[str]) -> Request:
    return {"type": "all_different", "variables": names}
