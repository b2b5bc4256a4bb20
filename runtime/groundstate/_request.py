"""Requests against the artefact's JSON schema: every fault with its place, and no cost where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from groundstate._errors import Fault, RequestError
from groundstate._header import Spec

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_SAID = 60
_MOST = 100
"""Faults looked for: enough to mend a request by, and a bound on what a huge one costs."""


class Schema:
    """A JSON schema (2020-12) that turns what callers send into plain JSON, or says everything that is wrong with it.

    Args:
        schema: The schema of an object.
        tensors: Properties that are integer tensors whose bounds `_bounds` can read: they are checked in bulk, and the schema
            proper is only consulted when something is wrong.
        noun: What is validated, for messages.
    """

    def __init__(self, schema: Mapping[str, Any], tensors: Mapping[str, Spec], noun: str = "request") -> None:
        self._noun = noun
        self.schema = dict(schema)
        properties = self.schema.get("properties", {})
        self._bulk = {
            name: (spec.shape, bounds)
            for name, spec in tensors.items()
            if spec.dtype == np.int64
            and not spec.axes
            and (bounds := _bounds(properties.get(name), spec.shape)) is not None
        }
        self._only_bulk = set(self._bulk) == set(properties) == set(self.schema.get("required", []))

    @cached_property
    def _validator(self) -> Validator:
        # 0.1 s to import, and most requests never need it.
        from jsonschema import Draft202012Validator
        from jsonschema.validators import extend

        return extend(Draft202012Validator, {"anyOf": _any_of})(self.schema)

    def validate(self, value: Any) -> dict[str, Any]:
        """The value as plain JSON.

        Raises:
            RequestError: With every fault and its place.
        """
        if not isinstance(value, Mapping):
            what = (
                f"{value!r:.{_SAID}}"
                if value is None or isinstance(value, int | float | str)
                else f"of type {type(value).__name__}"
            )
            names = ", ".join(map(repr, self.schema.get("properties", {}))) or "any"
            raise RequestError(
                [Fault("", f"The {self._noun} is {what}; it must be an object with the properties {names}.")]
            )
        try:
            sent = {str(name): plain(item) for name, item in value.items()}
        except RecursionError:
            raise RequestError([Fault("", f"The {self._noun} is nested too deeply.")]) from None
        if (
            self._only_bulk
            and sent.keys() == self._bulk.keys()
            and all(_within(sent[name], shape, *bounds) for name, (shape, bounds) in self._bulk.items())
        ):
            return sent
        # One wrong value can break several keywords of its schema, which all make the same sentence.
        faults = dict.fromkeys(self._fault(error) for error in islice(self._validator.iter_errors(sent), _MOST))
        if faults:
            raise RequestError(list(faults))
        return sent

    def _fault(self, error: ValidationError) -> Fault:
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path).lstrip(".")
        return Fault(place, _sentence(error))


def _any_of(validator: Any, options: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """``anyOf``; where a type, or a property's constant, tells the options apart, only the one that is meant is asked.

    That one's faults are what the caller can mend, and asking one is several times faster than asking all.
    """
    from jsonschema import Draft202012Validator

    kinds = [option.get("type") if isinstance(option, Mapping) else None for option in options]
    if all(isinstance(kind, str) for kind in kinds):
        fitting = [number for number, kind in enumerate(kinds) if validator.is_type(instance, kind)]
        if not fitting:
            yield from validator.descend(instance, {"type": list(dict.fromkeys(kinds))})
            return
        if len(fitting) == 1:
            yield from validator.descend(instance, options[fitting[0]])
            return
    tag = _tag(options)
    if tag is None or not isinstance(instance, Mapping):
        yield from Draft202012Validator.VALIDATORS["anyOf"](validator, options, instance, schema)
        return
    if tag not in instance:
        yield from validator.descend(instance, {"required": [tag]})
        return
    constants = [option["properties"][tag]["const"] for option in options]
    if instance[tag] in constants:
        yield from validator.descend(instance, options[constants.index(instance[tag])])
    else:
        yield from validator.descend(instance, {"properties": {tag: {"enum": constants}}})


def _tag(options: Any) -> str | None:
    """The property that has another constant in each option, and is required in all."""
    first = options[0] if options and isinstance(options[0], Mapping) else {}
    for name in first.get("required", ()):
        told = [
            option.get("properties", {}).get(name, {}).get("const")
            for option in options
            if isinstance(option, Mapping) and name in option.get("required", ())
        ]
        if len(told) == len(options) and None not in told and len(set(map(str, told))) == len(told):
            return str(name)
    return None


def _sentence(error: ValidationError) -> str:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    value = error.instance
    said = f"{value!r:.{_SAID}}" if not isinstance(value, list | dict) else f"{_kind(value)} of {len(value)}"
    match error.validator:
        case "type":
            return f"{said} is not allowed here; {_allowed(schema)} is."
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "enum" | "const":
            return f"{said} is not allowed here; {_allowed(schema)} is.{_near(value, schema.get('enum', ()))}"
        case "minItems" | "maxItems":
            least, most = schema.get("minItems", 0), schema.get("maxItems")
            wanted = (
                f"exactly {least}" if least == most else f"{least} or more" if most is None else f"{least} to {most}"
            )
            return f"There are {len(value)} entries; there must be {wanted}."
        case "minProperties" | "maxProperties":
            least, most = schema.get("minProperties", 0), schema.get("maxProperties")
            wanted = f"{least} or more" if most is None else f"{least} to {most}"
            return f"There are {len(value)} properties; there must be {wanted}."
        case "uniqueItems":
            twice = next(item for place, item in enumerate(value) if item in value[:place])
            return f"{twice!r:.{_SAID}} is listed twice; each entry may be listed once."
        case "required":
            missing = [name for name in schema.get("required", []) if name not in value]
            return f"The property {', '.join(map(repr, missing))} is missing."
        case "additionalProperties":
            known = list(schema.get("properties", {}))
            unknown = [name for name in value if name not in known]
            near = _near(unknown[0], known) if unknown else ""
            hint = f"; d{near[2:]}" if near else f"; known are {', '.join(map(repr, known))}."
            return f"The property {', '.join(map(repr, unknown))} is unknown{hint}"
        case _:
            return f"{error.message[:200]}."


def _near(value: Any, known: Sequence[Any]) -> str:
    """What the caller may have meant: " Did you mean 'x'?", or nothing."""
    import difflib

    words = [word for word in known if isinstance(word, str)]
    close = difflib.get_close_matches(value, words, n=1) if isinstance(value, str) else []
    return f" Did you mean {close[0]!r}?" if close else ""


_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "array": "an array",
    "object": "an object",
    "string": "a string",
}


def _kind(value: Any) -> str:
    return "an array" if isinstance(value, list) else "an object"


def _allowed(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return f"only {schema['const']!r}"
    if "enum" in schema:
        return f"one of {', '.join(map(repr, schema['enum']))}"
    kind = schema.get("type", "another value")
    what = " or ".join(_KINDS.get(k, str(k)) for k in ([kind] if isinstance(kind, str) else kind))
    above = schema.get("exclusiveMinimum")
    if above is not None:
        most = schema.get("maximum")
        return f"{what} above {above:g}" + ("" if most is None else f" and at most {most:.10g}")
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{what} from {low} to {high}"
    if low is not None:
        return f"{what} of at least {low}"
    return what if high is None else f"{what} of at most {high}"


def plain(value: Any) -> Any:
    """Arrays, NumPy scalars and tuples as lists and numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return (
            [plain(item) for item in value]
            if any(not isinstance(item, int | float | str) for item in value)
            else list(value)
        )
    return value


def _bounds(schema: Any, shape: tuple[int, ...]) -> tuple[int, int] | None:
    """Least and greatest entry, where the schema is nothing but nested arrays of just this shape of bounded integers."""
    for size in shape:
        if not isinstance(schema, Mapping) or set(schema) - {"description", "title", "examples"} != {
            "type",
            "items",
            "minItems",
            "maxItems",
        }:
            return None
        if schema["type"] != "array" or schema["minItems"] != size or schema["maxItems"] != size:
            return None
        schema = schema["items"]
    if not isinstance(schema, Mapping) or set(schema) - {"description", "title"} != {"type", "minimum", "maximum"}:
        return None
    return (schema["minimum"], schema["maximum"]) if schema["type"] == "integer" else None


def _within(value: Any, shape: tuple[int, ...], low: int, high: int) -> bool:
    if not shape:
        return type(value) is int and low <= value <= high
    if not isinstance(value, list) or len(value) != shape[0]:
        return False
    if len(shape) == 1:
        return all(type(v) is int and low <= v <= high for v in value)
    return all(_within(item, shape[1:], low, high) for item in value)
