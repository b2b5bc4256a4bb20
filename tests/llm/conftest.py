"""One small language model for all of these tests; where its wheels are missing, they are skipped."""

from __future__ import annotations

import pytest
from benchmarks.local_llm import LocalModel, installed


@pytest.fixture(scope="session")
def llm() -> LocalModel:
    if not installed():
        pytest.skip("the wheels that benchmarks/local_llm.py names are missing")
    return LocalModel()
