"""Small random requests, as hypothesis strategies: few enough assignments to try them all; and what values break."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from hypothesis import strategies as st

from groundstate_models.constraints.incidence import edges_of

Request = dict[str, Any]
Domains = dict[str, list[int | str]]

NAMES = ("a", "b", "c", "d")
MIXED: list[int | str] = ["x", "y", 1, 2, "1"]


@st.composite
def domains(draw: st.DrawFn) -> Domains:
    """Two to four variables; the first two are numbers, the others may be names too."""
    found: Domains = {}
    for index in range(draw(st.integers(2, 4))):
        values: st.SearchStrategy[int | str] = st.integers(-2, 4)
        if index > 1 and draw(st.booleans()):
            values = st.sampled_from(MIXED)
        found[NAMES[index]] = draw(st.lists(values, min_size=1, max_size=3, unique=True))
    return found


@st.composite
def constraints(draw: st.DrawFn, among: Domains, depth: int = 0) -> Request:
    """A constraint of any type over some of the variables, as likely as not one that can be kept."""
    if depth < 2 and draw(st.integers(0, 3)) == 0:
        return draw(_made_of_others(among, depth))
    numbers = [name for name, values in among.items() if all(isinstance(value, int) for value in values)]
    small = st.integers(-3, 5)
    some, some_numbers = (
        st.lists(st.sampled_from(names), min_size=2, max_size=4, unique=True) for names in (list(among), numbers)
    )
    literal = st.sampled_from(
        [{"variable": name, "value": value} for name, values in among.items() for value in values]
    )
    kind = draw(st.sampled_from(sorted(_OF_ALL | _OF_NUMBERS)))
    bounds = draw(st.sampled_from([(0,), (1,), (2,), (1, 2)]))
    match kind:
        case "all_different" | "equal" | "not_equal":
            return {"type": kind, "variables": draw(some)}
        case "shifted":
            names = draw(some_numbers)
            return {"type": "all_different", "variables": names, "plus": [draw(small) for _ in names]}
        case "count":
            words = ("exactly", "at_least", "at_most")
            of = draw(st.lists(literal, min_size=1, max_size=5))
            return {"type": kind, "of": of, **{words[k]: draw(st.integers(0, 4)) for k in bounds}}
        case "implies":
            few = st.lists(literal, max_size=3)
            return {"type": kind, "if": draw(few), "then": draw(few)}
        case "allowed" | "forbidden":
            names = draw(st.lists(st.sampled_from(list(among)), min_size=1, max_size=3, unique=True))
            row = st.tuples(*(st.sampled_from(among[name]) for name in names)).map(list)
            return {"type": kind, "variables": names, "tuples": draw(st.lists(row, max_size=4))}
        case "linear":
            words = ("equals", "at_least", "at_most")
            term = st.fixed_dictionaries({"variable": st.sampled_from(numbers)}, optional={"times": small})
            terms = draw(st.lists(term, min_size=1, max_size=4))
            return {"type": kind, "terms": terms, **{words[k]: draw(st.integers(-9, 9)) for k in bounds}}
        case "precedence":
            before, after = draw(st.sampled_from(numbers)), draw(st.sampled_from(numbers))
            return {"type": kind, "before": before, "after": after, "gap": draw(small)}
        case _:
            names = draw(some_numbers)
            return {"type": kind, "starts": names, "durations": [draw(st.integers(1, 4)) for _ in names]}


@st.composite
def _made_of_others(draw: st.DrawFn, among: Domains, depth: int) -> Request:
    kind = draw(st.sampled_from(["any", "all", "if", "not"]))
    inner = constraints(among, depth + 1)
    opposable = inner.filter(lambda one: "no_overlap" not in str(one))
    match kind:
        case "not":
            return {"type": kind, "constraint": draw(opposable)}
        case "if":
            return {"type": kind, "if": draw(opposable), "then": draw(inner)}
        case _:
            return {"type": kind, "of": draw(st.lists(inner, min_size=1, max_size=3))}


_OF_ALL = {"all_different", "equal", "not_equal", "count", "implies", "allowed", "forbidden"}
_OF_NUMBERS = {"shifted", "linear", "precedence", "no_overlap"}


@st.composite
def requests(draw: st.DrawFn, most: int = 3) -> Request:
    """A request of one to ``most`` constraints and up to two preferences of whole weight."""
    among = draw(domains())
    constraint = constraints(among)
    preference = st.fixed_dictionaries({"constraint": constraint, "weight": st.integers(1, 5)})
    return {
        "variables": among,
        "constraints": draw(st.lists(constraint, min_size=1, max_size=most)),
        "preferences": draw(st.lists(preference, max_size=2)),
    }


def assignments(among: Domains) -> list[dict[str, int | str]]:
    """All of them."""
    return [dict(zip(among, values, strict=True)) for values in product(*among.values())]


def broken(tensors: dict[str, Any], values: Any) -> int:
    """The number of factors that values break, by their sums."""
    holds = np.zeros(tensors["domain"].shape)
    holds[np.arange(len(values)), values] = 1
    literal, factor, coefficient = edges_of(tensors)
    sums = np.bincount(factor, coefficient * holds.reshape(-1)[literal], len(tensors["low"]))
    return int(((sums > tensors["high"] + tensors["slack"]) | (sums < tensors["low"] - tensors["slack"])).sum())
