"""Solved grids for tests: filled at random, cell by cell, where groups must differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def groups_of(size: int, height: int, width: int) -> list[list[int]]:
    """Rows, columns and boxes of a board."""
    cells = [(r, c) for r in range(size) for c in range(size)]
    boxes: dict[tuple[int, int], list[int]] = {}
    for r, c in cells:
        boxes.setdefault((r // height, c // width), []).append(r * size + c)
    rows = [[r * size + c for c in range(size)] for r in range(size)]
    return [*rows, *map(list, zip(*rows, strict=True)), *boxes.values()]


def solved(many: int, seed: int, groups: list[list[int]], values: int) -> NDArray[np.int64]:
    """Random configurations whose groups differ, ``(many, cells)`` from 0."""
    cells = 1 + max(max(group) for group in groups)
    peers = [sorted({j for group in groups if i in group for j in group} - {i}) for i in range(cells)]
    random = np.random.default_rng(seed)
    return np.array([_fill(cells, peers, values, random) for _ in range(many)])


def _fill(cells: int, peers: list[list[int]], values: int, random: np.random.Generator) -> list[int]:
    while True:
        found = [-1] * cells
        budget = [400]

        def place(found: list[int] = found, budget: list[int] = budget) -> bool:
            open_ = [i for i in range(cells) if found[i] < 0]
            if not open_:
                return True
            free = {i: [v for v in range(values) if all(found[j] != v for j in peers[i])] for i in open_}
            i = min(open_, key=lambda k: (len(free[k]), random.random()))
            for v in random.permutation(free[i]):
                budget[0] -= 1
                if budget[0] < 0:
                    return False
                found[i] = int(v)
                if place():
                    return True
                found[i] = -1
            return False

        if place():
            return found
