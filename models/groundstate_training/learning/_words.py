"""Texts for groups, pairs and combinations of values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundstate_models.learned.layout import Layout
from groundstate_models.learned.rules import Group

SHOWN = 4


def named(layout: Layout, group: Group) -> str:
    """Name a group by its place in a grid, or by its variables."""
    if layout.grid:
        rows = sorted({layout.attributes["row"][i] for i in group})
        columns = sorted({layout.attributes["column"][i] for i in group})
        block = rows[-1] - rows[0] + 1 == len(rows) and columns[-1] - columns[0] + 1 == len(columns)
        if block and len(rows) * len(columns) == len(group) and len(group) > 2:
            if len(columns) == layout.grid[1] and len(rows) == 1:
                return f"row {rows[0] + 1}"
            if len(rows) == layout.grid[0] and len(columns) == 1:
                return f"column {columns[0] + 1}"
            return f"the block {layout.names[group[0]]} to {layout.names[group[-1]]}"
    names = [layout.names[i] for i in group]
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def different(layout: Layout, groups: Sequence[Group], attribute: str | None) -> str:
    """The text of a rule that no value is twice in each of some groups."""
    full = all(len(group) == len(layout.values) for group in groups)
    holds = "holds every value once" if full else "holds no value twice"
    if attribute:
        return f"each {attribute} {holds}"
    if len(groups) == 1:
        whole = len(groups[0]) == len(layout.names)
        return f"{'the whole configuration' if whole else named(layout, groups[0])} {holds}"
    return f"each of {len(groups)} groups of {len(groups[0])} ({named(layout, groups[0])}, …) {holds}"


def listed_pairs(layout: Layout, pairs: Sequence[Group]) -> str:
    """List some pairs of variables by their names."""
    shown = [f"{layout.names[i]} and {layout.names[j]}" for i, j in pairs[:SHOWN]]
    more = f" and {len(pairs) - SHOWN} further pairs" if len(pairs) > SHOWN else ""
    return "; ".join(shown) + more


def never(layout: Layout, forbidden: NDArray[np.bool_]) -> str:
    """The text of a rule that forbids some combinations."""
    entries = [f"({layout.values[a]}, {layout.values[b]})" for a, b in np.argwhere(forbidden)]
    more = f" or {len(entries) - 8} more" if len(entries) > 8 else ""
    return f"are never {', '.join(entries[:8])}{more}"
