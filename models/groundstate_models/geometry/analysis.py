"""Analysis of a solution by its Jacobian: polishing, freedom, redundant statements, proof of existence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.problem import Problem, Stated
from groundstate_models.geometry.system import Floats, Tables, descended

RANK = 1e-8
"""Rank tolerance, relative to the largest singular value."""

MOST_POLISHED = 1000
"""Number of unknowns above which Newton's method on the host takes too long."""

POLISHED = 1e-13
"""Tolerance at which Newton's method stops, relative to a row's scale."""


def polished(tables: Tables, y: Floats, steps: int = 12) -> Floats:
    """Apply Newton steps of least norm to the equations, ``(N,)``; returns the start if they do not converge."""
    best, least = y, np.inf
    for _ in range(steps):
        r = tables.residual(y[None])[0]
        worst = float(np.abs(r).max(initial=0.0))
        if not np.isfinite(worst) or worst > 10 * least:
            break
        if worst < least:
            best, least = y, worst
        if worst < POLISHED or len(y) > MOST_POLISHED:
            break
        jacobian = tables.linearised(y[None])[1][0]
        y = y - np.linalg.lstsq(jacobian, r, rcond=RANK)[0]
    return best


def subset(tables: Tables, rows: NDArray[np.bool_]) -> Tables:
    """A system with the same unknowns and a subset of the rows."""
    kept = np.flatnonzero(rows)
    number = np.full(len(rows), -1)
    number[kept] = np.arange(len(kept))
    edges = rows[tables.row]
    return replace(
        tables,
        coefficient=tables.coefficient[edges],
        first=tables.first[edges],
        second=tables.second[edges],
        row=number[tables.row[edges]],
        constant=tables.constant[kept],
        least=tables.least[kept],
        source=tables.source[kept],
    )


def equations(tables: Tables) -> NDArray[np.bool_]:
    """Equation rows that come from statements."""
    return np.asarray((tables.least == 0) & (tables.source >= 0))


def rank_of(matrix: Floats) -> int:
    if not matrix.size:
        return 0
    values = np.linalg.svd(matrix, compute_uv=False)
    return int((values > RANK * max(float(values[0]), 1e-300)).sum())


def null_space(matrix: Floats, n: int) -> Floats:
    """Orthonormal basis of a matrix's null space, ``(f, n)``."""
    if not matrix.size:
        return np.eye(n)
    _, values, directions = np.linalg.svd(matrix, full_matrices=True)
    rank = int((values > RANK * max(float(values[0]), 1e-300)).sum())
    return np.asarray(directions[rank:])


@dataclass(frozen=True)
class Freedom:
    """The motions that the constraints leave free.

    Attributes:
        degrees: Number of independent motions, without translation, rotation and scaling of an unfixed figure.
        moving: Points that can move when the figure as a whole is fixed.
        unknowns: Unknowns and radii that can change.
        directions: The motions, ``(degrees, N)``.
    """

    degrees: int
    moving: tuple[str, ...]
    unknowns: tuple[str, ...]
    directions: Floats


def freedom(problem: Problem, y: Floats) -> Freedom:
    """The degrees of freedom of a solution."""
    if not problem.reduction.size:
        return Freedom(0, (), (), np.zeros((0, len(y))))
    tables, b = problem.tables, problem.lowering
    jacobian = tables.linearised(y[None], hinges=False)[1][0]
    held = jacobian[equations(tables)]
    pins = np.array(_pins(problem, y)).reshape(-1, len(y))
    free = null_space(np.concatenate([held, pins]), len(y))
    moves = np.abs(free).max(0, initial=0.0) > 1e-6
    points = tuple(name for name in b.places if moves[list(b.coordinates(name))].any() and not name.startswith(" "))
    scalars = tuple(name for name, place in b.scalars.items() if moves[place] and not name.split()[-1].startswith(" "))
    return Freedom(len(free), points, scalars, free)


