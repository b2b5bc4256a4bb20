"""The JSON schemas of requests and answers, written for language models: statements as text first."""

from __future__ import annotations

from typing import Any

DESCRIPTION = (
    "Places items in an area: furniture in rooms, elements on slides or web pages, seats, labels. Finds places and turns so that "
    'nothing overlaps and every relation holds. Write relations as text: "bed against north wall", "lamp left of bed, gap 5", '
    '"desk near window", "60 clear in front of wardrobe", "sofa facing tv", "vase on table", "a, b, c aligned top". Or give your '
    'own layout with "at" and "repair": true, and get the least change that makes it legal. You get places, how far each item '
    "can still move, or what makes it impossible. Use it instead of computing coordinates yourself."
)
"""Description of the tool, for a language model."""

NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 60}
LENGTH: dict[str, Any] = {"type": ["number", "string"], "maxLength": 40}
PLACE: dict[str, Any] = {"type": ["array", "object"], "items": LENGTH, "minItems": 2, "maxItems": 2}
CORNERS: dict[str, Any] = {"type": "array", "items": PLACE, "maxItems": 60}

OPENING: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": NAME,
        "wall": {**NAME, "description": "north, south, east or west (top, bottom, right, left)."},
        "at": {**LENGTH, "description": "From the wall's left or lower end to the opening."},
        "width": LENGTH,
        "clear": {**LENGTH, "description": "Depth to keep free; for a door, its width if not given."},
    },
    "required": ["wall"],
    "additionalProperties": False,
}

SHAPE: dict[str, Any] = {
    "size": {
        "type": ["array", "string", "object"],
        "items": LENGTH,
        "maxLength": 60,
        "description": 'Width and depth: [60, 40] or "60 x 40".',
    },
    "diameter": LENGTH,
    "radius": LENGTH,
    "polygon": CORNERS,
}

ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        **SHAPE,
        "name": NAME,
        "width": LENGTH,
        "depth": LENGTH,
        "height": LENGTH,
        "count": {"type": "integer", "description": "Copies: name-1, name-2, …"},
        "at": {**PLACE, "description": "Its centre in your layout; with repair it moves as little as possible."},
        "near": {**PLACE, "description": "Where its centre should be, roughly."},
        "turn": {"type": "number", "description": "Degrees counter-clockwise (on a page: clockwise)."},
        "turns": {
            "type": ["boolean", "string"],
            "description": "none, quarter or free. In rooms quarter, on pages none.",
        },
        "front": {**NAME, "description": "The side it faces at turn 0: south if not given."},
        "fixed": {"type": "boolean"},
        "layer": {**NAME, "description": "Items of different layers may overlap: rug, ceiling."},
        "z": {**PLACE, "description": "From and to, above the floor."},
    },
    "additionalProperties": False,
}

STATEMENT: dict[str, Any] = {
    "type": ["string", "object"],
    "minLength": 1,
    "maxLength": 400,
    "properties": {
        "type": {**NAME, "description": "against, beside, distance, facing, aligned, on, clear …"},
        "of": {"type": ["array", "string"], "items": NAME},
        "relation": {**NAME, "maxLength": 400},
        "strength": {"enum": ["required", "strong", "weak"]},
        "weight": {"type": ["number", "string"]},
    },
}

REQUEST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "area": {
            "type": ["object", "array", "string"],
            "maxLength": 60,
            "description": "Width and height, or a polygon.",
            "properties": {
                "width": LENGTH,
                "height": LENGTH,
                "depth": LENGTH,
                "length": LENGTH,
                "polygon": CORNERS,
                "doors": {"type": "array", "items": OPENING, "maxItems": 20},
                "windows": {"type": "array", "items": OPENING, "maxItems": 20},
                "obstacles": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"name": NAME, "at": PLACE, **SHAPE}},
                    "maxItems": 40,
                },
                "pillars": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"name": NAME, "at": PLACE, **SHAPE}},
                    "maxItems": 40,
                },
            },
            "additionalProperties": False,
        },
        "items": {
            "type": ["object", "array"],
            "description": "By name; a value is an object, or just a size.",
            "minProperties": 1,
            "minItems": 1,
            "additionalProperties": {**ITEM, "type": ["object", "array", "string"], "items": LENGTH},
            "items": {"type": "object"},
        },
        "relations": {"type": "array", "items": STATEMENT, "maxItems": 400, "description": "What must hold."},
        "prefer": {"type": "array", "items": STATEMENT, "maxItems": 400, "description": "Wishes."},
        "gap": {**LENGTH, "description": "Least gap between items."},
        "unit": {**NAME, "description": "cm, m, in, px …; px has its origin at the top left."},
        "origin": {"enum": ["bottom-left", "top-left"]},
        "repair": {"type": "boolean", "description": "Keep the given layout's relations where possible."},
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
