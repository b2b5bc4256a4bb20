"""The bundled file against PyTorch: autograd of the energy, moved by the rule, from the weights that the file was made from."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import groundstate as gs
from groundstate_models.sudoku import weights
from groundstate_models.sudoku.checkpoint import restore
from groundstate_models.sudoku.search import minimal_puzzles

STEPS = 32


def in_pytorch(grid: torch.Tensor, start: torch.Tensor) -> dict[str, torch.Tensor]:
    """One segment without noise."""
    energy, rule = restore(weights(), (0.0, 0.0))
    zeros = torch.zeros_like(start)
    state = {"z": start, "z.velocity": zeros, "z.temperature": torch.zeros(len(start))}
    trace = []
    for _ in range(STEPS):
        z = state["z"].clone().requires_grad_()
        total = torch.stack(list(energy(z, grid).values())).sum(0)
        (slope,) = torch.autograd.grad(total.sum(), z)
        trace.append(total.detach())
        state = rule(state, {"z": slope})
    return {
        "next.z": state["z"],
        "trace": torch.stack(trace, 1),
        "answer.grid": energy.decode(state["z"], grid)["grid"],
    }


@pytest.mark.parametrize("batch", [1, 2, 7, 64])
def test_a_segment_of_the_file_is_a_segment_in_pytorch(sudoku: gs.Solver, batch: int) -> None:
    grid = minimal_puzzles(batch, seed=11)[0].reshape(-1, 9, 9).astype(np.int64)
    start = 0.1 * np.random.default_rng(batch).standard_normal((batch, 9, 9, 9, 16)).astype(np.float32)
    wanted = in_pytorch(torch.from_numpy(grid), torch.from_numpy(start))
    wanted["trace"] = wanted["trace"][:, list(sudoku.header.traced)]
    still = {"z.temperature": np.zeros(batch, np.float32)}
    found = sudoku.minimise({"grid": grid}, {"z": start, **still}, steps=STEPS)
    for name in ("next.z", "trace"):
        reference = wanted[name].numpy().astype(np.float64)
        apart = found[name] - reference
        assert np.linalg.norm(apart) <= 1e-5 * np.linalg.norm(reference), name
        # A chain that passes a ridge of the landscape amplifies rounding, in PyTorch as in the file: single entries get more.
        assert np.abs(apart).max() <= 1e-4 * np.abs(reference).max(), name
    assert np.array_equal(found["answer.grid"], wanted["answer.grid"].numpy())


def test_the_self_test_of_the_file_is_its_solution(sudoku: gs.Solver) -> None:
    stored = sudoku.header.self_test
    assert stored is not None
    assert sudoku.solve(stored["request"]).answer == stored["answer"]
