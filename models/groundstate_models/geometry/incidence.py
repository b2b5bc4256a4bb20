"""Lines through three or more points, and the order of the points on each, as the statements give them.

An angle between two such lines does not depend on which of their points name it. Written with the same points everywhere, rows
involve few points, an order of construction is easy to find, and equal angles are one quantity in proofs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.expressions import Atom, Sum, angle
from groundstate_models.geometry.lines import ON_LINE

if TYPE_CHECKING:
    from groundstate_models.geometry.problem import Problem

MOST_ORDERED = 16
"""Most points on a line whose order is derived."""

Sources = frozenset[int]
NO_SOURCES: Sources = frozenset()


@dataclass
class Line:
    """Points on one line.

    Attributes:
        points: Its points; those on most lines first.
        sources: The statements that put them there and order them.
        turn: At point v, whether x and y are on the same ray (1), on opposite rays (−1), or this is not known (0), ``(n, n, n)``.
        clashes: Whether the order contradicts itself.
    """

    points: list[str]
    sources: Sources
    turn: NDArray[np.int8]
    clashes: bool = False

    def between(self, v: str, x: str, y: str) -> int:
        """1 if x and y lie on the same ray from v, −1 if v is between them, 0 if this is not known."""
        at = self.points.index
        return int(self.turn[at(v), at(x), at(y)])


class Turned(NamedTuple):
    """An angle as a sum of others, and the statements that make it so."""

    value: Sum
    sources: Sources


class Incidence:
    """The lines of a problem.

    Args:
        problem: Its constraints say what is on a line.
        angles: Whether angles of 0° and 180° also put points on a line.
    """

    def __init__(self, problem: Problem, *, angles: bool = False) -> None:
        self.apart = {frozenset(pair) for pair in problem.apart}
        self.number = {name: k for k, name in enumerate(problem.points)}
        triples, orders = _facts(problem, angles=angles)
        self.lines = self._merged(triples)
        count = dict.fromkeys(self.number, 0)
        for line in self.lines:
            for name in line.points:
                count[name] += 1
        self.of: dict[frozenset[str], Line] = {}
        for line in self.lines:
            line.points.sort(key=lambda name: (-count[name], self.number[name]))
            self._order(line, orders)
            for pair in combinations(line.points, 2):
                if frozenset(pair) in self.apart:
                    self.of[frozenset(pair)] = line

    def _merged(self, triples: Iterable[tuple[tuple[str, ...], int]]) -> list[Line]:
        """Lines that share two different points are one."""
        sets: list[tuple[set[str], set[int]]] = []
        for names, source in triples:
            points, sources = set(names), {source} - {-1}
            changed = True
            while changed:
                changed = False
                for one in sets:
                    if any(frozenset(pair) in self.apart for pair in combinations(one[0] & points, 2)):
                        sets.remove(one)
                        points |= one[0]
                        sources |= one[1]
                        changed = True
                        break
            sets.append((points, sources))
        empty = np.zeros((0, 0, 0), np.int8)
        return [Line(sorted(points), frozenset(sources), empty) for points, sources in sets if len(points) > 2]

    def _order(self, line: Line, orders: Iterable[tuple[str, str, str, int, int]]) -> None:
        """Close what is known: opposite and same rays at each point, and of three points exactly one is between."""
        names, n = line.points, len(line.points)
        at = {name: k for k, name in enumerate(names)}
        turn = np.zeros((n, n, n), np.int8)
        turn[:, np.arange(n), np.arange(n)] = 1
        sources = set(line.sources)
        for v, x, y, sign, source in orders:
            trio = (v, x, y)
            if all(name in at for name in trio) and all(frozenset(p) in self.apart for p in combinations(trio, 2)):
                i, j, k = at[v], at[x], at[y]
                line.clashes |= turn[i, j, k] == -sign
                turn[i, j, k] = turn[i, k, j] = sign
                sources.add(source)
        line.sources, line.turn = frozenset(sources - {-1}), turn
        if n > MOST_ORDERED:
            return
        i, j, k = np.ogrid[:n, :n, :n]
        distinct = (i != j) & (j != k) & (i != k)
        while True:
            before = int(np.abs(turn).sum())
            wide = turn.astype(np.int64)
            product, known = wide @ wide, np.abs(wide) @ np.abs(wide)
            line.clashes |= bool((np.abs(product) != known).any())
            turn = np.where(turn == 0, np.sign(product), turn).astype(np.int8)
            one, two = turn.transpose(1, 0, 2), turn.transpose(1, 2, 0)
            same = distinct & ((one == -1) | (two == -1))
            opposite = distinct & (one == 1) & (two == 1)
            line.clashes |= bool((same & (opposite | (turn == -1))).any() or (opposite & (turn == 1)).any())
            turn = np.where(same, 1, np.where(opposite, -1, turn)).astype(np.int8)
            if line.clashes or int(np.abs(turn).sum()) == before:
                break
        line.turn = turn

    # -- canonical names -------------------------------------------------------------------------------------------------

    def ray(self, v: str, a: str) -> tuple[str, int, Sources]:
        """The point that names the line of v and a at v; −1 if it is on the other side of v; and the statements used."""
        line = self.of.get(frozenset((v, a)))
        if line is None:
            return a, 1, NO_SOURCES
        for name in line.points:
            if name == a:
                return a, 1, NO_SOURCES
            if name != v and frozenset((v, name)) in self.apart and (sign := line.between(v, a, name)):
                return name, sign, line.sources
        return a, 1, NO_SOURCES

    def direction(self, a: str, b: str) -> tuple[str, str]:
        """Two points that name the line of a and b."""
        line = self.of.get(frozenset((a, b)))
        if line is None:
            return a, b
        return next(pair for pair in combinations(line.points, 2) if frozenset(pair) in self.apart)

    def angle(self, atom: Atom) -> Turned:
        """An angle by the points that name its lines at its vertex."""
        _, a, v, b = atom
        one, first, used = self.ray(v, a)
        two, second, also = self.ray(v, b)
        sources = used | also
        sign = first * second
        line = self.of.get(frozenset((v, a)))
        if line is not None and line is self.of.get(frozenset((v, b))) and a != b:
            known = line.between(v, a, b)
            return Turned(Sum.of(0 if known > 0 else 180), line.sources) if known else Turned(Sum.of(atom), NO_SOURCES)
        if one == two:
            return Turned(Sum.of(atom), NO_SOURCES)
        found = Sum.of(angle(one, v, two))
        return Turned(found if sign > 0 else Sum.of(180) - found, sources)

    def sum(self, value: Sum) -> Turned:
        """A sum with its angles so named."""
        if not any(atom[0] == "angle" for atom in value.atoms()):
            return Turned(value, NO_SOURCES)
        total, sources = Sum(), NO_SOURCES
        for product, c in value.terms.items():
            term = Sum.of(c)
            for atom in product:
                part = self.angle(atom) if atom[0] == "angle" else Turned(Sum.of(atom), NO_SOURCES)
                term, sources = term * part.value, sources | part.sources
            total = total + term
        return Turned(total, sources)

    def arguments(self, kind: str, arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """The arguments of a constraint with the same meaning; None if it holds on any line."""
        if kind in {"equation", "at least", "more than"}:
            value = self.sum(arguments[0]).value
            return (value,) if value.degree == arguments[0].degree else arguments
        if kind in {"parallel", "perpendicular"}:
            one, two = self.direction(*arguments[:2]), self.direction(*arguments[2:4])
            if one == two:
                return None if kind == "parallel" else arguments
            return (*one, *two)
        return arguments


def _facts(
    problem: Problem, *, angles: bool
) -> tuple[list[tuple[tuple[str, ...], int]], list[tuple[str, str, str, int, int]]]:
    """Points that are on one line; and of three points, whether two are on the same ray from the first."""
    triples: list[tuple[tuple[str, ...], int]] = []
    orders: list[tuple[str, str, str, int, int]] = []
    for one in problem.constraints:
        a, source = one.arguments, one.source
        if one.kind in ON_LINE or one.kind == "midpoint":
            triples.append((a, source))
        if one.kind in {"on segment", "between", "midpoint"}:
            orders.append((*a, -1, source))
        elif one.kind == "on ray":
            orders.append((a[1], a[0], a[2], 1, source))
        elif angles and one.kind == "equation" and len(one.arguments[0].terms) <= 2:
            value: Sum = one.arguments[0]
            product = next((p for p in value.terms if p), ())
            if len(product) == 1 and product[0][0] == "angle" and len(list(value.atoms())) == 1:
                size = -float(value.constant) / float(value.terms[product])
                _, p, v, q = product[0]
                if size in {0.0, 180.0}:
                    triples.append(((p, v, q), source))
                    orders.append((v, p, q, 1 if size == 0.0 else -1, source))
    return triples, orders
