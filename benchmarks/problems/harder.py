"""Graphs harder than the usual 13, up to 500 nodes and 4 to 15 colours, at a number of colours that is known to be possible.

    python -m benchmarks.problems.harder [--seconds 60] [--only NAME …]
    python -m benchmarks.problems.harder --fresh SEED    # other random graphs: G(n, p), Leighton's, flat, planted …
    python -m benchmarks.problems.harder --dimacs FOLDER --seeds 10 [--cliques]    # the usual 13, with several seeds

Mycielski's graphs and queens' graphs have known chromatic numbers. Flat and planted random graphs have 0.80 to 0.90 of the mean
degree at which random graphs stop being colourable; geometric ones get the colours that DSATUR needs. Every edge is its own
constraint unless ``--cliques`` is given. Answers are checked edge by edge here. CP-SAT has one worker and the same request and
time. G(n, p) gets one colour more than the fewest known for graphs of its size.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from benchmarks.problems import exact
from benchmarks.problems.catalogue import GRAPHS, drawn
from benchmarks.problems.definitions import coloured
from benchmarks.problems.dimacs import read_graph
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


def fresh(seed: int) -> Iterator[Graph]:
    """Random graphs that no setting was tried on."""
    draw = drawn("fresh", seed)
    for nodes, chance, colours in ((125, 0.1, 6), (125, 0.5, 18), (125, 0.9, 45), (250, 0.1, 9), (500, 0.1, 13)):
        edges = [pair for pair in combinations(range(1, nodes + 1), 2) if draw.random() < chance]
        yield f"G({nodes}, {chance})", nodes, edges, colours
    for nodes, colours, many in ((450, 5, 5714), (450, 15, 8168), (450, 25, 8260)):
        yield f"leighton{nodes}_{colours}", nodes, leighton(nodes, colours, many, draw), colours
    for nodes, colours in ((300, 4), (300, 6), (400, 5), (200, 8), (500, 4)):
        # For many colours, graphs stop being colourable at about 2 k ln k − ln k − 1.
        degree = 0.9 * DEGREES.get(colours, (2 * colours - 1) * math.log(colours) - 1)
        for make in (flat_colouring, planted_colouring):
            edges = edges_of(make(nodes, colours, degree, draw).request)
            yield f"{make.__name__.split('_')[0]}{nodes}_{colours}", nodes, edges, colours
    for nodes, degree in ((250, 15.0), (450, 20.0)):
        request = geometric_colouring(nodes, degree, draw).request
        yield f"geometric{nodes}", nodes, edges_of(request), request["variables"]["node 1"]["to"]


def leighton(nodes: int, colours: int, many: int, draw: np.random.Generator) -> list[Edge]:
    """At least so many edges, of cliques of random sizes within a planted colouring (after F. T. Leighton, 1979)."""
    classes = np.array_split(draw.permutation(nodes) + 1, colours)
    edges: set[Edge] = set()
    while len(edges) < many:
        some = draw.choice(colours, int(draw.integers(2, colours + 1)), replace=False).tolist()
        edges.update(combinations(sorted(int(draw.choice(classes[one])) for one in some), 2))
    return sorted(edges)


def usual(folder: Path) -> Iterator[Graph]:
    """The 13 DIMACS graphs at their chromatic numbers."""
    known = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))["graphs"]
    for name in GRAPHS:
        yield name, *read_graph(folder / f"{name}.col"), known[name]["chi"]


def seconds_of(times: Iterable[float]) -> str:
    """``"0.12 s"``, or the median and the greatest of several times."""
    listed = list(times)
    return (
        f"{statistics.median(listed):.2f} s"
        if len(listed) == 1
        else f"{statistics.median(listed):.2f} / {max(listed):.2f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="each (default: %(default)s)")
    parser.add_argument("--only", nargs="*", help="beginnings of names")
    parser.add_argument("--fresh", type=int, metavar="SEED", help="other random graphs")
    parser.add_argument("--dimacs", type=Path, metavar="FOLDER", help="the 13 of DIMACS")
    parser.add_argument("--seeds", type=int, default=1, help="of the search, for each graph (default: %(default)s)")
    parser.add_argument("--cliques", action="store_true", help="say all_different of cliques")
    given = parser.parse_args()
    chosen = usual(given.dimacs) if given.dimacs else graphs() if given.fresh is None else fresh(given.fresh)
    solver, solved, theirs, many, every = gs.load("constraints"), 0, 0, 0, []
    print("| graph | nodes | edges | colours | energy | CP-SAT |\n|---|---|---|---|---|---|")
    for name, nodes, edges, colours in chosen:
        if given.only and not name.startswith(tuple(given.only)):
            continue
        request = colouring(nodes, edges, colours, cliques=given.cliques)
        times, right = [], 0
        for seed in range(given.seeds):
            begun = time.perf_counter()
            found = solver.solve(request, deadline=given.seconds, restarts=1024, max_steps=65536, ask=False, seed=seed)
            times.append(time.perf_counter() - begun)
            if found.answer is not None and not coloured(nodes, edges, colours, found.answer["values"]):
                raise SystemExit(f"{name} is called {found.status} with a wrong colouring.")
            right += found.answer is not None
        begun = time.perf_counter()
        other = exact.solve(Problem.of(request), limit=given.seconds)
        taken = time.perf_counter() - begun
        share = "" if given.seeds == 1 else f", {right} of {given.seeds}"
        cells = [f"{seconds_of(times)}{share}" if right else "–", f"{taken:.2f} s" if other.values is not None else "–"]
        many, solved, theirs = many + given.seeds, solved + right, theirs + (other.values is not None)
        every += times
        print(f"| {name} | {nodes} | {len(edges):,} | {colours} | {' | '.join(cells)} |", flush=True)
    if every:
        late = sorted(every)[math.ceil(0.95 * len(every)) - 1]
        print(
            f"\nSolved {solved} of {many} (target {TARGET:.0%} in 60 s), median {statistics.median(every):.2f} s,",
            end=" ",
        )
        print(f"95th percentile {late:.2f} s; CP-SAT {theirs} graphs.")


if __name__ == "__main__":
    main()
