"""Many solves in one process: resident memory, threads and open files must stay flat.

    python benchmarks/soak.py --solves 100000

Easy, hard, contradictory, ambiguous and refused requests take turns; every hundredth solve has a deadline, every fiftieth is one
of another bundled model, and every thousandth loads a model again. The first tenth warms up; the table has what grew after it.
"""

from __future__ import annotations

import argparse
import gc
import os
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import groundstate as gs

OPEN = {"grid": [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]}
FULL = {"grid": [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]}
FEW = {"grid": [[1, 0, 0, 0], [0, 0, 0, 2], [0, 3, 0, 0], [0, 0, 4, 0]]}
AGAINST = {"grid": [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]}
WRONG = {"grid": [[9, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]}
REQUESTS = (FULL, FEW, OPEN, AGAINST, WRONG)


def resident() -> float:
    """Megabytes of this process in memory."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def state() -> tuple[float, int, int]:
    """Megabytes, threads, open files."""
    gc.collect()
    return resident(), threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def examples() -> dict[str, dict[str, Any]]:
    """A request of each bundled model that has one."""
    found = {}
    for name in gs.models():
        header = gs.load(name).header
        tested = (header.self_test or {}).get("request") or next(iter(header.request.get("examples", ())), None)
        if tested is not None and "image" not in tested:
            found[name] = tested
    return found


def main() -> int:
    """Solve, and print what grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solves", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="the 4×4 Sudoku alone, without the other models")
    options = parser.parse_args()
    solver = gs.load("sudoku_4x4", threads=options.threads)
    others = {} if options.alone else examples()
    solvers = {name: gs.load(name, threads=options.threads) for name in others}
    names = list(others)
    counts: Counter[str] = Counter()
    begun, warm = time.perf_counter(), max(options.solves // 10, 1)
    start = before = state()
    print("| solves | MB | threads | files |\n|---|---|---|---|")
    for number in range(options.solves):
        if number == warm:
            before = state()
        if number % 1000 == 999:
            solver = gs.load("sudoku_4x4", threads=options.threads)
            if names:
                again = names[number // 1000 % len(names)]
                solvers[again] = gs.load(again, threads=options.threads)
        if names and number % 50 == 49:
            name = names[number // 50 % len(names)]
            found = solvers[name].solve(others[name], seed=number, deadline=0.1, restarts=4, max_steps=512)
            counts[f"{name} {found.status.value}"] += 1
            continue
        deadline = 0.05 if number % 100 == 99 else None
        request = REQUESTS[number % len(REQUESTS)]
        try:
            # Another seed each time: an equal call would be answered from the cache.
            solution = solver.solve(request, seed=number, deadline=deadline, ask=number % 10 == 0)
            counts[solution.status.value] += 1
        except gs.RequestError:
            counts["refused"] += 1
        if number % max(options.solves // 10, 1) == 0:
            memory, threads, files = state()
            print(f"| {number:,} | {memory:.1f} | {threads} | {files} |", flush=True)
    after = state()
    print(f"| {options.solves:,} | {after[0]:.1f} | {after[1]} | {after[2]} |")
    grew = [b - a for a, b in zip(before, after, strict=True)]
    print(
        f"\nAfter the first {warm:,}: {grew[0]:+.1f} MB, {grew[1]:+d} threads, {grew[2]:+d} files; since the first "
        f"{after[0] - start[0]:+.1f} MB. {dict(counts)} in {time.perf_counter() - begun:.0f} s."
    )
    return 0 if grew[0] <= 5 and grew[1] <= 0 and grew[2] <= 0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
