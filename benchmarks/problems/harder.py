"""Graphs harder than the usual 13, up to 500 nodes and 4 to 15 colours, at a number of colours that is known to be possible.

    python -m benchmarks.problems.harder [--seconds 60] [--only NAME …]

Mycielski's graphs and queens' graphs have known chromatic numbers. Flat and planted random graphs have 0.80 to 0.90 of the mean
degree at which random graphs stop being colourable; geometric ones get the colours that DSATUR needs. Every edge is its own
constraint. Answers are checked edge by edge here. CP-SAT has one worker and the same request and time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from itertools import combinations

from benchmarks.problems import exact
from benchmarks.problems.catalogue import drawn
from benchmarks.problems.definitions import coloured
from benchmarks.problems.larger import edges as edges_of

import groundstate as gs
from groundstate_models.constraints.families import colouring, flat_colouring, geometric_colouring, planted_colouring
from groundstate_models.constraints.families.graphs import Edge
from groundstate_models.constraints.families.mixing import DEGREES
from groundstate_models.constraints.problem import Problem

TARGET = 0.8
Graph = tuple[str, int, list[Edge], int]


def mycielski(times: int) -> tuple[int, list[Edge]]:
    """The graph of J. Mycielski (1955): without triangles, and ``times`` more colours than an edge needs."""
    nodes, edges = 2, [(1, 2)]
    for _ in range(times):
        twins = [(min(a, b + nodes), max(a, b + nodes)) for one in edges for a, b in (one, one[::-1])]
        edges = [*edges, *twins, *((nodes + node, 2 * nodes + 1) for node in range(1, nodes + 1))]
        nodes = 2 * nodes + 1
    return nodes, edges


def queens(n: int) -> tuple[int, list[Edge]]:
    """Squares of a board, joined where a queen goes from one to the other."""
    squares = [(row, column) for row in range(n) for column in range(n)]
    return n * n, [
        (i + 1, j + 1)
        for (i, (r, c)), (j, (s, d)) in combinations(enumerate(squares), 2)
        if r == s or c == d or abs(r - s) == abs(c - d)
    ]


def graphs() -> Iterator[Graph]:
    """Names, nodes, edges, and colours."""
    for times in (4, 5, 6):
        yield f"myciel{times + 1}", *mycielski(times), times + 2
    for n, colours in ((8, 9), (9, 10), (11, 11), (12, 12), (13, 13)):
        yield f"queen{n}_{n}", *queens(n), colours
    for nodes in (200, 350, 500):
        for colours, share in ((4, 0.80), (5, 0.85), (4, 0.90)):
            make = flat_colouring if nodes != 350 else planted_colouring
            request = make(nodes, colours, share * DEGREES[colours], drawn("harder", 10 * nodes + colours)).request
            yield f"{make.__name__.split('_')[0]}{nodes}_{colours} at {share:.2f}", nodes, edges_of(request), colours
    for nodes, degree in ((300, 20.0), (500, 12.0), (500, 25.0)):
        request = geometric_colouring(nodes, degree, drawn("harder geometric", nodes + int(degree))).request
        colours = request["variables"]["node 1"]["to"]
        yield f"geometric{nodes}_{colours}", nodes, edges_of(request), colours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="each (default: %(default)s)")
    parser.add_argument("--only", nargs="*", help="beginnings of names")
    given = parser.parse_args()
    solver, solved, theirs, many = gs.load("constraints"), 0, 0, 0
    print("| graph | nodes | edges | colours | energy | CP-SAT |\n|---|---|---|---|---|---|")
    for name, nodes, edges, colours in graphs():
        if given.only and not name.startswith(tuple(given.only)):
            continue
        request = colouring(nodes, edges, colours, cliques=False)
        begun = time.perf_counter()
        found = solver.solve(request, deadline=given.seconds, restarts=1024, max_steps=65536, ask=False)
        seconds = time.perf_counter() - begun
        if found.answer is not None and not coloured(nodes, edges, colours, found.answer["values"]):
            raise SystemExit(f"{name} is called {found.status} with a wrong colouring.")
        begun = time.perf_counter()
        other = exact.solve(Problem.of(request), limit=given.seconds)
        cells = (
            f"{taken:.2f} s" if right else "–"
            for right, taken in (
                (found.answer is not None, seconds),
                (other.values is not None, time.perf_counter() - begun),
            )
        )
        many, solved, theirs = many + 1, solved + (found.answer is not None), theirs + (other.values is not None)
        print(f"| {name} | {nodes} | {len(edges):,} | {colours} | {' | '.join(cells)} |", flush=True)
    print(f"\nSolved {solved} of {many} (target {TARGET:.0%} in 60 s); CP-SAT {theirs}.")


if __name__ == "__main__":
    main()
