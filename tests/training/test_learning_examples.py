"""Examples are read from files and memory; whatever cannot be learned from is refused in one sentence with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundstate_training import TrainingError, learn
from groundstate_training.learning._examples import MOST_ROWS, read_examples
from groundstate_training.learning._tables import typed


def test_one_table_is_read_alike_from_csv_json_lines_and_memory(tmp_path: Path) -> None:
    rows = [{"a": 1, "b": "x", "c": None}, *({"a": k, "b": "y", "c": 2.5} for k in range(5))]
    (tmp_path / "t.csv").write_text("a,b,c\n1,x,\n" + "".join(f"{k},y,2.5\n" for k in range(5)), encoding="utf-8")
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "t.json").write_text(json.dumps(rows), encoding="utf-8")
    expected = read_examples(rows)
    assert expected.names == ("a", "b", "c")
    assert expected.rows[0] == [1, "x", None]
    for name in ("t.csv", "t.jsonl", "t.json"):
        assert read_examples(tmp_path / name) == expected


def test_grids_are_read_alike_from_texts_lists_and_arrays(tmp_path: Path) -> None:
    array = np.arange(45).reshape(5, 3, 3) % 4 + 1
    lines = ["".join(map(str, one.ravel())) for one in array]
    (tmp_path / "g.txt").write_text("\n".join(lines), encoding="utf-8")
    expected = read_examples(array)
    assert expected.grid == (3, 3)
    assert expected.names[:4] == ("r1c1", "r1c2", "r1c3", "r2c1")
    assert read_examples(tmp_path / "g.txt") == read_examples(array.tolist()) == read_examples(lines) == expected
    assert read_examples(["1.34", *["1234"] * 4]).rows[0] == [1, None, 3, 4]


def test_of_very_many_rows_a_sample_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text("a,b\n" + "1,2\n" * (MOST_ROWS + 500), encoding="utf-8")
    found = read_examples(path)
    assert (len(found.rows), found.total) == (MOST_ROWS, MOST_ROWS + 500)


ROWS = [{"a": k, "b": k % 3} for k in range(8)]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ([{"a": 1}], "There is 1 example in the examples; learning needs 5."),
        ([*ROWS, {"a": 1}], "There are 1 values in example 9; the first example has 2."),
        ([*ROWS, {"a": 1, "c": 2}], "The variable 'b' is in example 9 or in the first example, but not in both."),
        ([*ROWS, {"a": 1, "b": [2]}], "The value of 'b' in example 9 is a list; a value is a number, a word or null."),
        ([[[1, 2], [3]]] * 5, r"The rows of the grid in example 1 have different lengths: [1, 2]."),
        ({"a": 1}, "The examples are a dict; give a path, or a list with one example an entry."),
        ("missing.csv", "cannot be read"),
        ("table.xlsx", "ends in '.xlsx'"),
        ([5, 6, 7, 8, 9], "an example is a mapping, a list, a grid or a text"),
    ],
)  # fmt: skip
def test_examples_that_cannot_be_read_are_refused(source: Any, said: str) -> None:
    with pytest.raises(TrainingError) as caught:
        learn(source)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,a\n1,2\n", "has the column 'a' twice"),
        ("a,b\n1,2\n1\n", "There are 1 values in line 3"),
    ],
)
def test_damaged_tables_are_refused_with_the_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TrainingError, match=said):
        learn(path)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([None] * 9, "has no value in any row"),
        ([3] * 9, "is 3 in every row"),
        ([1, 2, "x", 4, 5], r"mixes words ('x') and numbers (1)"),
    ],
)
def test_columns_that_hold_nothing_to_learn_are_refused(values: list[Any], said: str) -> None:
    with pytest.raises(TrainingError) as caught:
        typed("c", values)
    assert said in str(caught.value)
    assert "'c'" in str(caught.value)


def test_a_grid_of_another_size_an_unknown_kind_and_a_constant_grid_are_refused() -> None:
    with pytest.raises(TrainingError, match="A grid of 2 × 3 has 6 cells; the examples have 4"):
        learn(["1234"] * 6, grid=(2, 3))
    with pytest.raises(TrainingError, match="'shapes' is unknown"):
        learn(["1234"] * 6, kind="shapes")
    with pytest.raises(TrainingError, match="Every value of the examples is 1"):
        learn(["1111"] * 6)
    with pytest.raises(TrainingError, match="the kind 'table'"):
        learn([[0.5, 1, 2]] * 6, kind="rules")


def test_columns_named_by_cells_are_a_grid_and_a_file_without_names_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "boards.csv"
    path.write_text("r1c1,r1c2,r2c1,r2c2\n" + "1,2,2,1\n" * 5, encoding="utf-8")
    assert read_examples(path).grid == (2, 2)
    path.write_text("r1c1,r1c2,r2c2,r2c1\n" + "1,2,2,1\n" * 5, encoding="utf-8")
    assert read_examples(path).grid is None
    path.write_text("1,2,2,1\n" * 6, encoding="utf-8")
    with pytest.raises(TrainingError, match="the first line must name the variables"):
        read_examples(path)
