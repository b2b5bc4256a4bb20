"""The description of a model for a language model: clean, bounded, and marked where a file gives it."""

from __future__ import annotations

from groundstate import _words
from groundstate._solver import Solver

_LONGEST = 2000
"""Most characters of an artefact's description for a language model."""

_NAME = 60
"""Most characters of the name of a file."""


def described(solver: Solver) -> str:
    """The artefact's description. That of a file is marked: its author is not who set up the tool."""
    text = _words.shortened(_words.clean(solver.header.description), _LONGEST)
    if solver.origin is None:
        return text
    name = _words.shortened(" ".join(_words.clean(solver.origin).split()), _NAME)
    return f"From the file {name}: {text}" if solver.origin != "bytes" else f"From a file: {text}"
