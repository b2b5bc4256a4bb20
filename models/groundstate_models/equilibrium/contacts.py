"""Where rigid blocks touch: common parts of edges in the plane, of faces in space, and corners on planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from groundstate_models.equilibrium.parts import Block, Plane
from groundstate_models.equilibrium.system import Floats

ALIGNED = 1e-6
"""Largest sine between two faces that touch."""


Face = tuple[Floats, Floats]
"""A normal that points out, ``(3,)``, and corners in order, ``(V, 3)``."""


def crossed(one: Floats, other: Floats) -> Floats:
    """The cross product along the last axis; `numpy.cross` takes twenty times as long for one pair."""
    a, b, c = one[..., 0], one[..., 1], one[..., 2]
    x, y, z = other[..., 0], other[..., 1], other[..., 2]
    first = b * z - c * y
    found = np.empty((*np.shape(first), 3))
    found[..., 0] = first
    found[..., 1] = c * x - a * z
    found[..., 2] = a * y - b * x
    return found


@dataclass(frozen=True)
class Contact:
    """One point of a contact.

    Attributes:
        below: The block, or the plane, that pushes; its normal points out of it.
        above: The block that is pushed.
        at: The point, ``(3,)``.
        normal: ``(3,)``.
    """

    below: str
    above: str
    at: Floats
    normal: Floats


def touching(blocks: Sequence[Block], planes: Sequence[Plane], near: float) -> list[Contact]:
    """All contacts; points closer than ``near`` touch."""
    found: list[Contact] = []
    for block in blocks:
        for plane in planes:
            normal = np.array(plane.normal)
            low = [corner for corner in block.corners if abs(float(corner @ normal) - plane.offset) < near]
            found += [Contact(plane.name, block.name, corner, normal) for corner in low]
    faces = {block.name: _flat(block) for block in blocks}
    for one, other in combinations(blocks, 2):
        low, high = (
            np.maximum(one.corners.min(0), other.corners.min(0)),
            np.minimum(one.corners.max(0), other.corners.max(0)),
        )
        if (low > high + near).any():
            continue
        if one.faces and other.faces:
            found += _spatial(one.name, other.name, faces[one.name], faces[other.name], near)
        else:
            found += _plane(one, other, near)
    return found


def _plane(one: Block, other: Block, near: float) -> list[Contact]:
    found: list[Contact] = []
    for a, b, normal in _sides(one):
        along = (b - a) / np.linalg.norm(b - a)
        for c, d, facing in _sides(other):
            if float(normal @ facing) > -1.0 + ALIGNED or abs(float((c - a) @ normal)) > near:
                continue
            low = max(0.0, min(float((c - a) @ along), float((d - a) @ along)))
            high = min(float(np.linalg.norm(b - a)), max(float((c - a) @ along), float((d - a) @ along)))
            if high - low > near:
                found += [Contact(one.name, other.name, a + t * along, normal) for t in (low, high)]
    if not found:
        found = _corners(one, other, near) + _corners(other, one, near)
    return found


def _corners(one: Block, other: Block, near: float) -> list[Contact]:
    """Corners of the other block on a side of this one."""
    found = []
    for a, b, normal in _sides(one):
        along = (b - a) / np.linalg.norm(b - a)
        for corner in other.corners:
            part = float((corner - a) @ along)
            if abs(float((corner - a) @ normal)) < near and near < part < float(np.linalg.norm(b - a)) - near:
                found.append(Contact(one.name, other.name, corner, normal))
    return found


def _sides(block: Block) -> list[tuple[Floats, Floats, Floats]]:
    """Sides of a polygon, counter-clockwise, with normals that point out."""
    found = []
    for a, b in zip(block.corners, np.roll(block.corners, -1, axis=0), strict=True):
        size = float(np.linalg.norm(b - a))
        if size > 0:
            found.append((a, b, np.array([b[1] - a[1], a[0] - b[0], 0.0]) / size))
    return found


def overlap(one: Block, other: Block, near: float) -> bool:
    """Whether two convex polygons of the plane share an area; False in space and where a polygon is not convex."""
    if one.faces or other.faces or not (_convex(one) and _convex(other)):
        return False
    for _, _, normal in _sides(one) + _sides(other):
        mine, its = one.corners @ normal, other.corners @ normal
        if min(mine.max(), its.max()) - max(mine.min(), its.min()) < near:
            return False
    return True


def _convex(block: Block) -> bool:
    following = np.roll(block.corners, -1, axis=0) - block.corners
    turns = (
        following[:, 0] * np.roll(following, -1, axis=0)[:, 1] - following[:, 1] * np.roll(following, -1, axis=0)[:, 0]
    )
    return bool((turns >= -1e-12).all())


def _spatial(one: str, other: str, mine: list[Face], theirs: list[Face], near: float) -> list[Contact]:
    if not mine or not theirs:
        return []
    normals, starts = (np.array([face[k] if k == 0 else face[1][0] for face in mine]) for k in (0, 1))
    its_normals, its_starts = (np.array([face[k] if k == 0 else face[1][0] for face in theirs]) for k in (0, 1))
    away = its_starts @ normals.T - (starts * normals).sum(1)
    facing = (its_normals @ normals.T <= -1.0 + ALIGNED) & (np.abs(away) <= near)
    return [
        Contact(one, other, point, mine[k][0])
        for k, number in np.argwhere(facing.T)
        for point in _common(mine[k], theirs[number], near)
    ]


def _flat(block: Block) -> list[Face]:
    """Faces as a normal that points out and corners in order."""
    found = []
    for face in block.faces:
        points = block.corners[list(face)]
        # M. E. Newell's formula, for any polygon
        normal = crossed(points, block.corners[[*face[1:], face[0]]]).sum(0)
        size = float(np.sqrt(normal @ normal))
        if size > 0:
            found.append((normal / size, points))
    return found


def _common(face: Face, its: Face, near: float) -> list[Floats]:
    """Corners of the hull of the common part of two faces of one plane."""
    normal, points = face
    axis = np.eye(3)[int(np.argmin(np.abs(normal)))]
    u = crossed(normal, axis)
    u /= np.sqrt(u @ u)
    frame = np.stack([u, crossed(normal, u)], axis=1)
    origin = points[0]
    theirs = _triangles(((its[1] - origin) @ frame).tolist())
    corners: list[Flat] = []
    for part in _triangles(((points - origin) @ frame).tolist()):
        for piece in theirs:
            common = _clipped(part, piece)
            if len(common) >= 3 and abs(_area(common)) > near**2:
                corners += common
    return [origin + frame @ p for p in _unique(corners, near)]


# In the plane of a face, with plain floats: these lists are too short for NumPy.

Flat = list[float]
"""A point in the plane of a face."""


def _area(points: list[Flat]) -> float:
    following = [*points[1:], points[0]]
    return 0.5 * sum(p[0] * q[1] - p[1] * q[0] for p, q in zip(points, following, strict=True))


def _triangles(points: list[Flat]) -> list[list[Flat]]:
    """A convex polygon as it is; others as triangles, by cutting ears."""
    ring = points if _area(points) > 0 else points[::-1]
    found = []
    guard = 0
    while len(ring) > 3 and guard < 200:
        guard += 1
        turns = [_turn(ring[k - 1], ring[k], ring[(k + 1) % len(ring)]) for k in range(len(ring))]
        if min(turns) >= -1e-12:
            break
        for k in range(len(ring)):
            a, b, c = ring[k - 1], ring[k], ring[(k + 1) % len(ring)]
            others = [p for j, p in enumerate(ring) if j not in {(k - 1) % len(ring), k, (k + 1) % len(ring)}]
            inside = [p for p in others if min(_turn(a, b, p), _turn(b, c, p), _turn(c, a, p)) > 1e-12]
            if turns[k] > 1e-12 and not inside:
                found.append([a, b, c])
                ring = ring[:k] + ring[k + 1 :]
                break
            if abs(turns[k]) <= 1e-12:
                ring = ring[:k] + ring[k + 1 :]
                break
        else:
            break
    found.append(ring)
    return found


def _turn(a: Flat, b: Flat, c: Flat) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _clipped(subject: list[Flat], window: list[Flat]) -> list[Flat]:
    """The common part of two convex polygons: I. E. Sutherland and G. W. Hodgman, "Reentrant polygon clipping", 1974."""
    found = subject
    for k, a in enumerate(window):
        b = window[(k + 1) % len(window)]
        given, found = found, []
        turns = [_turn(a, b, p) for p in given]
        for j, p in enumerate(given):
            following = (j + 1) % len(given)
            q, one, other = given[following], turns[j], turns[following]
            if one >= 0:
                found.append(p)
            if (one > 0 > other) or (one < 0 < other):
                part = one / (one - other)
                found.append([p[0] + part * (q[0] - p[0]), p[1] + part * (q[1] - p[1])])
        if not found:
            break
    return found


def _unique(points: list[Flat], near: float) -> list[Flat]:
    found: list[Flat] = []
    for p in points:
        if all(abs(p[0] - q[0]) > near or abs(p[1] - q[1]) > near for q in found):
            found.append(p)
    return found
