"""Steps to the answer for chains of the Sudoku model, by temperature, on hard puzzles from the project's own generator.

    python -m benchmarks.sudoku.settings [--model sudoku] [--puzzles 80] [--chains 24] [--steps 512]

Chains run alone and never restart. The first table has the share of chains with the answer after a number of steps,
and the share of puzzles that any chain solved. The second has the cost of the whole search on this machine, with the
runtime's own schedule of chains, by patience; ``0`` beside it means equal patience for all chains, ``1`` Luby's
sequence. The model's own patience is learned (`groundstate_models.sudoku.train`); this shows the effect of others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from benchmarks.headers import with_header
from benchmarks.journal import Progress
from benchmarks.rates import percentile
from numpy.typing import NDArray

import groundstate as gs
from groundstate_models.sudoku.search import hard_puzzles

TEMPERATURES = ((0.0, 0.0), (1.0, 1.0), (2.0, 2.0))
SPREADS = ((0.0, 2.0), (1.0, 1.0))
PATIENCE = ((192, 0), (256, 0), (320, 0), (384, 0), (512, 0), (256, 1), (512, 1))


def variant(model: str, temperature: tuple[float, float], **defaults: int) -> gs.Solver:
    """A model whose chains start at temperatures from a range, with other defaults."""

    def change(header: dict[str, Any]) -> None:
        header["state"]["y.temperature"]["initial"] = {"uniform": list(temperature)}
        header["defaults"].update(defaults)

    return gs.load(with_header(model, change))


def found(
    solver: gs.Solver, requests: list[dict[str, object]], chains: int, steps: int, progress: Progress
) -> NDArray[np.int64]:
    """Steps until each chain had the answer, ``(chains, puzzles)``; 0 if it had none."""
    rows = []
    for seed in range(chains):
        outcomes = solver.solve_many(requests, restarts=1, max_steps=steps, seed=seed)
        rows.append([o.steps if isinstance(o, gs.Solution) and o.solved else 0 for o in outcomes])
        progress()
    return np.array(rows)


def alone(solver: gs.Solver, requests: list[dict[str, object]], progress: Progress) -> Iterator[tuple[float, bool]]:
    """Seconds of a call for each puzzle, and whether it was solved."""
    for request in requests:
        begun = time.perf_counter()
        outcome = solver.solve(request, ask=False)
        yield time.perf_counter() - begun, outcome.solved
        progress()


def main() -> None:
    parser = argparse.ArgumentParser(description="When chains of the Sudoku model find the answer.")
    parser.add_argument("--model", default="sudoku", help="an installed model or a file (default: %(default)s)")
    parser.add_argument("--puzzles", type=int, default=80)
    parser.add_argument("--chains", type=int, default=24, help="of each puzzle (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=2048, help="steps of a chain (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=4_242)
    options = parser.parse_args()
    puzzles, _, _ = hard_puzzles(options.puzzles, seed=options.seed, rounds=60)
    requests: list[dict[str, object]] = [{"grid": puzzle.reshape(9, 9)} for puzzle in puzzles]

    times = [t for t in (64, 128, 256, 512, 1024, 2048) if t <= options.steps]
    print(f"| temperature | {' | '.join(map(str, times))} | by any |\n|{'---|' * (len(times) + 2)}")
    for temperature in TEMPERATURES:
        solver = variant(options.model, temperature, patience=options.steps)
        progress = Progress(f"temperature {temperature[0]:g}", options.chains)
        when = found(solver, requests, options.chains, options.steps, progress)
        shares = [f"{100 * ((when > 0) & (when <= t)).mean():.1f} %" for t in times]
        print(f"| {temperature[0]:g} | {' | '.join(shares)} | {100 * (when > 0).any(0).mean():.1f} % |", flush=True)

    print("\n| temperatures | patience | solved | median / 95th / longest |\n|---|---|---|---|")
    for low, high in SPREADS:
        for patience, lengthens in PATIENCE:
            solver = variant(options.model, (low, high), patience=patience, lengthens=lengthens)
            progress = Progress(f"{low:g} to {high:g}, patience {patience}, {lengthens}", len(requests))
            seconds, solved = zip(*alone(solver, requests, progress), strict=True)
            spread = " / ".join(f"{1e3 * percentile(seconds, q):.0f}" for q in (0.5, 0.95, 1.0))
            print(
                f"| {low:g} to {high:g} | {patience}, {lengthens} | {sum(solved)} of {len(solved)} | {spread} ms |",
                flush=True,
            )


if __name__ == "__main__":
    main()
