"""Bad input to `groundstate learn`: one sentence each, in Python and on the command line; nothing learned is lost."""

from __future__ import annotations

import csv
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from groundstate_training import TrainingError, learn
from groundstate_training._learn_command import command
from groundstate_training.learning import TableModel
from groundstate_training.learning._examples import MOST_ROWS, read_examples

LATIN = [[1, 2, 3], [2, 3, 1], [3, 1, 2]] * 4


def rows(many: int = 40, seed: int = 0) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    x = random.normal(size=many)
    return [{"x": round(float(a), 3), "y": round(float(2 * a + random.normal()), 3), "z": "ab"[int(a > 0)]} for a in x]


def written(path: Path, some: list[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(some[0]))
        table.writeheader()
        table.writerows(some)
    return path


BAD: dict[str, tuple[list[dict[str, Any]], str]] = {
    "one row": (rows()[:1], "There is 1 example in"),
    "a constant column": ([{**row, "y": 3} for row in rows()], "The column 'y' is 3 in every row, so there is nothing to learn."),
    "mixed types": ([{**row, "y": "high" if k == 7 else row["y"]} for k, row in enumerate(rows())], "The column 'y' mixes words"),
    "an empty column": ([{**row, "y": None} for row in rows()], "The column 'y' has no value in any row."),
    "nothing but empty cells": ([dict.fromkeys("xyz") for _ in range(9)], "has no value"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_in_one_sentence_that_python_raises_and_the_command_prints(
    case: str, tmp_path: Path
) -> None:
    some, said = BAD[case]
    path = written(tmp_path / "table.csv", some)
    with pytest.raises(TrainingError) as caught:
        learn(path, kind="table")
    assert said in str(caught.value)
    done = CliRunner().invoke(
        command, [str(path), "--kind", "table", "-o", str(tmp_path / "t.onnx")], standalone_mode=False
    )
    assert done.return_value != 0
    assert said in done.output
    assert "Traceback" not in done.output
    assert not (tmp_path / "t.onnx").exists()


def test_an_empty_cell_in_every_row_and_rows_that_contradict_each_other_are_learned_from() -> None:
    some = rows()
    for k, row in enumerate(some):
        row["xyz"[k % 3]] = None
    same = [{"x": 0.5, "y": y, "z": "a"} for y in (-3.0, 3.0)] * 10
    model = learn([*some, *same, dict.fromkeys("xyz")], kind="table", effort=0.1)
    assert isinstance(model, TableModel)
    (belief,) = model.beliefs([{"x": 0.5, "y": None, "z": "a"}])[0].values()
    low, high = belief.interval()
    assert high - low > 2  # what contradicting examples leave open is wide, not one of them


def test_examples_that_break_a_stated_constraint_are_named() -> None:
    with pytest.raises(TrainingError, match="is broken by 12 of 12 examples, the first of them example 1"):
        learn(LATIN, kind="rules", known=[{"type": "equal", "variables": ["v1", "v2"]}])


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"type": "equal"}, "needs 'variables'"),
        ("v1 = v2", "must be an object with a type"),
        ({"type": "sum"}, "known are"),
    ],
)
def test_a_stated_constraint_that_means_nothing_is_refused(known: Any, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        learn(LATIN, kind="rules", known=[known])


def test_a_constraint_that_a_table_cannot_use_is_refused_and_not_ignored() -> None:
    with pytest.raises(TrainingError, match="nothing can be stated with 'known'"):
        learn(rows(), kind="table", known=[{"type": "equal", "variables": ["x", "y"]}])


@pytest.mark.nightly
def test_of_a_million_rows_a_sample_is_learned_from_in_bounded_memory_and_the_report_says_so(tmp_path: Path) -> None:
    path, block = tmp_path / "many.csv", rows(1000)
    with path.open("w", encoding="utf-8") as file:
        file.write("x,y,z\n")
        text = "".join(f"{row['x']},{row['y']},{row['z']}\n" for row in block)
        for _ in range(1000):
            file.write(text)
    tracemalloc.start()
    try:
        found = read_examples(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(found.rows), found.total) == (MOST_ROWS, 1_000_000)
    assert most < 50_000_000
    said: list[str] = []
    model = learn(path, kind="table", effort=0.1, progress=said.append)
    assert said[0] == f"Read a sample of {MOST_ROWS} of 1000000 examples of 3 variables."
    assert f"Learned from a random sample of {MOST_ROWS} of them." in model.report


SMALL_DISK = """
import resource, sys
from tests.training.test_learning_bad_input import rows
from groundstate_export import ExportError
from groundstate_training import TrainingError, learn
folder, path, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
said = []
model = learn(rows(), kind="table", effort=0.1, folder=folder, progress=said.append)
print(sum(line.startswith("Step") for line in said))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    model.export(path)
except (TrainingError, ExportError, OSError) as error:
    print(type(error).__name__, error)
"""


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on the size of files")
def test_a_disk_that_fills_at_the_end_loses_nothing_and_the_next_run_only_writes(tmp_path: Path) -> None:
    path = tmp_path / "table.onnx"

    def run(limit: int) -> list[str]:
        command = [sys.executable, "-c", SMALL_DISK, str(tmp_path / "checkpoint"), str(path), str(limit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    steps, *refused = run(10_000)
    assert int(steps) > 0
    assert "cannot be written" in refused[0]
    assert not path.exists()
    assert run(100_000_000) == ["0"]  # no step was trained again
    assert path.stat().st_size > 10_000
