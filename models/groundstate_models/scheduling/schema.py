"""The JSON schemas of requests and answers, written for language models: short, typed, one example each."""

from __future__ import annotations

from typing import Any

from groundstate_models.scheduling.limits import KINDS as LIMITS
from groundstate_models.scheduling.limits import PERIODS

DESCRIPTION = (
    "Schedules activities: finds days, times and rooms so that nobody is in two places at once and every window, fixed time, "
    "order, gap, way and room is respected, with few broken preferences. Send what is to be scheduled and what you know of "
    "people and rooms. You get a checked schedule; or what in the request contradicts what; or that none was found. Use this "
    "instead of working out times yourself."
)
"""The tool's description, for a language model."""

MOST_ACTIVITIES = 500
MOST_NAMES = 500
LEAST_WEIGHT, MOST_WEIGHT = 0.001, 10_000

KINDS = {
    "earlier": "as early as possible",
    "later": "as late as possible",
    "within": "within `window`",
    "avoid": "not in `window`",
    "room": "in `room`",
    "same_room": "all in one room",
    "same_day": "all on one day",
    "different_day": "no two on one day",
    "same_time": "all at one time of day",
    "together": "all start together",
}
"""The kinds of preferences about activities."""

RULE_KINDS = tuple(kind for kind in KINDS if kind not in ("earlier", "later"))
"""The kinds of rules about activities."""

ALL_KINDS = (*KINDS, *LIMITS)

OBJECTIVES = {
    "most": "as many optional activities as possible, then few broken preferences",
    "earliest_end": "as many optional activities as possible, then all over as early as possible",
    "preferences": "least weight of left-out activities and broken preferences together",
}
"""The objectives; the first one is the default."""

NAME: dict[str, Any] = {"type": "string", "minLength": 1}
DURATION: dict[str, Any] = {"type": ["integer", "string"]}
WEIGHT: dict[str, Any] = {"type": "number", "minimum": LEAST_WEIGHT, "maximum": MOST_WEIGHT}
TEXTS: dict[str, Any] = {"$ref": "#/$defs/texts"}
"""One text or several: names, windows."""

DEFINITIONS: dict[str, Any] = {"texts": {"type": ["string", "array"], "items": {"type": "string"}, "minLength": 1}}
WISH: dict[str, Any] = {"$ref": "#/$defs/wish"}


