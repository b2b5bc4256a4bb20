"""The bundled file against PyTorch: autograd of the energy, moved by the rule, from the numbers that the file was made from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import groundstate as gs
from groundstate_export import Descent
from groundstate_models.sudoku import settings
from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.energy import SudokuEnergy
from groundstate_models.sudoku.learned import SEGMENT, Settings
from groundstate_models.sudoku.search import easy_puzzles, minimal_puzzles


def in_pytorch(grid: torch.Tensor, start: torch.Tensor) -> dict[str, torch.Tensor]:
    """One segment without noise."""
    learned = Settings.read(settings())
    energy = SudokuEnergy(BOARDS[9], learned.energy).requires_grad_(requires_grad=False)
    descent = Descent(energy, learned.descent(energy, (0.0, 0.0)), {"grid": grid})
    state, trace = descent.start(start, torch.Generator().manual_seed(0)), []
    for _ in range(SEGMENT):
        trace.append(sum(energy(state["y"], grid).values(), start=torch.zeros(())))
        state, _ = descent.step(state, None)
    wanted = {"next.y": state["y"], "trace": torch.stack(trace, 1), **energy.decode(state["y"], grid)}
    return {name: tensor.detach() for name, tensor in wanted.items()}


@pytest.mark.parametrize("batch", [1, 2, 7, 64])
def test_a_segment_of_the_file_is_a_segment_in_pytorch(sudoku: gs.Solver, batch: int) -> None:
    grid = minimal_puzzles(batch, seed=11)[0].reshape(-1, 9, 9).astype(np.int64)
    start = 0.3 * np.random.default_rng(batch).standard_normal((batch, 9, 81)).astype(np.float32)
    wanted = in_pytorch(torch.from_numpy(grid), torch.from_numpy(start))
    wanted["trace"] = wanted["trace"][:, list(sudoku.header.traced)]
    still = {"y.temperature": np.zeros(batch, np.float32)}
    found = sudoku.minimise({"grid": grid}, {"y": start, **still}, steps=SEGMENT)
    for name in ("next.y", "trace"):
        reference = wanted[name].numpy().astype(np.float64)
        apart = found[name] - reference
        assert np.linalg.norm(apart) <= 1e-5 * np.linalg.norm(reference), name
        # A chain that passes a ridge of the landscape amplifies rounding, in PyTorch as in the file: single entries get more.
        assert np.abs(apart).max() <= 1e-4 * np.abs(reference).max(), name
    assert np.array_equal(found["answer.grid"], wanted["grid"].numpy())


def test_the_self_test_of_the_file_is_its_solution(sudoku: gs.Solver) -> None:
    stored = sudoku.header.self_test
    assert stored is not None
    assert sudoku.solve(stored["request"]).answer == stored["answer"]


@pytest.mark.parametrize("size", BOARDS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3])
def test_boards_of_few_givens_are_filled_whatever_their_size(size: int, share: float) -> None:
    solver, draw = gs.load(BOARDS[size].name), np.random.default_rng(size)
    full = minimal_puzzles(1, 5, BOARDS[size])[1] if size < 16 else easy_puzzles(1, 5, 256, BOARDS[16])[1]
    grid = np.where(draw.random(full.shape) < share, full, 0).reshape(size, size)
    assert solver.solve({"grid": grid.tolist()}, restarts=16, ask=False).solved
