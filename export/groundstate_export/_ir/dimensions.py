"""Dimensions in terms of a problem's named sizes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from groundstate_export._ir.graph import Batch, Dimension, elements

Powers = tuple[tuple[str, int], ...]
"""Sizes by name, each with its power."""


BATCH = "batch"


@dataclass(frozen=True)
class Size(Batch):
    """A dimension as a constant times powers of the problem's named sizes.

    It is a `Batch`, which every stage accepts as a dimension without a number.

    Attributes:
        powers: The sizes, sorted by name; the batch may be among them.
    """

    powers: Powers = ()

    def __str__(self) -> str:
        names = [name for name, power in self.powers for _ in range(power)]
        return "*".join([*([] if self.times == 1 and names else [str(self.times)]), *names])


def product(shape: Iterable[Dimension]) -> Size:
    """The number of elements of a tensor per row of the batch."""
    dimensions = list(shape)
    powers = [pair for d in dimensions if isinstance(d, Size) for pair in d.powers if pair[0] != BATCH]
    return Size(elements(dimensions), gathered(powers))


def greatest(products: Iterable[Size]) -> list[Size]:
    """The candidates for the greatest product over all sizes."""
    distinct = list(dict.fromkeys(products))
    return [one for one in distinct if not any(one != other and _within(one, other) for other in distinct)]


def _within(one: Size, other: Size) -> bool:
    most = dict(other.powers)
    return one.times <= other.times and all(power <= most.get(name, 0) for name, power in one.powers)


def gathered(factors: Iterable[tuple[str, int]]) -> Powers:
    powers: dict[str, int] = {}
    for name, power in factors:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted(powers.items()))
