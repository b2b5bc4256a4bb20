"""A figure as equations: quantities of points, and rows ``Σ c·qᵢ·qⱼ + b`` that must be 0 or at least 0.

Unknowns ``y`` are the coordinates of the points, two by two, then the scalars (radii, named unknowns) and, in space, the third
coordinates, all in units of the figure's scale. A *quantity* is an unknown, a constant, or a measure of two vectors
``u = p₁ − p₀`` and ``w = p₃ − p₂``: a length, a dot or cross product, the cosine, sine or angle between them, a distance from
a line. A *row* is a sum of coefficients times products of two quantities, one of which may be the constant 1. Every typed
constraint is lowered to a few rows, so one table serves all of them, in numpy here and in PyTorch in `energy`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MEASURES = ("length", "dot", "cross", "cosine", "sine", "height", "angle", "cross size", "height size")
"""The kinds of measure: ``|u|``, ``u·w``, ``u×w``, the latter two over ``|u||w|``, ``u×w/|u|``, the angle in [0, π], and the
sizes of the cross product and of the height."""

CONSTANTS = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0)
"""After the unknowns: the number 1, and the points (0, 0), (1, 0) and (0, 1), which give the directions of the axes."""

TINY = 1e-24
"""Added to squares under a root: a measure of a zero vector is 0 with slope 0."""

EQUAL, AT_LEAST = 0, 1

DONE = 1e-26
"""Sum of squares at which the host's descent ends."""

STUCK = 1e4
"""Damping above which the host's descent ends: it is in a minimum that is not a solution."""


class Row(NamedTuple):
    """One residual. ``terms`` are (coefficient, quantity, quantity); a row of kind `AT_LEAST` must be at least 0.

    Attributes:
        source: The number of its constraint; −1 for rows that the model adds.
        scale: Divisor of the sum.
    """

    terms: tuple[tuple[float, int, int], ...]
    constant: float
    kind: int
    scale: float
    source: int


@dataclass
class System:
    """The unknowns, measures and rows of a figure."""

    points: int
    scalars: int
    solid: bool = False
    rows: list[Row] = field(default_factory=list)
    measures: dict[tuple[int, int, int, int, int], int] = field(default_factory=dict)

    @property
    def unknowns(self) -> int:
        return 2 * self.points + self.scalars + (self.points if self.solid else 0)

    @property
    def one(self) -> int:
        """The quantity 1."""
        return self.unknowns

    @property
    def axes(self) -> tuple[int, int, int]:
        """The constant points (0, 0), (1, 0), (0, 1), as indices of their first coordinates."""
        return self.one + 1, self.one + 3, self.one + 5

    def point(self, number: int) -> int:
        """The index of a point's x; its y follows."""
        return 2 * number

    def height(self, number: int) -> int:
        """The index of a point's z; in the plane, that of the constant 0."""
        return 2 * self.points + self.scalars + number if self.solid else self.one + 1

    @property
    def coordinates(self) -> NDArray[np.int64]:
        """The indices of all coordinates: x and y point by point; in space all x, then all y, then all z."""
        flat = np.arange(2 * self.points)
        if not self.solid:
            return flat
        return np.concatenate([flat[::2], flat[1::2], 2 * self.points + self.scalars + np.arange(self.points)])

    def scalar(self, number: int) -> int:
        return 2 * self.points + number

    def measure(self, kind: str, a: int, b: int, c: int | None = None, d: int | None = None) -> int:
        """The quantity that measures ``u = b − a`` and ``w = d − c``; points by their index in the unknowns."""
        key = (MEASURES.index(kind), a, b, a if c is None else c, b if d is None else d)
        if key not in self.measures:
            self.measures[key] = self.unknowns + len(CONSTANTS) + len(self.measures)
        return self.measures[key]

    def row(
        self,
        terms: Sequence[tuple[float, int, int]],
        constant: float,
        source: int,
        *,
        scale: float = 1.0,
        kind: int = EQUAL,
    ) -> None:
        self.rows.append(Row(tuple(terms), float(constant), kind, float(scale), source))

    @cached_property
    def tables(self) -> Tables:
        return Tables.of(self)


