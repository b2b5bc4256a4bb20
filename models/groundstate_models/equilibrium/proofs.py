"""Proofs that nothing can rest: lengths that do not reach, parts that fall, loads that no forces balance."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np

from groundstate_models.equilibrium.contacts import Contact, crossed
from groundstate_models.equilibrium.parts import Member
from groundstate_models.equilibrium.structure import Structure
from groundstate_models.equilibrium.system import Floats

MARGIN = 1e-9


@dataclass(frozen=True)
class Proof:
    """Why nothing can rest.

    Attributes:
        kind: ``short``, ``long``, ``falls``, ``moves`` or ``tips``.
        message: A sentence.
        places: Places in the request.
        members: Indices of the members that it is about.
        name: A node or block that it is about.
        value: The length that would be enough.
    """

    kind: str
    message: str
    places: tuple[str, ...]
    members: tuple[int, ...] = ()
    name: str = ""
    value: float = 0.0


def contradiction(structure: Structure) -> Proof | None:
    """The first proof found."""
    if structure.drawn:
        return _unbalanced(structure)
    return _lengths(structure) or _falling(structure)


# -- lengths -------------------------------------------------------------------------------------------------------------


def _reach(structure: Structure, start: str, leave: int = -1) -> dict[str, tuple[float, tuple[int, ...]]]:
    """The greatest distance from a node that members of limited length and fixed places allow, and the members used."""
    limited = [(k, m) for k, m in enumerate(structure.members) if m.stiffness is None and m.pulls and m.density is None]
    ways: dict[str, list[tuple[str, float, int]]] = {}
    for k, m in limited:
        if k != leave:
            ways.setdefault(m.a, []).append((m.b, structure.rest(m), k))
            ways.setdefault(m.b, []).append((m.a, structure.rest(m), k))
    held = {n.name: n.at for n in structure.nodes.values() if n.held and n.at is not None}
    found: dict[str, tuple[float, tuple[int, ...]]] = {}
    queue: list[tuple[float, str, tuple[int, ...]]] = [(0.0, start, ())]
    while queue:
        far, name, used = heapq.heappop(queue)
        if name in found:
            continue
        found[name] = (far, used)
        for other, length, k in ways.get(name, []):
            heapq.heappush(queue, (far + length, other, (*used, k)))
        if name in held:
            for other, at in held.items():
                if other != name:
                    heapq.heappush(queue, (far + math.dist(held[name], at), other, used))
    return found


def _lengths(structure: Structure) -> Proof | None:
    held = [n for n in structure.nodes.values() if n.held and n.at is not None]
    margin = MARGIN * structure.length
    for node in held:
        for other in held:
            if node.name >= other.name or node.at is None or other.at is None:
                continue
            direct = math.dist(node.at, other.at)
            far, used = _chain(structure, node.name, other.name)
            if used and far < direct - margin:
                what = _named(structure, used)
                message = (
                    f"{node.name} and {other.name} are {direct:.6g} apart, and {what} "
                    f"{'is' if len(used) == 1 else 'are together'} only {far:.6g} long."
                )
                return Proof("short", message, _places(structure, used), used, value=direct)
    for k, m in enumerate(structure.members):
        if m.kind not in {"rod", "strut"} or m.stiffness is not None:
            continue
        far, used = _reach(structure, m.a, leave=k).get(m.b, (math.inf, ()))
        if far < structure.rest(m) - margin:
            about = _named(structure, used) if used else "the places of its ends"
            message = f"The {m.kind} {m.name} is {structure.rest(m):.6g} long, and {about} allow {far:.6g} at most."
            return Proof("long", message, _places(structure, (*used, k)), (k,), value=far)
    return None


def _chain(structure: Structure, start: str, end: str) -> tuple[float, tuple[int, ...]]:
    """The shortest way of limited members between two fixed nodes, not by way of other fixed nodes."""
    best: dict[str, float] = {start: 0.0}
    queue: list[tuple[float, str, tuple[int, ...]]] = [(0.0, start, ())]
    limited: dict[str, list[tuple[str, float, int]]] = {}
    for k, m in enumerate(structure.members):
        if m.stiffness is None and m.pulls and m.density is None:
            limited.setdefault(m.a, []).append((m.b, structure.rest(m), k))
            limited.setdefault(m.b, []).append((m.a, structure.rest(m), k))
    while queue:
        far, name, used = heapq.heappop(queue)
        if name == end:
            return far, used
        for other, length, k in limited.get(name, []):
            if far + length < best.get(other, math.inf):
                best[other] = far + length
                heapq.heappush(queue, (far + length, other, (*used, k)))
    return math.inf, ()


def _named(structure: Structure, used: tuple[int, ...]) -> str:
    members = [structure.members[k] for k in used]
    kinds = {m.kind for m in members}
    kind = kinds.pop() if len(kinds) == 1 else "member"
    names = [m.name for m in members]
    if len(names) == 1:
        return f"the {kind} {names[0]}"
    return (
        f"the {kind}s {', '.join(names[:-1])} and {names[-1]}"
        if len(names) <= 6
        else f"{len(names)} {kind}s between them"
    )


def _places(structure: Structure, used: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(structure.members[k].path for k in used if structure.members[k].path))


# -- parts that fall -----------------------------------------------------------------------------------------------------


def parts(structure: Structure) -> list[list[str]]:
    """Nodes that members, potentials, corners or pressure tie together."""
    group = {name: name for name in structure.nodes}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    ties = [(m.a, m.b) for m in structure.members]
    ties += [(one.nodes[0], other) for one in structure.potentials for other in one.nodes[1:]]
    ties += [pair for t in structure.torsions for pair in ((t.a, t.b), (t.b, t.c))]
    ties += [(loop[0], other) for loop, _ in structure.pressures for other in loop[1:]]
    for a, b in ties:
        group[root(a)] = root(b)
    found: dict[str, list[str]] = {}
    for name in structure.nodes:
        found.setdefault(root(name), []).append(name)
    return list(found.values())


def _falling(structure: Structure) -> Proof | None:
    """A part whose internal energy does not depend on its place, with a load along a direction that nothing blocks."""
    discs = [n for n in structure.nodes.values() if n.radius > 0]
    for part in parts(structure):
        nodes = [structure.nodes[name] for name in part]
        if any(n.sphere is not None for n in nodes):
            continue
        if any(n.radius > 0 for n in nodes) and any(d.name not in part for d in discs):
            continue
        load = np.sum([structure.load(n) for n in nodes], axis=0)
        open_ = np.array([not any(n.fixed[axis] for n in nodes) for axis in range(3)])
        open_[2] &= structure.dimensions == 3
        way = _way(np.where(open_, load, 0.0), [np.array(p.normal) for p in structure.planes], open_)
        if way is None or float(way @ load) <= 1e-9 * max(structure.force, 1e-300):
            continue
        held = any(any(n.fixed) for n in nodes)
        named = ", ".join(part[:6]) + (" …" if len(part) > 6 else "")
        down = way[structure.up] < -0.99
        verb = ("falls" if down else "moves away") if len(part) == 1 else ("fall" if down else "move away")
        what = "nothing holds " + ("it" if len(part) == 1 else "them") + (" in that direction" if held else "")
        places = tuple(dict.fromkeys(n.path for n in nodes if n.path))
        return Proof("falls", f"{named} {verb}: {what} against the load.", places, name=part[0])
    return None


def _way(load: Floats, normals: list[Floats], open_: Floats) -> Floats | None:
    """A direction in which the load does work and no plane blocks; None where none is found."""
    ways = [load]
    for n in normals:
        along = float(n @ load)
        if along < 0:
            ways.append(np.where(open_, load - along * n, 0.0))
    for way in ways:
        size = float(np.linalg.norm(way))
        if size > 1e-12 and all(float(n @ way) >= -1e-12 * size for n in normals):
            return way / size
    return None


# -- as drawn ------------------------------------------------------------------------------------------------------------


def _unbalanced(structure: Structure) -> Proof | None:
    from groundstate_models.equilibrium.statics import statics

    problem = statics(structure)
    motion = problem.motion
    if motion is None:
        return None
    moved = problem.wide if problem.wide is not None else problem.system
    nodes, blocks = list(structure.nodes.values()), list(structure.blocks.values())
    scale = float(np.abs(motion).max())
    if blocks:
        return _tipping(
            structure, motion, [r.source for r in moved.rows], moved.row_matrix(moved.rows) @ motion.ravel()
        )
    names = [n.name for k, n in enumerate(nodes) if float(np.linalg.norm(motion[k])) > 1e-6 * scale]
    listed = ", ".join(names[:8]) + (" …" if len(names) > 8 else "")
    message = (
        f"As drawn, the structure is a mechanism under this load: {listed} can move "
        f"{'and' if len(names) == 1 else 'together, and'} no member resists."
    )
    places = tuple(dict.fromkeys(structure.nodes[n].path for n in names if structure.nodes[n].path))
    return Proof("moves", message, places, name=names[0] if names else "")


def _tipping(structure: Structure, motion: Floats, sources: list[object], opened: Floats) -> Proof:
    """Names the lowest contact that opens, and the corner or edge that stays closed."""
    from groundstate_models.equilibrium.contacts import touching
    from groundstate_models.equilibrium.statics import NEAR

    blocks = list(structure.blocks.values())
    size = structure.length
    contacts = touching(blocks, structure.planes, NEAR * size)
    place = {b.name: k for k, b in enumerate(blocks)}

    def velocity(name: str, at: Floats) -> Floats:
        if name not in place or structure.blocks[name].fixed:
            return np.zeros(3)
        k = len(structure.nodes) + 2 * place[name]
        arm = (at - np.array(structure.blocks[name].centre)) / size
        return np.asarray(motion[k] + crossed(motion[k + 1], arm))

    if (simple := _turning(structure, contacts)) is not None:
        return simple
    groups: dict[tuple[str, str], list[tuple[Floats, float, float]]] = {}
    for c in contacts:
        relative = velocity(c.above, c.at) - velocity(c.below, c.at)
        along = float(relative @ c.normal)
        across = float(np.linalg.norm(relative - along * c.normal))
        groups.setdefault((c.below, c.above), []).append((c.at, along, across))
    del sources, opened
    scale = max((max(abs(a), s) for points in groups.values() for _, a, s in points), default=0.0)
    moving = {key: points for key, points in groups.items() if max(max(abs(a), s) for _, a, s in points) > 1e-6 * scale}
    order = {name: k for k, name in enumerate([p.name for p in structure.planes] + [b.name for b in blocks])}

    def height(key: tuple[str, str]) -> float:
        return min(float(at[structure.up]) for at, _, _ in groups[key])

    if not scale or not moving:
        name = next(
            (b.name for b in blocks if float(np.abs(motion[len(structure.nodes) + 2 * place[b.name]]).max()) > 0), ""
        )
        held = structure.blocks[name].path if name else ""
        return Proof("falls", f"{name} falls: no block or floor is under it.", (held,), name=name)
    below, above = min(moving, key=lambda key: (height(key), order.get(key[0], 0)))
    points = groups[below, above]
    turning = [n for n in (above, below) if n in place and not structure.blocks[n].fixed]
    speed = {n: float(np.abs(motion[len(structure.nodes) + 2 * place[n] + 1]).max()) for n in turning}
    name = max(turning, key=lambda n: (speed[n] > 1e-9 * scale, n == above)) if turning else above
    other = below if name == above else above
    closed = [at for at, a, s in points if abs(a) <= 1e-6 * scale]
    opens = any(a > 1e-6 * scale for _, a, _ in points)
    path = (structure.blocks[name].path,) if structure.blocks[name].path else ()
    if opens and closed and len(closed) < len(points):
        edge = " to ".join(dict.fromkeys(_written(p, structure.dimensions) for p in closed[:2]))
        return Proof("tips", f"{name} tips over the edge of {other} at {edge}.", path, name=name)
    # In this statics a block that slides also rises along the friction cone.
    slides = all(a <= (structure.friction + 1e-6) * s + 1e-6 * scale for _, a, s in points)
    if opens and not slides:
        return Proof("tips", f"{name} lifts off {other}.", path, name=name)
    text = f"{name} slides on {other}: friction {structure.friction:g} is not enough."
    return Proof("tips", text, path, name=name)


def _turning(structure: Structure, contacts: list[Contact]) -> Proof | None:
    """A block that, with all that it carries, turns about an edge of its support or slides on it: the simplest motion.

    Only a motion that is itself a proof is named: the load does work on it, and no contact resists.
    """
    from groundstate_models.equilibrium.statics import statics

    problem = statics(structure)
    system = problem.wide if problem.wide is not None else problem.system
    matrix = system.row_matrix(system.rows)
    place = {name: k for k, name in enumerate(structure.blocks)}
    pairs: dict[tuple[str, str], list[Contact]] = {}
    for c in contacts:
        pairs.setdefault((c.below, c.above), []).append(c)
    ways: list[tuple[float, bool, str, str, list[Floats]]] = []
    for (low, high), touch in pairs.items():
        for below, above, sign in ((low, high, 1.0), (high, low, -1.0)):
            if above not in place:
                continue
            group = _carried_by(structure, contacts, below, above)
            if group is None:
                continue
            moves: list[tuple[list[Floats], Floats, Floats]] = [
                (pivot, crossed(-axis, pivot[0] / structure.length), axis)
                for pivot, axis in _edges(structure, touch, sign)
            ]
            moves += [([], way, np.zeros(3)) for way in _slides(structure, sign * touch[0].normal)]
            for pivot, shift, axis in moves:
                motion = np.zeros(system.centre.shape)
                for name in group:
                    k = len(structure.nodes) + 2 * place[name]
                    centre = np.array(structure.blocks[name].centre) / structure.length
                    motion[k], motion[k + 1] = shift + crossed(axis, centre), axis
                work = float((system.force * motion).sum())
                gaps = matrix @ motion.ravel()
                if work > 1e-9 and gaps.min(initial=0.0) > -1e-9:
                    ways.append((min(float(c.at[structure.up]) for c in touch), not pivot, above, below, pivot))
    if not ways:
        return None
    _, slides, above, below, pivot = min(ways, key=lambda way: (way[0], way[1], place[way[2]]))
    edge = " to ".join(dict.fromkeys(_written(p, structure.dimensions) for p in pivot))
    path = structure.blocks[above].path
    if slides:
        text = f"{above} slides on {below}: friction {structure.friction:g} is not enough."
        return Proof("tips", text, (path,) if path else (), name=above)
    return Proof("tips", f"{above} tips over the edge of {below} at {edge}.", (path,) if path else (), name=above)


def _slides(structure: Structure, normal: Floats) -> list[Floats]:
    """Directions along a contact, with the rise that the friction cone asks for."""
    if structure.dimensions == 2:
        along = [np.array([-normal[1], normal[0], 0.0])]
    else:
        axis = np.eye(3)[int(np.argmin(np.abs(normal)))]
        u = crossed(normal, axis)
        u /= np.linalg.norm(u)
        v = crossed(normal, u)
        along = [math.cos(t) * u + math.sin(t) * v for t in np.linspace(0, math.pi, 8, endpoint=False)]
    rise = structure.friction * (1.0 if structure.dimensions == 2 else 1.0 / math.cos(math.pi / 8)) * normal
    return [sign * way + rise for way in along for sign in (1.0, -1.0)]


def _carried_by(structure: Structure, contacts: list[Contact], below: str, above: str) -> list[str] | None:
    """The blocks that hang on ``above`` once it is taken off ``below``; None where they are held elsewhere."""
    found, queue = {above}, [above]
    while queue:
        name = queue.pop()
        if name not in structure.blocks or structure.blocks[name].fixed:
            return None
        for c in contacts:
            for one, other in ((c.below, c.above), (c.above, c.below)):
                if one == name and {one, other} != {below, above} and other not in found:
                    found.add(other)
                    queue.append(other)
    return sorted(found)


def _edges(structure: Structure, touch: list[Contact], sign: float) -> list[tuple[list[Floats], Floats]]:
    """Points or pairs of points about which the upper block may turn, with the axis of a turn that opens the rest."""
    found: list[tuple[list[Floats], Floats]] = []
    normal = sign * touch[0].normal
    points = [c.at for c in touch]
    if structure.dimensions == 2:
        return [([p], np.array([0.0, 0.0, turn])) for p in points for turn in (1.0, -1.0)]
    for i, p in enumerate(points):
        for q in points[i + 1 :]:
            axis = (q - p) / max(float(np.linalg.norm(q - p)), 1e-12)
            near = -1e-9 * structure.length
            opens = [one for one in (axis, -axis) if all(float(crossed(one, r - p) @ normal) >= near for r in points)]
            found += [([p, q], one) for one in opens]
    return found


def _written(at: Floats, dimensions: int) -> str:
    return "(" + ", ".join(f"{v + 0.0:.4g}" for v in at[:dimensions]) + ")"


def too_short(structure: Structure, member: Member) -> bool:
    """Whether a member alone is shorter than the distance of its fixed ends."""
    a, b = structure.nodes[member.a], structure.nodes[member.b]
    return bool(a.held and b.held and a.at and b.at and math.dist(a.at, b.at) > structure.rest(member))