def _pins(problem: Problem, y: Floats) -> list[Floats]:
    """Rows that fix the figure where the constraints do not: the first point, and the direction to the second."""
    pins: list[Floats] = []
    if not problem.points:
        return pins
    at = problem.coordinates(y)
    if problem.freedoms["position"]:
        for place in problem.lowering.coordinates(problem.points[0]):
            row = np.zeros_like(y)
            row[place] = 1.0
            pins.append(row)
    if problem.freedoms["turning"] and len(at) > 1:
        # Even if the constraints fix the position, the figure may rotate about any point.
        apart = np.linalg.norm(at - at[0], axis=1)
        other = int(np.argmax(apart > 1e-6 * max(float(apart.max()), 1e-300)))
        if problem.solid:
            return [*pins, *_turns(problem, at), *_size_pins(problem, y, at)]
        ux, uy = at[other] - at[0]
        row = np.zeros_like(y)
        row[[0, 1, 2 * other, 2 * other + 1]] = uy, -ux, -uy, ux
        pins.append(row)
    return [*pins, *_size_pins(problem, y, at)]


def _size_pins(problem: Problem, y: Floats, at: Floats) -> list[Floats]:
    return [problem.moved(np.zeros_like(y), at - at[0])] if problem.freedoms["size"] else []


def _turns(problem: Problem, at: Floats) -> list[Floats]:
    """Rows that fix the direction from the first point to the second in space, and the plane through a third."""
    rows = []
    scale = max(float(np.abs(at - at[0]).max(initial=0.0)), 1e-300)
    fixed: list[Floats] = []
    for k in range(1, len(at)):
        rest = at[k] - at[0]
        for axis in fixed:
            rest = rest - (rest @ axis) * axis
        length = float(np.linalg.norm(rest))
        if length < 1e-6 * scale or problem.points[k].startswith(" "):
            continue
        fixed.append(rest / length)
        for normal in null_space(np.stack(fixed), 3):
            row = np.zeros_like(at)
            row[k], row[0] = normal, -normal
            rows.append(problem.moved(np.zeros(problem.tables.unknowns), row))
        if len(fixed) == 2:
            break
    return rows


def determined(problem: Problem, y: Floats, free: Freedom, value: Floats) -> bool:
    """Whether a measure with a gradient, ``(N,)``, keeps its value in every small motion."""
    del problem, y
    return not free.degrees or bool(np.abs(free.directions @ value).max() < 1e-6 * max(np.abs(value).max(), 1e-12))


def redundant(problem: Problem, y: Floats, seed: int = 0) -> list[int]:
    """Redundant statements: without them, the rank and the figures found stay the same."""
    tables = problem.tables
    jacobian = tables.linearised(y[None], hinges=False)[1][0]
    rows = equations(tables)
    whole = rank_of(jacobian[rows])
    # Without an equation of its own a statement follows, unless it also says which points are between others.
    known = {int(k) for k in tables.source[rows]}
    given = {one.source for one in problem.constraints if one.kind in {"on line", "collinear"}} - known - {-1}
    if whole == int(rows.sum()):
        return sorted(given)
    found: list[int] = []
    draw = np.random.default_rng(seed)
    by_source: dict[int, list[int]] = {}
    for k in np.flatnonzero(rows):
        by_source.setdefault(int(tables.source[k]), []).append(int(k))
    left = rows.copy()
    for source in reversed(list(by_source)):
        mine = by_source[source]
        without = left.copy()
        without[mine] = False
        if rank_of(jacobian[without]) != rank_of(jacobian[left]):
            continue
        if _follows(problem, tables, y, source, without, draw):
            found.append(source)
            left = without
    return sorted({*found, *given})


