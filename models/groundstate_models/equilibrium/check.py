"""Checks an answer by textbook formulas, node by node: member laws, contacts, supports, and the balance of forces.

It shares no code with the energy, the `system` or the `finish`: a mistake there is found here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from groundstate import Violation
from groundstate_models.equilibrium.parts import Member
from groundstate_models.equilibrium.structure import Structure

TOLERANCE = 1e-8
"""Largest force that may be left, relative to the unit of force; largest error of a length, relative to the structure's size.

The unit of force is the total of the loads, and not less than what rounded places let anybody verify (`Description.rounding`).
"""

Place = tuple[float, ...]


def failed(structure: Structure, answer: Mapping[str, Any]) -> list[Violation]:
    """The checks that an answer fails."""
    positions = {name: _padded(at) for name, at in answer.get("positions", {}).items()}
    missing = [name for name in (*structure.nodes, *structure.blocks) if name not in positions]
    if missing:
        return [Violation("balance", f"The answer lacks the position of {missing[0]}.", 1)]
    if not all(math.isfinite(v) for at in positions.values() for v in at):
        return [Violation("balance", "A position is not a finite number.", 1)]
    if structure.drawn:
        return _drawn(structure, answer, positions)
    return [
        *_supports(structure, positions),
        *_members(structure, answer, positions),
        *_contacts(structure, answer, positions),
        *_balance(structure, answer, positions),
    ]


def _padded(at: Any) -> Place:
    values = [float(v) for v in at]
    return (*values, 0.0)[:3] if len(values) == 2 else (*values,)


def _off(message: str, amount: float, unit: str, path: str = "") -> Violation:
    return Violation("balance", message, 1, amount, unit, (path,) if path else ())


def _supports(structure: Structure, positions: Mapping[str, Place]) -> list[Violation]:
    found = []
    for name, node in structure.nodes.items():
        if node.at is None:
            continue
        moved = max(
            (abs(p - q) for p, q, f in zip(positions[name], node.at, node.fixed, strict=True) if f), default=0.0
        )
        if moved > TOLERANCE * structure.length:
            found.append(_off(f"{name} is fixed and is {moved:.3g} away from its place.", moved, "length", node.path))
        if node.sphere is not None:
            off = abs(math.dist(positions[name], node.sphere[0]) - node.sphere[1])
            if off > TOLERANCE * structure.length:
                found.append(_off(f"{name} is {off:.3g} off its sphere.", off, "length", node.path))
    return found


def _law(structure: Structure, m: Member, d: float) -> float | None:
    """The force in a member of length ``d``, positive in tension; None where it keeps its length and takes any force."""
    if m.density is not None:
        return m.density * d
    if m.stiffness is None:
        return None
    stretch = d - structure.rest(m)
    if (stretch > 0 and m.pulls) or (stretch < 0 and m.pushes):
        return m.stiffness * stretch
    return 0.0


def _members(structure: Structure, answer: Mapping[str, Any], positions: Mapping[str, Place]) -> list[Violation]:
    found = []
    forces = answer.get("forces", {})
    size, scale = structure.length, structure.force
    for m in structure.members:
        d, rest = math.dist(positions[m.a], positions[m.b]), structure.rest(m)
        force = float(forces.get(m.name, math.nan))
        law = _law(structure, m, d)
        if law is not None:
            if not abs(force - law) <= TOLERANCE * max(scale, abs(law)):
                found.append(
                    _off(
                        f"{m.name} carries {force:.6g}; by its law it carries {law:.6g}.",
                        abs(force - law),
                        "force",
                        m.path,
                    )
                )
            continue
        over = abs(d - rest) if m.pulls and m.pushes else d - rest if m.pulls else rest - d
        if over > TOLERANCE * size:
            found.append(_off(f"{m.name} is {d:.8g} long; its length is {rest:.8g}.", over, "length", m.path))
        wrong = (
            math.isnan(force)
            or (force < -TOLERANCE * scale and not m.pushes)
            or (force > TOLERANCE * scale and not m.pulls)
        )
        if wrong:
            found.append(_off(f"{m.name} carries {force:.6g}, which a {m.kind} cannot.", abs(force), "force", m.path))
        if not (m.pulls and m.pushes) and abs(force) > TOLERANCE * scale and over < -TOLERANCE * size:
            found.append(_off(f"{m.name} is slack and carries {force:.6g}.", abs(force), "force", m.path))
    return found


def _contacts(structure: Structure, answer: Mapping[str, Any], positions: Mapping[str, Place]) -> list[Violation]:
    """No node is behind a plane or inside another, and each contact force pushes along the normal of a contact."""
    found = []
    size, scale = structure.length, structure.force
    planes = {p.name: p for p in structure.planes}
    for p in structure.planes:
        for name, node in structure.nodes.items():
            gap = sum(n * x for n, x in zip(p.normal, positions[name], strict=True)) - p.offset - node.radius
            if gap < -TOLERANCE * size and not node.held:
                found.append(_off(f"{name} is {-gap:.3g} behind the {p.name}.", -gap, "length", p.path))
    discs = [n for n in structure.nodes.values() if n.radius > 0]
    for a, b in combinations(discs, 2):
        deep = a.radius + b.radius - math.dist(positions[a.name], positions[b.name])
        if deep > TOLERANCE * size and not (a.held and b.held):
            found.append(_off(f"{a.name} and {b.name} overlap by {deep:.3g}.", deep, "length", b.path))
    for one in answer.get("contacts", []):
        name, other, force = one["on"], one["from"], _padded(one["force"])
        if other in planes:
            normal: Place = planes[other].normal
            gap = sum(n * x for n, x in zip(normal, positions[name], strict=True)) - planes[other].offset
            gap -= structure.nodes[name].radius
        else:
            d = math.dist(positions[name], positions[other])
            normal = tuple((x - y) / max(d, 1e-300) for x, y in zip(positions[name], positions[other], strict=True))
            gap = d - structure.nodes[name].radius - structure.nodes[other].radius
        along = sum(n * f for n, f in zip(normal, force, strict=True))
        across = math.dist(force, tuple(along * n for n in normal))
        if abs(gap) > TOLERANCE * size or along < -TOLERANCE * scale or across > TOLERANCE * scale:
            found.append(_off(f"The contact of {name} with {other} does not push along its normal.", across, "force"))
    return found


def forces_on(
    structure: Structure, answer: Mapping[str, Any], positions: Mapping[str, Place]
) -> dict[str, list[float]]:
    """The force on every node from loads, members, contacts, potentials, corners and pressure; without supports."""
    total = {name: [float(v) for v in node.load] for name, node in structure.nodes.items()}
    for name, node in structure.nodes.items():
        total[name][structure.up] -= node.mass * structure.gravity

    def add(name: str, force: Any, sign: float = 1.0) -> None:
        for axis in range(3):
            total[name][axis] += sign * float(force[axis])

    for m in structure.members:
        d = math.dist(positions[m.a], positions[m.b])
        size = float(answer.get("forces", {}).get(m.name, 0.0))
        pull = [size * (q - p) / max(d, 1e-300) for p, q in zip(positions[m.a], positions[m.b], strict=True)]
        add(m.a, pull)
        add(m.b, pull, -1.0)
    for one in answer.get("contacts", []):
        force = _padded(one["force"])
        add(one["on"], force)
        if one["from"] in total:
            add(one["from"], force, -1.0)
    for p, a, b, product in structure.pairs():
        d = math.dist(positions[a], positions[b])
        apart = [(y - x) / d for x, y in zip(positions[a], positions[b], strict=True)]
        if p.kind == "coulomb":
            push = p.depth * product / d**2
        elif p.kind == "morse":
            e = math.exp(-p.width / p.distance * (d - p.distance))
            push = 2 * p.depth * p.width / p.distance * (e * e - e)
        else:
            s = (p.distance / d) ** 6
            push = 12 * p.depth * (s * s - s) / d
        add(b, [push * v for v in apart])
        add(a, [push * v for v in apart], -1.0)
    for t in structure.torsions:
        u = [p - q for p, q in zip(positions[t.a], positions[t.b], strict=True)]
        w = [p - q for p, q in zip(positions[t.c], positions[t.b], strict=True)]
        angle = math.atan2(u[0] * w[1] - u[1] * w[0], u[0] * w[0] + u[1] * w[1])
        moment = t.stiffness * math.sin(angle - t.rest)
        uu, ww = u[0] ** 2 + u[1] ** 2, w[0] ** 2 + w[1] ** 2
        one_, other = (-moment * u[1] / uu, moment * u[0] / uu, 0.0), (moment * w[1] / ww, -moment * w[0] / ww, 0.0)
        add(t.a, one_)
        add(t.c, other)
        add(t.b, one_, -1.0)
        add(t.b, other, -1.0)
    for loop, pressure in structure.pressures:
        around = structure.oriented(loop)
        for a, b in zip(around, (*around[1:], around[0]), strict=True):
            side = [q - p for p, q in zip(positions[a], positions[b], strict=True)]
            half = (0.5 * pressure * side[1], -0.5 * pressure * side[0], 0.0)
            add(a, half)
            add(b, half)
    return total


def _balance(structure: Structure, answer: Mapping[str, Any], positions: Mapping[str, Place]) -> list[Violation]:
    found = []
    total = forces_on(structure, answer, positions)
    for name, node in structure.nodes.items():
        left = list(total[name])
        if node.sphere is not None:
            out = [(p - q) / node.sphere[1] for p, q in zip(positions[name], node.sphere[0], strict=True)]
            along = sum(p * q for p, q in zip(out, left, strict=True))
            left = [p - along * q for p, q in zip(left, out, strict=True)]
        fixed = [f or (axis == 2 and structure.dimensions == 2) for axis, f in enumerate(node.fixed)]
        size = math.hypot(*(v for v, f in zip(left, fixed, strict=True) if not f))
        if not size <= TOLERANCE * structure.force:
            found.append(_off(f"The forces on {name} do not balance: {size:.3g} is left.", size, "force", node.path))
    return found


def _drawn(structure: Structure, answer: Mapping[str, Any], positions: Mapping[str, Place]) -> list[Violation]:
    """Nodes and blocks stay where they were drawn, and the forces and moments on each balance."""
    found: list[Violation] = []
    scale = structure.force
    drawn: dict[str, Place] = {name: node.at for name, node in structure.nodes.items() if node.at is not None}
    drawn |= {name: block.centre for name, block in structure.blocks.items()}
    for name, at in drawn.items():
        moved = math.dist(at, positions[name])
        if moved > TOLERANCE * structure.length:
            found.append(_off(f"{name} is {moved:.3g} away from where it was drawn.", moved, "length"))
    forces = answer.get("forces", {})
    for m in structure.members:
        force = float(forces.get(m.name, math.nan))
        if (
            math.isnan(force)
            or (force < -TOLERANCE * scale and not m.pushes)
            or (force > TOLERANCE * scale and not m.pulls)
        ):
            found.append(_off(f"{m.name} carries {force:.6g}, which a {m.kind} cannot.", abs(force), "force", m.path))
    total = forces_on(structure, {"forces": forces}, positions)
    for name, left in total.items():
        node = structure.nodes[name]
        fixed = [f or (axis == 2 and structure.dimensions == 2) for axis, f in enumerate(node.fixed)]
        size = math.hypot(*(v for v, f in zip(left, fixed, strict=True) if not f))
        if not size <= TOLERANCE * scale:
            found.append(_off(f"The forces on {name} do not balance: {size:.3g} is left.", size, "force", node.path))
    return found + _blocks(structure, answer)


def _blocks(structure: Structure, answer: Mapping[str, Any]) -> list[Violation]:
    found: list[Violation] = []
    scale, size = structure.force, structure.length
    sums: dict[str, tuple[list[float], list[float]]] = {}
    for name, block in structure.blocks.items():
        start = [float(v) for v in block.load]
        start[structure.up] -= block.weight
        sums[name] = (start, [0.0, 0.0, 0.0])
    planes = {p.name: p.normal for p in structure.planes}
    for one in answer.get("contacts", []):
        at, force = _padded(one["at"]), _padded(one["force"])
        normals = [planes[one["from"]]] if one["from"] in planes else _normals(structure, one["from"], one["on"], at)
        if not any(_pushes(structure, n, force) for n in normals):
            text = f"The contact of {one['on']} with {one['from']} pulls, slides, or is at no common face."
            found.append(_off(text, math.hypot(*force), "force"))
        for name, sign in ((one["on"], 1.0), (one["from"], -1.0)):
            if name in sums:
                arm = [p - q for p, q in zip(at, structure.blocks[name].centre, strict=True)]
                total, moment = sums[name]
                for axis in range(3):
                    total[axis] += sign * force[axis]
                    i, j = (axis + 1) % 3, (axis + 2) % 3
                    moment[axis] += sign * (arm[i] * force[j] - arm[j] * force[i])
            if name in structure.blocks and not _touches(structure, name, at):
                found.append(_off(f"A contact of {one['on']} with {one['from']} is not on {name}.", 1.0, "length"))
    for name, (force_, moment_) in sums.items():
        if structure.blocks[name].fixed:
            continue
        left = max(math.hypot(*force_), math.hypot(*moment_) / size)
        if not left <= TOLERANCE * scale:
            found.append(_off(f"The forces on {name} do not balance: {left:.3g} is left.", left, "force"))
    return found


def _pushes(structure: Structure, normal: Place, force: Place) -> bool:
    """Whether a force lies in the friction cone around a normal."""
    along = sum(n * f for n, f in zip(normal, force, strict=True))
    across = math.dist(force, tuple(along * n for n in normal))
    slack = TOLERANCE * structure.force
    return along >= -slack and across <= structure.friction * along + slack


def _normals(structure: Structure, below: str, above: str, at: Place) -> list[Place]:
    """Normals at a point on the surface of both blocks, from the first to the second."""
    if below not in structure.blocks or above not in structure.blocks:
        return []
    found: list[Place] = []
    for name, sign in ((below, 1.0), (above, -1.0)):
        block = structure.blocks[name]
        corners = [tuple(map(float, corner)) for corner in block.corners]
        count = len(corners)
        for face in block.faces or [(k, (k + 1) % count) for k in range(count)]:
            p, q = corners[face[0]], corners[face[1]]
            if len(face) == 2:
                normal: Place = (q[1] - p[1], p[0] - q[0], 0.0)
            else:
                normal = _face(p, [corners[k] for k in face])
            size = math.hypot(*normal)
            away = sum(n * (x - y) for n, x, y in zip(normal, at, p, strict=True)) / max(size, 1e-300)
            if size > 0 and abs(away) < 2e-6 * structure.length:
                found.append(tuple(sign * n / size for n in normal))
    return found


def _face(p: Place, ring: list[Place]) -> Place:
    """Twice the area of a face as a vector that points out."""
    total = [0.0, 0.0, 0.0]
    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
        u, v = [x - y for x, y in zip(a, p, strict=True)], [x - y for x, y in zip(b, p, strict=True)]
        for axis in range(3):
            i, j = (axis + 1) % 3, (axis + 2) % 3
            total[axis] += u[i] * v[j] - u[j] * v[i]
    return tuple(total)


def _touches(structure: Structure, name: str, at: Place) -> bool:
    """Whether a point is within the block's box."""
    corners = structure.blocks[name].corners
    low, high = corners.min(0), corners.max(0)
    near = 2e-6 * structure.length
    return all(low[k] - near <= at[k] <= high[k] + near for k in range(3))
