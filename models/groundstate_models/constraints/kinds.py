"""Build constraints from typed objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from groundstate_models.constraints import derived, intervals, logic, sequences
from groundstate_models.constraints.language import Constraint
from groundstate_models.constraints.language import read as plain


def read(raw: Mapping[str, Any]) -> Constraint:
    """The constraint of a typed object."""
    match raw["type"]:
        case "any":
            return logic.AnyOf(tuple(map(read, raw["of"])))
        case "all":
            return logic.AllOf(tuple(map(read, raw["of"])))
        case "if":
            return logic.If(read(raw["if"]), read(raw["then"]))
        case "not":
            return logic.Not(read(raw["constraint"]))
        case "cumulative" | "before" | "no_overlap":
            return intervals.read(raw)
        case "run" | "regular" | "lexicographic":
            return sequences.read(raw)
        case "element" | "max" | "min" | "counts" | "intervals":
            return derived.read(raw)
    return plain(raw)


def parts(
    raw: Mapping[str, Any], constraint: Constraint, place: str
) -> Iterator[tuple[Mapping[str, Any], Constraint, str]]:
    """A typed object and all elementary objects in it, each with its constraint and place."""
    match constraint:
        case logic.AnyOf(several) | logic.AllOf(several):
            for number, one in enumerate(several):
                yield from parts(raw["of"][number], one, f"{place}.of[{number}]")
        case logic.If(when, then):
            yield from parts(raw["if"], when, f"{place}.if")
            yield from parts(raw["then"], then, f"{place}.then")
        case logic.Not(one):
            yield from parts(raw["constraint"], one, f"{place}.constraint")
        case _:
            yield raw, constraint, place


def negated(constraint: Constraint) -> Iterator[Constraint]:
    """The inner constraints that need an opposite."""
    match constraint:
        case logic.AnyOf(several) | logic.AllOf(several):
            for one in several:
                yield from negated(one)
        case logic.If(when, then):
            yield when
            yield from negated(then)
        case logic.Not(one):
            yield one