def _object(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _said(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "description": description}


def _named(one: dict[str, Any]) -> dict[str, Any]:
    """A mapping from names, or only the names."""
    return {
        "type": ["object", "array"],
        "additionalProperties": one,
        "items": NAME,
        "maxProperties": MOST_NAMES,
        "maxItems": MOST_NAMES,
    }


PERSON = _object(
    {},
    {
        "busy": TEXTS,
        "free": _said("If not always.", TEXTS),
        "home": _said("Where each day begins.", NAME),
        "zone": _said("Of `busy` and `free`.", NAME),
    },
)

ROOM = _object(
    {},
    {
        "capacity": {"type": "integer", "minimum": 1},
        "busy": TEXTS,
        "free": TEXTS,
        "place": NAME,
    },
)

ACTIVITY = _object(
    {"name": NAME},
    {
        "duration": _said('"1h30" or minutes.', DURATION),
        "who": _said('People who must be there; "2 of Ada, Bob, Cem", "anyone", "Eve if possible".', TEXTS),
        "room": _said('One, several to choose from, or "any".', TEXTS),
        "size": {"type": "integer", "minimum": 1, "description": "If more than `who`."},
        "place": _said("Without a room.", NAME),
        "window": _said("As `hours`.", TEXTS),
        "at": _said('"mon 10:00" or "mon 10:00-11:00".', NAME),
        "repeat": _said('"daily", "every Tuesday", "twice a week", "3 times, same time".', NAME),
        "after": _said("Activities before it.", TEXTS),
        "gap": _said("Least time after those.", DURATION),
        "within": _said("Most time after those; 0: directly.", DURATION),
        "optional": {"type": "boolean"},
        "weight": _said("Of leaving it out.", WEIGHT),
    },
)

PREFERENCE = _object(
    {"type": {"enum": list(ALL_KINDS)}},
    {
        "activities": _said("Default all.", TEXTS),
        "who": _said("Only theirs.", TEXTS),
        "window": _said("For within, avoid.", TEXTS),
        "room": TEXTS,
        "at_most": _said('For work, days_in_a_row: number or "40 h".', DURATION),
        "at_least": DURATION,
        "per": {"enum": list(PERIODS)},
        "time": _said("For rest.", DURATION),
        "weight": WEIGHT,
    },
)
"""A preference, or a rule, which has no weight."""

EXAMPLE: dict[str, Any] = {
    "days": ["mon", "tue"],
    "hours": "9:00-17:00",
    "people": {"Ada": {"busy": ["mon 10:00-11:00"]}, "Bob": {"free": ["mon 9:00-13:00", "tue after 14:00"]}},
    "rooms": {"Blue": {"capacity": 4}, "Green": {"capacity": 8, "busy": "tue"}},
    "activities": [
        {"name": "Plan", "duration": 60, "who": ["Ada", "Bob"], "room": "any"},
        {"name": "Review", "duration": "1h30", "who": ["Ada"], "room": "Blue", "after": ["Plan"]},
        {"name": "Lunch", "at": "mon 12:00-12:45", "who": ["Ada", "Bob"], "optional": True},
    ],
    "preferences": [{"type": "avoid", "window": "tue", "who": "Bob", "weight": 2}],
}

REQUEST: dict[str, Any] = {
    **_object(
        {
            "activities": {
                "type": "array",
                "items": ACTIVITY,
                "minItems": 1,
                "maxItems": MOST_ACTIVITIES,
                "description": "Also fixed appointments.",
            }
        },
        {
            "today": _said('A date, for "tomorrow", "next Monday", "June 3".', NAME),
            "days": _said(
                'Weekdays or dates: "mon-fri", ["2025-03-03"]. Default: the dates that occur, else Monday to Friday.',
                {**DEFINITIONS["texts"], "minItems": 1},
            ),
            "hours": _said(
                'All is within: "9:00-12:00", "mon after 14:00", "tue morning", "before wed", '
                '"2025-03-03T09:00/2025-03-03T12:00", or a list. Default 9:00-17:00.',
                TEXTS,
            ),
            "zone": _said('"Europe/Berlin".', NAME),
            "slot": _said("Of starts.", DURATION),
            "gap": _said("Between activities of a person.", DURATION),
            "people": _said("When busy or free, as `hours`; or only names.", _named(PERSON)),
            "rooms": _said("As `people`.", _named(ROOM)),
            "travel": {
                "type": "object",
                "description": 'Between places: {"Mission": {"Bayview": 15}}; both ways.',
                "additionalProperties": {"type": "object", "additionalProperties": DURATION},
            },
            "rules": {
                "type": "array",
                "items": WISH,
                "description": "What must hold, without weight.",
            },
            "preferences": {
                "type": "array",
                "items": WISH,
                "description": "What ought to hold; weight: cost of each breach.",
            },
            "objective": {
                "enum": list(OBJECTIVES),
                "description": "Default most optional activities.",
            },
        },
    ),
    "$defs": {**DEFINITIONS, "wish": PREFERENCE},
    "examples": [EXAMPLE],
}

PLACED = _object(
    {"name": NAME, "start": _said('"mon 10:00" or "2025-03-03T10:00".', NAME)},
    {
        "end": NAME,
        "room": NAME,
        "place": NAME,
        "who": DEFINITIONS["texts"],
    },
)

ANSWER: dict[str, Any] = {
    **_object(
        {"activities": {"type": "array", "items": PLACED, "description": "What takes place, in the order of time."}},
        {
            "left_out": {"type": "array", "items": NAME, "description": "Optional activities that do not take place."},
            "broken": {"type": "array", "items": NAME, "description": "Preferences that it breaks, as sentences."},
            "cost": {"type": "number", "description": "Weights of what is left out and broken."},
        },
    ),
    "examples": [
        {
            "activities": [
                {"name": "Plan", "start": "mon 9:00", "end": "mon 10:00", "room": "Blue", "who": ["Ada", "Bob"]},
                {"name": "Review", "start": "mon 13:00", "end": "mon 14:30", "room": "Blue", "who": ["Ada"]},
            ],
            "left_out": ["Lunch"],
            "broken": [],
            "cost": 1,
        }
    ],
}
