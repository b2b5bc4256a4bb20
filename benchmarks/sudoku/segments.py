"""Artefacts side by side, such as one energy with different segment lengths: one process, rounds in turn.

    python -m benchmarks.sudoku.segments sudoku mine.onnx … [--easy 100] [--hard 100] [--rounds 3]

Easy puzzles, generated and solved by propagation alone, are solved one by one: the median and the 95th percentile of a call, in
wall time and in processor time, which other load changes less. Hard ones, also generated, are solved as one batch
with 16 chains of 512 steps: the solved share, and puzzles per second of processor time. Every answer is checked here.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from benchmarks.rates import percentile

import groundstate as gs
from groundstate_models.sudoku.search import easy_puzzles, hard_puzzles

SEED = 90_000_049


def right(solution: object, solved: np.ndarray) -> bool:
    return isinstance(solution, gs.Solution) and solution.solved and np.array_equal(solution.answer["grid"], solved)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="installed models or files")
    parser.add_argument("--easy", type=int, default=100, help="puzzles (default: %(default)s)")
    parser.add_argument("--hard", type=int, default=100, help="puzzles (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    solvers = {model: gs.load(model, threads=options.threads) for model in options.models}
    easy, solved, _ = easy_puzzles(options.easy, SEED, givens=36)
    hard, solutions, _ = hard_puzzles(options.hard, SEED, rounds=20)
    wall, cpu, wrong = ({model: [] for model in solvers} for _ in range(3))
    steps, spent, found = ({model: [] for model in solvers} for _ in range(3))
    requests = [{"grid": puzzle.reshape(9, 9)} for puzzle in hard]
    for solver in solvers.values():
        solver.solve({"grid": easy[0].reshape(9, 9)}, ask=False)
    for number in range(options.rounds):
        for puzzle, solution in zip(easy, solved, strict=True):
            for model, solver in solvers.items():
                begun, used = time.perf_counter(), time.process_time()
                outcome = solver.solve({"grid": puzzle.reshape(9, 9)}, ask=False, seed=number)
                cpu[model].append(time.process_time() - used)
                wall[model].append(time.perf_counter() - begun)
                steps[model].append(outcome.steps)
                wrong[model].append(outcome.solved and not right(outcome, solution.reshape(9, 9)))
        for model, solver in solvers.items():
            used = time.process_time()
            outcomes = solver.solve_many(requests, restarts=16, max_steps=512, seed=number)
            spent[model].append(time.process_time() - used)
            good = [right(o, s.reshape(9, 9)) for o, s in zip(outcomes, solutions, strict=True)]
            wrong[model] += [o.solved and not fine for o, fine in zip(outcomes, good, strict=True)]
            found[model].append(float(np.mean(good)))
    print(
        "| model | easy, wall median / 95th | processor median / 95th | updates | hard solved | hard puzzles a second | wrong |"
    )
    print("|---|---|---|---|---|---|---|")
    for model in solvers:
        cells = [
            f"{1e3 * percentile(t[model], 0.5):.2f} / {1e3 * percentile(t[model], 0.95):.2f} ms" for t in (wall, cpu)
        ]
        rate = options.hard * options.rounds / sum(spent[model])
        print(
            f"| {model} | {' | '.join(cells)} | {np.mean(steps[model]):.0f} | {100 * np.mean(found[model]):.1f} % | "
            f"{rate:.1f} | {sum(wrong[model])} |"
        )


if __name__ == "__main__":
    main()
