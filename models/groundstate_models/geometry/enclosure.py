"""Encloses the solutions of a figure's equations in boxes: contraction by single equations and by their slopes.

The rows of a system are written as quadratic equations over more variables: the components of vectors, lengths, dot and cross
products, cosines. One equation at a time then bounds each of its variables by the others (F. Benhamou, F. Goualard, L.
Granvilliers and J.-F. Puget, "Revising hull and box consistency", 1999). A second test takes all equations together: with
slopes ``G`` over the box, ``F(y) ∈ F(c) + G·(y − c)``; combinations of the rows in which the middle of the slopes cancels have
no zero if they exceed what is left, and an approximate inverse bounds ``y`` (R. Krawczyk, 1969; A. Neumaier, "Interval Methods
for Systems of Equations", 1990). All boxes of a batch are contracted at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.intervals import ULP, Interval, outward, over, root, squared, times
from groundstate_models.geometry.lowering import APART
from groundstate_models.geometry.slopes import slopes
from groundstate_models.geometry.system import CONSTANTS, MEASURES, Floats, Tables

TOLERANCE = 8e-6
"""Deviation that an equation may have, relative to its terms: above that of the checks for figures up to `REACH`."""

REACH = 3.0
"""Extent of a figure, in units of the scale, up to which every figure that passes the checks counts as one."""

SLACK = 2 * APART
"""Amount by which an inequality may fall short: above the margins that the rows add."""


@dataclass
class _Writer:
    """Writes a system's measures as equations over more variables."""

    tables: Tables
    count: int
    terms: list[tuple[float, int, int, int]] = field(default_factory=list)
    rows: int = 0
    named: dict[tuple[object, ...], int] = field(default_factory=dict)
    cosines: list[tuple[int, int]] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    positive: list[int] = field(default_factory=list)
    unit: list[int] = field(default_factory=list)

    def row(self, *terms: tuple[float, int, int]) -> None:
        self.terms += [(c, i, j, self.rows) for c, i, j in terms]
        self.rows += 1

    def variable(self, *key: object) -> tuple[int, bool]:
        """A further variable, and whether it is new."""
        if key in self.named:
            return self.named[key], False
        self.named[key] = self.count
        self.count += 1
        return self.count - 1, True

    @property
    def one(self) -> int:
        return self.tables.unknowns

    def vector(self, a: int, b: int) -> tuple[int, int, float]:
        """Its two components, and the sign that they have been written with."""
        sign = 1.0 if a < b else -1.0
        a, b = min(a, b), max(a, b)
        found = []
        for axis in (0, 1):
            place, new = self.variable("vector", a, b, axis)
            if new:
                self.row((1.0, b + axis, self.one), (-1.0, a + axis, self.one), (-1.0, place, self.one))
            found.append(place)
        return found[0], found[1], sign

    def length(self, a: int, b: int) -> int:
        place, new = self.variable("length", min(a, b), max(a, b))
        if new:
            x, y, _ = self.vector(a, b)
            self.row((1.0, x, x), (1.0, y, y), (-1.0, place, place))
            self.positive.append(place)
        return place

    def product(self, kind: str, a: int, b: int, c: int, d: int) -> int:
        """The dot or cross product of a → b and c → d."""
        place, new = self.variable(kind, a, b, c, d)
        if new:
            ux, uy, s = self.vector(a, b)
            wx, wy, t = self.vector(c, d)
            if kind == "dot":
                self.row((s * t, ux, wx), (s * t, uy, wy), (-1.0, place, self.one))
                self._cosine_law(place, a, b, c, d)
            else:
                self.row((s * t, ux, wy), (-s * t, uy, wx), (-1.0, place, self.one))
        return place

    def _cosine_law(self, dot: int, a: int, b: int, c: int, d: int) -> None:
        """With a common end, the dot product follows from three lengths, however the figure is turned."""
        ends = ((1.0, a == c, a, b, d), (-1.0, a == d, a, b, c), (-1.0, b == c, b, a, d), (1.0, b == d, b, a, c))
        for sign, meet, p, q, r in ends:
            if meet and q != r:
                u, w, third = self.length(p, q), self.length(p, r), self.length(q, r)
                self.row((2.0 * sign, dot, self.one), (-1.0, u, u), (-1.0, w, w), (1.0, third, third))
                return

    def sizes_of(self, a: int, b: int, c: int, d: int) -> int:
        """The product of two lengths."""
        one, two = sorted((self.length(a, b), self.length(c, d)))
        place, new = self.variable("sizes", one, two)
        if new:
            self.row((1.0, one, two), (-1.0, place, self.one))
            self.positive.append(place)
        return place

    def ratio(self, kind: str, a: int, b: int, c: int, d: int) -> int:
        """The cosine or sine between two vectors."""
        place, new = self.variable(kind, a, b, c, d)
        if new:
            part = self.product("dot" if kind == "cosine" else "cross", a, b, c, d)
            self.row((1.0, place, self.sizes_of(a, b, c, d)), (-1.0, part, self.one))
            self.unit.append(place)
            other = self.named.get(("sine" if kind == "cosine" else "cosine", a, b, c, d))
            if other is not None:
                self.row((1.0, place, place), (1.0, other, other), (-1.0, self.one, self.one))
        return place

    def measure(self, number: int) -> None:
        """Define a measure of the system; its variable is its quantity."""
        kind = MEASURES[self.tables.kind[number]]
        a, b, c, d = (int(v) for v in self.tables.ends[number])
        place = self.tables.base + number
        if kind == "height":
            self.row((1.0, place, self.length(a, b)), (-1.0, self.product("cross", a, b, c, d), self.one))
        elif kind == "angle":
            self.cosines.append((place, self.ratio("cosine", a, b, c, d)))
        elif kind == "cross size":
            self.sizes.append((place, self.product("cross", a, b, c, d)))
        elif kind == "height size":
            signed, new = self.variable("height", a, b, c, d)
            if new:
                self.row((1.0, signed, self.length(a, b)), (-1.0, self.product("cross", a, b, c, d), self.one))
            self.sizes.append((place, signed))
        else:
            found = (
                self.length(a, b)
                if kind == "length"
                else self.ratio(kind, a, b, c, d)
                if kind in {"cosine", "sine"}
                else self.product(kind, a, b, c, d)
            )
            self.row((1.0, place, self.one), (-1.0, found, self.one))


