"""Job shops by descent: makespans of the model ``constraints`` compared with the best known ones and CP-SAT's in the same time.

    python -m benchmarks.schedules.shops INSTANCES.json [--names ft06 la01 …] [--seconds 60] [--steps 40]

Each shop becomes a request on a coarse scale of time, with a makespan a few percent below the best so far. Every
configuration that a chain passes through is read as an order of the operations and made exact (`jobshop.schedule`), so the
best so far improves long before a coarse problem is solved, and the bound is tightened from call to call. Every makespan is of
a schedule that `jobshop.right` has checked.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

from benchmarks.problems.exact import solve as exactly
from benchmarks.schedules.jobshop import Shop, makespan, named, request, right, schedule, shops

import groundstate as gs
from groundstate_models.constraints.problem import Problem

AIMS = (0.5, 0.25, 0.75, 0.1)
"""What calls ask for in turn: a makespan so far from the least that could be to the best so far. Bounds too tight to be kept make
chains crowd operations in an order that is good all the same."""
PATIENCE = 6.0
"""Seconds a call."""


def descend(solver: gs.Solver, shop: Shop, seconds: float, steps: int) -> tuple[int, float]:
    """The best makespan found, and the seconds until it was found."""
    begun = time.monotonic()
    in_order = {named((job, k)): sum(shop.durations[job][:k]) for job, k in shop.operations}
    best, found, seed = makespan(shop, schedule(shop, in_order)), 0.0, 0
    least = max(sum(row) for row in shop.durations)
    least = max(least, *(sum(shop.durations[job][k] for job, k in some) for some in shop.on_machines().values()))

    def watch(segment: gs.Segment) -> None:
        nonlocal best, found
        for value in segment.answer["value"]:
            starts = schedule(shop, solver.decode(asked, {"value": value})["values"])
            length = makespan(shop, starts)
            if length < best:
                if not right(shop, starts):
                    raise SystemExit(f"{shop.name}: the decoded schedule is wrong.")
                best, found = length, time.monotonic() - begun

    while best > shop.best and (left := seconds - (time.monotonic() - begun)) > 0:
        wanted = int(least + AIMS[seed % len(AIMS)] * (best - least))
        made = request(shop, wanted, max(1, -(-wanted // steps)))
        seed += 1
        if made is None:
            continue
        asked = made
        solver.solve(asked, deadline=min(PATIENCE, left), seed=seed, ask=False, watch=watch)
    return best, found


def by_chance(shop: Shop, seconds: float) -> int:
    """The best makespan of random orders, made exact in the same way, in the same time: the baseline of the reading alone."""
    begun, draw, best = time.monotonic(), random.Random(0), 10**9
    while time.monotonic() - begun < seconds and best > shop.best:
        best = min(best, makespan(shop, schedule(shop, {named(one): draw.random() for one in shop.operations})))
    return best


def exact(shop: Shop, seconds: float) -> int | None:
    """CP-SAT's best makespan in that time, by bisection of the bound on the exact scale."""
    low, best, begun = 0, None, time.monotonic()
    high = makespan(shop, schedule(shop, {named((job, k)): sum(shop.durations[job][:k]) for job, k in shop.operations}))
    while low < high and (left := seconds - (time.monotonic() - begun)) > 0:
        middle = (low + high) // 2
        made = request(shop, middle)
        values = exactly(Problem.of(made), limit=left).values if made is not None else None
        if values is None:
            low = middle + 1
        else:
            starts = schedule(shop, {name: int(value) for name, value in values.items()})
            high = best = makespan(shop, starts)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--names", nargs="*", help="only these instances")
    parser.add_argument("--seconds", type=float, default=60.0, help="each (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=40, help="steps of time in the makespan (default: %(default)s)")
    parser.add_argument("--model", default="constraints")
    parser.add_argument("--exact", action="store_true", help="CP-SAT beside it, in the same time")
    given = parser.parse_args()
    solver = gs.load(given.model)
    print(
        "| shop | best known | makespan | above | found after | random orders |" + (" CP-SAT |" if given.exact else "")
    )
    print("|---|---|---|---|---|---|" + ("---|" if given.exact else ""))
    for shop in shops(given.path):
        if given.names and shop.name not in given.names:
            continue
        length, found = descend(solver, shop, given.seconds, given.steps)
        above = 100 * (length / shop.best - 1)
        beside = f" {exact(shop, given.seconds) or '–'} |" if given.exact else ""
        chance = 100 * (by_chance(shop, given.seconds) / shop.best - 1)
        line = f"| {shop.name} | {shop.best} | {length} | {above:.1f} % | {found:.1f} s | {chance:.1f} % |{beside}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
