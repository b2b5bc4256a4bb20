"""The functions that make up a segment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, kw_only=True)
class Functions(Generic[T]):
    """The functions of an export, captured as programs or lowered to graphs.

    Attributes:
        start: From the host's state to the state before the first step; None if they are the same.
        step: One update without noise.
        noisy_step: One update with noise; None if the rule draws none.
        last: The outputs at the end of a segment: energy, terms, residual, answer, violations, excess.
        record: The answer before an update; None if it is not recorded.
        checker: From an answer to its violations and its state; None if there are neither checks nor an encoding.
    """

    step: T
    last: T
    start: T | None = None
    noisy_step: T | None = None
    record: T | None = None
    checker: T | None = None

    def named(self) -> dict[str, T]:
        """The existing functions, by name."""
        return {f.name: found for f in fields(self) if (found := getattr(self, f.name)) is not None}

    def steps(self) -> list[T]:
        """The update without noise, and the one with noise if it exists."""
        return [self.step] if self.noisy_step is None else [self.step, self.noisy_step]

    def each(self, change: Callable[[str, T], U]) -> Functions[U]:
        """Apply a change to each function, given its name."""
        return Functions(**{name: change(name, one) for name, one in self.named().items()})
