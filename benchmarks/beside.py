"""Two installations of groundstate side by side in one run: the same requests and seeds, by turns, as ratios.

    python -m benchmarks.beside OTHER/bin/python --sudoku FILE.csv … --plan FOLDER

``OTHER`` is the environment of another checkout, such as the commit before. Each installation answers in a process of its own,
with its own runtime and its own bundled models, so that the whole is compared and not a part. Times are processor time.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Job = dict[str, Any]

WORKER = """
import json, sys, time
import groundstate as gs
solvers = {}
for line in sys.stdin:
    job = json.loads(line)
    solver = solvers.get(job["model"])
    if solver is None:
        solver = solvers[job["model"]] = gs.load(job["model"], threads=1)
    begun, clock = time.process_time(), time.perf_counter()
    solution = solver.solve(job["request"], seed=job["seed"], **job["options"])
    spent = [time.process_time() - begun, time.perf_counter() - clock]
    print(json.dumps([*spent, solution.status.value, solution.steps, solution.chains]), flush=True)
"""
"""What runs in each installation; it uses only what both have."""


class Installation:
    """A process that solves with one installation."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
        )

    def solve(self, job: Job) -> list[Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"The worker ended at {json.dumps(job)[:200]}.")
        found: list[Any] = json.loads(line)
        return found

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@dataclass
class Row:
    """What one installation did with a set of requests."""

    seconds: list[float] = field(default_factory=list)
    solved: int = 0


def sudokus(path: Path, limit: int) -> Iterator[Job]:
    """Puzzles of a list: a column named puzzle."""
    with path.open(newline="") as file:
        puzzles = [row["puzzle"] for row in csv.DictReader(file)]
    for seed, puzzle in enumerate(puzzles[:: max(1, len(puzzles) // limit)][:limit]):
        digits = [int(c) if c.isdigit() else 0 for c in puzzle]
        grid = [digits[start : start + 9] for start in range(0, 81, 9)]
        yield {"model": "sudoku", "request": {"grid": grid}, "seed": seed, "options": {"ask": False}}


def plans(folder: Path, kind: str) -> Iterator[Job]:
    """Tasks of NATURAL PLAN, read by the schedules' benchmark."""
    from benchmarks.schedules import natural_plan

    model = "constraints" if kind == "trip" else "scheduling"
    for seed, item in enumerate(item for item in natural_plan.items(folder) if item.kind == kind):
        request = json.loads(json.dumps(item.request))
        yield {"model": model, "request": request, "seed": seed, "options": {"ask": False, "deadline": 15.0}}


def compare(title: str, jobs: list[Job], ours: Installation, other: Installation) -> str:
    """Solve by turns. Returns a row of the table."""
    rows = {"ours": Row(), "other": Row()}
    for place, job in enumerate(jobs):
        pair = [("ours", ours), ("other", other)]
        for name, installation in pair if place % 2 else pair[::-1]:
            processor, _, status, *_ = installation.solve(job)
            rows[name].seconds.append(processor)
            rows[name].solved += status in ("solved", "ambiguous")
    medians = {name: statistics.median(row.seconds) for name, row in rows.items()}
    totals = {name: sum(row.seconds) for name, row in rows.items()}
    return (
        f"| {title} | {len(jobs)} | {rows['other'].solved} | {rows['ours'].solved} | {medians['other'] * 1e3:.2f} | "
        f"{medians['ours'] * 1e3:.2f} | {medians['ours'] / medians['other']:.2f} | {totals['ours'] / totals['other']:.2f} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", help="the Python of the other installation")
    parser.add_argument(
        "--sudoku", type=Path, nargs="*", default=[], help="lists of puzzles, with a column named puzzle"
    )
    parser.add_argument("--plan", type=Path, help="the folder of NATURAL PLAN")
    parser.add_argument("--limit", type=int, default=100, help="puzzles of each list")
    asked = parser.parse_args()
    ours, other = Installation(sys.executable), Installation(asked.other)
    print(
        "| set | problems | solved before | solved now | median before, ms | now, ms | ratio of medians | ratio of sums |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for path in asked.sudoku:
        print(compare(path.stem, list(sudokus(path, asked.limit)), ours, other), flush=True)
    if asked.plan:
        for kind in ("calendar", "meeting", "trip"):
            print(compare(kind, list(plans(asked.plan, kind)), ours, other), flush=True)
    ours.close()
    other.close()


if __name__ == "__main__":
    main()