def _follows(
    problem: Problem, tables: Tables, y: Floats, source: int, without: NDArray[np.bool_], draw: np.random.Generator
) -> bool:
    kept = without | (tables.least > 0) | ((tables.source < 0) & (tables.least == 0))
    kept &= tables.source != source
    starts = y + draw.standard_normal((12, len(y))) * np.array([0.1, 0.5, 1.0, 2.0] * 3)[:, None]
    rest = subset(tables, kept)
    ends = descended(rest, starts, 40)
    right = (rest.residual(ends) ** 2).sum(1) < 1e-20
    mine = [one for one in problem.constraints if one.source == source]
    others = problem.without([source])
    count = 0
    for end in ends[right]:
        figure = problem.figure(end)
        if max((amount for _, amount in others.amounts(figure)), default=0.0) > 1e-6:
            continue
        count += 1
        alone = replace_constraints(problem, mine)
        if max(amount for _, amount in alone.amounts(figure, implied=False)) > 1e-6:
            return False
    return count > 2


def replace_constraints(problem: Problem, constraints: Sequence[Stated]) -> Problem:
    """A copy of the problem with other constraints."""
    return replace(problem, constraints=list(constraints))


def certificate(tables: Tables, y: Floats) -> float | None:
    """A radius around ``y``, in units of the scale, within which an exact solution provably lies; None if unproven.

    The rows that are independent at ``y``, and as many linear ones as freedom is left, make a square system ``F``. With an
    approximate inverse ``C`` of its Jacobian, ``Y ≥ ‖C F(y)‖``, ``Z ≥ ‖1 − C J(y)‖`` and ``ω`` a bound of the change of ``C
    J`` in the ball of radius ``R``, all with what rounding can do added, ``Y + Z r + ω r²/2 ≤ r`` and ``Z + ω r < 1`` for
    some ``r ≤ R`` prove that ``F`` vanishes once within ``r`` (L. V. Kantorovich, "Functional analysis and applied
    mathematics", 1948, in the form of R. Krawczyk, "Newton-Algorithmen zur Bestimmung von Nullstellen mit Fehlerschranken",
    1969). Norms are largest entries.
    """
    rows = np.flatnonzero(equations(tables))
    if not len(rows) or len(y) > 400:
        return None
    jacobian = tables.linearised(y[None], hinges=False)[1][0][rows]
    sums = tables.sums(y[None])[0][rows]
    values = np.linalg.svd(jacobian, compute_uv=False)
    rank = int((values > RANK * values[0]).sum())
    if rank < len(values) and values[rank] > 1e-11 * values[0] and values[rank - 1] < 1e-6 * values[0]:
        return None
    chosen = _independent(jacobian, rank)
    if len(chosen) < rank:
        return None
    square = np.concatenate([jacobian[chosen], null_space(jacobian[chosen], len(y))])
    if square.shape[0] != square.shape[1]:
        return None
    try:
        inverse = np.linalg.inv(square)
    except np.linalg.LinAlgError:
        return None
    radius = 1e-6
    bounds = _bounds(tables, y, radius)
    if bounds is None:
        return None
    curvature, size, slope = (bound[rows][chosen] for bound in bounds)
    eps = 2.3e-16
    n = len(y)
    absolute = np.abs(inverse)
    error = np.zeros(n)
    error[:rank] = 32 * eps * size
    value = np.zeros(n)
    value[:rank] = sums[chosen]
    start = float((np.abs(inverse @ value) * (1 + n * eps) + absolute @ error).max())
    wrong = np.zeros(n)
    wrong[:rank] = 64 * eps * slope
    drift = (
        np.abs(np.eye(n) - inverse @ square).sum(1) + n * eps * (absolute @ np.abs(square)).sum(1) + absolute @ wrong
    )
    contraction = float(drift.max())
    bend = np.zeros(n)
    bend[:rank] = curvature
    omega = float((absolute @ bend).max())
    if not math.isfinite(start + contraction + omega) or contraction >= 0.5:
        return None
    r = 2.0 * start / (1.0 - contraction) + 1e-300
    if r <= radius and start + contraction * r + 0.5 * omega * r * r <= r and contraction + omega * r < 1:
        return r
    return None


