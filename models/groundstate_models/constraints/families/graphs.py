"""Colourings of graphs: requests from edges, and random graphs that are known to be colourable.

Nodes are numbered from 1 and colours too, as DIMACS does. A graph is a set of edges ``(one, other)`` with one < other.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from groundstate_models.constraints.families.example import Example, Request, all_different

Edge = tuple[int, int]


def colouring(
    nodes: int, edges: Collection[Edge], colours: int, *, cliques: bool = True, anchored: bool = False
) -> Request:
    """Colour the nodes so that no edge joins two of one colour.

    Args:
        nodes: How many.
        edges: Any order of ends; twice the same does no harm.
        colours: How many.
        cliques: Say ``all_different`` of cliques that cover the edges, rather than ``not_equal`` of each edge.
        anchored: Colour one maximal clique beforehand, since colours may always be exchanged. It says that no other solution is
            wanted, and is impossible where the clique is larger than the number of colours.

    Raises:
        ValueError: If an edge joins a node with itself, or is of no node.
    """
    for one, other in edges:
        if one == other or not (1 <= one <= nodes and 1 <= other <= nodes):
            raise ValueError(
                f"The edge {one} to {other} cannot be coloured: edges join two different nodes of 1 to {nodes}."
            )
    graph = _neighbours(nodes, edges)
    variables: Request = {f"node {node}": {"from": 1, "to": colours} for node in graph}
    if anchored:
        seeds = sorted(graph, key=lambda node: -len(graph[node]))
        clique = max((_clique(graph, [node]) for node in seeds[:20]), key=len)
        for colour, node in enumerate(clique[:colours], 1):
            variables[f"node {node}"] = [colour]
    constraints = []
    for group in clique_cover(nodes, edges) if cliques else sorted({(min(edge), max(edge)) for edge in edges}):
        names = [f"node {node}" for node in group]
        constraints.append(all_different(names) if len(names) > 2 else {"type": "not_equal", "variables": names})
    return {"variables": variables, "constraints": constraints}


def clique_cover(nodes: int, edges: Iterable[Edge]) -> list[tuple[int, ...]]:
    """Cliques that together have every edge, few and large, found greedily.

    Each starts at an uncovered edge and takes in the node that covers the most edges not covered before (after L. T. Kou,
    L. J. Stockmeyer and C. K. Wong, "Covering edges by cliques with regard to keyword conflicts", 1978).
    """
    graph = _neighbours(nodes, edges)
    left = {node: set(others) for node, others in graph.items()}
    cover = []
    for one in graph:
        while left[one]:
            clique = _clique(graph, [one, min(left[one])], left)
            for a, b in combinations(clique, 2):
                left[a].discard(b)
                left[b].discard(a)
            cover.append(tuple(sorted(clique)))
    return cover


def planted_colouring(nodes: int, colours: int, degree: float, rng: np.random.Generator) -> Example:
    """A graph of a mean degree whose edges are drawn among all that join different colours of a random colouring.

    Without planting, graphs stop being colourable at a mean degree of about 4.7 for 3 colours, 8.9 for 4, 13.7 for 5
    (L. Zdeborová and F. Krząkała, "Phase transitions in the coloring of random graphs", 2007).
    """
    colour = _balanced(nodes, colours, rng)
    pairs = [pair for pair in combinations(range(1, nodes + 1), 2) if colour[pair[0]] != colour[pair[1]]]
    wanted = min(round(nodes * degree / 2), len(pairs))
    edges = [pairs[k] for k in rng.choice(len(pairs), wanted, replace=False)]
    return _example(nodes, edges, colours, colour)


def flat_colouring(nodes: int, colours: int, degree: float, rng: np.random.Generator) -> Example:
    """A graph of a mean degree in which every node has about as many neighbours in each colour but its own.

    Degrees then give nothing of the planted colouring away (J. Culberson's flat graphs, as DIMACS's ``flat300_28_0``).
    """
    colour = _balanced(nodes, colours, rng)
    classes = [[node for node in colour if colour[node] == c] for c in range(1, colours + 1)]
    kinds = list(combinations(classes, 2))
    most = sum(len(first) * len(second) for first, second in kinds)
    wanted = min(round(nodes * degree / 2), most)
    edges: set[Edge] = set()
    shares = [wanted // max(len(kinds), 1) + (k < wanted % max(len(kinds), 1)) for k in range(len(kinds))]
    for (first, second), share in zip(kinds, shares, strict=True):
        edges |= _even(first, second, min(share, len(first) * len(second)), rng)
    return _example(nodes, edges, colours, colour)


def geometric_colouring(nodes: int, degree: float, rng: np.random.Generator) -> Example:
    """Random points in the unit square, near ones joined, in as many colours as DSATUR needs (D. Brélaz, 1979)."""
    points = rng.random((nodes, 2))
    radius = math.sqrt(degree / (math.pi * max(nodes - 1, 1)))
    near = np.linalg.norm(points[:, None] - points[None], axis=-1) < radius
    edges = [(i + 1, j + 1) for i, j in combinations(range(nodes), 2) if near[i, j]]
    colour = dsatur(nodes, edges)
    return _example(nodes, edges, max(2, *colour.values()), colour)


def dsatur(nodes: int, edges: Iterable[Edge]) -> dict[int, int]:
    """A colour of each node, none next to its like: the node that sees the most colours is coloured next."""
    graph = _neighbours(nodes, edges)
    colour: dict[int, int] = {}
    seen: dict[int, set[int]] = {node: set() for node in graph}
    while len(colour) < nodes:
        node = max(graph.keys() - colour.keys(), key=lambda n: (len(seen[n]), len(graph[n]), -n))
        colour[node] = next(c for c in range(1, nodes + 1) if c not in seen[node])
        for other in graph[node]:
            seen[other].add(colour[node])
    return colour


def _neighbours(nodes: int, edges: Iterable[Edge]) -> dict[int, set[int]]:
    graph: dict[int, set[int]] = {node: set() for node in range(1, nodes + 1)}
    for one, other in edges:
        graph[one].add(other)
        graph[other].add(one)
    return graph


def _clique(
    graph: Mapping[int, set[int]], begun: Sequence[int], wanted: Mapping[int, set[int]] | None = None
) -> list[int]:
    """A maximal clique around some nodes: next comes who has the most ``wanted`` neighbours within, or else most candidates."""
    clique = list(begun)
    candidates = set.intersection(*(graph[node] for node in clique))
    while candidates:
        best = max(
            candidates,
            key=lambda node: (
                len(wanted[node].intersection(clique)) if wanted else 0,
                len(graph[node] & candidates),
                -node,
            ),
        )
        clique.append(best)
        candidates &= graph[best]
    return clique


def _balanced(nodes: int, colours: int, rng: np.random.Generator) -> dict[int, int]:
    """Colours in numbers as equal as can be."""
    return dict(enumerate((1 + rng.permutation(nodes) % colours).tolist(), 1))


def _even(first: Sequence[int], second: Sequence[int], wanted: int, rng: np.random.Generator) -> set[Edge]:
    """So many edges between two classes, every node with as many as the others of its class, or one more."""
    degree = dict.fromkeys([*first, *second], 0)
    edges: set[Edge] = set()
    while len(edges) < wanted:
        one = min(rng.permutation(first).tolist(), key=lambda node: degree[node])
        free = [other for other in second if (min(one, other), max(one, other)) not in edges]
        other = min(rng.permutation(free).tolist(), key=lambda node: degree[node])
        edges.add((min(one, other), max(one, other)))
        degree[one] += 1
        degree[other] += 1
    return edges


def _example(nodes: int, edges: Collection[Edge], colours: int, colour: Mapping[int, int]) -> Example:
    request = colouring(nodes, edges, colours)
    return Example("colouring", request, {f"node {node}": c for node, c in colour.items()})
