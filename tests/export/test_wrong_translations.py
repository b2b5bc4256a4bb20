"""A translation that is wrong is caught: no file is written that differs from PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest

from groundstate_export import (
    ParityError,
)
from groundstate_export._lower.lowering import HANDLERS
from tests.export.attempts import attempt, bowl


def test_a_translation_that_is_wrong_is_caught_and_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "tanh", HANDLERS["square"])
    with pytest.raises(
        ParityError, match=r"'(energy|trace|residual|next\.y)'.*at batch .* No file was written"
    ) as caught:
        attempt(lambda state, x: (state * x).tanh().sum(-1) + bowl(state, x), folder)
    assert caught.value.tolerance < caught.value.error
    assert caught.value.batch in (1, 5)


def test_an_answer_that_is_decoded_wrongly_is_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "gt", HANDLERS["logical_not"])
    with pytest.raises(ParityError, match=r"'answer\.side'"):
        attempt(bowl, folder, decode=lambda state, x: {"side": state > 0})


def test_rules_that_are_counted_wrongly_are_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "lt", HANDLERS["logical_not"])
    with pytest.raises(ParityError, match="violations"):
        attempt(
            bowl,
            folder,
            decode=lambda state, x: {"value": state},
            checks=lambda answer, x: {"positive": (answer["value"] < 0).sum(-1)},
        )
