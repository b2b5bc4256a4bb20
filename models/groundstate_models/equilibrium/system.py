"""A structure as numbers: places, edges, rows and corners, with its energy, gradient and Hessian in numpy.

The same formulas as `energy`, for one structure, in the structure's own units of length and force. Members that cannot be
stretched or compressed (inextensible cables, rods, contacts) are *hard*: in the exported energy they are stiff springs, here they
are constraints with the member's force as the multiplier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HARD = 100.0
"""Stiffness of a hard member in the exported energy, in units of force over length."""


@dataclass
class Edge:
    """A factor between two triples. ``hard`` edges keep their rest length where they act; others are springs and potentials.

    Attributes:
        member: The index of its member; −1 for pairs of a potential and contacts.
    """

    one: int
    other: int
    stiffness: float = 0.0
    rest: float = 0.0
    pull: bool = True
    push: bool = True
    charge: float = 0.0
    depth: float = 0.0
    distance: float = 1.0
    well: float = 0.0
    width: float = 1.0
    bottom: float = 1.0
    core: float = 1e-3
    hard: bool = False
    member: int = -1


@dataclass
class Row:
    """A linear form ``offset + Σ cᵢ·xᵢ`` whose square costs energy: always, or where it is negative. See `Edge` for ``hard``.

    Attributes:
        source: What it belongs to.
    """

    entries: tuple[tuple[int, tuple[float, float, float]], ...]
    offset: float = 0.0
    stiffness: float = 1.0
    both: bool = False
    hard: bool = False
    source: Any = None


@dataclass
class Corner:
    """A torsion spring at ``b``: its moment is ``stiffness · sin(angle − rest)``, the angle turning from a to c."""

    a: int
    b: int
    c: int
    stiffness: float
    rest: float


@dataclass
class System:
    """All factors. Triples are nodes, or the translation and the turn of a block.

    Attributes:
        centre: Where each triple starts, ``(T, 3)``; of one on a sphere, the sphere's centre.
        spread: How far starts scatter, ``(T, 3)``; 0 for fixed coordinates.
        radius: Of the sphere that holds a triple, ``(T,)``; 0 for none.
        force: Loads, ``(T, 3)``.
        shake: How far a hop moves a triple, relative to its spread, ``(T,)``.
        hops: Hops of a chain before it settles.
        sides: Sides of areas under pressure: two triples and the pressure each.
        sign: −1 where the whole is solved upside down (all force densities negative): see `structure`.
        length, load: The units of length and force.
    """

    centre: Floats
    spread: Floats
    radius: Floats
    force: Floats
    shake: Floats
    hops: int = 0
    edges: list[Edge] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    corners: list[Corner] = field(default_factory=list)
    sides: list[tuple[int, int, float]] = field(default_factory=list)
    sign: float = 1.0
    length: float = 1.0
    load: float = 1.0

    def __post_init__(self) -> None:
        self._law: Floats | None = None

    @property
    def free(self) -> NDArray[np.bool_]:
        """Coordinates that may move, ``(T, 3)``."""
        return self.spread > 0

    @property
    def law(self) -> Floats:
        """The columns of `energy.LAW` for each edge, ``(E, 11)``, hard edges with stiffness 0; then the ends."""
        if self._law is None or len(self._law) != len(self.edges):
            table = [
                (
                    0.0 if e.hard else e.stiffness,
                    e.rest,
                    e.pull,
                    e.push,
                    e.charge,
                    e.depth,
                    e.distance,
                    e.well,
                    e.width,
                    e.bottom,
                    e.core,
                    e.one,
                    e.other,
                )
                for e in self.edges
            ]
            self._law = np.array(table, np.float64).reshape(-1, 13)
        return self._law

    def edge_terms(self, x: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Directions ``(E, 3)``, lengths, energies, first and second derivatives by the length, without hard edges."""
        law = self.law
        k, rest, pull, push, charge, depth, sigma, well, width, bottom, core = law[:, :11].T
        one, other = law[:, 11].astype(int), law[:, 12].astype(int)
        gap = x[other] - x[one]
        d = np.sqrt(np.maximum((gap**2).sum(1), 1e-24))
        stretch = d - rest
        firm = k * np.where(stretch > 0, pull, push)
        c = np.maximum(d, core)
        inside = d - c
        six = (sigma / c) ** 6
        decay = np.exp(-width * (c - bottom))
        p0 = charge / c + depth * (six**2 - 2 * six) + well * (decay**2 - 2 * decay)
        p1 = -charge / c**2 - 12 * depth * (six**2 - six) / c - 2 * width * well * (decay**2 - decay)
        p2 = 2 * charge / c**3 + depth * (156 * six**2 - 84 * six) / c**2
        p2 = p2 + 2 * width**2 * well * (2 * decay**2 - decay)
        energy = 0.5 * firm * stretch**2 + p0 + p1 * inside + 0.5 * p2 * inside**2
        return gap / d[:, None], d, energy, firm * stretch + p1 + p2 * inside, firm + p2

    def row_values(self, x: Floats, rows: Sequence[Row]) -> Floats:
        """The linear forms, ``(R,)``."""
        return np.array([r.offset + sum(float(x[t] @ np.array(c)) for t, c in r.entries) for r in rows])

    @property
    def soft_rows(self) -> list[Row]:
        return [row for row in self.rows if not row.hard]

    def row_matrix(self, rows: Sequence[Row]) -> Floats:
        """Their coefficients, ``(R, 3 T)``."""
        found = np.zeros((len(rows), self.centre.size // 3, 3))
        places = [(number, triple) for number, row in enumerate(rows) for triple, _ in row.entries]
        if places:
            one, other = np.array(places).T
            np.add.at(found, (one, other), np.array([c for row in rows for _, c in row.entries]))
        return found.reshape(len(rows), -1)

    def corner_terms(self, x: Floats) -> list[tuple[Corner, float, Floats]]:
        """Each corner with the angle and its gradient by the three points, ``(9,)``."""
        found = []
        for one in self.corners:
            u, w = x[one.a] - x[one.b], x[one.c] - x[one.b]
            u2, w2 = max(float(u[:2] @ u[:2]), 1e-24), max(float(w[:2] @ w[:2]), 1e-24)
            angle = float(np.arctan2(u[0] * w[1] - u[1] * w[0], u[0] * w[0] + u[1] * w[1]))
            du, dw = np.array([u[1], -u[0], 0.0]) / u2, np.array([-w[1], w[0], 0.0]) / w2
            found.append((one, angle, np.concatenate([du, -du - dw, dw])))
        return found

    def energy(self, x: Floats) -> float:
        """The energy of the soft factors at places ``(T, 3)``."""
        total = float(self.edge_terms(x)[2].sum()) if self.edges else 0.0
        for row, value in zip(self.soft_rows, self.row_values(x, self.soft_rows), strict=True):
            total += 0.5 * row.stiffness * value**2 if row.both or value < 0 else 0.0
        for corner, angle, _ in self.corner_terms(x):
            total += corner.stiffness * (1.0 - float(np.cos(angle - corner.rest)))
        for a, b, pressure in self.sides:
            total -= 0.5 * pressure * float(x[a, 0] * x[b, 1] - x[a, 1] * x[b, 0])
        return total - float((self.force * x).sum())

    def gradient(self, x: Floats) -> Floats:
        """The gradient of the soft factors, ``(T, 3)``."""
        found = -self.force.copy()
        if self.edges:
            unit, _, _, first, _ = self.edge_terms(x)
            pull = unit * first[:, None]
            np.add.at(found, self.law[:, 12].astype(int), pull)
            np.add.at(found, self.law[:, 11].astype(int), -pull)
        rows = self.soft_rows
        if rows:
            values = self.row_values(x, rows)
            acting = np.array([r.stiffness * (r.both or v < 0) for r, v in zip(rows, values, strict=True)])
            found += ((acting * values) @ self.row_matrix(rows)).reshape(found.shape)
        for corner, angle, turn in self.corner_terms(x):
            moment = corner.stiffness * float(np.sin(angle - corner.rest))
            for place, triple in enumerate((corner.a, corner.b, corner.c)):
                found[triple] += moment * turn[3 * place : 3 * place + 3]
        for a, b, pressure in self.sides:
            found[a, :2] -= 0.5 * pressure * np.array([x[b, 1], -x[b, 0]])
            found[b, :2] -= 0.5 * pressure * np.array([-x[a, 1], x[a, 0]])
        return found

    def hessian(self, x: Floats) -> Floats:
        """The Hessian of the soft factors, ``(3 T, 3 T)``."""
        n = self.centre.size
        found = np.zeros((n, n))
        if self.edges:
            unit, d, _, first, second = self.edge_terms(x)
            across = (first / d)[:, None, None] * np.eye(3)
            blocks = across + (second - first / d)[:, None, None] * unit[:, :, None] * unit[:, None, :]
            _add_blocks(found, self.law[:, 11].astype(int), self.law[:, 12].astype(int), blocks)
        rows = self.soft_rows
        if rows:
            values, matrix = self.row_values(x, rows), self.row_matrix(rows)
            acting = np.array([r.stiffness * (r.both or v < 0) for r, v in zip(rows, values, strict=True)])
            found += matrix.T @ (acting[:, None] * matrix)
        if self.corners:
            found += self._corner_hessian(x)
        for a, b, pressure in self.sides:
            found[3 * a, 3 * b + 1] -= 0.5 * pressure
            found[3 * b + 1, 3 * a] -= 0.5 * pressure
            found[3 * a + 1, 3 * b] += 0.5 * pressure
            found[3 * b, 3 * a + 1] += 0.5 * pressure
        return found

    def _corner_hessian(self, x: Floats) -> Floats:
        """By central differences of the corners' gradients."""
        found = np.zeros((self.centre.size, self.centre.size))
        step = 1e-6
        bare = System(self.centre, self.spread, self.radius, 0.0 * self.force, self.shake, corners=self.corners)
        touched = sorted({t for c in self.corners for t in (c.a, c.b, c.c)})
        for triple in touched:
            for axis in (0, 1):
                ahead, back = x.copy(), x.copy()
                ahead[triple, axis] += step
                back[triple, axis] -= step
                found[3 * triple + axis] = ((bare.gradient(ahead) - bare.gradient(back)) / (2 * step)).ravel()
        return 0.5 * (found + found.T)


def _add_blocks(found: Floats, one: NDArray[Any], other: NDArray[Any], blocks: Floats) -> None:
    n = found.shape[0] // 3
    view = found.reshape(n, 3, n, 3)
    for a, b, sign in ((one, one, 1), (other, other, 1), (one, other, -1), (other, one, -1)):
        np.add.at(view, (a, slice(None), b), sign * blocks)  # type: ignore[arg-type]  # NumPy's stubs know no slices here
