"""The JSON schema of requests and answers, for language models and for validation."""

from __future__ import annotations

from functools import cache
from typing import Any

MOST_VARIABLES = 20_000
MOST_VALUES = 1_000
"""Values that a variable may list."""

MOST_NUMBERS = 10_000
"""Whole numbers that a range may contain; the values of all variables together are limited by `factors.MOST_EDGES`."""

VALUE: dict[str, Any] = {"type": ["integer", "string"]}
NAME: dict[str, Any] = {"type": "string", "minLength": 1}
NUMBER: dict[str, Any] = {"type": "integer", "minimum": -(10**6), "maximum": 10**6}
TIME: dict[str, Any] = {"type": "integer", "minimum": -(10**12), "maximum": 10**12}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _names(least: int) -> dict[str, Any]:
    return {"type": "array", "items": NAME, "minItems": least, "uniqueItems": True}


LITERAL = _object({"variable": NAME, "value": VALUE})
LITERALS: dict[str, Any] = {"type": "array", "items": LITERAL}
TUPLES: dict[str, Any] = {"type": "array", "items": {"type": "array", "items": VALUE}}
SPANS: dict[str, Any] = {
    "type": "array",
    "description": "[value, start, end] for each value that takes up time.",
    "items": {"type": "array", "prefixItems": [VALUE, TIME, TIME], "minItems": 3, "maxItems": 3},
}
INTERVAL = _object({"variable": NAME, "spans": SPANS})
TASK = _object({"variable": NAME, "spans": SPANS}, {"uses": {**COUNT, "minimum": 1}})
TERMS: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": _object({"variable": NAME}, {"times": NUMBER, "value": VALUE}),
}
LITERAL_TERMS = TERMS
_MOVED: dict[str, Any] = {"type": "array", "items": _object({"variable": NAME}, {"plus": NUMBER}), "minItems": 1}
EXTREME = _object({}, {"latest": _MOVED, "earliest": _MOVED})
"""The number of an objective: the greatest, or the least, of some variables plus numbers."""
LIST: dict[str, Any] = {"type": "array", "items": NAME, "minItems": 1}
BOUNDS: dict[str, Any] = {"exactly": COUNT, "at_least": COUNT, "at_most": COUNT}
MOVES: dict[str, Any] = {
    "type": "array",
    "items": {"type": "array", "prefixItems": [NAME, VALUE, NAME], "minItems": 3, "maxItems": 3},
}
LASTING = _object(
    {"start": NAME, "duration": {"type": ["integer", "string"]}}, {"if": LITERAL, "uses": {**COUNT, "minimum": 1}}
)

KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "all_different": (
        "No two of the variables have the same value; with `plus`, one number a variable, no two of variable + plus.",
        {"variables": _names(2)},
        {"plus": {"type": "array", "items": NUMBER}},
    ),
    "equal": ("The variables have the same value.", {"variables": _names(2)}, {}),
    "not_equal": ("The variables have different values.", {"variables": _names(2)}, {}),
    "count": (
        "So many of the literals hold.",
        {"of": {**LITERALS, "minItems": 1}},
        {"exactly": COUNT, "at_least": COUNT, "at_most": COUNT},
    ),
    "implies": (
        "If all literals of `if` hold, at least one of `then` does; an empty `then` forbids the `if`.",
        {"if": LITERALS, "then": LITERALS},
        {},
    ),
    "allowed": ("The variables together have one of the tuples.", {"variables": _names(1), "tuples": TUPLES}, {}),
    "forbidden": ("The variables together have none of the tuples.", {"variables": _names(1), "tuples": TUPLES}, {}),
    "linear": (
        "A weighted sum is bounded: of variables with numbers as values, and of literals (terms with a `value`).",
        {"terms": TERMS},
        {"equals": NUMBER, "at_least": NUMBER, "at_most": NUMBER},
    ),
    "precedence": ("before + gap ≤ after.", {"before": NAME, "after": NAME}, {"gap": NUMBER}),
    "no_overlap": (
        "Intervals that start at the variables and have the durations do not overlap.",
        {"starts": _names(2), "durations": {"type": "array", "items": {**COUNT, "minimum": 1}}},
        {},
    ),
    "cumulative": (
        "At no time do the spans of the values use more than the capacity, which is 1 if not given.",
        {"tasks": {"type": "array", "items": TASK, "minItems": 1}},
        {"capacity": COUNT},
    ),
    "before": (
        "Where the values of both have spans, the first one's end + gap ≤ the other's start.",
        {"first": INTERVAL, "then": INTERVAL},
        {"gap": NUMBER},
    ),
    "intervals": (
        "Intervals (the duration may be a variable; some only `if` a literal holds) use at most the capacity at a time.",
        {"of": {"type": "array", "items": LASTING, "minItems": 1}},
        {"capacity": COUNT},
    ),
    "element": (
        "`equals` is the one of the variables, or of the values, at the place `index`; the first has the number `first`, or 1.",
        {"index": NAME, "equals": NAME},
        {"variables": LIST, "values": {"type": "array", "items": VALUE, "minItems": 1}, "first": NUMBER},
    ),
    "max": ("`equals` is the greatest of the variables.", {"variables": _names(1), "equals": NAME}, {}),
    "min": ("`equals` is the least of the variables.", {"variables": _names(1), "equals": NAME}, {}),
    "counts": (
        "So many of the variables have each value.",
        {
            "variables": _names(1),
            "bounds": {"type": "array", "items": _object({"value": VALUE}, BOUNDS), "minItems": 1},
        },
        {},
    ),
    "run": (
        "Runs of a value, or of one of some, in the variables in order, have at least and at most so many.",
        {"variables": LIST, "value": {"type": ["integer", "string", "array"], "items": VALUE, "minItems": 1}},
        {"at_least": {**COUNT, "minimum": 1}, "at_most": {**COUNT, "minimum": 1}},
    ),
    "regular": (
        "The values in order lead an automaton, by moves [state, value, state], from `start` to a state of `accept`.",
        {"variables": LIST, "moves": MOVES, "start": NAME, "accept": LIST},
        {},
    ),
    "lexicographic": (
        "The numbers of `first` come before those of `then`, or are the same unless `strict`; the first difference decides.",
        {"first": LIST, "then": LIST},
        {"strict": {"type": "boolean"}},
    ),
}
"""Meaning, required and optional properties of each type of constraint."""

