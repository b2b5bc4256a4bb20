"""What a layout is made of, lowered: items, their convex parts, and rows that must lie between bounds.

Lengths are in halves of the area's longer side, the origin is the area's centre, y points up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from groundstate_models.layout.shapes import Convex, Point

REQUIRED = math.inf
"""The strength of what must hold; other strengths are costs of a violation of one unit."""

MIN, MIDDLE, MAX = -1, 0, 1
"""Which extreme of a part an end of an atom is at."""


@dataclass(frozen=True)
class Part:
    """A convex part of an item, in the item's frame.

    Attributes:
        item: Its number; 0 is the area.
        shape: One to four corners and a radius.
    """

    item: int
    shape: Convex


@dataclass(frozen=True)
class Pair:
    """The signed distance of two parts must lie between two bounds.

    Attributes:
        first, second: Numbers of the parts.
        low, high: The bounds.
        strength: `REQUIRED`, or the cost of a violation.
        source: The number of the statement behind it; negative for the rules of every layout.
    """

    first: int
    second: int
    low: float
    high: float = math.inf
    strength: float = REQUIRED
    source: int = -1


@dataclass(frozen=True)
class End:
    """An extreme of a part along a direction, times a share."""

    part: int
    side: int = MIDDLE
    share: float = 1.0


@dataclass(frozen=True)
class Atom:
    """``Σ share · extreme − level`` along a direction in the frame of an item (0: the area)."""

    toward: Point
    ends: tuple[End, ...]
    level: float = 0.0
    frame: int = 0


@dataclass(frozen=True)
class Clause:
    """The best alternative's worst atom must lie between two bounds."""

    alternatives: tuple[tuple[Atom, ...], ...]
    low: float = 0.0
    high: float = math.inf
    strength: float = REQUIRED
    source: int = -1


@dataclass(frozen=True)
class Body:
    """An item, lowered.

    Attributes:
        anchor: Where chains start, or where it is.
        spread: How far around; 0 for an item that does not move.
        turning: ``none``, ``quarter`` or ``free``.
        angle: Its turn, where it does not turn.
        wanted: The place it should keep, in repairs and for items with a wish; None if it has none.
        weight: How much a movement from there costs.
    """

    anchor: Point
    spread: float
    turning: str
    angle: float
    wanted: Point | None = None
    weight: float = 0.0


@dataclass
class System:
    """Bodies, parts and rows. Body 0 is the area, part 0 its centre as a point."""

    bodies: list[Body] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    clauses: list[Clause] = field(default_factory=list)
