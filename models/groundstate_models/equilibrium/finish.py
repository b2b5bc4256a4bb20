"""The last digits on the host: Newton's method with hard members as constraints, and stability by the Hessian's eigenvalues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.equilibrium.system import HARD, Edge, Floats, Row, System

STEPS = 60
"""Newton steps for one set of acting members."""

ATTEMPTS = 40
"""Sets of acting members that are tried."""

FAR = 0.02
"""Violation of a member that does not act, in units of length, from which it is let act before the steps converge."""

TOLERANCE = 1e-13
LOOSE = 1e-9
"""Largest eigenvalue, relative to the stiffest, below which a motion meets no resistance."""


@dataclass
class Rest:
    """A state at rest.

    Attributes:
        x: Places, ``(T, 3)``, in units of the system.
        edges: The hard edges that act, by index, with their forces (positive in tension).
        rows: The hard rows that act, by index, with their forces.
        rounds: Forces on the triples that a sphere holds, along its normal.
        residual: The largest force left, in units of the structure's forces.
        broken: The largest violation of a hard member, in units of length.
    """

    x: Floats
    edges: dict[int, float]
    rows: dict[int, float]
    rounds: dict[int, float]
    residual: float
    broken: float


@dataclass
class Stability:
    """How a state at rest answers to small motions.

    Attributes:
        least: The least eigenvalue of the Hessian on the motions that hard members allow, in units of force over length.
        most: The largest one.
        loose: Motions without resistance, ``(count, 3 T)``.
        stable: Whether no motion lowers the energy.
    """

    least: float
    most: float
    loose: Floats
    stable: bool


class Active:
    """The hard members that act at a state."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.hard_edges = [k for k, e in enumerate(system.edges) if e.hard]
        self.hard_rows = [k for k, r in enumerate(system.rows) if r.hard]
        self.rounds = [int(t) for t in np.flatnonzero(system.radius > 0)]
        self.edges: list[int] = []
        self.rows: list[int] = []

    def guess(self, x: Floats) -> None:
        """The members under force in the exported energy, where hard ones are springs."""
        for k in self.hard_edges:
            e = self.system.edges[k]
            stretch = float(np.linalg.norm(x[e.other] - x[e.one])) - e.rest
            if (e.pull and e.push) or (e.pull and stretch > -1e-9) or (e.push and stretch < 1e-9):
                self.edges.append(k)
        for k in self.hard_rows:
            if self.value(self.system.rows[k], x) < 1e-9:
                self.rows.append(k)

    @staticmethod
    def value(row: Row, x: Floats) -> float:
        return row.offset + sum(float(x[t] @ np.array(c)) for t, c in row.entries)

    def constraints(self, x: Floats) -> tuple[Floats, Floats]:
        """Values ``(m,)`` and gradients ``(m, 3 T)`` of the constraints: edges, rows, spheres."""
        values, n = [], x.size
        gradients = np.zeros((len(self.edges) + len(self.rows) + len(self.rounds), n))
        for place, k in enumerate(self.edges):
            e = self.system.edges[k]
            gap = x[e.other] - x[e.one]
            d = max(float(np.linalg.norm(gap)), 1e-12)
            values.append(d - e.rest)
            gradients[place, 3 * e.other : 3 * e.other + 3] = gap / d
            gradients[place, 3 * e.one : 3 * e.one + 3] = -gap / d
        for place, k in enumerate(self.rows, len(self.edges)):
            row = self.system.rows[k]
            values.append(self.value(row, x))
            for t, c in row.entries:
                gradients[place, 3 * t : 3 * t + 3] += c
        for place, t in enumerate(self.rounds, len(self.edges) + len(self.rows)):
            gap = x[t] - self.system.centre[t]
            d = max(float(np.linalg.norm(gap)), 1e-12)
            values.append(d - float(self.system.radius[t]))
            gradients[place, 3 * t : 3 * t + 3] = gap / d
        return np.array(values), gradients

    def curvature(self, x: Floats, forces: Floats) -> Floats:
        """``Σ forces · Hessian of the constraints``, ``(3 T, 3 T)``."""
        n = x.size
        found = np.zeros((n, n))
        for k, force in zip(self.edges, forces, strict=False):
            e = self.system.edges[k]
            gap = x[e.other] - x[e.one]
            d = max(float(np.linalg.norm(gap)), 1e-12)
            block = force / d * (np.eye(3) - np.outer(gap, gap) / d**2)
            a, b = slice(3 * e.one, 3 * e.one + 3), slice(3 * e.other, 3 * e.other + 3)
            found[a, a] += block
            found[b, b] += block
            found[a, b] -= block
            found[b, a] -= block
        for place, t in enumerate(self.rounds, len(self.edges) + len(self.rows)):
            gap = x[t] - self.system.centre[t]
            d = max(float(np.linalg.norm(gap)), 1e-12)
            a = slice(3 * t, 3 * t + 3)
            found[a, a] += forces[place] / d * (np.eye(3) - np.outer(gap, gap) / d**2)
        return found

    def broken(self, x: Floats) -> float:
        """The largest violation of a hard member that does not act."""
        edges = [self.system.edges[k] for k in self.hard_edges if k not in self.edges]
        found = [_over(e, float(np.linalg.norm(x[e.other] - x[e.one]))) for e in edges]
        found += [-self.value(self.system.rows[k], x) for k in self.hard_rows if k not in self.rows]
        return max(found, default=0.0)

    def corrected(self, x: Floats, forces: Floats) -> bool:
        """Release members that would push or pull the wrong way, and let broken ones act; returns whether anything changed."""
        changed = False
        for k, force in list(zip(self.edges, forces, strict=False)):
            e = self.system.edges[k]
            if (force < -1e-9 and not e.push) or (force > 1e-9 and not e.pull):
                self.edges.remove(k)
                changed = True
        for k, force in list(zip(self.rows, forces[len(forces) - len(self.rounds) - len(self.rows) :], strict=False)):
            if force > 1e-9:  # a contact pushes only
                self.rows.remove(k)
                changed = True
        if changed:
            return True
        for k in self.hard_edges:
            e = self.system.edges[k]
            if k not in self.edges and _over(e, float(np.linalg.norm(x[e.other] - x[e.one]))) > 1e-10:
                self.edges.append(k)
                changed = True
        for k in self.hard_rows:
            if k not in self.rows and self.value(self.system.rows[k], x) < -1e-10:
                self.rows.append(k)
                changed = True
        return changed


