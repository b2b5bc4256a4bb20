"""A structure: nodes, members, potentials, planes and blocks, in the user's units, and its lowering to a `System`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from groundstate_models.equilibrium.system import HARD, Corner, Edge, Floats, Row, System

Vector = tuple[float, float, float]

ZERO: Vector = (0.0, 0.0, 0.0)

MOST_HOPS = 60
"""Hops of a chain in a large cluster; in a small one, as many as there are free atoms beyond the fifth."""

SHAKE = 0.3
"""How far a hop moves an atom, in units of length."""


@dataclass(frozen=True)
class Node:
    """A point.

    Attributes:
        at: Where it was drawn; None if unknown.
        fixed: Which of its coordinates are held.
        load: The force on it besides its weight.
        radius: Of a disc or ball; 0 for a point.
        sphere: Centre and radius of a sphere that holds it; None for none.
        path: Its place in the request.
    """

    name: str
    at: Vector | None = None
    fixed: tuple[bool, bool, bool] = (False, False, False)
    mass: float = 0.0
    load: Vector = ZERO
    radius: float = 0.0
    charge: float = 0.0
    sphere: tuple[Vector, float] | None = None
    path: str = ""

    @property
    def held(self) -> bool:
        return all(self.fixed)


@dataclass(frozen=True)
class Member:
    """A spring, cable, rod or strut between two nodes; or a link of given force density.

    Attributes:
        kind: ``spring``, ``cable`` (pulls only), ``rod``, ``strut`` (pushes only) or ``link``.
        length: At rest; None for the drawn distance.
        stiffness: Force over elongation; None for a member that keeps its length.
        density: Of a link: force over length, negative in compression.
        path: Its place in the request.
    """

    name: str
    kind: str
    a: str
    b: str
    length: float | None = None
    stiffness: float | None = None
    density: float | None = None
    path: str = ""

    @property
    def pulls(self) -> bool:
        return self.kind != "strut"

    @property
    def pushes(self) -> bool:
        return self.kind in {"spring", "rod", "strut"}


@dataclass(frozen=True)
class Potential:
    """A pair potential between all pairs of the named nodes.

    Attributes:
        kind: ``coulomb``, ``lennard_jones`` or ``morse``; charges multiply Coulomb's law.
        depth: Of the minimum; of Coulomb's law, the strength.
        distance: Of the minimum.
        width: Of a Morse potential: the exponent per ``distance``.
    """

    kind: str
    nodes: tuple[str, ...]
    depth: float = 1.0
    distance: float = 1.0
    width: float = 6.0


@dataclass(frozen=True)
class Torsion:
    """A torsion spring at ``b`` with the moment ``stiffness · sin(angle − rest)``.

    The angle turns counter-clockwise from a to c.
    """

    a: str
    b: str
    c: str
    stiffness: float
    rest: float = math.pi


@dataclass(frozen=True)
class Plane:
    """A floor or wall: points stay where ``normal · x ≥ offset``."""

    name: str
    normal: Vector
    offset: float
    path: str = ""


@dataclass(frozen=True)
class Block:
    """A rigid body with corners and faces, in the plane a polygon (one face, counter-clockwise).

    Attributes:
        corners: ``(V, 3)``.
        faces: Indices of corners; empty in the plane.
        weight: The force along gravity.
        fixed: Whether it cannot move.
    """

    name: str
    corners: Floats
    faces: tuple[tuple[int, ...], ...]
    weight: float
    centre: Vector
    fixed: bool = False
    load: Vector = ZERO
    path: str = ""


@dataclass
class Structure:
    """What a request describes.

    Attributes:
        dimensions: 2 or 3; gravity points along −y or −z.
        drawn: Whether the places are given and only forces are asked for: trusses as drawn, stacks.
        where: Where a node must rest: ``above``, ``below``, ``left``, ``right``, or near a place.
        funicular: Whether all members are links, so that forms are lines of thrust.
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    potentials: list[Potential] = field(default_factory=list)
    torsions: list[Torsion] = field(default_factory=list)
    pressures: list[tuple[tuple[str, ...], float]] = field(default_factory=list)
    planes: list[Plane] = field(default_factory=list)
    blocks: dict[str, Block] = field(default_factory=dict)
    friction: float = 0.5
    gravity: float = 9.81
    dimensions: int = 2
    drawn: bool = False
    where: dict[str, str | Vector] = field(default_factory=dict)
    unit: str | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def up(self) -> int:
        """The axis against gravity."""
        return self.dimensions - 1

    @property
    def cluster(self) -> bool:
        """Whether the lowest energy is asked for, of all arrangements."""
        return bool(self.potentials) and not self.drawn

    @cached_property
    def order(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.nodes)}

    def load(self, node: Node) -> Floats:
        """The force on a node, its weight included."""
        found = np.array(node.load, np.float64)
        found[self.up] -= node.mass * self.gravity
        return found

    def rest(self, member: Member) -> float:
        """The length of a member at rest: given, or drawn."""
        if member.length is not None:
            return member.length
        a, b = self.nodes[member.a].at, self.nodes[member.b].at
        return math.dist(a, b) if a is not None and b is not None else 0.0

    @cached_property
    def length(self) -> float:
        """The unit of length: the extent of what is drawn, or the longest member."""
        if self.cluster and not self.members:
            if any(node.sphere for node in self.nodes.values()):
                return max(node.sphere[1] for node in self.nodes.values() if node.sphere)
            return self.potentials[0].distance
        places = [node.at for node in self.nodes.values() if node.at is not None]
        places += [tuple(corner) for block in self.blocks.values() for corner in block.corners]
        extent = float(np.ptp(np.array(places), axis=0).max()) if len(places) > 1 else 0.0
        return max([extent, *(self.rest(member) for member in self.members)]) or 1.0

    @cached_property
    def force(self) -> float:
        """The unit of force: the total of the loads, or what members and potentials can exert."""
        loads = sum(float(np.linalg.norm(self.load(node))) for node in self.nodes.values() if not node.held)
        loads += sum(abs(block.weight) + float(np.linalg.norm(block.load)) for block in self.blocks.values())
        loads += sum(abs(p) * self.length for _, p in self.pressures)
        if loads and not (self.cluster and not self.members):
            return loads
        if self.potentials:
            one = self.potentials[0]
            return one.depth / self.length if one.kind != "coulomb" else one.depth / self.length**2
        springs = [m.stiffness * self.length for m in self.members if m.stiffness]
        springs += [abs(m.density) * self.length for m in self.members if m.density]
        springs += [t.stiffness / self.length for t in self.torsions]
        return max(springs, default=1.0)

    @property
    def funicular(self) -> bool:
        """Whether every member is a link in compression: a line of thrust, solved upside down."""
        return bool(self.members) and all((m.density or 0.0) < 0 for m in self.members)

    def pairs(self) -> Iterator[tuple[Potential, str, str, float]]:
        """Pairs of a potential and the product of their charges (1 without charges)."""
        for one in self.potentials:
            charged = any(self.nodes[n].charge for n in one.nodes)
            for a, b in combinations(one.nodes, 2):
                product = self.nodes[a].charge * self.nodes[b].charge if charged else 1.0
                yield one, a, b, product

    # -- lowering --------------------------------------------------------------------------------------------------------

    @cached_property
    def system(self) -> System:
        """The system, in units of `length` and `force`."""
        if self.drawn:
            from groundstate_models.equilibrium.statics import statics

            return statics(self).system
        nodes, size = list(self.nodes.values()), self.length
        count = len(nodes)
        fixed = np.array([node.fixed for node in nodes]).reshape(count, 3)
        if self.dimensions == 2:
            fixed[:, 2] = True
        atoms = self._atoms
        centre, spread = self._starts(fixed)
        system = System(
            centre=centre,
            spread=spread,
            radius=np.array([0.0 if n.sphere is None else n.sphere[1] / size for n in nodes]),
            force=np.array([self.load(n) / self.force for n in nodes]),
            shake=np.array(
                [SHAKE / spread[k].max() if n.name in atoms and not n.held else 0.0 for k, n in enumerate(nodes)]
            ),
            hops=self._hops,
            length=size,
            load=self.force,
        )
        if self.funicular:
            system.sign = -1.0
            system.force = -system.force
        self._edges(system)
        self._planes(system)
        for t in self.torsions:
            i, j, k = (self.order[name] for name in (t.a, t.b, t.c))
            system.corners.append(Corner(i, j, k, t.stiffness / (self.force * size), t.rest))
        for loop, p in self.pressures:
            around = self.oriented(loop)
            for a, b in zip(around, (*around[1:], around[0]), strict=True):
                system.sides.append((self.order[a], self.order[b], p * size / self.force))
        return system

    @property
    def _atoms(self) -> set[str]:
        return {name for one in self.potentials for name in one.nodes}

    @property
    def _hops(self) -> int:
        free = sum(not self.nodes[name].held for name in self._atoms)
        if any(self.nodes[name].sphere for name in self._atoms):
            return min(max(free - 10, 0) // 3, MOST_HOPS)
        return min(max(free - 5, 0), MOST_HOPS)

    def _starts(self, fixed: Floats) -> tuple[Floats, Floats]:
        nodes, size = list(self.nodes.values()), self.length
        count = len(nodes)
        known = [node.at is not None for node in nodes]
        centre = np.array([node.at or ZERO for node in nodes], np.float64).reshape(count, 3) / size
        middle: Floats = np.asarray(centre[known].mean(0), np.float64) if any(known) else np.zeros(3)
        laplace, right = np.zeros((count, count)), np.zeros((count, 3))
        for member in self.members:
            a, b = self.order[member.a], self.order[member.b]
            laplace[[a, b], [a, b]] += 1.0
            laplace[[a, b], [b, a]] -= 1.0
        for k in range(count):
            if known[k]:
                laplace[k] = 0.0
                laplace[k, k], right[k] = 1.0, centre[k]
            else:
                laplace[k, k] += 1e-6
                right[k] = 1e-6 * middle
        centre = np.asarray(np.linalg.solve(laplace, right), np.float64)
        atoms = len(self._atoms)
        wide = 0.62 * atoms ** (1 / 3) if self.cluster and not self.members else 0.5
        spread = np.where(fixed, 0.0, wide)
        for k, node in enumerate(nodes):
            if node.sphere is not None:
                centre[k], spread[k] = np.array(node.sphere[0]) / size, 1.0
            near = self.where.get(node.name)
            if near is not None and not isinstance(near, str):
                centre[k], spread[k] = np.array(near) / size, np.where(fixed[k], 0.0, 0.02)
        return centre, spread

    def oriented(self, loop: tuple[str, ...]) -> tuple[str, ...]:
        """The loop counter-clockwise as drawn."""
        at = [self.nodes[name].at for name in loop]
        if any(p is None for p in at):
            return loop
        points = np.array(at)[:, :2]
        following = np.roll(points, -1, axis=0)
        area = float((points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]).sum())
        return loop if area >= 0 else loop[::-1]

    def _edges(self, system: System) -> None:
        size, force = self.length, self.force
        sign = system.sign
        for number, m in enumerate(self.members):
            one, other = self.order[m.a], self.order[m.b]
            if m.density is not None:
                system.edges.append(Edge(one, other, sign * m.density * size / force, 0.0, member=number))
                continue
            k = HARD if m.stiffness is None else m.stiffness * size / force
            rest = self.rest(m) / size
            hard = m.stiffness is None
            system.edges.append(Edge(one, other, k, rest, m.pulls, m.pushes, hard=hard, member=number))
        for p, a, b, product in self.pairs():
            edge = Edge(self.order[a], self.order[b])
            energy = p.depth / (force * size)
            if p.kind == "coulomb":
                edge.charge, edge.core = product * p.depth / (force * size**2), 0.02
            elif p.kind == "morse":
                edge.well, edge.width, edge.bottom = energy, p.width * size / p.distance, p.distance / size
                edge.core = 0.6 * edge.bottom
            else:
                edge.depth, edge.distance = energy, p.distance / size
                edge.core = 0.9 * edge.distance
            system.edges.append(edge)
        discs = [node for node in self.nodes.values() if node.radius > 0]
        for one_, other_ in combinations(discs, 2):
            if not (one_.held and other_.held):
                rest = (one_.radius + other_.radius) / size
                edge = Edge(self.order[one_.name], self.order[other_.name], HARD, rest, pull=False, hard=True)
                system.edges.append(edge)

    def _planes(self, system: System) -> None:
        for number, plane in enumerate(self.planes):
            for k, node in enumerate(self.nodes.values()):
                if system.free[k].any():
                    offset = -(plane.offset + node.radius) / self.length
                    row = Row(((k, plane.normal),), offset, HARD, hard=True, source=("plane", number, node.name))
                    system.rows.append(row)

    def with_where(self, where: dict[str, str | Vector]) -> Structure:
        """The same with other wishes where nodes rest."""
        return replace(self, where=where)
