"""The derivatives of a system's rows over boxes, by interval arithmetic: forward differentiation of every measure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.intervals import ULP, Interval, minus, over, plus, root, squared, times
from groundstate_models.geometry.system import CONSTANTS, Floats, Tables


def slopes(t: Tables, y: Interval, rows: NDArray[np.bool_]) -> Interval:
    """The derivatives of some rows of the system over boxes ``(batch, N)``, ``(batch, K, N)``; infinite where unbounded.

    They are those of all places in the box, not only of solutions, and so they do not use what the equations tell.
    """
    batch, n = len(y.low), t.unknowns
    fixed = np.broadcast_to(CONSTANTS, (batch, len(CONSTANTS)))
    known = Interval(np.concatenate([y.low, fixed], 1), np.concatenate([y.high, fixed], 1))
    values, ends = _measured(t, known)
    quantity = Interval(np.concatenate([known.low, values.low], 1), np.concatenate([known.high, values.high], 1))
    grown = np.zeros((2, batch, quantity.low.shape[1], n + len(CONSTANTS) + 1))
    grown[:, :, np.arange(n), np.arange(n)] = 1.0
    here = t.base + np.arange(len(t.kind))
    for end, slope in enumerate(ends):
        for axis in (0, 1):
            place = t.ends[:, end] + axis
            was = Interval(grown[0][:, here, place], grown[1][:, here, place])
            grown[0][:, here, place], grown[1][:, here, place] = plus(was, slope[axis])
    edges = rows[t.row]
    first, second, c = t.first[edges], t.second[edges], t.coefficient[edges]
    row = (np.cumsum(rows) - 1)[t.row[edges]]
    factor = Interval(c[None, :], c[None, :])
    both = plus(
        times(_wide(times(factor, quantity.at(second))), Interval(grown[0][:, first, :n], grown[1][:, first, :n])),
        times(_wide(times(factor, quantity.at(first))), Interval(grown[0][:, second, :n], grown[1][:, second, :n])),
    )
    found = np.zeros((2, batch, int(rows.sum()), n))
    begin = np.flatnonzero(np.diff(row, prepend=-1))
    if len(row):
        count = np.diff(np.append(begin, len(row)))[None, :, None]
        pad = np.add.reduceat(both.size, begin, axis=1) * (count * ULP)
        found[0][:, row[begin]] = np.add.reduceat(both.low, begin, axis=1) - pad
        found[1][:, row[begin]] = np.add.reduceat(both.high, begin, axis=1) + pad
    return Interval(found[0], found[1])


def _wide(value: Interval) -> Interval:
    return Interval(value.low[:, :, None], value.high[:, :, None])


def _within(value: Interval, least: Floats | float, most: Floats | float) -> Interval:
    return Interval(np.maximum(value.low, least), np.minimum(value.high, most))


def _measured(t: Tables, known: Interval) -> tuple[Interval, list[tuple[Interval, Interval]]]:
    """The measures over boxes, ``(batch, M)``, and their derivatives by the x and y of their four ends."""
    kind, ends = t.kind, t.ends
    u, w = (
        [minus(known.at(ends[:, last] + axis), known.at(ends[:, first] + axis)) for axis in (0, 1)]
        for first, last in ((0, 1), (2, 3))
    )

    def length(v: list[Interval]) -> Interval:
        square = plus(squared(v[0]), squared(v[1]))
        return Interval(root(square.low)[0], root(square.high)[1])

    lu, lw = length(u), length(w)
    dot = plus(times(u[0], w[0]), times(u[1], w[1]))
    cross = minus(times(u[0], w[1]), times(u[1], w[0]))
    size = times(lu, lw)
    cosine, sine = (_within(over(part, size), -1.0, 1.0) for part in (dot, cross))
    height = _within(over(cross, lu), -lw.high, lw.high)
    along, across = ([_within(over(part, far), -1.0, 1.0) for part in v] for v, far in ((u, lu), (w, lw)))
    angle = Interval(np.zeros_like(dot.low), np.full_like(dot.low, 3.15))

    def absolute(value: Interval) -> Interval:
        inside = (value.low <= 0) & (value.high >= 0)
        return Interval(np.where(inside, 0.0, np.minimum(abs(value.low), abs(value.high))), value.size)

    def signed(value: Interval) -> Interval:
        return Interval(np.where(value.low > 0, 1.0, -1.0), np.where(value.high < 0, -1.0, 1.0))

    def each(slope: list[Interval], factor: Interval) -> list[Interval]:
        return [times(one, factor) for one in slope]

    none = Interval(np.zeros_like(dot.low), np.zeros_like(dot.low))
    # The angle of a vector grows along its perpendicular, divided by its length.
    turn = [over(along[1], lu), over(-along[0], lu), over(-across[1], lw), over(across[0], lw)]
    d_cross = [w[1], -w[0], -u[1], u[0]]
    less = each(along, over(height, lu))
    d_height = [minus(over(w[1], lu), less[0]), minus(over(-w[0], lu), less[1]), -along[1], along[0]]
    values = [lu, dot, cross, cosine, sine, height, angle, absolute(cross), absolute(height)]
    slopes = [
        [*along, none, none], [*w, *u], d_cross, each(turn, -sine), each(turn, cosine), d_height, each(turn, signed(cross)),
        each(d_cross, signed(cross)), each(d_height, signed(height)),
    ]  # fmt: skip

    def chosen(every: list[Interval]) -> Interval:
        low, high = np.zeros_like(dot.low), np.zeros_like(dot.low)
        for number, one in enumerate(every):
            mine = kind == number
            low[:, mine], high[:, mine] = one.low[:, mine], one.high[:, mine]
        return Interval(low, high)

    value = chosen(values)
    ux, uy, wx, wy = (chosen([slope[k] for slope in slopes]) for k in range(4))
    return value, [(-ux, -uy), (ux, uy), (-wx, -wy), (wx, wy)]
