"""The JSON schemas of requests and answers, written for language models: statements as text first."""

from __future__ import annotations

from typing import Any

DESCRIPTION = (
    "Draws plane geometry from constraints: finds points, circles and unknown numbers so that every statement holds exactly. "
    'Write statements as text: "AB = 5", "angle ABC = 60", "AC perpendicular BC", "M midpoint of AB", "D on segment BC", '
    '"C on circle k", "circle k tangent to AB", "ABCD square", "area ABC = 12", "AB = 2x + 1", "C left of AB". You get '
    "coordinates and measures; which statements contradict each other; what is still free; or a question which of several "
    "figures is meant. Use it instead of computing coordinates yourself."
)
"""Description of the tool, for a language model."""

NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 40}
NAMES: dict[str, Any] = {"type": ["string", "array"], "items": NAME}
PLACE: dict[str, Any] = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}

CIRCLE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "center": {**NAME, "description": "A point."},
        "centre": NAME,
        "radius": {
            "type": ["number", "string"],
            "description": 'A number, a length ("AB", "5 cm") or an unknown ("r").',
        },
        "through": {**NAMES, "description": "Points on it."},
    },
    "additionalProperties": False,
}

ARC: dict[str, Any] = {
    "type": "object",
    "properties": {
        **CIRCLE["properties"],
        "start": NAME,
        "end": {**NAME, "description": "Counter-clockwise from the start."},
    },
    "required": ["start", "end"],
    "additionalProperties": False,
}

TYPED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {**NAME, "description": "distance, angle, parallel, midpoint, on_circle, equal_lengths …"},
        "of": {**NAMES, "items": {}, "description": "What it is about, one name after another."},
        "is": {"type": ["number", "string"]},
        "relation": {"enum": ["=", "<", ">", "<=", ">="]},
        "at": NAME,
    },
    "required": ["type", "of"],
    "additionalProperties": False,
}

REQUEST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "points": {
            "type": ["array", "object"],
            "items": NAME,
            "additionalProperties": PLACE,
            "description": "Names, capital letters; or names with fixed places. May be left out: points are known by their use.",
        },
        "circles": {"type": "object", "additionalProperties": CIRCLE, "description": "By name, lower-case letters."},
        "arcs": {"type": "object", "additionalProperties": ARC, "description": "Parts of circles."},
        "lines": {"type": "object", "additionalProperties": NAMES, "description": "Names for lines, two points each."},
        "polygons": {"type": "array", "items": NAMES, "description": "Corners in order, to be drawn."},
        "constraints": {
            "type": "array",
            "items": {"anyOf": [{"type": "string", "minLength": 1, "maxLength": 300}, TYPED]},
            "maxItems": 4000,
            "description": "What must hold, one statement each. Angles are in degrees.",
        },
        "measure": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 200},
            "maxItems": 200,
            "description": 'What to measure: "BC", "angle BAC", "area ABC", "x".',
        },
        "distinct": {
            "type": "boolean",
            "description": "Whether all points are different and lines do not fall together. Default true.",
        },
        "space": {"type": "boolean", "description": "3D: planes, spheres (as circles). Default false."},
        "unit": {"type": "string", "description": "Of lengths, if not plain numbers: mm, cm, m, in, ft, px."},
    },
    "additionalProperties": False,
    "examples": [
        {
            "constraints": ["AB = 5", "angle ABC = 60", "AC perpendicular BC", "M midpoint of AB"],
            "measure": ["BC", "CM", "area ABC"],
        }
    ],
}

ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "points": {"type": "object", "additionalProperties": PLACE},
        "circles": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"center": PLACE, "radius": {"type": "number"}},
                "required": ["center", "radius"],
                "additionalProperties": False,
            },
        },
        "unknowns": {"type": "object", "additionalProperties": {"type": "number"}},
        "measures": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "value": {"type": "number"},
                    "determined": {
                        "type": "boolean",
                        "description": "Whether the constraints leave it no other value nearby.",
                    },
                },
                "required": ["value", "determined"],
                "additionalProperties": False,
            },
        },
        "freedom": {
            "type": "object",
            "properties": {
                "degrees": {"type": "integer", "description": "Ways the figure can still change its shape."},
                "moving": {"type": "array", "items": NAME, "description": "Points that can move."},
                "unknowns": {"type": "array", "items": NAME, "description": "Unknowns and radii that can change."},
                "size": {"type": "boolean", "description": "Whether nothing says how large the whole is."},
            },
            "required": ["degrees", "moving"],
            "additionalProperties": False,
        },
        "certified": {
            "type": ["number", "null"],
            "description": "An exact solution provably lies within this distance of the numbers; null where that is not shown.",
        },
        "notices": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["points"],
    "additionalProperties": False,
}
