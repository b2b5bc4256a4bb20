"""Answers from states at rest: positions, forces, reactions, contacts, energy and stability, in the user's units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from groundstate_models.equilibrium import check
from groundstate_models.equilibrium.finish import Active, Rest, Stability, finished
from groundstate_models.equilibrium.statics import Statics
from groundstate_models.equilibrium.structure import Structure
from groundstate_models.equilibrium.system import Floats

SMALL = 1e-9
"""Forces below this part of the structure's forces are left out of contacts and reactions."""


def settled(structure: Structure, rest: Rest, stability: Stability) -> dict[str, Any]:
    """The answer of a structure whose places were asked for."""
    system, size, scale = structure.system, structure.length, structure.force
    names = list(structure.nodes)
    dimensions = structure.dimensions
    forces: dict[str, float] = {}
    contacts: list[dict[str, Any]] = []
    first = system.edge_terms(rest.x)[3] if system.edges else np.zeros(0)
    for k, edge in enumerate(system.edges):
        force = rest.edges.get(k, 0.0) if edge.hard else float(first[k])
        if edge.member >= 0:
            forces[structure.members[edge.member].name] = _clean(system.sign * force * scale)
        elif edge.hard and abs(force) > SMALL:
            gap = rest.x[edge.other] - rest.x[edge.one]
            push = -force * scale * gap / float(np.linalg.norm(gap))
            at = (rest.x[edge.one] + gap * structure.nodes[names[edge.one]].radius / (edge.rest * size)) * size
            contacts.append(_contact(names[edge.other], names[edge.one], at, push, dimensions))
    for k, force in rest.rows.items():
        if abs(force) > SMALL:
            _, number, name = system.rows[k].source
            normal = np.array(structure.planes[number].normal)
            at = rest.x[structure.order[name]] * size - normal * structure.nodes[name].radius
            contacts.append(_contact(name, structure.planes[number].name, at, force * scale * normal, dimensions))
    found: dict[str, Any] = {
        "positions": {name: _place(rest.x[k] * size, dimensions, size) for k, name in enumerate(names)},
        "forces": forces,
        "reactions": _reactions(structure, rest),
        "energy": _clean(system.sign * system.energy(rest.x) * scale * size),
        "residual": float(f"{rest.residual * scale:.3g}"),
        "stability": _stability(structure, stability),
    }
    if contacts:
        found["contacts"] = contacts
    notices = list(structure.notices)
    free = found["stability"]["free"]
    if structure.funicular:
        notices.append(
            "This is a line of thrust: with joints at the nodes it balances, and only the bars' width makes it stable."
        )
    elif free and len(free) < 12 and not structure.cluster:
        listed = free[0] if len(free) == 1 else ", ".join(free[:-1]) + " and " + free[-1]
        notices.append(
            f"Nothing holds {listed} in place: it can move without resistance."
            if len(free) == 1
            else f"Nothing holds {listed} in place: they can move without resistance."
        )
    if 0 < structure.loads < structure.rounding:
        part = check.TOLERANCE * scale / structure.loads
        notices.append(
            f"The loads are small beside the members' stiffness: rounding limits their balance to {part:.1g} of the loads."
        )
    if notices:
        found["notices"] = notices
    return found


def _reactions(structure: Structure, rest: Rest) -> dict[str, list[float]]:
    system = structure.system
    active = Active(system)
    active.edges, active.rows = list(rest.edges), list(rest.rows)
    multipliers = np.array([*rest.edges.values(), *(-f for f in rest.rows.values()), *rest.rounds.values()])
    left = system.gradient(rest.x)
    if len(multipliers):
        left = left + (active.constraints(rest.x)[1].T @ multipliers).reshape(left.shape)
    found = {}
    for k, (name, node) in enumerate(structure.nodes.items()):
        if any(node.fixed):
            held = np.where(node.fixed, left[k], 0.0)
            found[name] = _vector(system.sign * held * structure.force, structure.dimensions)
        elif node.sphere is not None:
            found[name] = _vector(left[k] * 0.0 - _radial(system, rest, k) * structure.force, structure.dimensions)
    return found


def _radial(system: Any, rest: Rest, k: int) -> Floats:
    out = rest.x[k] - system.centre[k]
    return np.asarray(rest.rounds.get(k, 0.0) * out / float(np.linalg.norm(out)))


def _stability(structure: Structure, found: Stability) -> dict[str, Any]:
    free: list[str] = []
    names = list(structure.nodes)
    loose = _apart_from_rigid(structure, found.loose)
    if len(loose):
        moves = np.linalg.norm(loose.reshape(len(loose), -1, 3), axis=2).max(0)
        free = [names[k] for k in range(len(names)) if moves[k] > 1e-4 * moves.max()]
    least = found.least * structure.force / structure.length
    return {
        "stable": found.stable,
        "stiffness": float(f"{least:.6g}") + 0.0 if math.isfinite(least) else None,
        "free": free,
    }


