"""Passes: each rewrites a graph so that it does less, and gives the same."""

from __future__ import annotations

from collections.abc import Iterable

from groundstate_export.ir import Graph
from groundstate_export.passes.algebra import Algebra
from groundstate_export.passes.attention import Attention
from groundstate_export.passes.broadcasts import Broadcasts
from groundstate_export.passes.centre import Centre
from groundstate_export.passes.choices import Choices
from groundstate_export.passes.cost import cost
from groundstate_export.passes.readout import Readout
from groundstate_export.passes.rows import Rows
from groundstate_export.passes.terms import Terms

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
