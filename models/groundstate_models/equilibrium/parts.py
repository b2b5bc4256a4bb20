"""What a request describes: nodes, members, potentials, planes and blocks, in the user's units."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np

from groundstate_models.equilibrium.system import Floats

Vector = tuple[float, float, float]

ZERO: Vector = (0.0, 0.0, 0.0)

ROUNDING = 1e-6
"""Loads below this part of stiffness times extent are lost in the rounding of places, relative to the checker's tolerance.

The checker allows 1e-8 of the unit of force: with this bound at least 1e-14 of a spring's stiffness times the largest coordinate,
some fifty times the unit roundoff of float64.
"""


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
class Description:
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
    def loads(self) -> float:
        """The total of the loads."""
        found = sum(float(np.linalg.norm(self.load(node))) for node in self.nodes.values() if not node.held)
        found += sum(abs(block.weight) + float(np.linalg.norm(block.load)) for block in self.blocks.values())
        return found + sum(abs(p) * self.length for _, p in self.pressures)

    @cached_property
    def rounding(self) -> float:
        """Loads below this cannot be balanced to full precision, since places are rounded to float64; 0 as drawn."""
        if self.drawn:
            return 0.0
        far = max((abs(v) for node in self.nodes.values() for v in node.at or ZERO), default=0.0)
        firm = max((m.stiffness for m in self.members if m.stiffness), default=0.0)
        return ROUNDING * firm * max(far, self.length)

    @cached_property
    def force(self) -> float:
        """The unit of force: the total of the loads, or what members and potentials can exert.

        Not less than `rounding`, so that balance is never asked for beyond the precision of the places.
        """
        if self.loads and not (self.cluster and not self.members):
            return max(self.loads, self.rounding)
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

    def oriented(self, loop: tuple[str, ...]) -> tuple[str, ...]:
        """The loop counter-clockwise as drawn."""
        at = [self.nodes[name].at for name in loop]
        if any(p is None for p in at):
            return loop
        points = np.array(at)[:, :2]
        following = np.roll(points, -1, axis=0)
        area = float((points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]).sum())
        return loop if area >= 0 else loop[::-1]
