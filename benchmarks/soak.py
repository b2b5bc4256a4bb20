"""Many solves in one process: resident memory, threads and open files must stay flat.

    python benchmarks/soak.py --solves 100000

Easy, hard, contradictory, ambiguous and refused requests take turns; every hundredth solve has a deadline, every thousandth
loads the model again. The first tenth warms up; the table has what grew after it.
"""

from __future__ import annotations

import argparse
import gc
import os
import threading
import time
from collections import Counter
from pathlib import Path

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


def main() -> int:
    """Solve, and print what grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solves", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    solver = gs.load("sudoku_4x4", threads=options.threads)
    counts: Counter[str] = Counter()
    begun, warm = time.perf_counter(), max(options.solves // 10, 1)
    start = before = state()
    print("| solves | MB | threads | files |\n|---|---|---|---|")
    for number in range(options.solves):
        if number == warm:
            before = state()
        if number % 1000 == 999:
            solver = gs.load("sudoku_4x4", threads=options.threads)
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