def _over(e: Edge, d: float) -> float:
    """How far a hard edge is from what it allows."""
    if e.pull and e.push:
        return abs(d - e.rest)
    return d - e.rest if e.pull else e.rest - d


def finished(system: System, start: Floats) -> Rest:
    """Newton's method for the forces to balance, with hard members as constraints that act where they carry a force."""
    x = np.where(system.free, start, system.centre).astype(np.float64)
    for t in np.flatnonzero(system.radius > 0):
        out = x[t] - system.centre[t]
        x[t] = system.centre[t] + system.radius[t] * out / max(float(np.linalg.norm(out)), 1e-12)
    active = Active(system)
    active.guess(x)
    free = np.flatnonzero(system.free.ravel())
    forces = np.zeros(0)
    for _ in range(ATTEMPTS):
        x, forces = _newton(system, active, x, free)
        if not active.corrected(x, forces):
            break
    return _rest(system, active, x, forces, free)


def _newton(system: System, active: Active, x: Floats, free: NDArray[Any]) -> tuple[Floats, Floats]:
    forces: Floats | None = None
    x = x.copy()
    for _ in range(STEPS):
        values, jacobian = active.constraints(x)
        slope = system.gradient(x).ravel()[free]
        jacobian = jacobian[:, free]
        m = len(values)
        if forces is None:
            forces = _least(jacobian.T, -slope) if m else np.zeros(0)
        left = slope + jacobian.T @ forces
        if max(np.abs(left).max(initial=0.0), np.abs(values).max(initial=0.0)) < TOLERANCE:
            break
        hessian = (system.hessian(x) + active.curvature(x, forces))[np.ix_(free, free)]
        scale = max(float(np.abs(np.diag(hessian)).max(initial=0.0)), 1e-9)
        whole = np.zeros((len(free) + m, len(free) + m))
        whole[: len(free), : len(free)] = hessian + 1e-11 * scale * np.eye(len(free))
        whole[: len(free), len(free) :] = jacobian.T
        whole[len(free) :, : len(free)] = jacobian
        whole[len(free) :, len(free) :] = -1e-13 * np.eye(m)
        right = -np.concatenate([slope, values + 1e-13 * forces])  # exact once the forces stand still
        try:
            step = np.linalg.solve(whole, right)
        except np.linalg.LinAlgError:
            step = np.linalg.lstsq(whole, right, rcond=None)[0]
        move = step[: len(free)]
        size = float(np.abs(move).max(initial=0.0))
        if not np.isfinite(size):
            break
        part = min(1.0, 0.1 / size) if size > 0 else 1.0
        flat = x.ravel().copy()
        flat[free] += part * move
        x = flat.reshape(x.shape)
        forces = forces + part * (step[len(free) :] - forces)
        if size < 1e-15 or active.broken(x) > FAR:
            break
    return x, np.zeros(0) if forces is None else forces


