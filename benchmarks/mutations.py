"""Whether a wrong answer is ever called valid: mutated answers of generated puzzles, given to `score`.

    python benchmarks/mutations.py [--answers 10000]

Mutations: digits replaced, two cells of a line swapped, a rectangle's rows exchanged, rows of a band or digits permuted in the
whole grid (which keeps the rules and breaks the givens). It also prints how often the energy alone tells right from wrong.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

import groundstate as gs
from groundstate_models.sudoku.search import minimal_puzzles

Grid = np.ndarray


def replace(grid: Grid, random: np.random.Generator) -> None:
    for _ in range(random.integers(1, 5)):
        grid[tuple(random.integers(0, 9, 2))] = random.integers(1, 10)


def swap(grid: Grid, random: np.random.Generator) -> None:
    row, (a, b) = random.integers(9), random.choice(9, 2, replace=False)
    lines = grid if random.random() < 0.5 else grid.T
    lines[row, [a, b]] = lines[row, [b, a]]


def rectangle(grid: Grid, random: np.random.Generator) -> None:
    (r, s), (a, b) = random.choice(9, 2, replace=False), random.choice(9, 2, replace=False)
    grid[np.ix_([r, s], [a, b])] = grid[np.ix_([s, r], [a, b])]


def rename(grid: Grid, random: np.random.Generator) -> None:
    grid[:] = (1 + random.permutation(9))[grid - 1]


def lines(grid: Grid, random: np.random.Generator) -> None:
    band = 3 * random.integers(3)
    grid[band : band + 3] = grid[band + random.permutation(3)]


MUTATIONS = (replace, swap, rectangle, rename, lines)


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutated answers, given to score.")
    parser.add_argument("--answers", type=int, default=10_000)
    options = parser.parse_args()
    solver, random = gs.load("sudoku"), np.random.default_rng(0)
    puzzles, solutions, _ = minimal_puzzles(max(1, options.answers // 50), seed=99)
    counts = {mutation.__name__: [0, 0, 0] for mutation in MUTATIONS}
    done = 0
    while done < options.answers:
        row = int(random.integers(len(puzzles)))
        request, right = {"grid": puzzles[row].reshape(9, 9)}, solutions[row].reshape(9, 9).astype(int)
        mutation, grid = MUTATIONS[done % len(MUTATIONS)], right.copy()
        mutation(grid, random)
        if np.array_equal(grid, right):
            continue
        score, best = solver.score(request, {"grid": grid}), solver.score(request, {"grid": right})
        seen = counts[mutation.__name__]
        seen[0] += 1
        seen[1] += score.valid
        seen[2] += score.energy is not None and best.energy is not None and score.energy > best.energy
        done += 1
        assert best.valid
    print("| mutation | answers | called valid | energy above the right answer's |\n|---|---|---|---|")
    for name, (total, valid, above) in counts.items():
        print(f"| {name} | {total} | {valid} | {100 * above / max(1, total):.1f} % |")
    return int(any(valid for _, valid, _ in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
