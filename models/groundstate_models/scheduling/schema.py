"""The JSON schemas of requests and answers, written for language models: short, typed, one example each."""

from __future__ import annotations

from typing import Any

DESCRIPTION = (
    "Schedules activities: finds days, times and rooms so that nobody is in two places at once and every window, fixed time, "
    "order, gap, way and room is respected, with few broken preferences. Send what is to be scheduled and what you know of "
    "people and rooms. You get a checked schedule; or what in the request contradicts what; or that none was found. Use this "
    "instead of working out times yourself."
)
"""What the tool does, for a language model."""

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
}
"""What may be preferred."""

RULE_KINDS = tuple(kind for kind in KINDS if kind not in ("earlier", "later"))
"""What may have to hold."""

OBJECTIVES = {
    "most": "as many optional activities as possible, then few broken preferences",
    "earliest_end": "as many optional activities as possible, then all over as early as possible",
    "preferences": "least weight of left-out activities and broken preferences together",
}
"""What makes one schedule better than another; the first is meant where a request names none."""

NAME: dict[str, Any] = {"type": "string", "minLength": 1}
TEXTS: dict[str, Any] = {"type": ["string", "array"], "items": {"type": "string"}, "minLength": 1}
DURATION: dict[str, Any] = {"type": ["integer", "string"]}
WEIGHT: dict[str, Any] = {"type": "number", "minimum": LEAST_WEIGHT, "maximum": MOST_WEIGHT, "default": 1}


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


WINDOWS = (
    '"mon 9:00-12:00", "tue" (all day), "9:00-12:00" (every day), "mon after 14:00", "before wed", '
    '"2025-03-03T09:00/2025-03-03T12:00", or a list of these.'
)

PERSON = _object(
    {},
    {
        "busy": _said("When not available, as `hours`.", TEXTS),
        "free": _said("When available, if not always.", TEXTS),
        "home": _said("Place where each day begins; the way from there takes travel time.", NAME),
    },
)

ROOM = _object(
    {},
    {
        "capacity": {"type": "integer", "minimum": 1, "description": "Most people at a time."},
        "busy": _said("When taken.", TEXTS),
        "free": _said("When available, if not always.", TEXTS),
        "place": _said("Where it is, for travel.", NAME),
    },
)

ACTIVITY = _object(
    {"name": _said("Unique.", NAME)},
    {
        "duration": _said('Minutes, or "1h30". May be left out where `at` says both ends.', DURATION),
        "who": _said("People who must be there.", TEXTS),
        "room": _said('A room, a list to choose from, or "any". Leave out if none is needed.', TEXTS),
        "size": {"type": "integer", "minimum": 1, "description": "How many people, if more than `who` names."},
        "place": _said("Where it is, for travel; not needed with a room.", NAME),
        "window": _said("When it may take place, as `hours`.", TEXTS),
        "at": _said('A fixed time: "mon 10:00", "mon 10:00-11:00" or "2025-03-03T10:00".', NAME),
        "after": _said("Activities that must be over before it begins.", TEXTS),
        "gap": _said("Least time between the end of those and its start. Default 0.", DURATION),
        "optional": {"type": "boolean", "description": "May be left out. Default false."},
        "weight": _said("If optional: what leaving it out costs. Default 1.", WEIGHT),
    },
)

_SELECTED = {
    "activities": _said("Which activities; all, if left out.", TEXTS),
    "who": _said("Only activities of these people.", TEXTS),
    "window": _said("For `within` and `avoid`.", TEXTS),
    "room": _said("For `room`.", TEXTS),
}

_TYPE = {"enum": list(KINDS), "description": "; ".join(f"{kind}: {said}" for kind, said in KINDS.items()) + "."}

PREFERENCE = _object(
    {"type": _TYPE},
    {**_SELECTED, "weight": _said("What each activity, or pair, that breaks it costs. Default 1.", WEIGHT)},
)

RULE = _object({"type": {"enum": list(RULE_KINDS)}}, _SELECTED)

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
                "description": "What is to be scheduled, and appointments that are fixed.",
            }
        },
        {
            "days": _said(
                'Weekdays or dates, not both: ["mon", "tue"], "mon-fri", ["2025-03-03"], "2025-03-03/2025-03-07". '
                "Default: the dates that occur, else Monday to Friday.",
                {**TEXTS, "minItems": 1},
            ),
            "hours": _said(
                f"Nothing takes place outside: {WINDOWS} Default: 9:00-17:00 for activities that name no times of day.",
                TEXTS,
            ),
            "zone": _said('Time zone of times that name none: "Europe/Berlin".', NAME),
            "slot": _said("Starts are multiples of this after midnight. Default: whatever fits.", DURATION),
            "gap": _said("Least time between two activities of a person. Default 0.", DURATION),
            "people": _said("People, by name; or only their names.", _named(PERSON)),
            "rooms": _said("Rooms, by name; or only their names.", _named(ROOM)),
            "travel": {
                "type": "object",
                "description": 'Times between places: {"Mission": {"Bayview": 15}}; one direction does for both.',
                "additionalProperties": {"type": "object", "additionalProperties": DURATION},
            },
            "rules": {"type": "array", "items": RULE, "description": "What must hold besides, as in `preferences`."},
            "preferences": {"type": "array", "items": PREFERENCE, "description": "What ought to hold."},
            "objective": {
                "enum": list(OBJECTIVES),
                "description": "; ".join(f"{name}: {said}" for name, said in OBJECTIVES.items()) + '. Default "most".',
            },
        },
    ),
    "examples": [EXAMPLE],
}

PLACED = _object(
    {"name": NAME, "start": _said('"mon 10:00" or "2025-03-03T10:00".', NAME)},
    {
        "end": NAME,
        "room": NAME,
        "place": NAME,
        "who": TEXTS,
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
