"""Settings files: what is kept is read again; anything else is refused in one sentence that names the place."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from groundstate_models import constraints, sudoku
from groundstate_models._settings import Settings, SettingsError
from groundstate_models.constraints.learned import Settings as ConstraintsSettings
from groundstate_models.sudoku.learned import Settings as SudokuSettings

KINDS = [SudokuSettings, ConstraintsSettings]


def stored(kind: type[Settings], **changes: Any) -> dict[str, Any]:
    return {"format": kind.FORMAT, **asdict(kind()), **changes}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_is_read_again(kind: type[Settings], tmp_path: Path) -> None:
    changed = kind(start=0.25)  # type: ignore[call-arg]
    changed.keep(tmp_path / "settings.json")
    assert kind.read(tmp_path / "settings.json") == changed != kind()


@pytest.mark.parametrize(
    ("kind", "path"), [(SudokuSettings, sudoku.settings()), (ConstraintsSettings, constraints.settings())]
)
def test_the_settings_of_the_bundled_files_can_be_read(kind: type[Settings], path: Path) -> None:
    assert kind.read(path) != kind()


HAND = asdict(ConstraintsSettings())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is damaged, or holds no settings"),
        ("not settings", "is damaged, or holds no settings"),
        ("[1, 2]", "is damaged, or holds no settings"),
        ("{}", "is damaged, or holds no settings ('format')"),
        (json.dumps(stored(ConstraintsSettings))[:60], "is damaged, or holds no settings"),
        (json.dumps(stored(ConstraintsSettings, format=0)), "holds settings of format 0; this version reads format 1."),
        (json.dumps({"format": 1, **HAND, "energy": 3}), "is damaged: energy is not an object."),
        (json.dumps({"format": 1, "energy": HAND["energy"], "rule": HAND["rule"]}), "is damaged: start is missing."),
        (json.dumps(stored(ConstraintsSettings, patience=3)), "is damaged: patience is unknown."),
        (json.dumps(stored(ConstraintsSettings, rule={**HAND["rule"], "x": 1})), "is damaged: rule.x is unknown."),
        (json.dumps(stored(ConstraintsSettings, start="wide")), "is damaged: start is not a number."),
        (json.dumps(stored(ConstraintsSettings, start=True)), "is damaged: start is not a number."),
        (json.dumps(stored(ConstraintsSettings, start=float("nan"))), "is damaged: start is not a number."),
        (
            json.dumps(stored(ConstraintsSettings, energy={**HAND["energy"], "weight_by_shape": [1.0]})),
            "is damaged: energy.weight_by_shape is not a list of 6 numbers.",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_refused_and_kept(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as refusal:
        ConstraintsSettings.read(path)
    assert str(refusal.value).startswith(f"{path} {message}")
    assert path.read_text(encoding="utf-8") == text


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.json cannot be read: No such file"):
        SudokuSettings.read(tmp_path / "none.json")
