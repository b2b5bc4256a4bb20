"""The JSON schemas of requests and answers, written for language models: statements as text first."""

from __future__ import annotations

from typing import Any

DESCRIPTION = (
    "Places items in an area so that nothing overlaps and every relation holds: rooms, pages, seats. Relations are text: "
    '"bed against north wall", "lamp left of bed, gap 5", "desk near window", "60 clear in front of wardrobe". With "at" and '
    '"repair": true it makes a given layout legal with the least change. Use it instead of computing coordinates.'
)
"""Description of the tool, for a language model."""

STATEMENTS: dict[str, Any] = {"type": "array", "items": {"type": ["string", "object"]}, "maxItems": 400}

REQUEST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "area": {
            "type": ["array", "object", "string"],
            "description": "[width, height], or {width, height, polygon, doors, windows, obstacles}.",
        },
        "items": {
            "type": ["object", "array"],
            "description": "By name: [width, depth], or {size, diameter, count, turns, front, at, fixed, near}.",
        },
        "relations": STATEMENTS,
        "prefer": STATEMENTS,
        "gap": {"type": ["number", "string"]},
        "unit": {"type": "string", "maxLength": 20},
        "origin": {"enum": ["bottom-left", "top-left"]},
        "repair": {"type": "boolean"},
    },
    "required": ["area", "items"],
    "additionalProperties": False,
    "examples": [
        {
            "area": {"width": 400, "height": 300, "doors": [{"wall": "south", "at": 40, "width": 80}]},
            "items": {"bed": [180, 200], "wardrobe": {"size": [120, 60], "front": "south"}, "lamp": {"diameter": 30}},
            "relations": ["bed against north wall", "lamp next to bed", "60 clear in front of wardrobe"],
        }
    ],
}
"""Short, because every language model that has the tool reads it. `request` reads the inner objects, and names what is wrong."""

NUMBERS: dict[str, Any] = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}

ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "items": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "x": {"type": "number", "description": "Of the centre."},
                    "y": {"type": "number"},
                    "turn": {"type": "number"},
                    "box": {**NUMBERS, "description": "Left, lower (on a page: top), width, height."},
                },
                "required": ["x", "y"],
                "additionalProperties": False,
            },
        },
        "moved": {"type": "object", "description": "How far items were moved from their given places."},
        "unkept": {"type": "array", "items": {"type": "string"}, "description": "Wishes that do not hold."},
        "free": {
            "type": "object",
            "additionalProperties": NUMBERS,
            "description": "How far each item could still move alone: left, right, up, down.",
        },
        "notices": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["items"],
    "additionalProperties": False,
}
