"""Reads the messages of one file, and names the place of every refusal."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._gate._limits import Limits
from groundstate._gate._wire import VARINT, Field, Kind, WireError, fields, text, varints


class RefusedError(Exception):
    """An artefact contains something that is not allowed.

    Args:
        what: The fault, and what is allowed: the end of a sentence.
        path: Where; empty for the file as a whole.
    """

    def __init__(self, what: str, path: str = "") -> None:
        super().__init__(what, path)
        self.what, self.path = what, path

    def sentence(self, source: str) -> str:
        """The refusal as a sentence whose subject is the file."""
        if self.path:
            return f"{source} is refused: {inner(self.path)} has {self.what}."
        return f"{source} {self.what}."


def refusal(what: str, path: str = "") -> RefusedError:
    """The error for something at a place: "node 3 (Loop) of the graph has …"; without a place, for the file: "has …"."""
    return RefusedError(what if path else f"has {what}", path)


def inner(path: str) -> str:
    """A path within a longer one."""
    return path[:1].lower() + path[1:]


class Reader:
    """Reads one file's messages, and enforces the limits on counts.

    Args:
        data: The whole file.
        limits: The host's limits.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data, self.limits = data, limits
        self.nodes = self.values = 0

    def fields(self, start: int, end: int, what: Kind, path: str, most: int | None = None) -> list[Field]:
        """The fields of a message; the first ``most`` of them."""
        try:
            return fields(self.data, start, end, what, most)
        except WireError as error:
            raise refusal(str(error), path) from None

    def text(self, start: int, end: int, what: str, path: str) -> str:
        """A field of text."""
        try:
            return text(self.data, start, end, what)
        except WireError as error:
            raise refusal(str(error), path) from None

    def whole(self, field: Field, path: str) -> list[int]:
        """The whole numbers of a field, packed or one by one."""
        _, wire, a, b = field
        if wire == VARINT:
            return [a]
        try:
            return varints(self.data, a, b)
        except WireError as error:
            raise refusal(str(error), path) from None

    def real(self, field: Field, dtype: str, path: str) -> NDArray[Any]:
        """The real numbers of a field, packed or one by one."""
        _, _, a, b = field
        size = np.dtype(dtype).itemsize
        if (b - a) % size:
            raise refusal("a broken run of numbers", path)
        return np.frombuffer(self.data, dtype, (b - a) // size, a)

    def count_nodes(self, more: int) -> None:
        """Count nodes, and refuse more than the host accepts."""
        self.nodes += more
        if self.nodes > self.limits.nodes:
            raise refusal(f"more than {self.limits.nodes:,} nodes, the most that is accepted")

    def count_values(self, more: int) -> None:
        """Count initialisers, inputs and outputs, and refuse more than the host accepts."""
        self.values += more
        if self.values > self.limits.values:
            raise refusal(
                f"more than {self.limits.values:,} initialisers, inputs and outputs, the most that is accepted"
            )