MADE_OF_OTHERS: dict[str, dict[str, str]] = {
    "any": {"of": "many"},
    "all": {"of": "many"},
    "if": {"if": "one", "then": "one"},
    "not": {"constraint": "one"},
}
"""The properties that contain other constraints: one, or an array."""

_SEVERAL: dict[str, Any] = {"type": "array", "minItems": 1}
KINDS |= {
    "any": ("At least one of the constraints holds.", {"of": _SEVERAL}, {}),
    "all": ("All of the constraints hold.", {"of": _SEVERAL}, {}),
    "if": ("Where the constraint `if` holds, the constraint `then` does.", {"if": {}, "then": {}}, {}),
    "not": ("The constraint does not hold.", {"constraint": {}}, {}),
}


@cache
def by_kind(kind: str) -> dict[str, Any]:
    """The schema of a type of constraint, without the constraints in it."""
    meaning, required, optional = KINDS[kind]
    return {"description": meaning, **_object({"type": {"type": "string"}, **required}, {**optional, "name": NAME})}


NOTATION = (
    '"a != b"; "2*x + y <= 7"; "all different: a, b, c"; "x in {1, 2}"; "if a == 1 then b == 2"; "a == 1 or x + 3 <= y"; '
    '"not (a == 1 and b == 2)"; "at most 2 of a, b, c are red"; "exactly 1 of a == 1, b > 2"; "(a, b) in {(1, 2), (2, 1)}"; '
    '"a before b"; "abs(x - y) >= 2"; "no overlap: x for 3, y for 2"'
)
"""Examples of `notation`, one of each kind."""

DOMAIN: dict[str, Any] = {
    "type": ["array", "object", "string"],
    "items": VALUE,
    "minItems": 1,
    "maxItems": MOST_VALUES,
    "uniqueItems": True,
    "properties": {"from": NUMBER, "to": NUMBER},
    "additionalProperties": False,
}

SHOWN: dict[str, Any] = {"type": ["string", "object"]}
"""A constraint, for language models; `typed` checks it exactly."""

REQUEST: dict[str, Any] = {
    **_object(
        {
            "variables": {
                "type": "object",
                "description": 'Each variable and its values: ["red", "blue"], or whole numbers "1..9".',
                "additionalProperties": DOMAIN,
                "minProperties": 1,
                "maxProperties": MOST_VARIABLES,
            }
        },
        {
            "constraints": {
                "type": "array",
                "items": SHOWN,
                "description": (
                    f"All must hold. Texts: {NOTATION}. Values are written as in `variables`. Or typed objects, such as "
                    '{"type": "all_different", "variables": ["a", "b"], "name": "rows"}; types: '
                    f"{', '.join(KINDS)}."
                ),
            },
            "preferences": {
                "type": "array",
                "description": "Constraints that ought to hold, and what each costs where it does not (default 1).",
                "items": _object(
                    {"constraint": SHOWN}, {"weight": {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6}}
                ),
            },
            "objective": {
                "type": ["string", "object"],
                "description": ('"maximise 3*x + 2*(a == red)", "minimise the latest end of x for 3, y for 2".'),
            },
        },
    ),
    "examples": [
        {
            "variables": {"red": ["mon", "tue"], "blue": ["mon", "tue"], "n": "1..3"},
            "constraints": ["red != blue", "if red == tue then n >= 2"],
            "preferences": [{"constraint": "red == tue", "weight": 2}],
        }
    ],
}
"""The short form for language models; `Problem.of` refuses meaningless requests with the reason."""

ANSWER: dict[str, Any] = _object(
    {
        "values": {"type": "object", "additionalProperties": VALUE, "description": "The value of each variable."},
    },
    {
        "cost": {"type": "number", "description": "The weights of all preferences that do not hold."},
        "objective": {"type": "integer", "description": "The value of the objective."},
    },
)
