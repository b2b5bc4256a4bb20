"""A structure: what a request describes, and its lowering to a `System`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from groundstate_models.equilibrium.parts import ZERO, Description, Vector
from groundstate_models.equilibrium.statics import statics
from groundstate_models.equilibrium.system import HARD, Corner, Edge, Floats, Row, System

MOST_HOPS = 60
"""Hops of a chain in a large cluster; in a small one, as many as there are free atoms beyond the fifth."""

SHAKE = 0.3
"""How far a hop moves an atom, in units of length."""


@dataclass
class Structure(Description):
    """A description that can be lowered."""

    @cached_property
    def system(self) -> System:
        """The system, in units of `length` and `force`."""
        if self.drawn:
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
