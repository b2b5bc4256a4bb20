"""Fills in the missing part of a handwritten digit, and asks which digit it is where it may be two."""

from __future__ import annotations

from pathlib import Path


def artefact() -> Path:
    """The file for pictures of 28 × 28 pixels."""
    return Path(__file__).with_name("digits.onnx")


def artefact_8x8() -> Path:
    """The file for pictures of 8 × 8 pixels."""
    return Path(__file__).with_name("digits_8x8.onnx")
