"""Proofs of contradiction, and the smallest sets of statements that contradict each other. An empty result proves nothing."""

from __future__ import annotations

from collections.abc import Iterable

from groundstate_models.geometry.directions import Directions
from groundstate_models.geometry.incidence import Sources
from groundstate_models.geometry.problem import Problem
from groundstate_models.geometry.values import Known

MOST_SETS = 6


def contradiction(problem: Problem) -> list[int]:
    """A minimal set of contradictory statements; empty if nothing is proven."""
    found = _prove(problem)
    if found is None:
        return []
    everything = set(range(len(problem.statements)))
    kept = set(found)
    for source in sorted(found, reverse=True):
        rest = kept - {source}
        if rest and _prove(problem.without(everything - rest)) is not None:
            kept = rest
    return sorted(kept)


def contradictions(problem: Problem) -> list[list[int]]:
    """Minimal sets of contradictory statements, at most `MOST_SETS`.

    First come sets that share no statement; then those that share some and name others, as of two wrong values of a dimension.
    """
    found: list[list[int]] = []
    rest = problem
    while len(found) < MOST_SETS and (one := contradiction(rest)):
        found.append(one)
        rest = rest.without(one)
    for one in list(found):
        for source in one:
            named = {other for each in found for other in each}
            if len(found) == MOST_SETS:
                return found
            further = contradiction(problem.without([source, *(named - set(one))]))
            if set(further) - named:
                found.append(further)
    return found


def _prove(problem: Problem) -> Sources | None:
    directions = None if problem.solid else Directions(problem).contradiction()
    return directions or Known(problem).contradiction()


def sentence(problem: Problem, sources: Iterable[int]) -> str:
    """A sentence that lists the contradictory statements."""
    texts = [problem.statements[source][0] for source in sources]
    if len(texts) == 1:
        return f"{texts[0]!r} cannot hold by itself."
    return "These cannot all hold: " + ", ".join(map(repr, texts)) + "."


def places(problem: Problem, sources: Iterable[int]) -> tuple[str, ...]:
    return tuple(problem.statements[source][1] for source in sources)
