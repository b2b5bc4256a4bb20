"""Read the objective of a request: a text or an object, with every fault and its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import product
from operator import mul
from typing import Any

from groundstate import Fault
from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.names import nearest
from groundstate_models.constraints.notation import Names, NotationError
from groundstate_models.constraints.notation import objective as parsed
from groundstate_models.constraints.objective import Objective, read
from groundstate_models.constraints.schema import EXTREME, LITERAL_TERMS
from groundstate_models.constraints.typed import faults_of

MOST_COMBINATIONS = 2_000
"""Values together of the variables of an objective that is not a weighted sum."""

_VERBS = ("minimise", "maximise")
_ALLOWED = 'write "minimise 3*x + y", "maximise x" or "minimise the latest end of x for 3, y for 2"'


def goal(raw: Any, names: Names, faults: list[Fault], place: str = "objective") -> Objective | None:
    """The objective of a request; None if it is not valid, with faults added."""
    before = len(faults)
    typed = _typed(raw, names, faults, place)
    if typed is None or len(faults) > before:
        return None
    found = read(typed)
    faults.extend(_meaningless(typed, found, names.domains, place))
    return found if len(faults) == before else None


def _typed(raw: Any, names: Names, faults: list[Fault], place: str) -> dict[str, Any] | None:
    """The objective with the number as terms, as times, or as a table."""
    if isinstance(raw, str):
        try:
            found = parsed(raw, names)
        except NotationError as error:
            faults.append(Fault(place, f'"{raw:.60}" is not an objective. {error}'))
            return None
        (verb,) = found
        return _plain(verb, found[verb], raw, {}, names, faults, place)
    if not isinstance(raw, Mapping) or len(set(raw) & set(_VERBS)) != 1 or set(raw) - {*_VERBS, "weight"}:
        faults.append(Fault(place, f"This is not an objective; {_ALLOWED}."))
        return None
    verb = next(verb for verb in _VERBS if verb in raw)
    weight = raw.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= 1e6:
        faults.append(
            Fault(f"{place}.weight", f"{weight!r:.40} is not allowed here; a number above 0 and at most 1000000 is.")
        )
        return None
    number, rest = raw[verb], {"weight": weight}
    if isinstance(number, str):
        inner = _typed(f"{verb} {number}", names, faults, place)
        return None if inner is None else {**inner, **rest}
    if isinstance(number, list | tuple):
        faults.extend(faults_of(LITERAL_TERMS, number, f"{place}.{verb}"))
        return {verb: list(number), **rest}
    faults.extend(faults_of(EXTREME, number, f"{place}.{verb}"))
    return {verb: number, **rest}


def _plain(
    verb: str, number: dict[str, Any], text: str, rest: dict[str, Any], names: Names, faults: list[Fault], place: str
) -> dict[str, Any] | None:
    if "terms" in number:
        return {verb: number["terms"], "plus": number["plus"], **rest}
    if "sum" not in number and (verb == "minimise") == ("latest" in number):
        return {verb: number, **rest}
    if "sum" not in number:  # maximise the greatest, or minimise the least
        faults.append(
            Fault(place, f'"{text:.60}": the greatest can be minimised, and the least maximised, not the reverse.')
        )
        return None
    one = number["sum"]
    domains = [names.domains[name] for name in one.variables]
    many = reduce(mul, map(len, domains), 1)
    if many > MOST_COMBINATIONS:
        together = f"{', '.join(one.variables)} have {many} values together; at most {MOST_COMBINATIONS} are tried"
        faults.append(Fault(place, f'"{text:.60}" is not a weighted sum, and {together}.'))
        return None
    rows = {row: one.value(dict(zip(one.variables, row, strict=True))) for row in product(*domains)}
    shown = text.strip().split(maxsplit=1)[1]
    return {verb: {"variables": list(one.variables), "values": rows, "text": shown}, **rest}


def _meaningless(
    typed: Mapping[str, Any], found: Objective, domains: Mapping[str, Sequence[Value]], place: str
) -> Iterator[Fault]:
    unknown = [name for name in found.variables if name not in domains]
    for name in unknown:
        yield Fault(place, f"There is no variable {name!r}.{nearest(name, list(domains))}")
    if unknown:
        return
    number = typed.get("minimise", typed.get("maximise"))
    if isinstance(number, Mapping) and "values" in number:
        return
    parts = number if isinstance(number, list) else next(iter(number.values()))
    for one in parts:
        name = one["variable"]
        if "value" in one:
            if one["value"] not in domains[name]:
                yield Fault(
                    place, f"{one['value']!r} is none of the values of {name!r}.{nearest(one['value'], domains[name])}"
                )
            continue
        if odd := [value for value in domains[name] if not isinstance(value, int)]:
            advice = f"give it whole numbers, or weight its values: 3*({name} == {odd[0]})."
            yield Fault(place, f"An objective needs numbers, and {name!r} may be {odd[0]!r}; {advice}")