def _least(matrix: Floats, right: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(matrix, right, rcond=1e-12)[0], np.float64)


def _rest(system: System, active: Active, x: Floats, forces: Floats, free: NDArray[Any]) -> Rest:
    _, jacobian = active.constraints(x)
    slope = system.gradient(x).ravel()[free]
    left = slope + (jacobian[:, free].T @ forces if len(forces) else 0.0)
    broken = [_over(e, float(np.linalg.norm(x[e.other] - x[e.one]))) for e in system.edges if e.hard]
    broken += [-active.value(row, x) for row in system.rows if row.hard]
    edges, rows = len(active.edges), len(active.rows)
    return Rest(
        x,
        dict(zip(active.edges, map(float, forces[:edges]), strict=True)),
        dict(zip(active.rows, (-float(f) for f in forces[edges : edges + rows]), strict=True)),
        dict(zip(active.rounds, map(float, forces[edges + rows :]), strict=True)),
        float(np.abs(left).max(initial=0.0)),
        max(broken, default=0.0),
    )


def stability(system: System, rest: Rest) -> Stability:
    """Eigenvalues of the Hessian, with the curvature of hard members under force, on the motions that those members allow.

    A one-sided member that touches without a force counts as absent, so that *stable* does not rest on it.
    """
    free = np.flatnonzero(system.free.ravel())
    active = Active(system)
    active.edges = [
        k for k, f in rest.edges.items() if abs(f) > 1e-9 or (system.edges[k].pull and system.edges[k].push)
    ]
    active.rows = [k for k, f in rest.rows.items() if abs(f) > 1e-9]
    forces = np.array(
        [rest.edges[k] for k in active.edges]
        + [-rest.rows[k] for k in active.rows]
        + [rest.rounds[t] for t in active.rounds]
    )
    hessian = (system.hessian(rest.x) + active.curvature(rest.x, forces))[np.ix_(free, free)]
    _, jacobian = active.constraints(rest.x)
    jacobian = jacobian[:, free]
    if not len(free):
        return Stability(0.0, 0.0, np.zeros((0, rest.x.size)), stable=True)
    basis = np.eye(len(free))
    if len(jacobian):
        _, sizes, turned = np.linalg.svd(jacobian, full_matrices=True)
        rank = int((sizes > 1e-10 * max(sizes[0], 1e-300)).sum()) if len(sizes) else 0
        basis = turned[rank:].T
    if not basis.shape[1]:
        return Stability(float("inf"), float("inf"), np.zeros((0, rest.x.size)), stable=True)
    values, vectors = np.linalg.eigh(basis.T @ hessian @ basis)
    most = max(float(np.abs(values).max()), 1e-12)
    bound = LOOSE * max(most, 1.0)
    loose = np.zeros((int((np.abs(values) <= bound).sum()), rest.x.size))
    loose[:, free] = (basis @ vectors[:, np.abs(values) <= bound]).T
    return Stability(float(values[0]), most, loose, stable=bool(values[0] >= -bound))


def softened(system: System, x: Floats) -> Floats:
    """From a state of the structure, the state of the exported energy beside it, where hard members are stiff springs."""
    soft = System(
        system.centre,
        system.spread,
        system.radius,
        system.force,
        system.shake,
        edges=[Edge(**{**vars(e), "hard": False, "stiffness": HARD if e.hard else e.stiffness}) for e in system.edges],
        rows=[Row(r.entries, r.offset, r.stiffness, r.both, hard=False, source=r.source) for r in system.rows],
        corners=system.corners,
        sides=system.sides,
    )
    return finished(soft, x).x
