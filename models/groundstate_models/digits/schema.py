"""The JSON schemas of requests and answers, written for language models."""

from __future__ import annotations

from typing import Any

UNKNOWN = "?"
LEVELS = "0123456789"


def description(side: int) -> str:
    """Description of the tool, for a language model."""
    return (
        f"Fills in the missing part of a handwritten digit of {side} × {side} pixels. Send `picture`: rows of {side} characters, "
        "0 for paper to 9 for ink and ? for a missing pixel; missing rows at the end may be left out. You get the whole picture, "
        "which digit it shows and how likely that is; where it may be one of two digits, you are asked which."
    )


def _picture(side: int, rows: int, about: str) -> dict[str, Any]:
    level = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
    text = {"type": "string", "pattern": f"^[0-9?]{{{side}}}$"}
    numbers = {"type": "array", "items": level, "minItems": side, "maxItems": side}
    return {
        "type": "array",
        "minItems": rows,
        "maxItems": side,
        "items": {"anyOf": [text, numbers]},
        "description": about,
    }


def request(side: int) -> dict[str, Any]:
    """The schema of requests."""
    return {
        "type": "object",
        "properties": {
            "picture": _picture(
                side, 1, f"Rows of {side} characters; or of {side} numbers from 0 to 1, null where a pixel is missing."
            ),
            "digit": {
                "type": ["integer", "array"],
                "minimum": 0,
                "maximum": 9,
                "items": {"type": "integer", "minimum": 0, "maximum": 9},
                "minItems": 1,
                "description": "The digit, or the digits that it may be, if known.",
            },
            "average": {
                "type": "boolean",
                "default": False,
                "description": "The expected picture, blurred where it is not sure, instead of one of a single digit.",
            },
        },
        "required": ["picture"],
        "additionalProperties": False,
    }


def answer(side: int) -> dict[str, Any]:
    """The schema of answers."""
    chance = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "type": "object",
        "properties": {
            "picture": _picture(side, side, "The whole picture, in the form of the request."),
            "digit": {"type": "integer", "minimum": 0, "maximum": 9, "description": "The digit it shows."},
            "chance": {**chance, "description": "How likely this digit is, by the known pixels."},
            "others": {
                "type": "object",
                "description": "Other digits that it may be, and how likely each is.",
                "additionalProperties": chance,
            },
        },
        "required": ["picture", "digit", "chance"],
        "additionalProperties": False,
    }
