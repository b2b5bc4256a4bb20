"""Typed constraints: ``{"type": "distance", "of": ["A", "B"], "is": 5}`` is the same as a statement in words."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from groundstate_models.geometry.expressions import Sum, angle, length
from groundstate_models.geometry.formulas import Formula
from groundstate_models.geometry.kinds import KINDS
from groundstate_models.geometry.names import MisreadError
from groundstate_models.geometry.statements import _SHAPE, Writer, coplanar, equation

MARKS = ("=", "<", ">", "<=", ">=")


def _flat(of: Any) -> list[str]:
    if isinstance(of, str):
        return [of]
    return [name for part in of for name in _flat(part)]


def _points(w: Writer, of: Any, count: int | None = None) -> list[str]:
    return w.names.points(_flat(of), count or 1, count)


def _value(w: Writer, one: Mapping[str, Any]) -> Formula:
    value = one.get("is")
    if isinstance(value, bool) or value is None:
        raise MisreadError("This constraint needs a value: is, a number or a formula.")
    if isinstance(value, str):
        return w.parser.parse(value)
    return Formula(Sum.of(value if value != int(value) else int(value)), Sum.of(1))


def _compare(w: Writer, measured: Sum, one: Mapping[str, Any]) -> None:
    equation(w, Formula(measured, Sum.of(1)), _value(w, one), str(one.get("relation", "=")))


def _distance(w: Writer, one: Mapping[str, Any]) -> None:
    found = _points(w, one["of"])
    if len(found) == 2:
        _compare(w, Sum.of(length(*found)), one)
    elif len(found) == 3:
        _compare(w, Sum.of(("distance", *found)), one)
    else:
        raise MisreadError(
            f"A distance is of two points, or of a point and a line (three points); of names {len(found)}."
        )


def _angle(w: Writer, one: Mapping[str, Any]) -> None:
    a, v, b = _points(w, one["of"], 3)
    _compare(w, Sum.of(angle(a, v, b)), one)


def _equal_lengths(w: Writer, one: Mapping[str, Any]) -> None:
    found = _points(w, one["of"])
    if len(found) % 2 or len(found) < 4:
        raise MisreadError(f"Equal lengths are of segments, two points each; of names {len(found)} points.")
    for k in range(2, len(found), 2):
        w.same(found[0], found[1], found[k], found[k + 1])


def _ratio(w: Writer, one: Mapping[str, Any]) -> None:
    a, b, c, d = _points(w, one["of"], 4)
    over = _value(w, one)
    w.add("equation", Sum.of(length(a, b)) * over.under - over.over * Sum.of(length(c, d)))


def _equal_ratios(w: Writer, one: Mapping[str, Any]) -> None:
    a, b, c, d, e, f, g, h = _points(w, one["of"], 8)
    left = Sum.of(length(a, b)) * Sum.of(length(g, h))
    w.add("equation", left - Sum.of(length(c, d)) * Sum.of(length(e, f)))


def _equal_angles(w: Writer, one: Mapping[str, Any]) -> None:
    found = _points(w, one["of"], 6)
    w.equal_angles((found[0], found[1], found[2]), (found[3], found[4], found[5]))


def _area(w: Writer, one: Mapping[str, Any]) -> None:
    _compare(w, Sum.of(("area", *_points(w, one["of"]))), one)


def _radius(w: Writer, one: Mapping[str, Any]) -> None:
    _compare(w, Sum.of(("radius", w.names.circle(_flat(one["of"])[0]))), one)


def _coordinate(axis: str) -> Callable[[Writer, Mapping[str, Any]], None]:
    def write(w: Writer, one: Mapping[str, Any]) -> None:
        found = _points(w, one["of"])
        if axis == "z" and not w.names.problem.solid:
            raise MisreadError("A z needs space: true in the request.")
        if len(found) == 1:
            _compare(w, Sum.of((axis, found[0])), one)
        else:
            _compare(w, Sum.of((axis, found[1])) - Sum.of((axis, found[0])), one)

    return write


def _axis(axis: str) -> Callable[[Writer, Mapping[str, Any]], None]:
    def write(w: Writer, one: Mapping[str, Any]) -> None:
        a, b = _points(w, one["of"], 2)
        w.add("equation", Sum.of((axis, a)) - Sum.of((axis, b)))

    return write


def _coplanar(w: Writer, one: Mapping[str, Any]) -> None:
    coplanar(w, _points(w, one["of"]))


def _signed(w: Writer, one: Mapping[str, Any]) -> None:
    p, a, b = _points(w, one["of"], 3)
    value = _value(w, one).over.constant
    w.add("equation", Sum.of(("distance", p, a, b)) - Sum.of(abs(Fraction(value))))
    if value:
        w.add("left of", p, *((a, b) if value > 0 else (b, a)))


def _arc_length(w: Writer, one: Mapping[str, Any]) -> None:
    """Arc length from a centre, a start and an end, at most half a turn: the radius times the angle."""
    centre, start, end = _points(w, one["of"], 3)
    size = Sum.of(length(centre, start)) * Sum.of(angle(start, centre, end)) * (math.pi / 180)
    value = _value(w, one)
    w.add("equation", size * value.under - value.over)


def _shape(name: str) -> Callable[[Writer, Mapping[str, Any]], None]:
    def write(w: Writer, one: Mapping[str, Any]) -> None:
        corners = _points(w, one["of"])
        w.names.polygons.append(tuple(corners))
        at = one.get("at")
        _SHAPE[name](w, corners, None if at is None else w.names.point(str(at)))

    return write


TYPES: dict[str, Callable[[Writer, Mapping[str, Any]], None]] = {
    "distance": _distance,
    "length": _distance,
    "angle": _angle,
    "equal_lengths": _equal_lengths,
    "length_ratio": _ratio,
    "equal_ratios": _equal_ratios,
    "equal_angles": _equal_angles,
    "area": _area,
    "radius": _radius,
    "x": _coordinate("x"),
    "y": _coordinate("y"),
    "z": _coordinate("z"),
    "coplanar": _coplanar,
    "horizontal": _axis("y"),
    "vertical": _axis("x"),
    "signed_distance": _signed,
    "arc_length": _arc_length,
    **{name.replace(" ", "_"): _shape(name) for name in _SHAPE if name != "parallelogram"},
}
"""Types besides the kinds; every kind is also a type, with its arguments in ``of``, in order."""

KNOWN = sorted({*TYPES, *(name.replace(" ", "_") for name in KINDS if KINDS[name].arguments != "s")})


def state_typed(w: Writer, one: Mapping[str, Any]) -> None:
    """Write the constraints of a typed object.

    Raises:
        MisreadError: If it cannot be read.
    """
    name = str(one.get("type", "")).strip().lower().replace(" ", "_").replace("-", "_")
    if "of" not in one:
        raise MisreadError("This constraint lacks of: the names that it is about.")
    if name in TYPES:
        TYPES[name](w, one)
        return
    kinds = {known.replace(" ", "_").replace("-", "_"): known for known in KINDS if KINDS[known].arguments != "s"}
    if name not in kinds:
        near = difflib.get_close_matches(name, KNOWN, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise MisreadError(f"{name!r} is not a type of constraint.{hint} Known are {', '.join(KNOWN)}.")
    _plain(w, kinds[name], _flat(one["of"]), one)


def _plain(w: Writer, name: str, of: Sequence[str], one: Mapping[str, Any]) -> None:
    shape = KINDS[name].arguments
    arguments: list[Any] = []
    rest = list(of)
    for mark in shape.replace("p*", "*"):
        if mark == "*":
            arguments += w.names.points(rest, 3)
            rest = []
        elif mark == "n":
            arguments.append(float(_value(w, one).over.constant))
        elif mark == "w":
            arguments.append("inside" if str(one.get("is", "outside")).startswith("in") else "outside")
        elif not rest:
            raise MisreadError(f"{name} needs {len(shape)} names in of; there are {len(of)}.")
        elif mark == "a":
            arguments.append(rest.pop(0))
            if arguments[-1] not in w.names.problem.arcs:
                raise MisreadError(f"{arguments[-1]!r} is not an arc.")
        else:
            word = rest.pop(0)
            if mark == "p" and len(w.names.split(word)) > 1:
                word, *more = w.names.split(word)
                rest = [*more, *rest]
            arguments.append(w.names.circle(word) if mark == "c" else w.names.point(word))
    if rest:
        raise MisreadError(f"{name} takes fewer names; {', '.join(rest)} are left over in of.")
    w.add(name, *arguments)