class Enclosure:
    """The equations of a plane system, over its quantities and more variables.

    Args:
        tables: The system, without rows that are not demanded.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        b = _Writer(tables, tables.base + len(tables.kind))
        for number in range(len(tables.kind)):
            b.measure(number)
        self.variables = b.count
        given = len(tables.constant)
        extra = b.terms
        self.coefficient = np.concatenate([[c for c, _, _, _ in extra], tables.coefficient]).astype(np.float64)
        self.first = np.concatenate([[i for _, i, _, _ in extra], tables.first]).astype(np.int64)
        self.second = np.concatenate([[j for _, _, j, _ in extra], tables.second]).astype(np.int64)
        self.row = np.concatenate([[k for _, _, _, k in extra], tables.row + b.rows]).astype(np.int64)
        self.constant = np.concatenate([np.zeros(b.rows), tables.constant])
        used = self.coefficient != 0
        self.coefficient, self.first, self.second, self.row = (
            one[used] for one in (self.coefficient, self.first, self.second, self.row)
        )
        self.spare = self._spare()
        least = tables.least > 0
        self.low = np.concatenate([np.zeros(b.rows), np.where(least, -self.spare - SLACK, -self.spare)])
        self.high = np.concatenate([np.zeros(b.rows), np.where(least, np.inf, self.spare)])
        self.starts = np.flatnonzero(np.diff(self.row, prepend=-1))
        self.filled = self.row[self.starts]
        empty = np.setdiff1d(np.arange(len(self.constant)), self.filled)
        off = self.constant[empty]
        self.impossible = bool(((off < self.low[empty]) | (off > self.high[empty])).any())
        """Whether a row without unknowns fails."""
        self.length = np.bincount(self.row, minlength=b.rows + given)
        self.cosines = np.array(b.cosines, np.int64).reshape(-1, 2)
        self.sizes = np.array(b.sizes, np.int64).reshape(-1, 2)
        self.positive = np.array(b.positive, np.int64)
        self.unit = np.array(b.unit, np.int64)
        every = np.concatenate([self.first, self.second])
        self.order = np.argsort(every, kind="stable")
        self.groups = np.flatnonzero(np.diff(every[self.order], prepend=-1))
        self.targets = every[self.order][self.groups]
        self.square = self.first == self.second
        self.named = b.named

    def _spare(self) -> Floats:
        """The tolerance of each row of the system."""
        t, far = self.tables, REACH
        by_kind = np.array([3 * far, 9 * far**2, 9 * far**2, 1.0, 1.0, 3 * far, 3.2, 9 * far**2, 3 * far])
        bound = np.concatenate([np.full(t.unknowns, far), np.abs(CONSTANTS), by_kind[t.kind]])
        size = np.abs(t.coefficient) * bound[t.first] * bound[t.second]
        return np.asarray(TOLERANCE * (np.bincount(t.row, size, len(t.constant)) + np.abs(t.constant)), np.float64)

    def root(self) -> Interval:
        """The box of everything, ``(1, V)``: only what is true of each variable by itself."""
        low, high = np.full((1, self.variables), -np.inf), np.full((1, self.variables), np.inf)
        n, base = self.tables.unknowns, self.tables.base
        low[:, n:base] = high[:, n:base] = CONSTANTS
        kinds = self.tables.kind
        for kind, (least, most) in {
            0: (0, np.inf),
            3: (-1, 1),
            4: (-1, 1),
            6: (0, 3.1415926535897936),
            7: (0, np.inf),
            8: (0, np.inf),
        }.items():
            mine = base + np.flatnonzero(kinds == kind)
            low[:, mine], high[:, mine] = least, most
        low[:, self.positive] = 0.0
        low[:, self.unit], high[:, self.unit] = -1.0, 1.0
        return Interval(low, high)

    # -- one equation at a time ------------------------------------------------------------------------------------------

    def contracted(self, box: Interval, sweeps: int = 24) -> tuple[Interval, NDArray[np.bool_]]:
        """Boxes ``(batch, V)`` made smaller without the loss of a solution, and which of them may hold one."""
        low, high = box.low.copy(), box.high.copy()
        alive = np.ones(len(low), bool)
        for _ in range(sweeps):
            before = self._width(low, high)
            with np.errstate(invalid="ignore", over="ignore"):
                self._sweep(low, high, alive)
                self._single(low, high)
            alive &= (low <= high).all(1)
            # A box that holds nothing is kept harmless until the caller drops it.
            dead = ~alive
            if dead.any():
                low[dead] = high[dead] = 0.0
            after = self._width(low, high)
            if not alive.any() or (after >= 0.98 * before).all():
                break
        return Interval(low, high), alive

    def _width(self, low: Floats, high: Floats) -> Floats:
        """A measure of a box's size that infinite sides do not hide."""
        return np.asarray(np.minimum(high - low, 1e6).sum(1))

    def _sweep(self, low: Floats, high: Floats, alive: NDArray[np.bool_]) -> None:
        a = Interval(low[:, self.first], high[:, self.first])
        b = Interval(low[:, self.second], high[:, self.second])
        product = times(a, b)
        square = squared(a.at(self.square))
        product.low[:, self.square], product.high[:, self.square] = square
        c = self.coefficient
        ends = c * product.low, c * product.high
        term = outward(np.minimum(*ends), np.maximum(*ends))
        finite = Interval(
            np.where(np.isfinite(term.low), term.low, 0.0), np.where(np.isfinite(term.high), term.high, 0.0)
        )
        endless = np.isneginf(term.low), np.isposinf(term.high)

        def summed(values: Floats) -> Floats:
            return np.add.reduceat(values, self.starts, axis=1)

        place = np.searchsorted(self.filled, self.row)
        constant = self.constant[self.filled]
        pad = (summed(finite.size) + np.abs(constant)) * ((self.length[self.filled] + 6) * ULP) + 1e-300
        total = Interval(summed(finite.low) - pad, summed(finite.high) + pad)
        many = summed(endless[0].astype(np.float64)), summed(endless[1].astype(np.float64))
        least, most = self.low[self.filled] - constant, self.high[self.filled] - constant
        least, most = np.nextafter(least, -np.inf), np.nextafter(most, np.inf)
        alive &= ~(((many[0] == 0) & (total.low > most)) | ((many[1] == 0) & (total.high < least))).any(1)
        pads = pad[:, place]
        rest_low = np.where(many[0][:, place] - endless[0] > 0, -np.inf, total.low[:, place] - finite.low - pads)
        rest_high = np.where(many[1][:, place] - endless[1] > 0, np.inf, total.high[:, place] - finite.high + pads)
        wanted = outward(least[place] - rest_high, most[place] - rest_low)
        ends = wanted.low / c, wanted.high / c
        wanted = outward(np.minimum(*ends), np.maximum(*ends))
        wanted = Interval(np.fmax(wanted.low, product.low), np.fmin(wanted.high, product.high))
        alive &= (wanted.low <= wanted.high).all(1)
        one, two = over(wanted, b), over(wanted, a)
        flat = self._roots(wanted.at(self.square), a.at(self.square))
        for found in (one, two):
            found.low[:, self.square], found.high[:, self.square] = flat
        lows = np.concatenate([one.low, two.low], 1)[:, self.order]
        highs = np.concatenate([one.high, two.high], 1)[:, self.order]
        t = self.targets
        low[:, t] = np.fmax(low[:, t], np.maximum.reduceat(lows, self.groups, axis=1))
        high[:, t] = np.fmin(high[:, t], np.minimum.reduceat(highs, self.groups, axis=1))

    @staticmethod
    def _roots(square: Interval, known: Interval) -> Interval:
        """Bounds of variables from those of their squares."""
        inner, _ = root(square.low)
        _, outer = root(square.high)
        high = np.where(known.high < inner, -inner, outer)
        low = np.where(known.low > -inner, inner, -outer)
        return Interval(np.where(square.low > 0, low, -outer), np.where(square.low > 0, high, outer))

    def _single(self, low: Floats, high: Floats) -> None:
        """Equations of two variables that are not quadratic: angles and their cosines, sizes."""
        off = 4e-16
        if len(self.cosines):
            t, c = self.cosines.T
            angle = Interval(np.clip(low[:, t], 0.0, np.pi), np.clip(high[:, t], 0.0, np.pi))
            low[:, c] = np.fmax(low[:, c], np.cos(angle.high) - off)
            high[:, c] = np.fmin(high[:, c], np.cos(angle.low) + off)
            cosine = np.clip(low[:, c], -1.0, 1.0), np.clip(high[:, c], -1.0, 1.0)
            low[:, t] = np.fmax(low[:, t], np.arccos(cosine[1]) - 2 * off)
            high[:, t] = np.fmin(high[:, t], np.arccos(cosine[0]) + 2 * off)
        if len(self.sizes):
            s, v = self.sizes.T
            value = Interval(low[:, v], high[:, v])
            least = np.where((value.low <= 0) & (value.high >= 0), 0.0, np.minimum(abs(value.low), abs(value.high)))
            low[:, s] = np.fmax(low[:, s], least)
            high[:, s] = np.fmin(high[:, s], value.size)
            most = high[:, s]
            low[:, v] = np.fmax(low[:, v], -most)
            high[:, v] = np.fmin(high[:, v], most)
            inner = low[:, s]
            low[:, v] = np.where((inner > 0) & (low[:, v] > -inner), np.fmax(low[:, v], inner), low[:, v])
            high[:, v] = np.where((inner > 0) & (high[:, v] < inner), np.fmin(high[:, v], -inner), high[:, v])

    # -- all equations together ------------------------------------------------------------------------------------------

    def together(self, box: Interval, rows: NDArray[np.bool_]) -> tuple[Interval, NDArray[np.bool_]]:
        """The unknowns of boxes by all equations of ``rows`` at once, ``(batch, N)``, and which boxes may hold a solution."""
        t = self.tables
        n = t.unknowns
        y = Interval(box.low[:, :n], box.high[:, :n])
        finite = np.isfinite(y.low) & np.isfinite(y.high)
        centre, half = _halfway(y, finite)
        g = slopes(t, y, rows)
        value = t.sums(centre)[:, rows]
        reach = np.abs(centre) + half
        endless = (~finite[:, None, :] & ((g.low != 0) | (g.high != 0))).any(2)
        usable = np.isfinite(g.low).all(2) & np.isfinite(g.high).all(2) & ~endless & np.isfinite(value)
        middle, spread = _halfway(g, np.broadcast_to(usable[:, :, None], g.low.shape))
        value = np.where(usable, value, 0.0)
        # The tolerance, and what rounding can change of the value at the centre.
        blur = np.where(
            usable, self.spare[rows] + 1e-13 * (1 + ((np.abs(middle) + spread) * (reach[:, None, :] + 1)).sum(2)), 0.0
        )
        left, sizes, right = np.linalg.svd(middle, full_matrices=True)
        rank = (sizes > 1e-9 * np.maximum(sizes[:, :1], 1e-300)).sum(1)
        k = middle.shape[1]
        # Combinations of the rows whose slopes cancel: they vanish nowhere if their value is out of reach.
        turned = np.swapaxes(left, 1, 2)
        offset = np.abs(np.einsum("bij,bj->bi", turned, value))
        size = np.abs(turned)
        moved = np.abs(turned @ middle) + size @ spread + 1e-13 * (size @ (np.abs(middle) + spread))
        allowed = (
            np.einsum("bij,bj->bi", size, blur)
            + np.einsum("bij,bj->bi", moved, half)
            + 1e-13 * np.einsum("bij,bj->bi", size, np.abs(value))
        )
        alive = ~(offset > allowed * (1 + 1e-12)).any(1)
        # An approximate inverse bounds the unknowns.
        m = min(k, n)
        keep = np.arange(m) < rank[:, None]
        scale = np.where(keep, 1.0 / np.where(keep, sizes, 1.0), 0.0)
        inverse = np.swapaxes(right[:, :m], 1, 2) * scale[:, None, :] @ turned[:, :m]
        big = np.abs(inverse)
        step = -np.einsum("bij,bj->bi", inverse, value)
        left_over = np.abs(np.eye(n) - inverse @ middle) + big @ spread + 1e-13 * (big @ (np.abs(middle) + spread))
        radius = np.einsum("bij,bj->bi", big, blur) + np.einsum("bij,bj->bi", left_over, half)
        radius = radius * (1 + 1e-12) + 1e-13 * (np.einsum("bij,bj->bi", big, np.abs(value)) + np.abs(step)) + 1e-300
        new = outward(centre + step - radius, centre + step + radius)
        new = Interval(
            np.where(finite, np.maximum(y.low, new.low), y.low), np.where(finite, np.minimum(y.high, new.high), y.high)
        )
        return new, alive & (new.low <= new.high).all(1)


def _halfway(value: Interval, usable: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """The middle of intervals and the distance to their ends; both 0 where they are not usable."""
    low, high = np.where(usable, value.low, 0.0), np.where(usable, value.high, 0.0)
    middle = 0.5 * low + 0.5 * high
    return middle, np.maximum(high - middle, middle - low) * (1 + 4 * ULP)
