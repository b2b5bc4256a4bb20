"""Training: one command, resumable, and what it leaves behind can be exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundstate_models.sudoku import train
from groundstate_models.sudoku.learned import Settings
from groundstate_models.sudoku.search import solve
from groundstate_training import read_checkpoint, write_checkpoint


def run(out: Path, *options: str) -> Settings:
    assert train.main(["--preset", "smoke", "--threads", "1", "--out", str(out), *options]) == 0
    return Settings.read(out / "settings.json")


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("straight")
    run(folder)
    return folder


def test_the_origin_of_the_search_is_what_training_starts_from() -> None:
    found, first = train.settings_of(np.zeros(train.DIMENSIONS)), Settings()
    assert found.energy == first.energy
    assert found.rule == pytest.approx(dict(first.rule))
    assert (found.start, found.patience) == pytest.approx((first.start, first.patience))


def test_every_number_of_a_point_moves_a_number_of_the_settings() -> None:
    first = Settings()
    for place in range(train.DIMENSIONS):
        moved = train.settings_of(np.eye(train.DIMENSIONS)[place])
        changed = [name for name in first.energy if moved.energy[name] != first.energy[name]]
        changed += [name for name in first.rule if abs(moved.rule[name] - first.rule[name]) > 1e-12]
        changed += [name for name in ("start", "patience") if getattr(moved, name) != getattr(first, name)]
        assert len(changed) == 1


def test_answers_that_come_sooner_and_more_answers_are_worth_more() -> None:
    found = np.array([[64, 64], [64, 512], [512, 512], [512, 0], [0, 0]])
    worth = train.soon(found, 1024)
    assert (np.diff(worth) < 0).all()
    assert worth[0] == pytest.approx(np.log2(1000 * 2.1 / 128))


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(straight: Path, tmp_path: Path) -> None:
    run(tmp_path, "--stop-after", "1")
    assert run(tmp_path) == Settings.read(straight / "settings.json") != Settings()


def test_the_log_says_what_a_run_did(straight: Path) -> None:
    entries = [json.loads(line) for line in (straight / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [entry["iteration"] for entry in entries if "best" in entry] == [1, 2]
    validated = [entry for entry in entries if "hardest" in entry]
    assert validated
    for entry in validated:
        for kind in ("minimal", "hard", "hardest"):
            worth, share = entry[kind]
            # The share of chains that found an answer decides how many answers a thousand updates can have brought at most.
            assert share == 0.0 or worth > np.log2(1000 * 0.1 / train.LONGEST)


def test_nobodys_patience_is_endless() -> None:
    point = np.zeros(train.DIMENSIONS)
    point[-1] = 9.0
    assert train.settings_of(point).lifetime == train.LONGEST


@pytest.mark.parametrize("kind", ["minimal", "sparse", "hard", "hardest", "loose", "loose_4x4", "loose_6x6"])
def test_boards_of_every_kind_have_the_answers_that_they_ought_to_have(kind: str) -> None:
    boards = train.puzzles(kind, 2, 3)
    assert len(boards) == 2
    for grid in boards.grid:
        count, _, _ = solve(grid, board=boards.board)
        assert count == (1 if "loose" not in kind else min(count, 2) or None)


def test_few_clues_are_few() -> None:
    clues = [np.count_nonzero(train.puzzles(kind, 6, 3).grid, axis=(1, 2)).mean() for kind in ("sparse", "minimal")]
    assert clues[0] < clues[1] - 1


def test_boards_bred_while_it_learns_have_one_solution_each_and_become_harder() -> None:
    evolution = train.SudokuEvolution(train.PRESETS["smoke"], 0, 1)
    before = evolution.rivals.worth[:] = 9.0
    first = evolution.rivals.puzzle.copy()
    for seed in range(6):
        evolution.breed(np.random.default_rng(seed))
    changed = (evolution.rivals.puzzle != first).any(1)
    assert changed.any()
    assert (evolution.rivals.worth[changed] < before).all()
    assert all(solve(puzzle)[0] == 1 for puzzle in evolution.rivals.puzzle)


def test_a_checkpoint_of_another_preset_is_refused_in_a_sentence(
    tmp_path: Path, straight: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = read_checkpoint(straight / "checkpoint.npz")
    state["preset"]["chains"] = 99
    write_checkpoint(state, tmp_path / "checkpoint.npz")
    assert train.main(["--preset", "smoke", "--out", str(tmp_path)]) == 2
    assert "was made with another preset" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_refused_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = tmp_path / "checkpoint.npz"
    checkpoint.write_bytes(b"not a checkpoint")
    assert train.main(["--preset", "smoke", "--out", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert checkpoint.read_bytes() == b"not a checkpoint"


def test_a_full_disk_costs_a_sentence_and_not_the_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, "--stop-after", "1")
    before = (tmp_path / "checkpoint.npz").read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    assert train.main(["--preset", "smoke", "--threads", "1", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "the previous file is unchanged" in said
    assert (tmp_path / "checkpoint.npz").read_bytes() == before
