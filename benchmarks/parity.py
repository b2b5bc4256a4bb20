"""Errors of the bundled Sudoku file and of PyTorch after one segment, by batch, against PyTorch in float64.

    python benchmarks/parity.py

Starts are those of real chains (temperature from the header, noise drawn once, given to both). ``norm`` is the Euclidean norm
of the error over the state, relative to the state's; ``entry`` is the largest error of any element, relative to the largest
element.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

import groundstate as gs
from groundstate_export import Descent
from groundstate_models.sudoku import settings
from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.energy import SudokuEnergy
from groundstate_models.sudoku.learned import SEGMENT, Settings
from groundstate_models.sudoku.search import minimal_puzzles


@torch.no_grad()
def in_pytorch(grid: np.ndarray, state: dict[str, np.ndarray], noise: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    """``next.y`` by autograd of the energy, moved by the rule."""
    learned = Settings.read(settings())
    energy = SudokuEnergy(BOARDS[9], learned.energy).requires_grad_(requires_grad=False).to(dtype)
    rule = learned.descent(energy).requires_grad_(requires_grad=False).to(dtype)
    descent, noisy = Descent(energy, rule, {"grid": torch.from_numpy(grid)}), rule.kicks(SEGMENT)
    now = {name: torch.from_numpy(tensor).to(dtype) for name, tensor in state.items()}
    for step in range(SEGMENT):
        added = {"y": torch.from_numpy(noise[:, noisy.index(step)]).to(dtype)} if step in noisy else None
        now, _ = descent.step(now, added)
    return now["y"].double().numpy()


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
        noise = random.standard_normal((batch, *solver.header.noise["y"].shape), np.float32)
        found = solver.minimise({"grid": grid}, state, noise={"y": noise})["next.y"]
        truth = in_pytorch(grid, state, noise, torch.float64)
        single = in_pytorch(grid, state, noise, torch.float32)
        print(f"| {batch} | {errors(found, truth)} | {errors(single, truth)} |")


if __name__ == "__main__":
    main()
