"""Figures in space: measures by textbook formulas, placement on the page, and a parallel projection for drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.figure import Figure

Floats = NDArray[np.float64]

KINDS_IN_SPACE = frozenset({
    "equation", "at least", "more than", "unequal", "coincident", "distinct", "midpoint", "centroid", "parallelogram", "on line",
    "on segment", "between", "on ray", "collinear", "parallel", "perpendicular", "on circle", "inside circle", "outside circle",
    "positive radius", "tangent circles", "coplanar", "not on line", "not parallel",
})  # fmt: skip
"""Kinds of constraint that have a meaning in space. A circle is a sphere there."""

ATOMS_IN_SPACE = frozenset({"length", "angle", "distance", "radius", "unknown", "x", "y", "z", "area"})


class SolidFigure(Figure):
    """A figure in space. Turns are unsigned, and the side of a line is the distance from it."""

    def vector(self, a: str, b: str) -> Floats:
        return np.subtract(self.points[b], self.points[a])

    def turn(self, a: str, b: str, c: str, d: str) -> float:
        """The angle between the vectors ab and cd, in [0, π]; NaN if a vector is zero."""
        u, w = self.vector(a, b), self.vector(c, d)
        if min(np.linalg.norm(u), np.linalg.norm(w)) <= 1e-9 * self.scale:
            return math.nan
        return math.atan2(float(np.linalg.norm(np.cross(u, w))), float(u @ w))

    def side(self, p: str, a: str, b: str) -> float:
        """The distance of p from the line ab."""
        u = self.vector(a, b)
        size = float(np.linalg.norm(u))
        if size <= 1e-9 * self.scale:
            return math.nan
        return float(np.linalg.norm(np.cross(u, self.vector(a, p)))) / size

    def area(self, names: Sequence[str]) -> float:
        """The area of a triangle."""
        a, b, c = names
        return float(np.linalg.norm(np.cross(self.vector(a, b), self.vector(a, c)))) / 2

    def above(self, p: str, a: str, b: str, c: str) -> float:
        """The signed distance of p from the plane abc."""
        normal = np.cross(self.vector(a, b), self.vector(a, c))
        size = float(np.linalg.norm(normal))
        if size <= 1e-9 * self.scale**2:
            return math.nan
        return float(normal @ self.vector(a, p)) / size

    def projected(self) -> Figure:
        """The figure on the page: y goes to the back, z up."""
        points = {name: (x + 0.45 * y, z + 0.3 * y) for name, (x, y, z) in self.points.items()}
        return Figure(points, self.circles, {}, self.unknowns, self.least)


def placed(at: Floats, shown: list[int], *, position: bool, turning: bool, mirror: bool) -> Floats:
    """Points ``(n, 3)`` moved as a whole.

    The first visible point goes to the origin, the second to its right, the first one off their line into the upper half of the
    plane z = 0, and the first one off that plane above it.
    """
    origin = at[shown[0]].copy()
    off = at - origin
    size = float(np.abs(off).max(initial=0.0)) or 1.0
    axes: list[Floats] = []
    for k in shown:
        rest = off[k] - sum(((off[k] @ axis) * axis for axis in axes), np.zeros(3))
        length = float(np.linalg.norm(rest))
        if length > 1e-6 * size:
            axes.append(rest / length)
        if len(axes) == 3:
            break
    if turning and axes:
        for fill in np.eye(3):
            if len(axes) == 3:
                break
            rest = fill - sum(((fill @ axis) * axis for axis in axes), np.zeros(3))
            if np.linalg.norm(rest) > 0.5:
                axes.append(rest / np.linalg.norm(rest))
        frame = np.stack(axes)
        if not mirror and np.linalg.det(frame) < 0:
            frame[2] = -frame[2]
        off = off @ frame.T
    return np.asarray(off if position else off + origin)
