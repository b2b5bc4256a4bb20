"""Passes: each rewrites a graph so that it does less, and gives the same."""

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
"""In the order in which they run, again and again until the graph no longer gets cheaper."""

LAST = (Terms, Broadcasts)
"""What would be in the others' way, once, at the end."""

_ROUNDS = 6


def optimise(graph: Graph, moving: Iterable[str], rounds: int | None = None) -> tuple[Graph, int]:
    """Rewrite a graph until rewriting no longer makes it cheaper.

    Args:
        graph: The graph; it stays as it is.
        moving: The inputs that change from step to step: what depends on none of them costs nothing.
        rounds: Rewrite so often, whatever it costs: what was best for the same graph of another size.

    Returns:
        The graph, and how often it was rewritten.
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
    """Optimise every graph: what depends on the state is what costs.

    Args:
        graphs: The graphs; they stay as they are.
        like: Rounds of rewriting by graph, as another size of the same took, so that both come out alike.

    Returns:
        The graphs, and the rounds that each took.
    """
    taken: dict[str, int] = {}

    def optimised(name: str, graph: Graph) -> Graph:
        found, taken[name] = optimise(graph, moving(graph), like[name] if like else None)
        return found

    return graphs.each(optimised), taken


def moving(graph: Graph) -> list[str]:
    """The inputs that change from step to step."""
    return [name for name in graph.inputs if name.startswith(("state.", "noise.", "answer."))]
