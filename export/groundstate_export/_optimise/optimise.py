"""Run the passes that rewrite a graph to compute the same at a lower cost."""

from __future__ import annotations

from collections.abc import Iterable

from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Graph
from groundstate_export._optimise.algebra import Algebra
from groundstate_export._optimise.attention import Attention
from groundstate_export._optimise.broadcasts import Broadcasts
from groundstate_export._optimise.centre import Centre
from groundstate_export._optimise.choices import Choices
from groundstate_export._optimise.cost import cost
from groundstate_export._optimise.products import Products
from groundstate_export._optimise.readout import Readout
from groundstate_export._optimise.rows import Rows
from groundstate_export._optimise.terms import Terms

FIRST = (Rows, Products, Products)
"""Passes that only ever save; they run once, at the beginning."""

PASSES = (Readout, Attention, Centre, Rows, Choices, Algebra)
"""The passes in order. They are repeated until the graph no longer gets cheaper."""

LAST = (Terms, Broadcasts)
"""Passes that would hinder the others; they run once, at the end."""

_ROUNDS = 6


def optimise(graph: Graph, moving: Iterable[str]) -> Graph:
    """Rewrite a graph until rewriting no longer makes it cheaper.

    Args:
        graph: The graph; it is not changed.
        moving: The inputs that change from step to step. Nodes that depend on none of them are free.
    """
    names = set(moving)
    best = graph
    for first in FIRST:
        best = first(best, names).run()
    for _ in range(_ROUNDS):
        candidate = best
        for each in PASSES:
            candidate = each(candidate, names).run()
        if cost(candidate, names) >= cost(best, names):
            break
        best = candidate
    for last in LAST:
        best = last(best, names).run()
    return best


def optimise_all(graphs: Functions[Graph]) -> Functions[Graph]:
    """Optimise every graph. Only nodes that depend on the state have a cost."""
    return graphs.each(lambda _, graph: optimise(graph, moving(graph)))


def moving(graph: Graph) -> list[str]:
    """The inputs that change from step to step."""
    return [name for name in graph.inputs if name.startswith(("state.", "noise.", "answer."))]
