"""Check constraints in JSON: texts and typed objects against their types, every fault with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from groundstate import Fault
from groundstate_models.constraints.notation import Names, NotationError
from groundstate_models.constraints.notation import read as parsed
from groundstate_models.constraints.schema import KINDS, MADE_OF_OTHERS, by_kind

_LONGEST_SHOWN = 60
_DEEPEST = 50
_KINDS_SAID = {
    "integer": "a whole number",
    "array": "an array",
    "object": "an object",
    "string": "a string",
    "boolean": "true or false",
}


def typed(raw: Any, place: str, names: Names, faults: list[Fault], depth: int = 0) -> dict[str, Any] | None:
    """A constraint of a request as a valid typed object; None if it is not valid, with faults added."""
    if isinstance(raw, str):
        try:
            return parsed(raw, names)
        except NotationError as error:
            shown = raw if len(raw) <= _LONGEST_SHOWN else f"{raw[: _LONGEST_SHOWN - 1]}…"
            faults.append(Fault(place, f'"{shown}" is not a constraint. {error}'))
            return None
    if depth > _DEEPEST:
        faults.append(Fault(place, "This is nested too deeply."))
        return None
    before = len(faults)
    faults.extend(_object_faults(raw, place))
    if len(faults) > before:
        return None
    if raw["type"] not in MADE_OF_OTHERS:
        return dict(raw)
    whole = dict(raw)
    for key, part in MADE_OF_OTHERS[raw["type"]].items():
        inner = raw[key]
        if part == "one":
            whole[key] = typed(inner, f"{place}.{key}", names, faults, depth + 1)
        else:
            whole[key] = [typed(one, f"{place}.{key}[{n}]", names, faults, depth + 1) for n, one in enumerate(inner)]
    return whole if len(faults) == before else None


def _object_faults(raw: Any, place: str) -> Iterator[Fault]:
    if not isinstance(raw, Mapping):
        yield Fault(place, f'{_shown(raw)} is not allowed here; a text such as "a != b", or an object with a type, is.')
        return
    if "type" not in raw:
        yield Fault(place, "The property 'type' is missing.")
        return
    kind = raw["type"]
    if not isinstance(kind, str) or kind not in KINDS:
        close = difflib.get_close_matches(kind, list(KINDS), n=1) if isinstance(kind, str) else []
        near = f" Did you mean {close[0]!r}?" if close else ""
        yield Fault(
            f"{place}.type", f"{_shown(kind)} is not allowed here; one of {', '.join(map(repr, KINDS))} is.{near}"
        )
        return
    yield from _faults(by_kind(kind), raw, place)


def faults_of(schema: Mapping[str, Any], value: Any, place: str) -> Iterator[Fault]:
    """Faults of a value against a schema with the few keywords that the types of constraints use."""
    return _faults(schema, value, place)


def _faults(schema: Mapping[str, Any], value: Any, place: str) -> Iterator[Fault]:
    """Faults of a value, by the few keywords of JSON Schema that the types of constraints use."""
    kinds = schema.get("type")
    if kinds is not None and not _is_a(value, [kinds] if isinstance(kinds, str) else kinds):
        yield Fault(place, f"{_shown(value)} is not allowed here; {_allowed(schema)} is.")
        return
    if isinstance(value, Mapping):
        yield from _object(schema, value, place)
    elif isinstance(value, list | tuple):
        yield from _array(schema, value, place)
    elif not isinstance(value, str):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield Fault(place, f"{_shown(value)} is not allowed here; {_allowed(schema)} is.")
    elif len(value) < schema.get("minLength", 0):
        yield Fault(place, "This text is empty.")


def _object(schema: Mapping[str, Any], value: Mapping[str, Any], place: str) -> Iterator[Fault]:
    properties = schema.get("properties", {})
    if missing := [name for name in schema.get("required", ()) if name not in value]:
        yield Fault(place, f"The property {', '.join(map(repr, missing))} is missing.")
    if properties and (unknown := [name for name in value if name not in properties]):
        close = difflib.get_close_matches(unknown[0], list(properties), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(map(repr, properties))}."
        yield Fault(place, f"The property {', '.join(map(repr, unknown))} is unknown; {hint}")
    for name, inner in value.items():
        if name in properties:
            yield from _faults(properties[name], inner, f"{place}.{name}")


def _array(schema: Mapping[str, Any], value: Sequence[Any], place: str) -> Iterator[Fault]:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if not least <= len(value) <= (len(value) if most is None else most):
        wanted = f"exactly {least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
        yield Fault(place, f"There are {len(value)} entries; there must be {wanted}.")
        return
    if schema.get("uniqueItems") and len(set(map(repr, value))) < len(value):
        twice = next(item for number, item in enumerate(value) if item in value[:number])
        yield Fault(place, f"{_shown(twice)} is listed twice; each entry may be listed once.")
    each = schema.get("prefixItems")
    for number, item in enumerate(value):
        inner = each[number] if each is not None else schema.get("items", {})
        if inner:
            yield from _faults(inner, item, f"{place}[{number}]")


def _is_a(value: Any, kinds: Sequence[str]) -> bool:
    if isinstance(value, str):
        return "string" in kinds
    if isinstance(value, bool) or value is None:
        return isinstance(value, bool) and "boolean" in kinds
    if isinstance(value, int | float):
        return "integer" in kinds and (isinstance(value, int) or value.is_integer())
    return ("object" if isinstance(value, Mapping) else "array" if isinstance(value, list | tuple) else "") in kinds


def _allowed(schema: Mapping[str, Any]) -> str:
    kinds = schema["type"]
    what = " or ".join(_KINDS_SAID[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{what} from {low} to {high}"
    return what if low is None else f"{what} of at least {low}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"an object of {len(value)}"
    return f"an array of {len(value)}" if isinstance(value, list | tuple) else f"{value!r:.{_LONGEST_SHOWN}}"
