"""The JSON schemas of requests and answers, written for language models."""

from __future__ import annotations

from typing import Any

DESCRIPTION = (
    "Finds how bodies rest: positions, forces, stability. "
    'Statements: "A fixed at (0, 0)", "cable A-m length 5", "spring A-B stiffness 9", "mass 2 at m", '
    '"load 10 down at C", "floor at 0", "block b 2 x 1 on a at 0.5". '
    "Proves what falls; asks between states."
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
        "nodes": {"type": "object"},
        "members": {"type": "array", "maxItems": 4000},
        "blocks": {"type": "object"},
        "preset": {"type": "object", "description": "type: chain, net, arch, truss, cluster, stack."},
        "gravity": {"type": "number"},
        "friction": {"type": "number"},
        "where": {"type": "object"},
        "as_drawn": {"type": "boolean"},
        "unit": {"type": "string"},
    },
    "additionalProperties": False,
    "examples": [{"preset": {"type": "cluster", "atoms": 13}}],
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
