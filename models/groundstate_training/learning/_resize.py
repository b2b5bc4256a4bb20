"""Rules on a grid of another size: a rule is carried over where its groups and its values follow from the grid's shape.

A rule learned on one size is written as a relation of positions relative to the shape: cells of one row, of one column or of one
label; cells a step apart; the tiles that cut the grid into groups of as many cells as a row has, as nearly square as possible;
the diagonals. Values are read relative to their range in the same way: equal, larger, consecutive. Rules that name single cells
or single values keep their meaning on one size only and cannot be carried over, unless the values stay the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from groundstate_models.learned.layout import Layout, Value
from groundstate_models.learned.rules import Count, Different, Group, Pairs, Rule
from groundstate_training._errors import TrainingError
from groundstate_training.learning import _words
from groundstate_training.learning._counts import have_words, kinds
from groundstate_training.learning._families import Family, families, relations

Groups = tuple[Group, ...]


def resized_layout(
    old: Layout,
    grid: tuple[int, int],
    values: Sequence[Value] | None = None,
    attributes: Mapping[str, Sequence[int]] | None = None,
) -> Layout:
    """The layout of another grid.

    Args:
        old: The layout that was learned on.
        grid: Rows and columns.
        values: The values; by default the old ones, or their continuation where a line held whole numbers in a row, one for each
            of its cells.
        attributes: The further attributes of the old layout, one label per cell.

    Raises:
        TrainingError: If the old layout is no grid, the sizes are no sizes, or an attribute is missing.
    """
    rows, columns = grid
    if old.grid is None:
        raise TrainingError("These rules are about named variables; only the rules of a grid have another size.")
    if min(rows, columns) < 1 or rows * columns > 1024:
        raise TrainingError(f"A grid of {rows} × {columns} is too small or too large; up to 1,024 cells are possible.")
    more = dict(attributes or {})
    needed = [name for name in old.attributes if name not in ("row", "column")]
    if missing := [name for name in needed if name not in more]:
        raise TrainingError(f"The attribute {missing[0]!r} has no labels for the grid of {rows} × {columns}.")
    for name in needed:
        if len(more[name]) != rows * columns:
            raise TrainingError(
                f"The attribute {name!r} has {len(more[name])} labels; there are {rows * columns} cells."
            )
    return Layout.of_grid(rows, columns, values or _values(old, grid), {name: more[name] for name in needed})


def resized_rules(old: Layout, rules: Sequence[Rule], new: Layout) -> tuple[list[Rule], list[Rule]]:
    """The rules on a new layout, each with its evidence from the old one, and the rules that cannot be carried over.

    Args:
        old: The layout that was learned on.
        rules: Rules of it.
        new: The layout from `resized_layout`.
    """
    carried, left = [], []
    for rule in rules:
        found = _carried(old, rule, new)
        if found is None:
            left.append(rule)
        else:
            carried.append(replace(found, evidence=rule.evidence, origin=rule.origin, weight=rule.weight))
    return carried, left


def tiles(layout: Layout) -> Groups | None:
    """The tiles of a square grid, each of as many cells as a row has: as nearly square as possible, no higher than wide."""
    if layout.grid is None or layout.grid[0] != layout.grid[1]:
        return None
    side = layout.grid[0]
    high = next(h for h in range(math.isqrt(side), 0, -1) if side % h == 0)
    return None if high == 1 else _blocks(side, high, side // high)


def _blocks(side: int, high: int, wide: int) -> Groups:
    return tuple(
        tuple((top + r) * side + left + c for r in range(high) for c in range(wide))
        for top in range(0, side, high)
        for left in range(0, side, wide)
    )


def _shapes(layout: Layout) -> Iterator[tuple[str, Groups]]:
    """Groups that follow from a grid's shape, by name. Where a tile is not square, it may lie or stand."""
    if layout.grid is None or layout.grid[0] != layout.grid[1]:
        return
    side = layout.grid[0]
    found = tiles(layout)
    if found is not None:
        yield "tile", found
        high = len({i // side for i in found[0]})
        yield "standing tile", _blocks(side, side // high, high)
    yield "falling diagonal", (tuple(k * side + k for k in range(side)),)
    yield "rising diagonal", (tuple(k * side + side - 1 - k for k in range(side)),)


def _values(old: Layout, grid: tuple[int, int]) -> tuple[Value, ...]:
    """The continuation of a range of whole numbers with one for each cell of a line; otherwise the old values."""
    values = [value for value in old.values if isinstance(value, int) and not isinstance(value, bool)]
    lines = set(old.grid or ())
    if len(values) == len(old.values) and len(lines) == 1 and len(values) in lines and grid[0] == grid[1]:
        first = values[0]
        if values == list(range(first, first + len(values))):
            return tuple(range(first, first + grid[0]))
    return old.values


def _carried(old: Layout, rule: Rule, new: Layout) -> Rule | None:
    match rule:
        case Different():
            return _different(old, rule, new)
        case Pairs():
            return _pairs(old, rule, new)
        case Count():
            return _count(old, rule, new)
    return None


def _different(old: Layout, rule: Different, new: Layout) -> Different | None:
    pattern: dict[str, Any] = dict(rule.pattern or {})
    if "same" in pattern:
        groups = tuple(group for group in new.groups(pattern["same"]).values() if len(group) > 1)
        return Different(_words.different(new, groups, pattern["same"]), groups=groups, pattern=pattern)
    if pattern:
        groups = (tuple(range(len(new.names))),)
        return Different(_words.different(new, groups, None), groups=groups, pattern=pattern)
    shapes = dict(_shapes(new))
    known = {frozenset(map(frozenset, groups)): name for name, groups in reversed(list(_shapes(old)))}
    # Tiles come as one rule; a diagonal may stand among other groups of its size.
    parts = [known.get(frozenset(map(frozenset, rule.groups)))]
    if parts == [None]:
        parts = [known.get(frozenset({frozenset(group)})) for group in rule.groups]
    names = [name for name in parts if name is not None and name in shapes]
    if len(names) < len(parts):
        return None
    groups = tuple(group for name in names for group in shapes[name])
    return Different(_words.different(new, groups, names[0] if len(names) == 1 else None), groups=groups)


def _pairs(old: Layout, rule: Pairs, new: Layout) -> Pairs | None:
    family = _same_family(old, rule, new)
    if family is None:
        return None
    for relation in relations(old):
        mask = [relation.at(_offset(old, pair)) for pair in rule.pairs]
        if all({(int(a), int(b)) for a, b in np.argwhere(one)} == rule.of(k) for k, one in enumerate(mask)):
            for other in relations(new):
                if other.words == relation.words:
                    return _of_relation(
                        family, [other.at(_offset(new, pair)) for pair in family.pairs], rule, other.words
                    )
    if old.values != new.values or rule.by_pair:
        return None
    return replace(rule, pairs=family.pairs)


def _of_relation(family: Family, masks: Sequence[Any], rule: Pairs, words: str) -> Pairs:
    entries = [tuple((int(a), int(b)) for a, b in np.argwhere(one)) for one in masks]
    text = f"{family.words} {words}"
    if rule.by_pair:
        return Pairs(text, pairs=family.pairs, by_pair=tuple(entries), pattern=rule.pattern)
    return Pairs(text, pairs=family.pairs, forbidden=entries[0], pattern=rule.pattern)


def _same_family(old: Layout, rule: Pairs, new: Layout) -> Family | None:
    """The family of the same words; diagonals are longer on a larger grid."""
    for family in families(old):
        if family.pattern == rule.pattern and family.pairs == rule.pairs:
            return next((other for other in families(new) if other.words == family.words), None)
    return None


def _offset(layout: Layout, pair: Group) -> int:
    places = layout.attributes[layout.ordered[0]]
    return places[pair[1]] - places[pair[0]]


def _count(old: Layout, rule: Count, new: Layout) -> Count | None:
    """Counts of the same kind of group. A value's exact share of a line, with all values equally often, follows its length."""
    if not rule.pattern or any(old.values[a] not in new.values for a in rule.values):
        return None
    kind = next((one for one in kinds(new) if one.pattern == rule.pattern), None)
    if kind is None or len({len(group) for group in kind.groups}) > 1:
        return None
    before, size = len(rule.groups[0]), len(kind.groups[0])
    low, high = rule.low, rule.high
    if before != size:
        if low == high and low * len(old.values) == before * len(rule.values) and size * low % before == 0:
            low = high = size * low // before
        elif high >= before:
            high = size
    values = tuple(new.values.index(old.values[a]) for a in rule.values)
    shown = "/".join(str(new.values[a]) for a in values)
    text = f"{kind.words} {have_words(low, high, size)} {shown}"
    return Count(text, groups=kind.groups, values=values, low=low, high=high, pattern=kind.pattern)