@dataclass(frozen=True)
class Tables:
    """A system as arrays.

    ``kind (M,)``; ``ends (M, 4)``, indices of the x of four points; ``depth (M, 4)``, of their z;
    ``coefficient``, ``first``, ``second`` and ``row (E,)``; ``constant (K,)``; ``least (K,)``, 1 for a row that must be at
    least 0; ``source (K,)``.
    """

    unknowns: int
    kind: NDArray[np.int64]
    ends: NDArray[np.int64]
    depth: NDArray[np.int64]
    coefficient: Floats
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    row: NDArray[np.int64]
    constant: Floats
    least: Floats
    source: NDArray[np.int64]

    @classmethod
    def of(cls, system: System) -> Tables:
        keys = list(system.measures)
        flat = [(c / r.scale, i, j, k) for k, r in enumerate(system.rows) for c, i, j in r.terms]
        columns: list[tuple[Any, ...]] = list(zip(*flat, strict=True)) if flat else [(), (), (), ()]
        return cls(
            system.unknowns,
            np.array([key[0] for key in keys], np.int64),
            np.array([key[1:] for key in keys], np.int64).reshape(-1, 4),
            np.array(
                [[system.height(k // 2) if k < 2 * system.points else system.one + 1 for k in key[1:]] for key in keys],
                np.int64,
            ).reshape(-1, 4),
            np.array(columns[0], np.float64),
            np.array(columns[1], np.int64),
            np.array(columns[2], np.int64),
            np.array(columns[3], np.int64),
            np.array([r.constant / r.scale for r in system.rows], np.float64),
            np.array([float(r.kind) for r in system.rows]),
            np.array([r.source for r in system.rows], np.int64),
        )

    @property
    def base(self) -> int:
        return self.unknowns + len(CONSTANTS)

    def quantities(self, y: Floats) -> tuple[Floats, Floats]:
        """Quantities ``(batch, Q)`` at ``y (batch, N)``, and the derivatives of the measures by u and w.

        The latter are ``(batch, M, 4)``, in space ``(batch, M, 6)``.
        """
        known = np.concatenate([y, np.broadcast_to(CONSTANTS, (len(y), len(CONSTANTS)))], axis=1)
        ux, uy, wx, wy = self._vectors(known)
        if self.solid:
            uz = known[:, self.depth[:, 1]] - known[:, self.depth[:, 0]]
            wz = known[:, self.depth[:, 3]] - known[:, self.depth[:, 2]]
            values, slopes = measured_in_space(self.kind, np.stack([ux, uy, uz], -1), np.stack([wx, wy, wz], -1))
        else:
            values, slopes = measured(self.kind, ux, uy, wx, wy)
        return np.concatenate([known, values], axis=1), slopes

    @cached_property
    def solid(self) -> bool:
        """Whether a measure has a third coordinate."""
        return bool((self.depth < self.unknowns).any())

    def _vectors(self, known: Floats) -> tuple[Floats, ...]:
        ends = self.ends
        x = known[:, ends[:, 1]] - known[:, ends[:, 0]], known[:, ends[:, 3]] - known[:, ends[:, 2]]
        y = known[:, ends[:, 1] + 1] - known[:, ends[:, 0] + 1], known[:, ends[:, 3] + 1] - known[:, ends[:, 2] + 1]
        return x[0], y[0], x[1], y[1]

    def sums(self, y: Floats) -> Floats:
        """The rows' sums, ``(batch, K)``, inequalities without hinges."""
        q, _ = self.quantities(y)
        return self._summed(self.coefficient * q[:, self.first] * q[:, self.second]) + self.constant

    def _summed(self, terms: Floats) -> Floats:
        """The sums of the edges' terms by row, ``(batch, E, …)`` to ``(batch, K, …)``; edges are in the order of their rows."""
        found = np.zeros((len(terms), len(self.constant), *terms.shape[2:]))
        if len(self.row):
            first = np.flatnonzero(np.diff(self.row, prepend=-1))
            found[:, self.row[first]] = np.add.reduceat(terms, first, axis=1)
        return found

    def residual(self, y: Floats) -> Floats:
        """Residuals, ``(batch, K)``: the sums of equations, and the shortfall of inequalities."""
        sums = self.sums(y)
        return np.where(self.least > 0, np.minimum(sums, 0.0), sums)

    def linearised(self, y: Floats, *, hinges: bool = True) -> tuple[Floats, Floats]:
        """Residuals ``(batch, K)`` and their Jacobian ``(batch, K, N)``; without ``hinges``, the Jacobian of the sums."""
        q, slopes = self.quantities(y)
        batch, n = y.shape
        derivative = np.zeros((batch, q.shape[1], n + len(CONSTANTS) + 1))
        derivative[:, np.arange(n), np.arange(n)] = 1.0
        rows = self.base + np.arange(len(self.kind))
        width = slopes.shape[2] // 2
        for end, sign in ((0, -1.0), (1, 1.0), (2, -1.0), (3, 1.0)):
            for axis in range(width):
                place = self.ends[:, end] + axis if axis < 2 else self.depth[:, end]
                derivative[:, rows, place] += sign * slopes[:, :, width * (end // 2) + axis]
        derivative = derivative[:, :, :n]
        a, b = q[:, self.first], q[:, self.second]
        per_edge = (self.coefficient * b)[:, :, None] * derivative[:, self.first]
        per_edge += (self.coefficient * a)[:, :, None] * derivative[:, self.second]
        jacobian = self._summed(per_edge)
        sums = self._summed(self.coefficient * a * b) + self.constant
        if hinges:
            off = (self.least > 0) & (sums >= 0)
            sums, jacobian = np.where(off, 0.0, sums), np.where(off[:, :, None], 0.0, jacobian)
        return sums, jacobian


def measured(kind: NDArray[np.int64], ux: Floats, uy: Floats, wx: Floats, wy: Floats) -> tuple[Floats, Floats]:
    """Values ``(batch, M)`` and derivatives by ux, uy, wx, wy ``(batch, M, 4)`` of measures."""
    u2, w2 = ux * ux + uy * uy + TINY, wx * wx + wy * wy + TINY
    u, w = np.sqrt(u2), np.sqrt(w2)
    dot, cross = ux * wx + uy * wy, ux * wy - uy * wx
    uw = u * w
    sign = np.where(cross < 0, -1.0, 1.0)
    zero = np.zeros_like(u)
    # The angle of a vector grows along its perpendicular (−y, x) / |·|².
    angle_u, angle_w = np.stack([-uy / u2, ux / u2], -1), np.stack([-wy / w2, wx / w2], -1)
    turn = np.concatenate([-angle_u, angle_w], -1)
    cosine, sine, height = dot / uw, cross / uw, cross / u
    d_dot, d_cross = np.stack([wx, wy, ux, uy], -1), np.stack([wy, -wx, -uy, ux], -1)
    d_height = d_cross / u[..., None] - height[..., None] * np.stack([ux / u2, uy / u2, zero, zero], -1)
    values = (
        u, dot, cross, cosine, sine, height, np.arctan2(np.abs(cross), dot), np.abs(cross), np.abs(height),
    )  # fmt: skip
    slopes = (
        np.stack([ux / u, uy / u, zero, zero], -1), d_dot, d_cross, -sine[..., None] * turn, cosine[..., None] * turn,
        d_height, sign[..., None] * turn, sign[..., None] * d_cross, sign[..., None] * d_height,
    )  # fmt: skip
    value, slope = zero, np.zeros((*u.shape, 4))
    for number in range(len(MEASURES)):
        mine = kind == number
        if mine.any():
            value, slope = np.where(mine, values[number], value), np.where(mine[:, None], slopes[number], slope)
    return value, slope


def measured_in_space(kind: NDArray[np.int64], u: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Values ``(batch, M)`` and derivatives by u and w ``(batch, M, 6)`` of measures of vectors in space, ``(batch, M, 3)``.

    Lengths, dot products, cosines, angles, and sizes of cross products and heights.
    """
    u2, w2 = (u * u).sum(-1) + TINY, (w * w).sum(-1) + TINY
    size, uw = np.sqrt(u2), np.sqrt(u2 * w2)
    dot, cross = (u * w).sum(-1), np.cross(u, w)
    across = np.linalg.norm(cross, axis=-1)
    normal = cross / np.where(across == 0, 1.0, across)[..., None] + (across == 0)[..., None] * np.array(
        [0.0, 0.0, 1.0]
    )
    none = np.zeros_like(u)
    d_u = np.concatenate([u / u2[..., None], none], -1)
    d_w = np.concatenate([none, w / w2[..., None]], -1)
    d_dot = np.concatenate([w, u], -1)
    d_across = np.concatenate([np.cross(w, normal), np.cross(normal, u)], -1)
    cosine, reach = dot / uw, across / size

    def times(factor: Floats, slope: Floats) -> Floats:
        return factor[..., None] * slope

    values = {0: size, 1: dot, 3: cosine, 6: np.arctan2(across, dot), 7: across, 8: reach}
    slopes = {
        0: times(size, d_u),
        1: d_dot,
        3: times(1 / uw, d_dot) - times(cosine, d_u + d_w),
        6: times(dot / (u2 * w2), d_across) - times(across / (u2 * w2), d_dot),
        7: d_across,
        8: times(1 / size, d_across) - times(reach, d_u),
    }
    value, slope = np.zeros_like(size), np.zeros((*size.shape, 6))
    for number, found in values.items():
        mine = kind == number
        value, slope = np.where(mine, found, value), np.where(mine[:, None], slopes[number], slope)
    return value, slope


def descended(
    tables: Tables,
    y: Floats,
    steps: int,
    *,
    damping: float = 1e-1,
    up: float = 4.0,
    down: float = 0.3,
    least: float = 1e-12,
) -> Floats:
    """Levenberg–Marquardt in numpy, each row by itself: the host's descent, for proofs and changed requests.

    D. W. Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", 1963.
    """
    batch, n = y.shape
    lam = np.full(batch, damping)
    r, jacobian = tables.linearised(y)
    energy = (r * r).sum(1)
    eye = np.eye(n)
    for _ in range(steps):
        normal = np.einsum("bki,bkj->bij", jacobian, jacobian)
        slope = np.einsum("bki,bk->bi", jacobian, r)
        step = np.linalg.solve(normal + (lam[:, None, None] + 1e-14) * eye, slope[:, :, None])[:, :, 0]
        tried = y - step
        r2, j2 = tables.linearised(tried)
        e2 = (r2 * r2).sum(1)
        better = e2 < energy
        y = np.where(better[:, None], tried, y)
        r, jacobian = np.where(better[:, None], r2, r), np.where(better[:, None, None], j2, jacobian)
        energy = np.where(better, e2, energy)
        lam = np.clip(np.where(better, lam * down, lam * up), least, 1e6)
        if ((energy < DONE) | (lam > STUCK)).all():
            break
    return y


def radians(degrees: float) -> float:
    return degrees * math.pi / 180.0
