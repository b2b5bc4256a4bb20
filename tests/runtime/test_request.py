"""Bad requests: one sentence for each fault, with its place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundstate as gs
from tests.support import EASY, rows


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (None, "The request is None; it must be an object with the properties 'grid'."),
        ([1], "The request is of type list; it must be an object with the properties 'grid'."),
        ({}, "The property 'grid' is missing."),
        ({"gird": []}, "did you mean 'grid'?"),
        ({"grid": "53..7"}, "grid: '53..7' is not allowed here; an array is."),
        ({"grid": rows(EASY)[:8]}, "grid: There are 8 entries; there must be exactly 9."),
        ({"grid": [*rows(EASY)[:8], [0] * 10]}, "grid[8]: There are 10 entries; there must be exactly 9."),
        ({"grid": []}, "grid: There are 0 entries; there must be exactly 9."),
    ],
)
def test_a_request_of_the_wrong_shape_is_refused_with_its_place(
    sudoku: gs.Solver, request_: object, sentence: str
) -> None:
    with pytest.raises(gs.RequestError) as caught:
        sudoku.solve(request_)  # type: ignore[arg-type]
    assert sentence in str(caught.value)


@pytest.mark.parametrize("value", [10, -1, "7", None, True, math.nan, math.inf, 0.5, [], {}, 10**40, -(10**40)])
def test_a_cell_that_is_no_digit_is_refused_with_its_place(sudoku: gs.Solver, value: object) -> None:
    grid: list[list[object]] = [list(row) for row in rows(EASY)]
    grid[2][7] = value
    with pytest.raises(gs.RequestError) as caught:
        sudoku.solve({"grid": grid})
    assert [fault.place for fault in caught.value.faults] == ["grid[2][7]"]
    assert "a whole number from 0 to 9 is" in str(caught.value)


def test_a_huge_request_is_refused_without_looking_at_all_of_it(sudoku: gs.Solver) -> None:
    with pytest.raises(gs.RequestError, match="There are 300000 entries; there must be exactly 9") as caught:
        sudoku.solve({"grid": ["x"] * 300_000})
    assert len(caught.value.faults) <= 100


def test_a_request_nested_without_end_is_refused(sudoku: gs.Solver) -> None:
    nest: list[object] = []
    for _ in range(100_000):
        nest = [nest]
    with pytest.raises(gs.RequestError, match="nested too deeply"):
        sudoku.solve({"grid": nest})


def test_every_fault_is_named_and_a_long_list_is_cut(sudoku: gs.Solver) -> None:
    with pytest.raises(gs.RequestError) as caught:
        sudoku.solve({"grid": [[99] * 9] * 9})
    assert len(caught.value.faults) == 81
    assert "and 76 more" in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(json_values | st.fixed_dictionaries({"grid": json_values}))
def test_whatever_is_sent_is_refused_as_a_request_or_solved(sudoku: gs.Solver, anything: object) -> None:
    try:
        solution = sudoku.solve(anything, restarts=1, max_steps=16)  # type: ignore[arg-type]
    except gs.RequestError:
        return
    assert isinstance(solution, gs.Solution)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(st.integers(-1, 10) | st.booleans() | st.floats(0, 9), min_size=9, max_size=9), min_size=9, max_size=9
    )
)
def test_the_quick_check_and_the_schema_agree(sudoku: gs.Solver, grid: list[list[object]]) -> None:
    from jsonschema import Draft202012Validator

    allowed = Draft202012Validator(sudoku.header.request).is_valid({"grid": grid})
    try:
        sudoku._problems._request.validate({"grid": grid})
    except gs.RequestError:
        assert not allowed
    else:
        assert allowed


@given(st.text(max_size=120))
def test_any_text_is_a_puzzle_or_a_request_error(sudoku: gs.Solver, text: str) -> None:
    try:
        request = sudoku.parse(text)
    except gs.RequestError:
        return
    assert len(request["grid"]) == 9


@pytest.mark.parametrize("noise", ["\n", " ", "|", "+---+"])
def test_the_notation_of_puzzles_may_be_spaced_and_ruled(sudoku: gs.Solver, noise: str) -> None:
    text = noise.join(EASY[i : i + 9].replace("0", ".") for i in range(0, 81, 9))
    assert sudoku.parse(text) == {"grid": rows(EASY)}
