"""Processor time of one step of the energy of constraints, per edge, beside another installation in the same run.

    python -m benchmarks.problems.steps OTHER/bin/python [--graphs FOLDER] [--repeats 5]

``OTHER`` is the environment of another checkout, such as the commit before. Both compile the same requests, and descend the same
number of rows for the same number of steps, by turns, each in a process of its own with one thread. An edge is a literal in a
factor; the compiler's factors are the same on both sides.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.problems.dimacs import read_colouring
from benchmarks.schedules import jobshop

from groundstate_models.constraints.families import queens, sat
from groundstate_models.constraints.families.mixing import mixed
from groundstate_models.constraints.problem import Problem

JSON = dict[str, Any]
TARGET = 0.5
STEPS = 64

WORKER = """
import json, sys, time
import numpy as np
import groundstate as gs
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.tensors import Network
solver, kept = gs.load("constraints", threads=1), {}
for line in sys.stdin:
    job = json.loads(line)
    if job["name"] not in kept:
        tensors = Network(Problem.of(job["request"]).graph).tensors()
        kept.clear()
        kept[job["name"]] = {name: np.repeat(x[None], job["rows"], 0) for name, x in tensors.items()}
        solver.minimise(kept[job["name"]], steps=job["steps"])
    begun = time.process_time()
    solver.minimise(kept[job["name"]], steps=job["steps"])
    print(json.dumps(time.process_time() - begun), flush=True)
"""


class Installation:
    """A process that descends with one installation."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/"
        )

    def seconds(self, job: JSON) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return float(json.loads(self._process.stdout.readline()))


def requests(graphs: Path | None, shops: Path | None) -> Iterator[tuple[str, JSON]]:
    draw = np.random.default_rng(5)
    yield "8 queens", queens(8, draw).request
    yield "50 queens", queens(50, draw).request
    yield "random 3-SAT, 50 variables", sat(50, 4.26, draw).request
    yield "random 3-SAT, 1,000 variables", sat(1000, 3.5, draw).request
    for name in ("timetable", "one machine", "knapsack", "magic square"):
        yield name, max((one.request for one in mixed(11, 12, 1.0, [name])), key=lambda one: len(str(one)))
    if graphs is not None:
        for graph, colours in (("queen7_7", 7), ("le450_25b", 25), ("flat300_28_0", 31)):
            for cliques in (True, False):
                name = f"{graph}, {'cliques' if cliques else 'edges'}"
                yield name, read_colouring(graphs / f"{graph}.col", colours, cliques=cliques)
    if shops is not None:
        shop = next(one for one in jobshop.shops(shops) if one.name == "ft10")
        made = jobshop.request(shop, shop.best, 20)
        assert made is not None
        yield "ft10 on a coarse scale", made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", help="the Python of the other installation")
    parser.add_argument("--graphs", type=Path, help="a folder of DIMACS graphs")
    parser.add_argument("--shops", type=Path, help="instances of job shops")
    parser.add_argument("--rows", type=int, default=16, help="chains in a batch (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    ours, other = Installation(sys.executable), Installation(given.other)
    print(f"{given.rows} rows; target {TARGET} of the other's time")
    print("| problem | edges | other, ns an edge | ours | ratio |\n|---|---|---|---|---|")
    ratios = []
    for name, request in requests(given.graphs, given.shops):
        edges = sum(len(factor.literals) for factor in Problem.of(request).graph.factors)
        steps = STEPS if edges < 20_000 else 16
        job = {"name": name, "request": request, "rows": given.rows, "steps": steps}
        pairs = [(other.seconds(job), ours.seconds(job)) for _ in range(given.repeats)]
        unit = 1e9 / (edges * given.rows * steps)
        ratio = statistics.median(own / theirs for theirs, own in pairs)
        ratios.append(ratio)
        theirs, own = (unit * min(column) for column in zip(*pairs, strict=True))
        print(f"| {name} | {edges:,} | {theirs:.1f} | {own:.1f} | {ratio:.2f} |", flush=True)
    print(f"\nMedian ratio {statistics.median(ratios):.2f}, worst {max(ratios):.2f}; target {TARGET}.")


if __name__ == "__main__":
    main()
