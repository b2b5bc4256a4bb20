"""The JSON schemas of requests and answers, written for language models."""

from __future__ import annotations

from typing import Any

DESCRIPTION = (
    "Finds how bodies come to rest: positions, member forces, reactions, stability of springs, cables, rods, discs, blocks, atoms. "
    'Statements: "A fixed at (0, 0)", "cable A-m length 5", "spring A-B stiffness 100 length 2", "mass 2 at m", '
    '"load 10 down at C", "floor at 0". '
    'Or a preset: {"type": "chain"|"net"|"arch"|"cluster"|"truss"|"stack", …}. '
    "Proves what cannot stand and asks where there are several states of rest."
)
"""Description of the tool, for a language model."""

NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 40}
VECTOR: dict[str, Any] = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}

REQUEST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "statements": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 300},
            "maxItems": 2000,
        },
        "nodes": {"type": "object", "description": "By name: [x, y] or {at, fixed, mass, load, radius, charge}."},
        "members": {"type": "array", "maxItems": 4000, "description": "{type, between, length, stiffness} or text."},
        "blocks": {"type": "object", "description": "By name: {size, at, on, weight, fixed}."},
        "preset": {"type": "object"},
        "gravity": {"type": "number"},
        "friction": {"type": "number"},
        "where": {"type": "object", "description": "Node: above, below or a place."},
        "as_drawn": {"type": "boolean"},
        "unit": {"type": "string"},
    },
    "additionalProperties": False,
    "examples": [
        {
            "statements": [
                "A fixed at (0, 0)",
                "B fixed at (6, 0)",
                "cable A-m length 5",
                "cable B-m length 5",
                "mass 1 at m",
            ]
        }
    ],
}

NUMBER: dict[str, Any] = {"type": "number"}
PLACES: dict[str, Any] = {"type": "object", "additionalProperties": VECTOR}

ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "positions": {**PLACES, "description": "Where each node rests."},
        "forces": {
            "type": "object",
            "additionalProperties": NUMBER,
            "description": "Of each member, positive in tension.",
        },
        "reactions": {**PLACES, "description": "What supports, floors and walls exert."},
        "contacts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "on": NAME,
                    "from": NAME,
                    "at": VECTOR,
                    "force": VECTOR,
                },
                "required": ["on", "from", "at", "force"],
                "additionalProperties": False,
            },
        },
        "energy": NUMBER,
        "residual": {**NUMBER, "description": "The largest force that is not balanced."},
        "stability": {
            "type": "object",
            "properties": {
                "stable": {"type": "boolean"},
                "stiffness": {
                    "type": ["number", "null"],
                    "description": "The least eigenvalue of the stiffness on the free motions; null if nothing is free.",
                },
                "free": {"type": "array", "items": NAME, "description": "Nodes that nothing holds in place."},
            },
            "required": ["stable"],
            "additionalProperties": False,
        },
        "notices": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["positions"],
    "additionalProperties": False,
}
