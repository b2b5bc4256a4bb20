"""Rows of a system in numpy while no item turns: then most of what `finish.Finisher` measures is linear in the places.

A finish asks for the rows a dozen times at the same turns. What depends on the turns alone is computed once here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from groundstate_models.layout.rows import System
from groundstate_models.layout.tensors import Arrays

Floats = NDArray[np.float64]


class FixedTurns:
    """Values and slopes of pairs and atoms at one turn of every item; the slopes by turns are left at 0.

    Args:
        system: The rows.
        t: Its tensors.
        corners, normals: Of the parts at these turns, ``(parts, 4, 2)``.
        ways: Directions on which pairs may be kept apart, ``(4, 2)``.
        atoms: Values ``(m,)`` and slopes ``(m, 3 · items)`` of the atoms with every item at the origin.
    """

    def __init__(
        self, system: System, t: Arrays, corners: Floats, normals: Floats, ways: Floats, atoms: tuple[Floats, Floats]
    ) -> None:
        self._items = len(system.bodies)
        self._level, slope = atoms
        self._slope = slope.copy()
        self._slope[:, 2::3] = 0.0
        self._by_place = np.ascontiguousarray(slope.reshape(len(slope), -1, 3)[..., :2].reshape(len(slope), -1))
        count = len(system.pairs)
        first, second = t["first"][:count], t["second"][:count]
        self._one, self._other = t["owner"][first], t["owner"][second]
        self._near, self._far = corners[first], corners[second]
        na, nb = normals[first], normals[second]
        self._radii = t["radius"][first] + t["radius"][second]
        by_a = np.einsum("qkd,qcd->qkc", na, self._far).min(2) - t["levels"][first] - t["radius"][second][:, None]
        by_b = np.einsum("qkd,qcd->qkc", nb, self._near).min(2) - t["levels"][second] - t["radius"][first][:, None]
        self._faces, self._beyond = np.concatenate([na, -nb], axis=1), np.concatenate([by_a, by_b], axis=1)
        self._between = (self._far[:, None] - self._near[:, :, None]).reshape(count, 16, 2)
        self._ways = np.einsum("qkd,wd->qkw", self._faces, ways).argmax(1)
        self._k = np.arange(count)

    def pairs(self, centre: Floats, forced: Mapping[int, int]) -> tuple[Floats, Floats]:
        """As `finish.Finisher`: signed distances ``(pairs,)`` and their slopes ``(pairs, 3 · items)``."""
        k = self._k
        slope = np.zeros((len(k), 3 * self._items))
        if not len(k):
            return np.zeros(0), slope
        d = centre[self._other] - centre[self._one]
        faces = (self._faces @ d[:, :, None])[:, :, 0] + self._beyond
        between = d[:, None] + self._between
        squares = (between * between).sum(2)
        near = squares.argmin(1)
        size = np.maximum(np.sqrt(squares[k, near]), 1e-12)
        axis = between[k, near] / size[:, None]
        along = axis[:, :, None]
        reach = ((self._far @ along)[:, :, 0]).min(1) - ((self._near @ along)[:, :, 0]).max(1)
        corner = (d * axis).sum(1) + reach - self._radii
        best = faces.argmax(1)
        value, chosen = faces[k, best], self._faces[k, best]
        beyond = corner > value
        value, chosen = np.where(beyond, corner, value), np.where(beyond[:, None], axis, chosen)
        for row, way in forced.items():
            face = self._ways[row, way]
            value[row], chosen[row] = faces[row, face], self._faces[row, face]
        slope[k, 3 * self._one], slope[k, 3 * self._one + 1] = -chosen[:, 0], -chosen[:, 1]
        slope[k, 3 * self._other] += chosen[:, 0]
        slope[k, 3 * self._other + 1] += chosen[:, 1]
        return value, slope

    def atoms(self, centre: Floats) -> tuple[Floats, Floats]:
        """Values ``(m,)`` and slopes ``(m, 3 · items)`` of the atoms."""
        return self._level + self._by_place @ centre.reshape(-1), self._slope