def _independent(jacobian: Floats, rank: int) -> list[int]:
    """Select linearly independent rows by Gram–Schmidt with pivoting, each row scaled to length 1."""
    lengths = np.linalg.norm(jacobian, axis=1)
    rest = jacobian / np.maximum(lengths, 1e-300)[:, None]
    chosen: list[int] = []
    for _ in range(rank):
        sizes = np.linalg.norm(rest, axis=1)
        best = int(np.argmax(sizes))
        if sizes[best] < 1e-9:
            break
        chosen.append(best)
        unit = rest[best] / sizes[best]
        rest = rest - np.outer(rest @ unit, unit)
        rest = rest - np.outer(rest @ unit, unit)
    return chosen


def _bounds(tables: Tables, y: Floats, radius: float) -> tuple[Floats, Floats, Floats] | None:
    """Bounds for every row in the ball; None if a measure is not smooth there.

    They bound the second derivative in directions of largest entry 1, the size of the terms, and the sum of the
    gradient's entries.
    """
    q, _ = tables.quantities(y[None])
    quantity = np.abs(q[0])
    base = tables.base
    known = q[0][:base]
    ends = tables.ends
    axes = [ends, ends + 1] + ([tables.depth] if tables.solid else [])
    u = np.stack([known[axis[:, 1]] - known[axis[:, 0]] for axis in axes], 1)
    w = np.stack([known[axis[:, 3]] - known[axis[:, 2]] for axis in axes], 1)
    spread = 2.0 * math.sqrt(len(axes)) * radius
    lu, lw = np.linalg.norm(u, axis=1), np.linalg.norm(w, axis=1)
    a, b = lu - spread, lw - spread
    big, far = lu + spread, lw + spread
    used = np.zeros(len(tables.kind), bool)
    for column in (tables.first, tables.second):
        used[column[column >= base] - base] = True
    kind = tables.kind
    if tables.solid and np.isin(kind[used], (6, 7, 8)).any():
        return None  # in space an angle bends without bound near 0
    needs_u = used & np.isin(kind, (0, 3, 4, 5, 6, 8))
    needs_w = used & np.isin(kind, (3, 4, 6))
    if (a[needs_u] <= 0).any() or (b[needs_w] <= 0).any():
        return None
    cross = np.abs(u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0])
    fold = used & np.isin(kind, (6, 7, 8))
    if (cross[fold] <= spread * (big + far)[fold]).any():
        return None
    a, b = np.maximum(a, 1e-150), np.maximum(b, 1e-150)
    turn = 1 / a + 1 / b
    square = 1 / a**2 + 1 / b**2
    one = np.ones_like(a)
    # Norms of gradients and of Hessians by u and w together, kind by kind.
    gradients = [one, big + far, big + far, turn, turn, far / a + 1, turn, big + far, far / a + 1]
    hessians = [1 / a, one, one, 2 * square, 2 * square, 3 * far / a**2 + 2 / a, square, one, 3 * far / a**2 + 2 / a]
    gradient, hessian = np.zeros_like(a), np.zeros_like(a)
    for number in range(len(gradients)):
        mine = kind == number
        gradient[mine], hessian[mine] = gradients[number][mine], hessians[number][mine]
    grow = np.concatenate(
        [np.ones(tables.unknowns), np.zeros(base - tables.unknowns), 2 * math.sqrt(len(axes)) * gradient]
    )
    bend = np.concatenate([np.zeros(base), 8.0 * len(axes) * hessian])
    largest = quantity + grow * radius
    c, i, j = np.abs(tables.coefficient), tables.first, tables.second
    rows = len(tables.constant)
    second = np.bincount(tables.row, c * (largest[i] * bend[j] + largest[j] * bend[i] + 2 * grow[i] * grow[j]), rows)
    size = np.bincount(tables.row, c * largest[i] * largest[j], rows) + np.abs(tables.constant)
    # The rounding error of a measure grows with cancellation, which its gradient bounds.
    noise = np.bincount(tables.row, c * (largest[i] * grow[j] + largest[j] * grow[i]), rows) * max(
        1.0, float(np.abs(y).max())
    )
    slopes = np.bincount(tables.row, c * (largest[i] * grow[j] + largest[j] * grow[i]), rows) * 4.0
    return np.asarray(second, np.float64), np.asarray(size + noise, np.float64), np.asarray(slopes, np.float64)
