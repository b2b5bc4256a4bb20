"""Forces in a structure that stays as drawn: trusses and stacks of blocks, with a proof where nothing balances the load.

The unknowns are small motions of nodes and blocks. Every member and every edge of a contact's friction cone is a spring that acts
on one linear form of the motions, on one side only where it can only pull or push. At a minimum the forces balance and lie
in their cones. Where there is no minimum, a motion exists on which the load does work and nothing resists.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from groundstate_models.equilibrium.contacts import Contact, crossed, touching
from groundstate_models.equilibrium.parts import Description
from groundstate_models.equilibrium.simplex import Verdict, balanced
from groundstate_models.equilibrium.system import Floats, Row, System

NEAR = 1e-6
"""Distance below which blocks touch, relative to the structure's size."""

CONE = 8
"""Edges of the pyramid inside a friction cone in space."""


@dataclass
class Statics:
    """The linear problem.

    Attributes:
        system: Triples are nodes, then the translation and the turn of each block.
        contacts: The points of contact.
        widened: Makes the system with pyramids around the friction cones; None in the plane, where they are exact.
    """

    structure: Description
    system: System
    contacts: list[Contact]
    widened: Callable[[], System] | None = None

    @cached_property
    def wide(self) -> System | None:
        """The system with pyramids around the friction cones; None in the plane."""
        return None if self.widened is None else self.widened()

    @cached_property
    def verdict(self) -> Verdict:
        """Forces that balance the loads, or a motion that nothing resists."""
        found = balanced(*self._problem(self.system))
        if found.motion is not None and self.wide is not None:
            other = balanced(*self._problem(self.wide))
            return Verdict(None, other.motion)
        return found

    @staticmethod
    def _problem(system: System) -> tuple[Floats, Floats]:
        matrix = system.row_matrix(system.rows)
        both = np.array([row.both for row in system.rows], bool)
        free = np.flatnonzero(system.free.ravel())
        columns = np.concatenate([matrix, -matrix[both]])[:, free].T
        return columns, -system.force.ravel()[free]

    @cached_property
    def forces(self) -> Floats | None:
        """The force along each row, ``(R,)``; None where nothing balances."""
        found = self.verdict.forces
        if found is None:
            return None
        count = len(self.system.rows)
        whole = found[:count].copy()
        both = [k for k, row in enumerate(self.system.rows) if row.both]
        whole[both] -= found[count:]
        return whole

    @cached_property
    def motion(self) -> Floats | None:
        """A motion on which the load does work and nothing resists, ``(T, 3)``; None where the load is balanced."""
        found = self.verdict.motion
        if found is None:
            return None
        whole = np.zeros(self.system.centre.size)
        whole[np.flatnonzero(self.system.free.ravel())] = found
        return whole.reshape(-1, 3)


def statics(structure: Description) -> Statics:
    """The linear problem of a structure as drawn."""
    size, force = structure.length, structure.force
    nodes, blocks = list(structure.nodes.values()), list(structure.blocks.values())
    count = len(nodes) + 2 * len(blocks)
    spread, load = np.ones((count, 3)), np.zeros((count, 3))
    for k, node in enumerate(nodes):
        spread[k] = np.where(node.fixed, 0.0, 1.0)
        load[k] = structure.load(node) / force
    for k, block in enumerate(blocks):
        place = len(nodes) + 2 * k
        if block.fixed:
            spread[place : place + 2] = 0.0
        load[place] = np.array(block.load) / force
        load[place, structure.up] -= block.weight / force
    if structure.dimensions == 2:
        spread[: len(nodes), 2] = 0.0
        spread[len(nodes) :: 2, 2] = 0.0
        spread[len(nodes) + 1 :: 2, :2] = 0.0
    contacts = touching(blocks, structure.planes, NEAR * size)

    def system(widened: float) -> System:
        made = System(np.zeros((count, 3)), spread, np.zeros(count), load, np.zeros(count), length=size, load=force)
        made.rows = _members(structure) + _contacts(structure, contacts, widened)
        return made

    wide = 1.0 / math.cos(math.pi / CONE) if structure.dimensions == 3 and contacts else None
    return Statics(structure, system(1.0), contacts, None if wide is None else partial(system, wide))


def _members(structure: Description) -> list[Row]:
    found = []
    for number, m in enumerate(structure.members):
        a, b = structure.nodes[m.a].at, structure.nodes[m.b].at
        assert a is not None
        assert b is not None
        unit = (np.array(b) - np.array(a)) / math.dist(a, b)
        sign = -1.0 if m.kind == "cable" else 1.0
        ahead, back = tuple(map(float, sign * unit)), tuple(map(float, -sign * unit))
        entries = ((structure.order[m.b], ahead), (structure.order[m.a], back))
        k = 1.0 if m.stiffness is None else m.stiffness * structure.length / structure.force
        found.append(Row(entries, 0.0, k, m.pulls and m.pushes, source=("member", number)))  # type: ignore[arg-type]
    return found


def cone(normal: Floats, friction: float, *, space: bool) -> list[Floats]:
    """Edges of a pyramid inside the friction cone; in the plane, the cone itself. Each has the normal part 1."""
    if not space:
        along = np.array([-normal[1], normal[0], 0.0])
        return [normal + friction * along, normal - friction * along] if friction else [normal]
    axis = np.eye(3)[int(np.argmin(np.abs(normal)))]
    u = crossed(normal, axis)
    u /= np.linalg.norm(u)
    v = crossed(normal, u)
    if not friction:
        return [normal]
    turns = 2 * math.pi / CONE * np.arange(CONE)
    return list(normal + friction * (np.outer(np.cos(turns), u) + np.outer(np.sin(turns), v)))


def _contacts(structure: Description, contacts: list[Contact], widened: float) -> list[Row]:
    if not contacts:
        return []
    place = {name: len(structure.nodes) + 2 * k for k, name in enumerate(structure.blocks)}
    cones: dict[bytes, Floats] = {}
    for contact in contacts:
        key = contact.normal.tobytes()
        if key not in cones:
            space = structure.dimensions == 3
            cones[key] = np.array(cone(contact.normal, structure.friction * widened, space=space))
    edges = np.array([cones[contact.normal.tobytes()] for contact in contacts])
    at = np.array([contact.at for contact in contacts])
    parts: list[list[tuple[int, list[Any], list[Any]]]] = [[] for _ in contacts]
    for side, sign in (("above", 1.0), ("below", -1.0)):
        names = [getattr(contact, side) for contact in contacts]
        centres = np.array([structure.blocks[n].centre if n in place else (0.0, 0.0, 0.0) for n in names])
        pushes = (sign * edges).tolist()
        turns = (sign * crossed(((at - centres) / structure.length)[:, None, :], edges)).tolist()
        for k, name in enumerate(names):
            if name in place:
                parts[k].append((place[name], pushes[k], turns[k]))
    found = []
    for number, own in enumerate(parts):
        for k, edge in enumerate(edges[number].tolist()):
            entries: list[tuple[int, Any]] = []
            for triple, push, turn in own:
                entries += [(triple, tuple(push[k])), (triple + 1, tuple(turn[k]))]
            found.append(Row(tuple(entries), 0.0, 1.0, both=False, source=("contact", number, tuple(edge))))
    return found
