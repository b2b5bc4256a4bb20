"""Graphs in DIMACS's format, as problems of colouring."""

from __future__ import annotations

from pathlib import Path

from groundstate_models.constraints.families.example import Request
from groundstate_models.constraints.families.graphs import Edge, colouring


def read_graph(path: Path) -> tuple[int, list[Edge]]:
    """The number of nodes of a ``.col`` file, and its edges, each once and with the smaller end first.

    Raises:
        ValueError: If a line is of no known kind, or no line ``p edge NODES EDGES`` comes before the edges.
    """
    nodes, edges = 0, set()
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        match line.split():
            case [] | ["c", *_]:
                continue
            case ["p", "edge" | "edges" | "col", count, _]:
                nodes = int(count)
            case ["e", one, other] if nodes:
                edges.add((min(int(one), int(other)), max(int(one), int(other))))
            case _:
                raise ValueError(
                    f"{path.name}, line {number}, is {line!r}; lines are c TEXT, then p edge NODES EDGES, then e NODE NODE."
                )
    if not nodes:
        raise ValueError(f"{path.name} has no line p edge NODES EDGES.")
    return nodes, sorted(edges)


def read_colouring(path: Path, colours: int, *, cliques: bool = True, anchored: bool = False) -> Request:
    """A ``.col`` file as the request to colour its graph, see `colouring`."""
    nodes, edges = read_graph(path)
    return colouring(nodes, edges, colours, cliques=cliques, anchored=anchored)
