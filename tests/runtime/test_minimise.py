"""The raw operation: tensors in, tensors out."""

from __future__ import annotations

import numpy as np
import pytest

import groundstate as gs
from tests.support import EASY, EASY_SOLUTION, rows

GRIDS = np.array([rows(EASY)] * 3)


def test_the_energy_falls_and_the_trace_covers_every_segment(sudoku: gs.Solver) -> None:
    out = sudoku.minimise({"grid": GRIDS}, steps=64)
    assert out["trace"].shape == (3, 64 // sudoku.header.steps * len(sudoku.header.traced))
    assert (out["energy"] < out["trace"][:, 0]).all()
    assert np.allclose(out["terms"].sum(1), out["energy"], rtol=1e-4)


def test_going_on_from_the_state_is_the_same_as_not_stopping(sudoku: gs.Solver) -> None:
    noise = {name: np.zeros((3, *spec.shape), np.float32) for name, spec in sudoku.header.noise.items()}
    first = sudoku.minimise({"grid": GRIDS}, seed=1, noise=noise)
    state = {name: first[f"next.{name}"] for name in sudoku.header.state}
    second = sudoku.minimise({"grid": GRIDS}, state, noise=noise)
    both = sudoku.minimise({"grid": GRIDS}, seed=1, steps=2 * sudoku.header.steps, noise=noise)
    for name in sudoku.header.state:
        assert np.array_equal(both[f"next.{name}"], second[f"next.{name}"])
    assert np.array_equal(both["trace"], np.concatenate([first["trace"], second["trace"]], axis=1))


def test_a_batch_gives_each_row_what_it_gets_alone(sudoku: gs.Solver) -> None:
    both = np.array([rows(EASY), rows(EASY_SOLUTION)])
    state = {
        name: spec.initial.draw(np.random.default_rng(3), (2, *spec.shape), spec.dtype)
        for name, spec in sudoku.header.state.items()
    }
    noise = {name: np.zeros((2, *spec.shape), np.float32) for name, spec in sudoku.header.noise.items()}
    together = sudoku.minimise({"grid": both}, state, noise=noise)
    for row in range(2):
        one = {name: tensor[row : row + 1] for name, tensor in state.items()}
        quiet = {name: tensor[row : row + 1] for name, tensor in noise.items()}
        alone = sudoku.minimise({"grid": both[row : row + 1]}, one, noise=quiet)
        for name in sudoku.header.state:
            assert np.allclose(alone[f"next.{name}"][0], together[f"next.{name}"][row], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([1], r"inputs: This is of type list; it must map names to arrays"),
        ({}, r"inputs\.grid: This is missing"),
        ({"grid": np.zeros((0, 9, 9), np.int64)}, "of at least 1"),
        ({"board": GRIDS}, r"inputs\.board: This is unknown"),
        ({"grid": GRIDS + 0.5}, r"inputs\.grid: This is float64 of shape \(3, 9, 9\); it must be int64"),
        ({"grid": GRIDS[0]}, r"inputs\.grid: This has shape \(9, 9\), without the batch; add a first axis"),
        ({"grid": [[1, 2], [3]]}, r"inputs\.grid: This is not an array: its rows have different lengths"),
        ({"grid": "text"}, r"inputs: All inputs need the same first axis"),
        ({"grid": GRIDS[:, :8]}, r"it must be int64 of shape \(3, 9, 9\)"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_with_what_is_wanted(
    sudoku: gs.Solver, inputs: dict[str, np.ndarray], sentence: str
) -> None:
    with pytest.raises(gs.RequestError, match=sentence):
        sudoku.minimise(inputs)


def test_steps_that_are_no_whole_segments_are_refused(sudoku: gs.Solver) -> None:
    with pytest.raises(gs.OptionError, match="steps is 17; it must be a positive multiple of the segment's 16"):
        sudoku.minimise({"grid": GRIDS}, steps=17)


def test_lists_and_other_dtypes_that_say_the_same_are_taken(sudoku: gs.Solver) -> None:
    noise = {name: np.zeros((3, *spec.shape)) for name, spec in sudoku.header.noise.items()}
    wanted = sudoku.minimise({"grid": GRIDS}, noise={n: x.astype(np.float32) for n, x in noise.items()})
    for grid in (GRIDS.tolist(), GRIDS.astype(np.float64), GRIDS.astype(np.int8)):
        found = sudoku.minimise({"grid": grid}, noise=noise)
        assert all(np.array_equal(found[name], wanted[name]) for name in wanted)
