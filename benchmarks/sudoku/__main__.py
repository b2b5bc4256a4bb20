"""Solve rates, steps and times of a Sudoku model, as Markdown tables.

    python -m benchmarks.sudoku PUZZLES.csv … [--chains 32 1] [--steps 512] [--difficulty]
    python -m benchmarks.sudoku --issue PUZZLES.csv …      # chains by set, compared with target rates

A CSV file has the columns ``puzzle`` and, where it is known, ``solution`` and ``search_nodes``. Every answer reported
solved is checked here again, against the rules and the stored solution, without the library's own check. Rates come with
95 % Wilson intervals. Steps are summed over all chains of a puzzle until the answer,
over the solved puzzles. Times alone are of single calls of `solve` from a loaded model, over a seeded sample, with
or without an answer; the exact solver is CP-SAT (package ortools) on the same sample.

Results are kept in a journal, one line a puzzle: the same command resumes, and prints tables of the results so far
when it is interrupted.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.journal import Journal, Record
from benchmarks.loaded import Model
from benchmarks.rates import milliseconds, wilson
from benchmarks.sudoku import exact
from benchmarks.sudoku.puzzles import Puzzle, read, sample
from benchmarks.sudoku.solving import Budget, alone, recorded, solve, updates


@dataclass(frozen=True)
class Goal:
    """The number of chains for a set, and the target percentage.

    ``steps`` is the budget of each chain, if it differs from the model's; see `Budget` for ``anew``.
    """

    chains: int
    percent: float
    steps: int | None = None
    anew: bool = False


ISSUE = {
    "norvig_easy50": (Goal(1, 100.0),),
    "reasoning_gym_easy500": (Goal(1, 100.0),),
    "tdoku_17_clue": (Goal(64, 99.9), Goal(1, 90.0), Goal(1, 90.0, anew=True), Goal(1, 90.0, steps=8_192, anew=True)),
    "tdoku_magictour_top1465": (Goal(64, 99.5),),
    "tdoku_forum_hardest_1106": (Goal(256, 98.0),),
    "strangers": (Goal(64, 99.9),),
}

COLUMNS = (
    "set",
    "puzzles",
    "chains × steps",
    "solved and checked, 95 % interval",
    "target",
    "reported solved, wrong",
    "chains started, mean",
    "steps of all chains, median / 95th / mean",
    "in a batch",
    "alone, median / 95th",
    "exact, median / 95th",
)


@dataclass(frozen=True)
class Job:
    """A set, the budget of its puzzles, and the target percentage, if any."""

    puzzles: Sequence[Puzzle]
    budget: Budget
    percent: float | None
    timed: Sequence[Puzzle]


def jobs(options: argparse.Namespace, steps: int) -> Iterator[Job]:
    for path in options.files:
        puzzles = read(path, options.limit)
        goals = ISSUE[path.stem] if options.issue else [Goal(chains, 0.0) for chains in options.chains]
        for goal in goals:
            anew = goal.anew or (options.anew and goal.chains == 1)
            budget = Budget(goal.chains, goal.steps or steps, options.seed, anew)
            yield Job(puzzles, budget, goal.percent or None, sample(puzzles, options.sample, seed=1))


def row(job: Job, model: Model, journal: Journal, beside: str) -> str:
    found = [record for _, record in recorded(model, job.puzzles, job.budget, journal)]
    n, hits = len(found), sum(record["right"] for record in found)
    times = [record["seconds"] for _, record in recorded(model, job.timed, job.budget, journal, "alone")]
    cells = (
        job.puzzles[0].source,
        str(n) if n == len(job.puzzles) else f"{n} of {len(job.puzzles)}",
        str(job.budget),
        wilson(hits, n),
        f"{job.percent:g} %" if job.percent else "–",
        str(sum(record["claimed"] and not record["right"] for record in found)),
        f"{statistics.mean(record['started'] for record in found):.1f}" if found else "–",
        updates(found),
        f"{1e3 * statistics.mean(record['seconds'] for record in found):.0f} ms" if found else "–",
        milliseconds(times),
        beside,
    )
    return f"| {' | '.join(cells)} |"


def by_difficulty(found: Sequence[tuple[Puzzle, Record]]) -> Iterator[str]:
    """A row for each quarter of the set by search nodes, and for each number of clues with at least 20 puzzles."""

    def line(name: str, part: Sequence[tuple[Puzzle, Record]]) -> str:
        return f"| {name} | {len(part)} | {wilson(sum(record['right'] for _, record in part), len(part))} |"

    order = sorted(found, key=lambda one: one[0].nodes)
    for quarter in range(4):
        part = order[quarter * len(order) // 4 : (quarter + 1) * len(order) // 4]
        if part and part[-1][0].nodes:
            yield line(f"search nodes {part[0][0].nodes} to {part[-1][0].nodes}", part)
    for clues in sorted({puzzle.clues for puzzle, _ in found}):
        part = [one for one in found if one[0].clues == clues]
        if len(part) >= 20:
            yield line(f"{clues} clues", part)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Solve rates, steps and times of a Sudoku model.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", default="sudoku", help="an installed model or a file (default: %(default)s)")
    parser.add_argument("--issue", action="store_true", help=f"chains by set; the sets are {', '.join(ISSUE)}")
    parser.add_argument("--chains", type=int, nargs="+", help="a row for each (default: the model's)")
    parser.add_argument("--steps", type=int, help="steps that each chain may make (default: the model's)")
    parser.add_argument("--anew", action="store_true", help="let a single chain restart")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="a seeded sample of this many puzzles of each file")
    parser.add_argument("--sample", type=int, default=100, help="puzzles timed one by one (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="threads to spread chains over (default: one a processor)")
    parser.add_argument("--difficulty", action="store_true", help="rates by search nodes and by clues too")
    parser.add_argument("--journal", type=Path, default=Path("runs/benchmarks/sudoku.jsonl"))
    options = parser.parse_args()
    unknown = [path.stem for path in options.files if options.issue and path.stem not in ISSUE]
    if unknown:
        parser.error(f"--issue names no chains for {', '.join(unknown)}; it does for {', '.join(ISSUE)}")
    return options


def main() -> int:
    options = arguments()
    model, journal = Model.load(options.model, options.threads), Journal(options.journal)
    defaults = model.solver.header.defaults
    options.chains = options.chains or [int(defaults["restarts"])]
    planned = list(jobs(options, options.steps or int(defaults["max_steps"])))
    beside: dict[str, str] = {}
    stopped = False
    try:
        for job in planned:
            solve(model, job.puzzles, job.budget, journal)
            alone(model, job.timed, job.budget, journal)
            source = job.puzzles[0].source
            beside[source] = beside.get(source) or milliseconds(exact.times(job.timed))
    except KeyboardInterrupt:
        stopped = True
    print(f"{model.title} on {platform.processor() or platform.machine()}\n")
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for job in planned:
        print(row(job, model, journal, beside.get(job.puzzles[0].source, "–")))
    for job in planned if options.difficulty else ():
        print(f"\n{job.puzzles[0].source}, {job.budget}, by difficulty\n\n| | puzzles | solved |\n|---|---|---|")
        print("\n".join(by_difficulty(recorded(model, job.puzzles, job.budget, journal))))
    wrong = any(
        record["claimed"] and not record["right"]
        for job in planned
        for _, record in recorded(model, job.puzzles, job.budget, journal)
    )
    return 1 if wrong else 130 if stopped else 0


if __name__ == "__main__":
    sys.exit(main())
