"""Problems several times larger than any of their kind in training."""

from __future__ import annotations

from functools import partial
from itertools import combinations

from benchmarks.problems.catalogue import drawn
from benchmarks.problems.definitions import coloured, peaceful
from benchmarks.problems.instance import Family, Instance

from groundstate_models.constraints.families import (
    Example,
    Request,
    flat_colouring,
    geometric_colouring,
    planted_colouring,
    queens,
)
from groundstate_models.constraints.families.graphs import Edge
from groundstate_models.constraints.families.mixing import BOARDS, DEGREES, NODES, SQUARES

TIMES = 4
INSTANCES = 100
HARD = (0.5, 0.95)
"""Mean degrees as shares of those at which random graphs stop being colourable."""

TRAINED = {
    "colouring": NODES[1],
    "queens": BOARDS[1],
    "quasigroup, the largest of all": SQUARES[1] ** 2,
}
"""The most variables of a problem that is trained on."""


def families() -> list[Family]:
    """Graphs and boards with `TIMES` as many variables as the largest of their family, and graphs against the largest of all."""
    graphs = {TIMES * NODES[1]: "≥ 90 %", TIMES * max(TRAINED.values()): "–"}
    colourings = [
        Family(f"{kind}-{nodes}", goal, INSTANCES, partial(_colouring, kind, nodes))
        for nodes, goal in graphs.items()
        for kind in ("colouring", "geometric")
    ]
    boards = TIMES * BOARDS[1]
    return [*colourings, Family(f"queens-{boards}", "≥ 90 %", INSTANCES, partial(_queens, boards))]


def _colouring(kind: str, nodes: int, index: int) -> Instance:
    rng = drawn(f"larger {kind} {nodes}", index)
    if kind == "geometric":
        example = geometric_colouring(nodes, float(rng.uniform(3, 12)), rng)
        return _instance(f"geometric graph {index}", nodes, example)
    colours, share = int(rng.choice(list(DEGREES))), float(rng.uniform(*HARD))
    make = planted_colouring if index % 2 else flat_colouring
    example = make(nodes, colours, share * DEGREES[colours], rng)
    name = f"{'planted' if index % 2 else 'flat'} graph {index}, {colours} colours, {share:.2f} of the threshold"
    return _instance(name, nodes, example)


def _instance(name: str, nodes: int, example: Example) -> Instance:
    colours = example.request["variables"]["node 1"]["to"]
    return Instance(name, example.request, partial(coloured, nodes, edges(example.request), colours))


def edges(request: Request) -> list[Edge]:
    """The edges of a graph whose request lists cliques."""
    cliques = ([int(name.removeprefix("node ")) for name in c["variables"]] for c in request["constraints"])
    return sorted({(min(pair), max(pair)) for clique in cliques for pair in combinations(clique, 2)})


def _queens(n: int, index: int) -> Instance:
    rng = drawn(f"larger queens {n}", index)
    placed = int(rng.integers(n // 4 + 1))
    return Instance(
        f"board {index}, {placed} queens placed", queens(n, rng, placed=placed).request, partial(peaceful, n)
    )
