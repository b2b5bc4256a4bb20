"""What a host accepts of a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a host accepts of one file. A file cannot lift these.

    Attributes:
        file: Bytes of the file.
        metadata: Bytes of all its metadata.
        nodes: Nodes of all its graphs.
        values: Initialisers, inputs and outputs of all its graphs.
        elements: Elements that a literal size may come to.
        rounds: Rounds that a loop may make in one run.
    """

    file: int = 1 << 30
    metadata: int = 16 << 20
    nodes: int = 100_000
    values: int = 100_000
    elements: int = 1 << 28
    rounds: int = 1 << 16


DEFAULT = Limits()
