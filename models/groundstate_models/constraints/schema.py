"""The JSON schema of requests and answers, for LLMs and for the check at the door."""

from __future__ import annotations

from typing import Any

MOST_VARIABLES = 20_000
MOST_VALUES = 1_000

VALUE: dict[str, Any] = {"type": ["integer", "string"]}
NAME: dict[str, Any] = {"type": "string", "minLength": 1}
NUMBER: dict[str, Any] = {"type": "integer", "minimum": -(10**6), "maximum": 10**6}
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
    "items": {"type": "array", "prefixItems": [VALUE, NUMBER, NUMBER], "minItems": 3, "maxItems": 3},
}
INTERVAL = _object({"variable": NAME, "spans": SPANS})
TASK = _object({"variable": NAME, "spans": SPANS}, {"uses": {**COUNT, "minimum": 1}})
TERMS: dict[str, Any] = {"type": "array", "minItems": 1, "items": _object({"variable": NAME}, {"times": NUMBER})}

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
        "A weighted sum of variables with whole numbers as values is bounded.",
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
}
"""What each type of constraint says, what it must have, and what it may have."""

CONSTRAINT: dict[str, Any] = {
    "anyOf": [
        {
            "description": said,
            **_object(
                {"type": {"const": kind}, **required}, {**optional, "name": {**NAME, "description": "Its name."}}
            ),
        }
        for kind, (said, required, optional) in KINDS.items()
    ]
}

DOMAIN: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": VALUE, "minItems": 1, "maxItems": MOST_VALUES, "uniqueItems": True},
        _object({"from": NUMBER, "to": NUMBER}),
    ]
}

REQUEST: dict[str, Any] = {
    **_object(
        {
            "variables": {
                "type": "object",
                "description": "Name of each variable, and its values: a list, or {from, to} for whole numbers.",
                "additionalProperties": DOMAIN,
                "minProperties": 1,
                "maxProperties": MOST_VARIABLES,
            }
        },
        {
            "constraints": {"type": "array", "items": CONSTRAINT, "description": "All of them have to hold."},
            "preferences": {
                "type": "array",
                "description": "Constraints that ought to hold, with what it costs where they do not.",
                "items": _object(
                    {"constraint": CONSTRAINT}, {"weight": {"type": "number", "exclusiveMinimum": 0, "maximum": 1e6}}
                ),
            },
        },
    ),
    "examples": [
        {
            "variables": {"red": ["mon", "tue"], "blue": ["mon", "tue"]},
            "constraints": [{"type": "all_different", "variables": ["red", "blue"]}],
            "preferences": [
                {
                    "constraint": {"type": "count", "of": [{"variable": "red", "value": "tue"}], "exactly": 1},
                    "weight": 2,
                }
            ],
        }
    ],
}

ANSWER: dict[str, Any] = _object(
    {
        "values": {"type": "object", "additionalProperties": VALUE, "description": "The value of each variable."},
    },
    {
        "cost": {"type": "number", "description": "The weights of all preferences that do not hold."},
    },
)
