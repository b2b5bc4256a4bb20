"""Theorems as diagrams: ``python -m benchmarks.geometry.diagrams --defs DEFS --problems FILE… --seeds 10``.

A figure is asked for without the goal. Counted is: solved; every premise within 1e-8 of the scale, measured by this
benchmark; the goal true to 1e-6 in the first answer, or in one of the figures that are listed where several are asked for (a
theorem that holds on one branch only). Where `newclid` is installed, its own builder draws the same problems, with the goal
given, as it needs.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.geometry import jgex

import groundstate as gs


def premises_hold(one: jgex.Clauses, at: dict[str, tuple[float, float]], tolerance: float) -> bool:
    """Whether every premise that has a formula here is true of a figure."""
    return all(
        jgex.holds(premise, at, tolerance) is not False
        for premise in one.premises
        if premise[0] not in {"osides", "between"}
    )


def rows(solver: gs.Solver, one: jgex.Clauses, seed: int, deadline: float, others: int) -> dict[str, Any]:
    """What became of one problem with one seed."""
    request = jgex.request(one)
    begun, busy = time.perf_counter(), time.process_time()
    found = solver.solve(request, seed=seed, deadline=deadline, ask=False)
    seconds, work = time.perf_counter() - begun, time.process_time() - busy
    row: dict[str, Any] = {"name": one.name, "seed": seed, "seconds": seconds, "cpu": work, "status": str(found.status)}
    if found.answer is None:
        return row | {"solved": False, "precise": False, "goal": False, "listed": False}
    at = {name: (x, y) for name, (x, y) in found.answer["points"].items()}
    row |= {"solved": True, "precise": premises_hold(one, at, 1e-8), "goal": _goal(one, at)}
    row["listed"] = row["goal"]
    if not row["goal"] and others:
        more = solver.solve(request, seed=seed, deadline=deadline, ask=False, alternatives=others)
        figures = [more.answer, *(other.answer for other in more.alternatives)]
        row["listed"] = any(_goal(one, {k: (v[0], v[1]) for k, v in f["points"].items()}) for f in figures if f)
    return row


def _goal(one: jgex.Clauses, at: dict[str, tuple[float, float]]) -> bool:
    return one.goal is None or jgex.holds(one.goal, at, 1e-6) is not False


def newclid_draws(lines: list[str], seeds: int) -> str:
    """How many of the problems newclid's builder draws; lines are names and clauses in turn."""
    if importlib.util.find_spec("newclid") is None:
        return "newclid is not installed (pip install newclid); it is left out."
    from newclid.jgex.problem_builder import JGEXProblemBuilder

    built, every, work = 0, 0, []
    pairs = list(zip(lines[::2], lines[1::2], strict=True))
    for name, text in pairs:
        mine = 0
        for seed in range(seeds):
            busy = time.process_time()
            try:
                JGEXProblemBuilder(rng=seed).with_problem_from_txt(text, name.strip()).build()
                mine += 1
            except Exception:  # noqa: BLE001  # whatever it raises, it has not drawn the problem
                pass
            work.append(time.process_time() - busy)
        built, every = built + mine, every + (mine == seeds)
    work.sort()
    return (
        f"newclid, with the goal, in up to 100 tries: {built / (len(pairs) * seeds):.1%} built, with every seed {every} of "
        f"{len(pairs)}; processor time: median {statistics.median(work) * 1e3:.0f} ms, 95th percentile "
        f"{work[int(0.95 * (len(work) - 1))] * 1e3:.0f} ms"
    )


def main(argv: list[str] | None = None) -> int:
    """Print a table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--defs", type=Path, required=True)
    parser.add_argument("--problems", type=Path, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--deadline", type=float, default=10.0)
    parser.add_argument(
        "--others", type=int, default=16, help="figures to list where the first one is of another branch"
    )
    parser.add_argument("--every", type=int, default=1, help="one problem of so many")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(argv)
    solver = gs.load("geometry")
    known = jgex.definitions(options.defs)
    for path in options.problems:
        problems = jgex.problems(path, known)[:: options.every]
        found = []
        for one in problems:
            for seed in range(options.first, options.first + options.seeds):
                try:
                    row = rows(solver, one, seed, options.deadline, options.others)
                except (gs.GroundstateError, KeyError) as error:
                    row = {"name": one.name, "seconds": math.nan, "status": f"{type(error).__name__}: {error}"[:150]}
                    row |= {"solved": False, "precise": False, "goal": False, "listed": False, "seed": seed}
                found.append(row)
                if options.verbose and not row["goal"]:
                    print(
                        f"  {one.name} seed {seed}: {row['status']}, listed {row['listed']}, {row['seconds']:.2f} s",
                        flush=True,
                    )
        count = len(found)
        seconds = sorted(row["seconds"] for row in found if row["seconds"] == row["seconds"])
        work = sorted(row["cpu"] for row in found if "cpu" in row)
        share = {key: sum(row[key] for row in found) / count for key in ("solved", "precise", "goal", "listed")}
        every = {row["name"] for row in found} - {row["name"] for row in found if not row["solved"]}
        print(
            f"{path.name}: {len(problems)} problems × {options.seeds} seeds: solved {share['solved']:.1%}, all premises ≤ 1e-8 "
            f"{share['precise']:.1%}, goal true in the first figure {share['goal']:.1%}, in a listed one {share['listed']:.1%}; "
            f"solved with every seed {len(every)} of {len(problems)}; median {statistics.median(seconds) * 1e3:.0f} ms, "
            f"95th percentile {seconds[int(0.95 * (len(seconds) - 1))] * 1e3:.0f} ms; of processor time "
            f"{statistics.median(work) * 1e3:.0f} and {work[int(0.95 * (len(work) - 1))] * 1e3:.0f} ms",
            flush=True,
        )
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        print(newclid_draws(lines, options.seeds), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
