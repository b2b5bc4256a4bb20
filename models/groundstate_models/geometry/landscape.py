"""Compares figures: placement on the page, equality of two figures, and the side of a line on which a point lies."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from groundstate_models.geometry import solid
from groundstate_models.geometry.figure import Figure
from groundstate_models.geometry.problem import Problem
from groundstate_models.geometry.system import Floats

SAME = 1e-4
"""Distance below which two figures are the same, relative to the scale."""

FLAT = 1e-3
"""Distance to a line below which a point has no side, relative to the scale."""

FLAT_FIGURE = 1e-5
"""Deviation from a line up to which a figure is flat, relative to the scale."""

MOST_SIDES = 300


def placed(problem: Problem, y: Floats) -> Floats:
    """The unknowns of the figure as drawn.

    If the constraints leave the placement open: the first point at the origin, the second to its right, the first point off their
    line above it, and the longest distance 10.
    """
    free = problem.freedoms
    at = problem.coordinates(y).copy()
    shown = [k for k, name in enumerate(problem.points) if not name.startswith(" ")] or list(range(len(problem.points)))
    apart = np.linalg.norm(at[shown] - at[shown[0]], axis=1)
    origin = shown[0]
    if problem.solid:
        at = solid.placed(at, shown, position=free["position"], turning=free["turning"], mirror=free["mirror"])
        return _sized(problem, problem.moved(y, at), at, shown)
    other = next((k for k, d in zip(shown, apart, strict=True) if d > 1e-6), None)
    if free["position"]:
        at -= at[origin].copy()
    if free["turning"] and other is not None:
        pivot = at[origin].copy() if not free["position"] else np.zeros(2)
        ux, uy = at[other] - at[origin]
        size = math.hypot(ux, uy)
        turn = np.array([[ux, -uy], [uy, ux]]) / size
        at[:] = (at - pivot) @ turn + pivot
    if free["mirror"] and other is not None:
        axis = at[other] - at[origin]
        heights = [float(axis[0] * (at[k] - at[origin])[1] - axis[1] * (at[k] - at[origin])[0]) for k in shown]
        tall = max((abs(h) for h in heights), default=0.0)
        first = next((h for h in heights if abs(h) > 1e-3 * tall and tall > 0), 0.0)
        if first < 0:
            unit = axis / np.linalg.norm(axis)
            off = at - at[origin]
            at[:] = at[origin] + 2 * np.outer(off @ unit, unit) - off
    return _sized(problem, problem.moved(y, at), at, shown)


def _sized(problem: Problem, y: Floats, at: Floats, shown: list[int]) -> Floats:
    """The same with a longest distance of 10, if the constraints leave the size open."""
    if problem.freedoms["size"]:
        longest = max((float(np.linalg.norm(at[j] - at[k])) for j in shown for k in shown), default=1.0)
        _resize(problem, y, 10.0 / problem.scale / max(longest, 1e-12))
    return y


def centred(problem: Problem, y: Floats) -> Floats:
    """The unknowns of the same figure in the energy's placement: extra rows fix whatever the constraints leave open."""
    at = problem.coordinates(y).copy()
    if problem.freedoms["position"]:
        at -= at.mean(0)
    y = problem.moved(y, at)
    if problem.freedoms["size"]:
        _resize(problem, y, 1.0 / max(float(np.sqrt((at**2).sum(1).mean())), 1e-12))
    return y


def _resize(problem: Problem, y: Floats, factor: float) -> None:
    y[problem.system.coordinates] *= factor
    b = problem.lowering
    for k in problem.circles:
        y[b.radius(k)] *= factor
    for x in problem.unknowns:
        if x not in problem.turned:
            y[b.scalars[x]] *= factor


def apart(one: Figure, other: Figure) -> float:
    """The largest distance of a point between two figures as drawn, relative to the scale."""
    gaps = [math.dist(one.points[name], other.points[name]) for name in one.points]
    gaps += [abs(one.circles[k][1] - other.circles[k][1]) for k in one.circles]
    gaps += [
        abs(one.unknowns[x] - other.unknowns[x]) / max(abs(one.unknowns[x]), 1.0) * one.scale for x in one.unknowns
    ]
    return max(gaps, default=0.0) / one.scale


def on_one_line(figure: Figure) -> bool:
    """Whether all visible points lie on one line, to within `FLAT_FIGURE` of the scale."""
    at = np.array([place for name, place in figure.points.items() if not name.startswith(" ")], np.float64)
    if len(at) < 3:
        return False
    off = at - at.mean(0)
    return bool(np.linalg.svd(off, compute_uv=False)[-1] < FLAT_FIGURE * figure.scale)


def triples(problem: Problem) -> Iterator[tuple[str, str, str]]:
    """Points and lines whose sides distinguish figures; lines in the constraints come first."""
    shown = [name for name in problem.points if not name.startswith(" ")]
    order = {name: k for k, name in enumerate(shown)}
    pairs: dict[tuple[str, str], None] = {}
    for a, b in problem.lines:
        if a in order and b in order:
            pairs[(a, b) if order[a] < order[b] else (b, a)] = None
    for value in problem.sums:
        for atom in value.atoms():
            if atom[0] == "length" and atom[1] in order and atom[2] in order:
                pairs[(atom[1], atom[2]) if order[atom[1]] < order[atom[2]] else (atom[2], atom[1])] = None
    count = 0
    for a, b in sorted(pairs, key=lambda pair: (order[pair[0]], order[pair[1]])):
        for p in shown:
            if p not in (a, b):
                yield p, a, b
                count += 1
                if count == MOST_SIDES:
                    return


def sides(problem: Problem, figure: Figure) -> dict[tuple[str, str, str], str]:
    """The side of a → b on which each point p lies: ``left`` or ``right``; omitted if unclear."""
    found: dict[tuple[str, str, str], str] = {}
    if problem.solid:
        return found
    for p, a, b in triples(problem):
        height = figure.side(p, a, b) / figure.scale
        if abs(height) > FLAT:
            found[p, a, b] = "left" if height > 0 else "right"
    return found


def above(problem: Problem, figure: Figure) -> tuple[str, str, str] | None:
    """The first point off the line of the first two distinct points, and those two: on the page it is on their left."""
    shown = [name for name in problem.points if not name.startswith(" ")]
    if not shown or problem.solid:
        return None
    first = shown[0]
    second = next((name for name in shown if figure.distance(first, name) > 1e-6 * figure.scale), None)
    if second is None:
        return None
    heights = {name: figure.side(name, first, second) for name in shown if name not in (first, second)}
    tall = max((abs(h) for h in heights.values()), default=0.0)
    for name, height in heights.items():
        if abs(height) > 1e-3 * tall and tall > FLAT * figure.scale:
            return (name, first, second)
    return None
