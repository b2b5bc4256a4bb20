"""School problems of Geometry3K: ``python -m benchmarks.geometry.geometry3k geometry3k_0-2400.jsonl.gz --every 20``.

Counted is: a figure was found in which every form holds that this reader takes, and what ``Find`` asks for is given, or named
as not determined. Forms that contradict each other are counted by themselves; the set that is proven is printed with
``--verbose``. A log (``--log FILE``) keeps what became of each problem, and is continued when the run is repeated.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.geometry.geometry3k_forms import Reader

import groundstate as gs


def row(solver: gs.Solver, problem: dict[str, Any], deadline: float) -> dict[str, Any]:
    """What became of one problem."""
    reader = Reader(problem)
    found: dict[str, Any] = {"id": problem["id"], "skipped": reader.skipped, "find": reader.find}
    begun, busy = time.perf_counter(), time.process_time()
    try:
        solution = solver.solve(reader.request, ask=False, deadline=deadline)
    except gs.GroundstateError as error:
        return found | {"status": "refused", "why": str(error)[:300]}
    found |= {
        "seconds": time.perf_counter() - begun,
        "work": time.process_time() - busy,
        "status": str(solution.status),
    }
    if solution.answer is None:
        return found | {"why": [one.message for one in solution.violations][:2]}
    measured = solution.answer.get("measures", {}).get(reader.find) if reader.find else None
    if measured is not None:
        value = measured["value"] if reader.asked is None else reader.asked(measured["value"])
        found |= {"value": value, "determined": measured["determined"]}
    return found


def main(argv: list[str] | None = None) -> int:
    """Print a summary; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--every", type=int, default=20, help="one problem of so many")
    parser.add_argument("--first", type=int, default=0, help="the first problem")
    parser.add_argument("--deadline", type=float, default=3.0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args(argv)
    with gzip.open(options.file, "rt", encoding="utf-8") as file:
        problems = [json.loads(line) for line in file][options.first :: options.every]
    solver = gs.load("geometry")
    known: dict[int, dict[str, Any]] = {}
    if options.log is not None and options.log.exists():
        known = {one["id"]: one for one in map(json.loads, options.log.read_text(encoding="utf-8").splitlines())}
    rows = []
    for problem in problems:
        if problem["id"] not in known:
            known[problem["id"]] = row(solver, problem, options.deadline)
            if options.log is not None:
                with options.log.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(known[problem["id"]]) + "\n")
        rows.append(known[problem["id"]])
        if options.verbose and (rows[-1]["status"] != "solved" or rows[-1]["find"] is None):
            print(rows[-1], flush=True)
    report(rows)
    return 0


def report(rows: list[dict[str, Any]]) -> None:
    """Print the table."""
    count = collections.Counter(one["status"] for one in rows)
    possible = [one for one in rows if one["status"] != "infeasible"]
    drawn = [one for one in rows if one["status"] == "solved"]
    given = sum("value" in one for one in drawn)
    determined = sum(bool(one.get("determined")) for one in drawn)
    work = [one["work"] for one in rows if "work" in one]
    seconds = [one["seconds"] for one in rows if "seconds" in one]
    every = sum(not one["skipped"] for one in rows)
    lines = [
        ("problems", "", len(rows)),
        ("every form taken", "", f"{every} ({every / len(rows):.1%})"),
        ("contradictory, proven", "", count["infeasible"]),
        (
            "figure with every form true, of the others",
            "97 %",
            f"{len(drawn)}/{len(possible)} ({len(drawn) / len(possible):.1%})",
        ),
        ("… every form taken", "", f"{sum(not one['skipped'] for one in drawn)}"),
        (
            "what Find asks for given or named undetermined, of the figures",
            "95 %",
            f"{given}/{len(drawn)} ({given / len(drawn):.1%})",
        ),
        ("… determined", "", determined),
        ("Find names nothing that the forms name", "", sum(one["find"] is None for one in drawn)),
        ("unsolved, refused", "", f"{count['unsolved']}, {count['refused']}"),
        (
            "median of a call, processor time",
            "0.5 s",
            f"{statistics.median(seconds):.3f} s, {statistics.median(work):.3f} s",
        ),
    ]
    for name, target, value in lines:
        print(f"{name:64} {target:>6}  {value}")


if __name__ == "__main__":
    raise SystemExit(main())
