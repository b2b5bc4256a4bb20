"""Zebra puzzles: houses in a row, what lives in them, and clues that leave one solution.

A variable is a thing, "the Swede" or "tea", and its value the number of its house.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from groundstate_models.constraints.backtracking import solutions
from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.families.example import Example, Request, all_different, literal
from groundstate_models.constraints.language import read
from groundstate_models.constraints.problem import Problem

THINGS: dict[str, Sequence[str]] = {
    "nationality": ("Swede", "Dane", "Briton", "German", "Norwegian", "Spaniard", "Japanese", "Italian"),
    "colour": ("red", "green", "white", "yellow", "blue", "orange", "purple", "grey"),
    "drink": ("tea", "coffee", "milk", "beer", "water", "juice", "cocoa", "lemonade"),
    "pet": ("dog", "bird", "cat", "horse", "fish", "zebra", "snail", "fox"),
    "job": ("baker", "doctor", "painter", "teacher", "pilot", "lawyer", "farmer", "nurse"),
    "hobby": ("chess", "tennis", "reading", "cooking", "sailing", "dancing", "gardening", "music"),
}
"""Names that puzzles begin with; larger ones go on with numbers."""

KINDS = {"same house": 4.0, "next to": 3.0, "left of": 2.0, "before": 1.0, "fixed": 0.5}
"""How often a kind of clue is tried, relative to the others."""


def zebra(houses: int, categories: int, rng: np.random.Generator) -> Example:
    """A puzzle of ``houses`` houses and so many categories of things, with one solution and no clue to spare.

    Clues say that two things share a house, are next to each other, that one is just left of another or somewhere before it, or
    where a thing is.
    """
    names = _names(houses, categories)
    solution: dict[str, Value] = {}
    for category in names:
        solution |= dict(zip(category, (1 + rng.permutation(houses)).tolist(), strict=True))
    pool = _in_random_order(list(_true(names, solution, houses)), rng)
    clues: list[Request] = []
    while wrong := _another(_request(names, houses, clues), solution, rng):
        # The first clue that the wrong solution breaks; there is one, as the fixed places alone tell them apart.
        clues.append(next(clue for clue in pool if not read(clue).holds(wrong)))
    for clue in [clues[k] for k in rng.permutation(len(clues))]:
        fewer = [other for other in clues if other is not clue]
        if not _another(_request(names, houses, fewer), solution, rng):
            clues = fewer
    request = _request(names, houses, [clues[k] for k in rng.permutation(len(clues))])
    return Example("zebra", request, solution)


def _names(houses: int, categories: int) -> list[list[str]]:
    known = list(THINGS.items())[:categories]
    known += [(f"thing {k + 1}", ()) for k in range(len(known), categories)]
    return [[*things[:houses], *(f"{kind} {i + 1}" for i in range(len(things), houses))] for kind, things in known]


def _request(names: list[list[str]], houses: int, clues: list[Request]) -> Request:
    return {
        "variables": {name: {"from": 1, "to": houses} for category in names for name in category},
        "constraints": [*(all_different(category) for category in names if houses > 1), *clues],
    }


def _another(request: Request, solution: dict[str, Value], rng: np.random.Generator) -> dict[str, Value] | None:
    return next((found for found in solutions(Problem.of(request), 2, rng) if found != solution), None)


def _true(names: list[list[str]], solution: dict[str, Value], houses: int) -> Iterator[tuple[str, Request]]:
    """Every clue that holds, with its kind."""
    beside = [[i, j] for i in range(1, houses + 1) for j in (i - 1, i + 1) if 1 <= j <= houses]
    category_of = {name: k for k, category in enumerate(names) for name in category}
    for one, first in solution.items():
        said = {"name": f"{one} is in house {first}"}
        yield "fixed", {"type": "count", "of": [literal(one, first)], "exactly": 1, **said}
        for other, second in solution.items():
            apart = int(second) - int(first)
            if apart == 0 and category_of[one] < category_of[other]:
                yield (
                    "same house",
                    {"type": "equal", "variables": [one, other], "name": f"{one} shares a house with {other}"},
                )
            if apart == 1:
                pair = [one, other] if category_of[one] < category_of[other] else [other, one]
                said = {"name": f"{pair[0]} is next to {pair[1]}"}
                yield "next to", {"type": "allowed", "variables": pair, "tuples": beside, **said}
                terms = [{"variable": other}, {"variable": one, "times": -1}]
                yield (
                    "left of",
                    {"type": "linear", "terms": terms, "equals": 1, "name": f"{one} is just left of {other}"},
                )
            if apart > 1:
                said = {"name": f"{one} is somewhere left of {other}"}
                yield "before", {"type": "precedence", "before": one, "after": other, "gap": 1, **said}


def _in_random_order(clues: Sequence[tuple[str, Request]], rng: np.random.Generator) -> list[Request]:
    """By the weights of `KINDS`, a kind's weight shared among its clues."""
    kinds = [kind for kind, _ in clues]
    weights = np.array([KINDS[kind] / kinds.count(kind) for kind in kinds])
    order = np.argsort(rng.exponential(size=len(clues)) / weights)
    return [clues[k][1] for k in order]
