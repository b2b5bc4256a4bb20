"""The JSON schemas of requests and answers, written for language models."""

from __future__ import annotations

from typing import Any

DESCRIPTION = (
    "Puts the pieces of a cut picture together. Send `pieces`: pictures of one size, as file paths or base64 (PNG or "
    "JPEG); or one `image` of shuffled tiles with `rows` and `columns`. Say what you know: `columns`, `turned`, "
    "`worn`, `fixed` pieces. You get `grid`: the number of the piece in each place, row by row (pieces count from 0, "
    "null is a hole); `turns`; a calibrated `confidence`; and the `doubtful` seams. Pieces that could be exchanged, "
    "or a picture that could stand either way, are asked about. Use this instead of comparing edges yourself."
)
"""Description of the tool, for a language model."""

MOST_PIECES = 1000
MOST_WORN = 4
CORNERS = ("top left", "top right", "bottom left", "bottom right")

_PLACE: dict[str, Any] = {
    "type": ["array", "string"],
    "items": {"type": "integer", "minimum": 0},
    "description": "[row, column] from 0, or a corner: top left, top right, bottom left, bottom right.",
}

REQUEST: dict[str, Any] = {
    "type": "object",
    "properties": {
        "pieces": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "Pictures of one size: file paths, or base64 of PNG or JPEG.",
        },
        "image": {
            "type": "string",
            "description": "Instead of `pieces`: one picture of shuffled tiles; needs `rows` and `columns`.",
        },
        "rows": {
            "type": "integer",
            "minimum": 1,
            "description": "Rows of the finished picture, or of tiles in `image`.",
        },
        "columns": {"type": "integer", "minimum": 1},
        "turned": {
            "type": "boolean",
            "default": False,
            "description": "Whether pieces may be turned by quarter turns.",
        },
        "worn": {
            "type": "number",
            "minimum": 0,
            "maximum": MOST_WORN,
            "description": "Pixels lost along every edge; found out if left out.",
        },
        "fixed": {"type": "object", "additionalProperties": _PLACE, "description": 'Known places: {"3": "top left"}.'},
        "facing": {
            "type": "object",
            "additionalProperties": {"type": "integer", "enum": [0, 90, 180, 270]},
            "description": "Known clockwise turns of pieces in degrees.",
        },
    },
    "additionalProperties": False,
    "examples": [{"image": "shuffled.png", "rows": 5, "columns": 5}],
}

ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "grid": {"type": "array", "items": {"type": "array", "items": {"type": ["integer", "null"]}}},
        "turns": {"type": "array", "items": {"type": "integer"}, "description": "Clockwise, in degrees, by piece."},
        "confidence": {"type": "number", "description": "How likely the whole layout is right."},
        "doubtful": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pieces": {"type": "array", "items": {"type": "integer"}},
                    "confidence": {"type": "number"},
                },
            },
            "description": "Seams less likely than not, worst first.",
        },
    },
    "required": ["grid", "confidence", "doubtful"],
}
