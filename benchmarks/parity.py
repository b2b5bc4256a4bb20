"""The bundled Sudoku file against PyTorch after one segment, by batch: how far each is from PyTorch in float64.

    python benchmarks/parity.py

Starts are those of real chains (temperature as the header says, noise drawn once, given to both). ``norm`` is the Euclidean norm
of the error over the state, relative to the state's; ``entry`` is the largest error of any entry, relative to the largest entry.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

import groundstate as gs
from groundstate_models.sudoku import weights
from groundstate_models.sudoku.checkpoint import restore
from groundstate_models.sudoku.search import minimal_puzzles

STEPS = 16


def in_pytorch(grid: np.ndarray, state: dict[str, np.ndarray], noise: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """``next.z`` by autograd of the energy, moved by the rule."""
    energy, rule = restore(weights(), (0.0, 3.0))
    energy, rule = energy.to(dtype), rule.to(dtype)
    now = {name: torch.from_numpy(tensor).to(dtype) for name, tensor in state.items()}
    given = torch.from_numpy(grid)
    for step in range(STEPS):
        z = now["z"].clone().requires_grad_()
        (slope,) = torch.autograd.grad(torch.stack(list(energy(z, given).values())).sum(), z)
        kick = rule.kicks(STEPS).index(step) if step in rule.kicks(STEPS) else None
        now = rule(now, {"z": slope}, None if kick is None else {"z": torch.from_numpy(noise[:, kick]).to(dtype)})
    return now["z"].double().numpy()


def errors(found: np.ndarray, truth: np.ndarray) -> str:
    apart = found - truth
    return f"{np.linalg.norm(apart) / np.linalg.norm(truth):.1e} / {np.abs(apart).max() / np.abs(truth).max():.1e}"


def main() -> None:
    parser = argparse.ArgumentParser(description="The bundled Sudoku file against PyTorch, by batch.")
    parser.parse_args()
    solver = gs.load("sudoku")
    print("| batch | file, norm / entry | float32 PyTorch, norm / entry |\n|---|---|---|")
    for batch in (1, 2, 7, 64):
        random = np.random.default_rng(batch)
        grid = minimal_puzzles(batch, seed=batch)[0].reshape(-1, 9, 9).astype(np.int64)
        state = {n: s.initial.draw(random, (batch, *s.shape), s.dtype) for n, s in solver.header.state.items()}
        noise = random.standard_normal((batch, *solver.header.noise["z"].shape), np.float32)
        found = solver.minimise({"grid": grid}, state, noise={"z": noise})["next.z"]
        truth = in_pytorch(grid, state, noise, torch.float64)
        single = in_pytorch(grid, state, noise, torch.float32)
        print(f"| {batch} | {errors(found, truth)} | {errors(single, truth)} |")


if __name__ == "__main__":
    main()
