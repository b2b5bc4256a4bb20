"""Families of pairs of variables for one rule, and the relations of values that it may forbid.

A family shares one table of forbidden values between all its pairs, so that few examples decide about many pairs at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.learned.layout import Layout

Pair = tuple[int, int]


@dataclass(frozen=True)
class Family:
    """Pairs of variables that belong together.

    Attributes:
        words: The pairs in words, such as "two cells of one row".
        pairs: The pairs, ordered by the layout or along the axis.
        pattern: The family in terms of attributes; None if it names variables.
        split: A label for each pair; the pairs of each label must support a rule of the family by themselves.
    """

    words: str
    pairs: tuple[Pair, ...]
    pattern: Mapping[str, Any] | None
    split: tuple[int, ...] = ()


def placed(pattern: Mapping[str, Any], layout: Layout) -> list[Pair]:
    """The pairs of a pattern in a layout, i < j."""
    n = len(layout.names)
    every = ((i, j) for i in range(n) for j in range(i + 1, n))
    if "all" in pattern:
        return list(every)
    if "same" in pattern:
        labels = layout.attributes[pattern["same"]]
        return [(i, j) for i, j in every if labels[i] == labels[j]]
    axes = [layout.attributes[axis] for axis in layout.ordered]
    offsets = {tuple(offset) for offset in pattern["offsets"]}
    return [(i, j) for i, j in every if tuple(axis[j] - axis[i] for axis in axes) in offsets]


def families(layout: Layout) -> list[Family]:
    """All families of a layout, the simplest first."""
    noun = "cells" if layout.grid else "variables"
    found: list[Family] = []
    for attribute in layout.attributes:
        if 1 < len(layout.groups(attribute)) < len(layout.names):
            pattern = {"same": attribute}
            pairs = placed(pattern, layout)
            labels = layout.attributes[attribute]
            found.append(
                Family(f"two {noun} of one {attribute}", tuple(pairs), pattern, tuple(labels[i] for i, _ in pairs))
            )
    if layout.grid or layout.ordered:
        found += [_offsets(layout, words, offsets) for words, offsets in _moves(layout)]
    every = {"all": True}
    found.append(Family(f"any two {noun}", tuple(placed(every, layout)), every))
    return [family for family in found if family.pairs]


def _offsets(layout: Layout, words: str, offsets: list[tuple[int, ...]]) -> Family:
    pattern = {"offsets": [list(offset) for offset in offsets]}
    pairs = placed(pattern, layout)
    labels = layout.attributes[layout.ordered[0]]
    return Family(words, tuple(pairs), pattern, tuple(labels[i] for i, _ in pairs) if layout.grid else ())


def _moves(layout: Layout) -> Iterator[tuple[str, list[tuple[int, ...]]]]:
    if len(layout.ordered) == 1:
        most = max(layout.attributes[layout.ordered[0]]) - min(layout.attributes[layout.ordered[0]])
        for d in range(1, most + 1):
            yield ("neighbours" if d == 1 else f"variables {d} places apart"), [(d,)]
        return
    if layout.grid is None:
        return
    rows, columns = layout.grid
    yield "cells side by side or one above the other", [(0, 1), (1, 0)]
    yield "cells that touch at a corner", [(1, 1), (1, -1)]
    yield "cells a king's move apart", [(0, 1), (1, 0), (1, 1), (1, -1)]
    yield "cells a knight's move apart", [(1, 2), (1, -2), (2, 1), (2, -1)]
    reach = max(rows, columns)
    yield "cells of one diagonal", [(d, e) for d in range(1, reach) for e in (d, -d)]
    for down in range(min(4, rows)):
        for right in range(-min(3, columns - 1), min(4, columns)):
            if (down, right) > (0, 0):
                yield _apart(down, right), [(down, right)]


def _apart(down: int, right: int) -> str:
    if down == 0:
        return "a cell and the next one on its right" if right == 1 else f"a cell and the one {right} to the right"
    if right == 0:
        return "a cell and the one below it" if down == 1 else f"a cell and the one {down} below"
    return f"a cell and the one {down} below and {abs(right)} to the {'right' if right > 0 else 'left'}"


@dataclass(frozen=True)
class Relation:
    """Combinations of two values that a rule may forbid.

    Attributes:
        words: The rule's verb for the two, such as "differ".
        forbidden: ``(values, values)`` bool; with ``by_offset``, for a pair ``offset`` places apart on the last axis.
        by_offset: Whether the forbidden values depend on how far apart the two are.
    """

    words: str
    forbidden: NDArray[np.bool_]
    by_offset: bool = False

    def at(self, offset: int) -> NDArray[np.bool_]:
        """The forbidden combinations of a pair at an offset."""
        if not self.by_offset:
            return self.forbidden
        a, b = np.indices(self.forbidden.shape)
        return np.asarray(self.forbidden & (np.abs(a - b) == abs(offset)))


def relations(layout: Layout) -> list[Relation]:
    """All relations of a layout's values, the simplest first."""
    n = len(layout.values)
    a, b = np.indices((n, n))
    found = [Relation("differ", a == b), Relation("are equal", a != b)]
    if layout.counts and n > 2:
        x = np.array([int(value) for value in layout.values])
        gap = np.abs(x[:, None] - x[None, :])
        found += [
            Relation("rise: the first is smaller", x[:, None] >= x[None, :]),
            Relation("fall: the first is larger", x[:, None] <= x[None, :]),
            Relation("do not fall: the first is not larger", x[:, None] > x[None, :]),
            Relation("do not rise: the first is not smaller", x[:, None] < x[None, :]),
            Relation("are not consecutive", gap == 1),
            Relation("differ by 2 at least", gap <= 1),
            Relation("do not differ by 2", gap == 2),
        ]
        if len(layout.ordered) == 1 and x.max() - x.min() == n - 1:
            words = "do not differ by as much as their places"
            found.append(Relation(words, np.ones((n, n), bool), by_offset=True))
    return found
