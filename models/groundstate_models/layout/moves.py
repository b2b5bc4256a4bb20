"""Numbers of the starts that training may change: where candidates lie, the order of items, when a start is given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class Moves:
    """The defaults are hand-written; `train` learns others. The artefact brings its numbers as its knowledge.

    Attributes:
        candidates: Places that are tried for an item at a time.
        sweeps: How often each item is placed again at most, while no start is clean.
        wall: Share of the candidates at a wall.
        corner: Share of those that are in a corner.
        backed: Share of those that turn their back to the wall.
        beside: Share of the candidates beside a placed item, at one side of it.
        along: Share of the candidates that only line up with a placed item along one axis or both.
        friend: How often that item is one that a statement relates it to, where there is one.
        touch: How often the two touch.
        order: Standard deviation of the logarithm of an item's area when items are ordered, large ones first.
        related: How much earlier an item comes once something that it is related to has a place, in the same measure.
        step: Cost of a violated row, however little it is off by.
    """

    candidates: float = 40.0
    sweeps: float = 8.0
    wall: float = 0.5
    corner: float = 0.3
    backed: float = 0.8
    beside: float = 0.4
    along: float = 0.3
    friend: float = 0.7
    touch: float = 0.6
    order: float = 0.7
    related: float = 1.5
    step: float = 0.02

    @classmethod
    def of(cls, numbers: Mapping[str, float] | None) -> Self:
        """From the artefact's knowledge; the hand-written ones without it."""
        return (
            cls() if not numbers else cls(**{name: float(numbers[name]) for name in asdict(cls()) if name in numbers})
        )

    def numbers(self) -> dict[str, float]:
        return asdict(self)
