"""The host's limits for a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The host's limits for one file. A file cannot lift them.

    Attributes:
        file: Bytes of the file.
        metadata: Bytes of all its metadata.
        nodes: Nodes of all its graphs.
        values: Initialisers, inputs and outputs of all its graphs.
        elements: Elements of a literal size.
        rounds: Rounds of a loop in one run.
    """

    file: int = 1 << 30
    metadata: int = 16 << 20
    nodes: int = 1 << 16
    values: int = 1 << 14
    elements: int = 1 << 28
    rounds: int = 1 << 16


DEFAULT = Limits()
