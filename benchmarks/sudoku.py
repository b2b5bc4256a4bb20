"""Solve rates and times of the bundled Sudoku model, as one Markdown table.

    python benchmarks/sudoku.py PUZZLES.csv … [--chains 32] [--steps 512] [--curve] [--exact]

A CSV file has the columns ``puzzle`` and, where it is known, ``solution`` and ``search_nodes``. Every answer that is called
solved is checked here again, against the rules and the stored solution, without the library's own check. Times are of single
calls of `solve` from a loaded model, over a seeded sample; rates come with 95 % Wilson intervals. ``--exact`` puts an exact
solver beside it (CP-SAT, from the package ortools).
"""

from __future__ import annotations

import argparse
import csv
import math
import platform
import random
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import groundstate as gs


@dataclass(frozen=True)
class Puzzle:
    text: str
    solution: str
    clues: int
    nodes: int


def read(path: Path, limit: int | None) -> list[Puzzle]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    puzzles = [
        Puzzle(
            r["puzzle"],
            r.get("solution") or "",
            sum(c in "123456789" for c in r["puzzle"]),
            int(r.get("search_nodes") or 0),
        )
        for r in rows
    ]
    return puzzles if limit is None else random.Random(0).sample(puzzles, min(limit, len(puzzles)))


def wilson(hits: int, n: int) -> str:
    """A rate in percent with its 95 % Wilson score interval (Wilson, 1927)."""
    if n == 0:
        return "–"
    z, p = 1.96, hits / n
    centre, spread = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n),
    )
    return f"{100 * p:.2f} % [{100 * max(0.0, centre - spread):.1f}, {100 * min(1.0, centre + spread):.1f}]"


def right(puzzle: Puzzle, answer: dict[str, list[list[int]]]) -> bool:
    """Whether an answer is a full grid that keeps the givens, breaks no rule, and is the stored solution where there is one."""
    cells = [d for row in answer["grid"] for d in row]
    units = [[9 * r + c for c in range(9)] for r in range(9)] + [[9 * r + c for r in range(9)] for c in range(9)]
    units += [[27 * b + 3 * s + 9 * r + c for r in range(3) for c in range(3)] for b in range(3) for s in range(3)]
    kept = all(g not in "123456789" or int(g) == d for g, d in zip(puzzle.text, cells, strict=True))
    full = all({cells[i] for i in unit} == set(range(1, 10)) for unit in units)
    return kept and full and (not puzzle.solution or puzzle.solution == "".join(map(str, cells)))


class Progress:
    def __init__(self, total: int) -> None:
        self.total, self.solved, self.seen, self.begun = total, 0, 0, time.monotonic()

    def __call__(self, index: int, outcome: gs.Solution | gs.RequestError) -> None:
        del index
        self.seen += 1
        self.solved += isinstance(outcome, gs.Solution) and outcome.solved
        if sys.stderr.isatty() or self.seen % 100 == 0 or self.seen == self.total:
            elapsed = time.monotonic() - self.begun
            print(
                f"\r{self.seen}/{self.total} seen, {self.solved} solved, {elapsed:.0f} s",
                end="",
                file=sys.stderr,
                flush=True,
            )
            if self.seen == self.total:
                print(file=sys.stderr)


def rate(solver: gs.Solver, puzzles: list[Puzzle], chains: int, steps: int) -> tuple[list[bool], int, float]:
    """Which puzzles were solved, how many answers called solved were wrong, and the seconds it took."""
    begun = time.perf_counter()
    outcomes = solver.solve_many(
        (solver.parse(p.text) for p in puzzles), restarts=chains, max_steps=steps, done=Progress(len(puzzles))
    )
    seconds = time.perf_counter() - begun
    solved, wrong = [], 0
    for puzzle, outcome in zip(puzzles, outcomes, strict=True):
        claimed = isinstance(outcome, gs.Solution) and outcome.solved
        good = (
            claimed
            and isinstance(outcome, gs.Solution)
            and outcome.answer is not None
            and right(puzzle, outcome.answer)
        )
        wrong += claimed and not good
        solved.append(good)
    return solved, wrong, seconds


