"""Run the passes that rewrite a graph to compute the same at a lower cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Graph
from groundstate_export._optimise.algebra import Algebra
from groundstate_export._optimise.attention import Attention
from groundstate_export._optimise.broadcasts import Broadcasts
from groundstate_export._optimise.centre import Centre
from groundstate_export._optimise.choices import Choices
from groundstate_export._optimise.cost import cost
from groundstate_export._optimise.readout import Readout
from groundstate_export._optimise.rows import Rows
from groundstate_export._optimise.terms import Terms

PASSES = (Readout, Attention, Centre, Rows, Choices, Algebra)
"""The passes in order. They are repeated until the graph no longer gets cheaper."""

LAST = (Terms, Broadcasts)
"""Passes that would hinder the others; they run once, at the end."""

_ROUNDS = 6


def optimise(graph: Graph, moving: Iterable[str], rounds: int | None = None) -> tuple[Graph, int]:
    """Rewrite a graph until rewriting no longer makes it cheaper.

    Args:
        graph: The graph; it is not changed.
        moving: The inputs that change from step to step. Nodes that depend on none of them are free.
        rounds: The exact number of rounds, at any cost: the best number for the same graph of another size.

    Returns:
        The graph, and the number of rounds.
    """
    names = set(moving)
    best, made = graph, 0
    while made < (_ROUNDS if rounds is None else rounds):
        candidate = best
        for each in PASSES:
            candidate = each(candidate, names).run()
        if rounds is None and cost(candidate, names) >= cost(best, names):
            break
        best, made = candidate, made + 1
    for last in LAST:
        best = last(best, names).run()
    return best, made


def optimise_all(
    graphs: Functions[Graph], like: Mapping[str, int] | None = None
) -> tuple[Functions[Graph], dict[str, int]]:
    """Optimise every graph. Only nodes that depend on the state have a cost.

    Args:
        graphs: The graphs; they are not changed.
        like: The rounds of each graph at another size, so that both sizes get the same form.

    Returns:
        The graphs, and the rounds of each.
    """
    taken: dict[str, int] = {}

    def optimised(name: str, graph: Graph) -> Graph:
        found, taken[name] = optimise(graph, moving(graph), like[name] if like else None)
        return found

    return graphs.each(optimised), taken


def moving(graph: Graph) -> list[str]:
    """The inputs that change from step to step."""
    return [name for name in graph.inputs if name.startswith(("state.", "noise.", "answer."))]
