"""Each error of a user is reported with its cause, and with the line of the energy that is at fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.export.user_errors import ERRORS, NOTED, attempt, verdict


def test_the_errors_of_the_trials_are_all_here() -> None:
    assert len(NOTED) == 65


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_a_user_is_reported_with_its_cause(name: str, tmp_path: Path) -> None:
    error = ERRORS[name]
    refusal = attempt(error, tmp_path)
    assert verdict(error, refusal) == "", refusal
    assert bool(list(tmp_path.iterdir())) == (error.cause is None)
