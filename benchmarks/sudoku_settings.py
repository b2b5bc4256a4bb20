"""How temperature and patience change what the Sudoku model solves, on hard puzzles from the project's own generator.

    python benchmarks/sudoku_settings.py [--model sudoku] [--puzzles 200] [--chains 16] [--steps 512]

The defaults in the artefact's header were chosen by this table, never by a test set. A chain makes ``--steps`` updates in all,
starting anew after ``patience`` of them.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import groundstate as gs
from groundstate._header import Initial
from groundstate_models.sudoku.search import hard_puzzles

TEMPERATURES = ((0.0, 0.0), (0.0, 4.0), (0.0, 6.0), (2.0, 6.0), (4.0, 4.0), (5.0, 5.0), (4.0, 8.0))
PATIENCE = (128, 256, 512)


def main() -> None:
    parser = argparse.ArgumentParser(description="Temperature and patience of the Sudoku model.")
    parser.add_argument("--model", default="sudoku")
    parser.add_argument("--puzzles", type=int, default=200)
    parser.add_argument("--chains", type=int, default=16)
    parser.add_argument("--steps", type=int, default=512)
    parser.add_argument("--seed", type=int, default=4_242)
    options = parser.parse_args()
    solver = gs.load(options.model)
    puzzles, solutions, _ = hard_puzzles(options.puzzles, seed=options.seed, rounds=60)
    requests = [{"grid": puzzle.reshape(9, 9)} for puzzle in puzzles]
    print(
        "| temperature | patience | solved | mean updates of the chain that solved | seconds |\n|---|---|---|---|---|"
    )
    for low, high in TEMPERATURES:
        for patience in PATIENCE:
            name = "z.temperature"
            solver.header.state[name] = replace(solver.header.state[name], initial=Initial("uniform", (low, high)))
            solver.header.defaults["patience"] = patience
            begun = time.perf_counter()
            outcomes = solver.solve_many(requests, restarts=options.chains, max_steps=options.steps)
            solved = [
                o
                for o, s in zip(outcomes, solutions, strict=True)
                if isinstance(o, gs.Solution) and o.answer is not None and o.answer["grid"] == s.reshape(9, 9).tolist()
            ]
            steps = sum(o.steps for o in solved) / max(1, len(solved))
            seconds = time.perf_counter() - begun
            print(
                f"| {low:g} to {high:g} | {patience} | {len(solved)} of {len(puzzles)} | {steps:.0f} | {seconds:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
