"""The functions that a segment is put together from."""

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
        start: From the state that a host gives to the one that the steps begin with; None where that is the same.
        step: One update without noise.
        noisy_step: One update with noise; None where the rule draws none.
        last: What a host reads when a segment is over: energy, terms, residual, answer, violations, excess.
        record: The answer before an update, where it is recorded.
        checker: From an answer to its violations, and to the state that stands for it; None where neither is given.
    """

    step: T
    last: T
    start: T | None = None
    noisy_step: T | None = None
    record: T | None = None
    checker: T | None = None

    def named(self) -> dict[str, T]:
        """Those that there are, by name."""
        return {f.name: found for f in fields(self) if (found := getattr(self, f.name)) is not None}

    def steps(self) -> list[T]:
        """The update without noise, and with it where there is one."""
        return [self.step] if self.noisy_step is None else [self.step, self.noisy_step]

    def each(self, change: Callable[[str, T], U]) -> Functions[U]:
        """What a change makes of each of them, given its name."""
        return Functions(**{name: change(name, one) for name, one in self.named().items()})
