"""Turns the caller's constraints into rules: the same JSON as for the model ``constraints``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from groundstate_models.learned.layout import Layout, Value
from groundstate_models.learned.rules import Count, Different, Pairs, Rule
from groundstate_training._errors import TrainingError

TYPES = ("all_different", "not_equal", "equal", "forbidden", "count")


def known_rule(raw: Mapping[str, Any], layout: Layout) -> Rule:
    """Build a rule from a constraint.

    Raises:
        TrainingError: If its type, a variable or a value is unknown, or it cannot be read.
    """
    try:
        return _rule(raw, layout)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise TrainingError(
            f"The stated constraint {_shown(raw)} cannot be read; for example "
            '{"type": "all_different", "variables": ["a", "b"]} or '
            '{"type": "count", "of": [{"variable": "a", "value": 1}], "at_most": 2}.'
        ) from None


def _shown(raw: object) -> str:
    text = str(raw)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _rule(raw: Mapping[str, Any], layout: Layout) -> Rule:
    places = {value: place for place, value in enumerate(layout.values)}

    def variables(names: Sequence[str]) -> tuple[int, ...]:
        for name in names:
            if name not in layout.index:
                raise TrainingError(f"A stated constraint names the variable {name!r}, which the examples do not have.")
        return tuple(layout.index[name] for name in names)

    def value(one: Value) -> int:
        if one not in places:
            raise TrainingError(f"A stated constraint names the value {one!r}, which no example has.")
        return places[one]

    if not isinstance(raw, Mapping):
        raise TrainingError(f"A stated constraint is {raw!r:.40}; it must be an object with a type.")
    kind = raw.get("type")
    if kind not in TYPES:
        raise TrainingError(f"A stated constraint has the type {kind!r}; known are {', '.join(TYPES)}.")
    needed = {"count": ("of",), "forbidden": ("variables", "tuples")}.get(kind, ("variables",))
    if missing := next((field for field in needed if field not in raw), None):
        raise TrainingError(f"A stated constraint of the type {kind} needs {missing!r}.")
    text = str(raw.get("name", f"{kind} of {', '.join(map(str, raw.get('variables', ()))) or 'literals'}"))
    match kind:
        case "all_different":
            return Different(text, groups=(variables(raw["variables"]),), origin="known")
        case "count":
            literals = [(literal["variable"], literal["value"]) for literal in raw["of"]]
            group = variables([name for name, _ in literals])
            values = tuple(sorted({value(one) for _, one in literals}))
            if len(set(values)) > 1 and len(set(group)) * len(values) != len(literals):
                raise TrainingError("A stated count needs the same values for each of its variables.")
            group = tuple(dict.fromkeys(group))
            low = raw.get("exactly", raw.get("at_least", 0))
            high = raw.get("exactly", raw.get("at_most", len(group)))
            if not group or not isinstance(low, int) or not isinstance(high, int):
                raise ValueError(low, high)
            return Count(text, groups=(group,), values=values, low=low, high=high, origin="known")
    pairs = tuple((min(i, j), max(i, j)) for i, j in combinations(variables(raw["variables"]), 2))
    n = len(layout.values)
    if kind == "forbidden":
        if len(pairs) != 1:
            raise TrainingError("A stated constraint of the type forbidden needs two variables.")
        turned = layout.index[raw["variables"][0]] > layout.index[raw["variables"][1]]
        entries = tuple((value(b), value(a)) if turned else (value(a), value(b)) for a, b in raw["tuples"])
    else:
        entries = tuple((a, b) for a in range(n) for b in range(n) if (a == b) == (kind == "not_equal"))
    return Pairs(text, pairs=pairs, forbidden=entries, origin="known")
