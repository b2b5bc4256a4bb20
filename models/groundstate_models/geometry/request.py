"""Reads a request into a `Problem`: declarations and statements; errors give the place."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from groundstate import Fault, RequestError
from groundstate_models.geometry.expressions import Sum
from groundstate_models.geometry.formulas import Formula, Parser
from groundstate_models.geometry.names import MisreadError, Names
from groundstate_models.geometry.problem import Problem
from groundstate_models.geometry.solid import KINDS_IN_SPACE
from groundstate_models.geometry.statements import Writer, equation, state
from groundstate_models.geometry.typed import state_typed

MOST_POINTS = 1500
MOST_FAULTS = 10
PLANE_ONLY = "This is understood in the plane only, and space is true."


@dataclass
class Read:
    """A request, read.

    Attributes:
        problem: Names and constraints.
        measures: The text and the formula of each measure.
        notices: Sentences about reinterpreted input.
        unit: The unit of lengths, or None.
        lines: Named lines.
        polygons: Polygons in the order of their names in the request.
    """

    problem: Problem
    measures: list[tuple[str, Formula]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    unit: str | None = None
    lines: dict[str, tuple[str, str]] = field(default_factory=dict)
    polygons: list[tuple[str, ...]] = field(default_factory=list)


def read(request: Mapping[str, Any]) -> Read:
    """Read a request that has passed the schema.

    Raises:
        RequestError: If something cannot be read; one sentence for each place.
    """
    return _Reader(request).read()


class _Reader:
    def __init__(self, request: Mapping[str, Any]) -> None:
        self.request = request
        self.problem = Problem(distinct=bool(request.get("distinct", True)), solid=bool(request.get("space", False)))
        self.names = Names(self.problem, declared=bool(request.get("points")))
        self.parser = Parser(self.names, request.get("unit"))
        self.faults: list[Fault] = []
        self.first = 0

    def read(self) -> Read:
        self._points()
        self._lines()
        self._circles()
        self._polygons()
        self._statements()
        measures = self._measures()
        count = len(self.problem.points)
        if count > MOST_POINTS:
            self.fault("points", f"There are {count} points; there may be {MOST_POINTS}.")
        self._misspelt()
        self._unsaid()
        self._ordered()
        if self.faults:
            raise RequestError(self.faults[:MOST_FAULTS])
        if not self.problem.points:
            raise RequestError([Fault("", "Nothing is asked for: name points, or say what holds in constraints.")])
        notices = [f"{name} is not among points; it was taken as a point." for name in self.names.used]
        notices += self.parser.converted
        unit = self.parser.unit
        return Read(self.problem, measures, notices, unit, dict(self.names.lines), list(self.names.polygons))

    def fault(self, path: str, message: str) -> None:
        self.faults.append(Fault(path, message))

    def writer(self, text: str, path: str) -> Writer:
        self.problem.statements.append((text, path))
        return Writer(self.names, self.parser, len(self.problem.statements) - 1)

    def _points(self) -> None:
        given = self.request.get("points", [])
        pairs = given.items() if isinstance(given, Mapping) else ((name, None) for name in given)
        for name, at in pairs:
            if not isinstance(name, str) or not name.strip() or any(c in name for c in " ,|=()+*/^→"):
                self.fault("points", f"{str(name)[:30]!r} is not a name of a point; use letters, digits and primes.")
                continue
            if name in self.problem.points:
                self.fault("points", f"{name!r} is there twice.")
                continue
            self.problem.points.append(name)
            if at is not None:
                self._at(name, at)

    def _at(self, name: str, at: Any) -> None:
        path = f"points.{name}"
        right = isinstance(at, Sequence) and not isinstance(at, str) and len(at) == (3 if self.problem.solid else 2)
        if not right or not all(isinstance(v, int | float) and math.isfinite(v) for v in at):
            numbers = (
                "three finite numbers, such as [0, 2.5, 1]"
                if self.problem.solid
                else "two finite numbers, such as [0, 2.5]"
            )
            self.fault(path, f"{str(at)[:40]} is not a place; give {numbers}.")
            return
        w = self.writer(f"{name} = ({', '.join(f'{v:g}' for v in at)})", path)
        for axis, value in zip("xyz", at, strict=False):
            w.add("equation", Sum.of((axis, name)) - Sum.of(Fraction(value)))

    def _lines(self) -> None:
        for name, ends in self.request.get("lines", {}).items():
            try:
                found = self.names.points(ends, 2, 2)
                self.names.lines[name] = (found[0], found[1])
            except MisreadError as error:
                self.fault(f"lines.{name}", str(error))

    def _circles(self) -> None:
        for what in ("circles", "arcs"):
            for name, one in self.request.get(what, {}).items():
                try:
                    self._circle(name, one, arc=what == "arcs", path=f"{what}.{name}")
                except MisreadError as error:
                    self.fault(f"{what}.{name}", str(error))

    def _circle(self, name: str, one: Mapping[str, Any], *, arc: bool, path: str) -> None:
        centre = one.get("center", one.get("centre"))
        through = one.get("through", [])
        w = self.writer(f"{path.split('.', maxsplit=1)[0][:-1]} {name}", path)
        named = [part for part in (f"{name}.center", f"{name}.centre") if part in self.problem.points]
        k = f" arc {name}" if arc else name
        centre = named[0] if centre is None and named else centre
        w.new_circle(k, centre)
        if "radius" in one:
            value = one["radius"]
            if isinstance(value, int | float) and not (math.isfinite(value) and value > 0):
                raise MisreadError(f"The radius is {value}; it must be positive and finite.")
            text = str(value) if isinstance(value, str) else f"{Fraction(value)}"
            equation(w, Formula(Sum.of(("radius", k)), Sum.of(1)), self.parser.parse(text))
        for point in [through] if isinstance(through, str) else through:
            w.add("on circle", self.names.point(point), k)
        if arc:
            ends = self.names.point(one["start"]), self.names.point(one["end"])
            self.problem.arcs[name] = (k, *ends)
            for point in ends:
                w.add("on circle", point, k)
        self.problem.statements[-1] = (self._said(name, one, arc=arc), path)

    @staticmethod
    def _said(name: str, one: Mapping[str, Any], *, arc: bool) -> str:
        parts = [f"{'arc' if arc else 'circle'} {name}"]
        for key, word in (
            ("center", "with centre"),
            ("centre", "with centre"),
            ("radius", "radius"),
            ("through", "through"),
        ):
            if key in one:
                value = one[key]
                parts.append(f"{word} {', '.join(value) if isinstance(value, list) else value}")
        return " ".join(parts)

    def _polygons(self) -> None:
        for number, corners in enumerate(self.request.get("polygons", [])):
            try:
                self.names.polygons.append(tuple(self.names.points(corners, 3)))
            except MisreadError as error:
                self.fault(f"polygons[{number}]", str(error))

    def _statements(self) -> None:
        self.first = len(self.problem.statements)
        for number, one in enumerate(self.request.get("constraints", [])):
            path = f"constraints[{number}]"
            text = one if isinstance(one, str) else _told(one)
            w = self.writer(text, path)
            before = len(self.problem.constraints)
            try:
                if isinstance(one, str):
                    state(w, one)
                else:
                    state_typed(w, one)
                self._in_space(before)
            except MisreadError as error:
                del self.problem.constraints[before:]
                self.fault(path, str(error))

    def _in_space(self, before: int) -> None:
        """Refuse constraints that have a meaning in the plane only.

        Raises:
            MisreadError: If there is one.
        """
        if not self.problem.solid:
            return
        for one in self.problem.constraints[before:]:
            sums = [one.arguments[0]] if isinstance(one.arguments[0], Sum) else []
            if one.kind not in KINDS_IN_SPACE or any(_polygon(value) for value in sums):
                raise MisreadError(PLANE_ONLY)

    def _measured_in_space(self, one: Formula) -> None:
        if self.problem.solid and (_polygon(one.over) or _polygon(one.under)):
            raise MisreadError(PLANE_ONLY)

    def _measures(self) -> list[tuple[str, Formula]]:
        found = []
        for number, text in enumerate(self.request.get("measure", [])):
            try:
                one = self.parser.parse(text)
                self._measured_in_space(one)
                found.append((text, one))
            except MisreadError as error:
                self.fault(f"measure[{number}]", str(error))
        return found

    def _misspelt(self) -> None:
        """Refuse an undeclared point if a declared point of a similar name is unused."""
        if not self.names.used:
            return
        spoken = {name for one in self.problem.constraints for name in _names(one.arguments)}
        idle = [name for name in self.request.get("points", []) if name not in spoken]
        for name in self.names.used:
            near = difflib.get_close_matches(name, idle, n=1, cutoff=0.5) if len(name) > 1 else []
            if near:
                self.fault(
                    "points", f"{name!r} is not among points, and {near[0]!r} is, which nothing uses; is one misspelt?"
                )

    def _ordered(self) -> None:
        """Points in the order of ``points`` and the statements; those that only describe circles come last."""
        spoken = list(self.request.get("points", []))
        spoken += [
            name for one in self.problem.constraints if one.source >= self.first for name in _names(one.arguments)
        ]
        rank = {name: k for k, name in reversed(list(enumerate(spoken)))}
        self.problem.points.sort(key=lambda name: (name.startswith(" "), rank.get(name, len(spoken))))

    def _unsaid(self) -> None:
        """Refuse a circle of which nothing is known."""
        spoken = {name for one in self.problem.constraints for name in _names(one.arguments)}
        for what in ("circles", "arcs"):
            for name, one in self.request.get(what, {}).items():
                k = f" arc {name}" if what == "arcs" else name
                if (
                    not {"center", "radius", "through"} & set(one)
                    and k not in spoken
                    and self.problem.circles.get(k) not in spoken
                ):
                    message = f"Nothing is said about {name!r}; give a center, a radius or points in through."
                    self.fault(f"{what}.{name}", message)


def _polygon(value: Sum) -> bool:
    """Whether a sum holds the area of more than a triangle, which need not be plane in space."""
    return any(atom[0] == "area" and len(atom) > 4 for atom in value.atoms())


def _names(arguments: Sequence[Any]) -> list[str]:
    found: list[str] = []
    for one in arguments:
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, Sum):
            found += [name for atom in one.atoms() for name in atom[1:]]
    return found


def _told(one: Mapping[str, Any]) -> str:
    def flat(of: Any) -> str:
        return of if isinstance(of, str) else " ".join(map(flat, of))

    value = f" = {one['is']}" if "is" in one else ""
    return f"{str(one.get('type', '')).replace('_', ' ')} {flat(one.get('of', ''))}{value}"