def by_difficulty(puzzles: list[Puzzle], solved: list[bool]) -> list[str]:
    """A row for each quarter of the set by search nodes, and for each number of clues with at least 20 puzzles."""
    lines = []
    order = sorted(range(len(puzzles)), key=lambda i: puzzles[i].nodes)
    for q in range(4):
        part = order[q * len(order) // 4 : (q + 1) * len(order) // 4]
        if part:
            low, high = puzzles[part[0]].nodes, puzzles[part[-1]].nodes
            lines.append(
                f"| search nodes {low} to {high} | {len(part)} | {wilson(sum(solved[i] for i in part), len(part))} |"
            )
    for clues in sorted({p.clues for p in puzzles}):
        part = [i for i, p in enumerate(puzzles) if p.clues == clues]
        if len(part) >= 20:
            lines.append(f"| {clues} clues | {len(part)} | {wilson(sum(solved[i] for i in part), len(part))} |")
    return lines


def latency(solver: gs.Solver, puzzles: list[Puzzle], chains: int, steps: int, sample: int) -> str:
    times = []
    for puzzle in random.Random(1).sample(puzzles, min(sample, len(puzzles))):
        request = solver.parse(puzzle.text)
        begun = time.perf_counter()
        solver.solve(request, restarts=chains, max_steps=steps)
        times.append(1e3 * (time.perf_counter() - begun))
    times.sort()
    return f"{statistics.median(times):.0f} ms / {times[min(len(times) - 1, int(0.95 * len(times)))]:.0f} ms"


def exact(puzzles: list[Puzzle], sample: int) -> str:
    from ortools.sat.python import cp_model

    times = []
    for puzzle in random.Random(1).sample(puzzles, min(sample, len(puzzles))):
        begun = time.perf_counter()
        model = cp_model.CpModel()
        cells = [[model.new_int_var(1, 9, f"c{r}{c}") for c in range(9)] for r in range(9)]
        for i in range(9):
            model.add_all_different(cells[i])
            model.add_all_different([cells[r][i] for r in range(9)])
            model.add_all_different([cells[i // 3 * 3 + j // 3][i % 3 * 3 + j % 3] for j in range(9)])
        for i, given in enumerate(puzzle.text):
            if given in "123456789":
                model.add(cells[i // 9][i % 9] == int(given))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return "failed"
        times.append(1e3 * (time.perf_counter() - begun))
    times.sort()
    return f"{statistics.median(times):.0f} ms / {times[min(len(times) - 1, int(0.95 * len(times)))]:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description="Solve rates and times of the bundled Sudoku model.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", default="sudoku")
    parser.add_argument("--chains", type=int, default=32)
    parser.add_argument("--steps", type=int, default=512)
    parser.add_argument("--limit", type=int, help="a seeded sample of this many puzzles of each file")
    parser.add_argument("--sample", type=int, default=100, help="puzzles timed one by one (default: %(default)s)")
    parser.add_argument("--curve", action="store_true", help="rates for fewer chains and steps too, on the sample")
    parser.add_argument("--exact", action="store_true", help="time an exact solver on the same sample")
    options = parser.parse_args()
    solver = gs.load(options.model)
    machine = platform.processor() or platform.machine()
    print(f"{solver.header.name} {solver.header.version}; {options.chains} chains × {options.steps} steps; {machine}\n")
    print(
        "| set | n | solved and checked, 95 % interval | called solved, wrong | in a batch | alone, median / 95th | exact |"
    )
    print("|---|---|---|---|---|---|---|")
    details: list[str] = []
    try:
        for path in options.files:
            puzzles = read(path, options.limit)
            solved, wrong, seconds = rate(solver, puzzles, options.chains, options.steps)
            alone = latency(solver, puzzles, options.chains, options.steps, options.sample) if options.sample else "–"
            beside = exact(puzzles, options.sample) if options.exact else "–"
            each = f"{1e3 * seconds / len(puzzles):.0f} ms"
            print(
                f"| {path.stem} | {len(puzzles)} | {wilson(sum(solved), len(puzzles))} | {wrong} | {each} | {alone} | {beside} |",
                flush=True,
            )
            details += [
                f"\n{path.stem} by difficulty\n",
                "| | puzzles | solved |",
                "|---|---|---|",
                *by_difficulty(puzzles, solved),
            ]
            if options.curve:
                some = random.Random(1).sample(puzzles, min(options.sample, len(puzzles)))
                details += [
                    f"\n{path.stem}, {len(some)} puzzles, by chains and steps\n",
                    "| chains | 64 steps | 128 | 256 | 512 |",
                    "|---|---|---|---|---|",
                ]
                for chains in (1, 4, 16, 32):
                    cells = [
                        wilson(sum(rate(solver, some, chains, steps)[0]), len(some)) for steps in (64, 128, 256, 512)
                    ]
                    details.append(f"| {chains} | {' | '.join(cells)} |")
    finally:  # an interrupted run keeps what it measured
        print("\n".join(details))


if __name__ == "__main__":
    main()