def _apart_from_rigid(structure: Structure, loose: Floats) -> Floats:
    """Loose motions without those of the whole, where nothing is fixed."""
    if not len(loose) or not structure.cluster or any(any(n.fixed) for n in structure.nodes.values()):
        return loose
    return loose[6 if structure.dimensions == 3 else 3 :] if not _held_on_sphere(structure) else loose[3:]


def _held_on_sphere(structure: Structure) -> bool:
    return any(n.sphere is not None for n in structure.nodes.values())


def soft_forces(structure: Structure, places: Floats) -> dict[str, float]:
    """Forces of springs and links at places; 0 for members that keep their length."""
    system = structure.system
    first = system.edge_terms(places)[3] if system.edges else np.zeros(0)
    return {
        structure.members[e.member].name: 0.0 if e.hard else _clean(system.sign * float(first[k]) * structure.force)
        for k, e in enumerate(system.edges)
        if e.member >= 0
    }


def drawn(statics: Statics, x: Floats) -> dict[str, Any]:
    """The answer of a structure that stays as drawn: the elastic forces next to ``x``, or those of the certificate."""
    structure, system = statics.structure, statics.system
    rest = finished(system, x)
    values = system.row_values(rest.x, system.rows)
    lambdas = np.array([-r.stiffness * v if r.both or v < 0 else 0.0 for r, v in zip(system.rows, values, strict=True)])
    if rest.residual > 1e-10 and statics.forces is not None:
        lambdas = statics.forces
    scale, dimensions = structure.force, structure.dimensions
    forces = {m.name: 0.0 for m in structure.members}
    pushes: dict[int, Floats] = {}
    left = -system.force.copy()
    for row, force in zip(system.rows, lambdas, strict=True):
        for triple, c in row.entries:
            left[triple] -= force * np.array(c)
        kind, number = row.source[0], row.source[1]
        if kind == "member":
            m = structure.members[number]
            forces[m.name] = _clean((1.0 if m.kind == "cable" else -1.0) * float(force) * scale)
        else:
            pushes[number] = pushes.get(number, np.zeros(3)) + force * scale * np.array(row.source[2])
    contacts = []
    for number, push in sorted(pushes.items()):
        if float(np.abs(push).max()) > SMALL * scale:
            one = statics.contacts[number]
            contacts.append(_contact(one.above, one.below, one.at, push, dimensions))
    positions = {name: _vector(np.array(node.at), dimensions) for name, node in structure.nodes.items()}
    positions |= {name: _vector(np.array(block.centre), dimensions) for name, block in structure.blocks.items()}
    free = system.free
    found: dict[str, Any] = {
        "positions": positions,
        "forces": forces,
        "reactions": {
            name: _vector(np.where(node.fixed, left[k], 0.0) * scale, dimensions)
            for k, (name, node) in enumerate(structure.nodes.items())
            if any(node.fixed)
        },
        "residual": float(f"{float(np.abs(np.where(free, left, 0.0)).max(initial=0.0)) * scale:.3g}"),
        "stability": {"stable": True},
    }
    if contacts:
        found["contacts"] = contacts
    return found


def _contact(on: str, other: str, at: Floats, force: Floats, dimensions: int) -> dict[str, Any]:
    return {"on": on, "from": other, "at": _vector(at, dimensions), "force": _vector(force, dimensions)}


def _vector(values: Floats, dimensions: int) -> list[float]:
    return [_clean(v) for v in values[:dimensions]]


def _place(values: Floats, dimensions: int, size: float) -> list[float]:
    """A place with all its digits, or as the short number that it is but for rounding."""
    near = 4.0 * float(np.finfo(np.float64).eps) * size
    found = []
    for value in map(float, values[:dimensions]):
        short = float(f"{value:.10g}")
        found.append((short if abs(short - value) <= near else value) + 0.0)
    return found


def _clean(value: float) -> float:
    """Round to 14 significant digits, and remove the sign of a zero."""
    return float(f"{float(value):.14g}") + 0.0


def written(structure: Structure, answer: Mapping[str, Any]) -> str:
    """An answer as lines of text."""
    lines = []
    for name, at in answer["positions"].items():
        lines.append(f"{name:>6} = ({', '.join(f'{v:.6g}' for v in at)})")
    for name, force in answer.get("forces", {}).items():
        how = "tension" if force > 0 else "compression" if force < 0 else "slack"
        lines.append(f"{name:>6}: {abs(force):.6g} {how}" if force else f"{name:>6}: {how}")
    for name, force in answer.get("reactions", {}).items():
        lines.append(f"{name:>6} is held by ({', '.join(f'{v:.6g}' for v in force)})")
    if "energy" in answer:
        lines.append(f"energy {answer['energy']:.10g}, largest unbalanced force {answer['residual']:.3g}")
    del structure
    return "\n".join([*lines, *answer.get("notices", [])])
