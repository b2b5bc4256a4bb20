"""The sentence of a fault: the offending value, and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from groundstate._schema_keywords import twice
from groundstate._words import did_you_mean, first

if TYPE_CHECKING:
    from jsonschema import ValidationError

SHOWN = 60
"""Characters of a value that a message shows."""

_NAMED = 10
"""Unknown properties that a message names."""

_LISTED = 40
"""Allowed values or known properties that a message lists."""


def sentence(error: ValidationError) -> str:
    """The message of a fault: the value, why it is refused, and what is allowed."""
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    value = error.instance
    shown = f"{value!r:.{SHOWN}}" if not isinstance(value, list | dict) else f"{_kind(value)} of {len(value)}"
    match error.validator:
        case "type":
            return f"{shown} is not allowed here; {_allowed(schema)} is."
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "enum" | "const":
            return f"{shown} is not allowed here; {_allowed(schema)} is.{_near(value, schema.get('enum', ()))}"
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
            repeated = value[twice(value) or 0]
            return f"{repeated!r:.{SHOWN}} is listed twice; each entry may be listed once."
        case "required":
            missing = [name for name in schema.get("required", []) if name not in value]
            return f"The property {', '.join(map(repr, missing))} is missing."
        case "additionalProperties":
            known = list(schema.get("properties", {}))
            unknown = [name for name in value if name not in known]
            near = _near(unknown[0], known) if unknown else ""
            hint = f"; d{near[2:]}" if near else f"; known are {', '.join(first(map(repr, known), _LISTED))}."
            named = ", ".join(f"{name!r:.{SHOWN}}" for name in unknown[:_NAMED])
            named += f", and {len(unknown) - _NAMED:,} more" if len(unknown) > _NAMED else ""
            return f"The property {named} is unknown{hint}"
        case _:
            return f"{error.message[:200]}."


def _near(value: Any, known: Sequence[Any]) -> str:
    """A hint, " Did you mean 'x'?", or an empty string."""
    return did_you_mean(value, known)


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
        return f"one of {', '.join(first(map(repr, schema['enum']), _LISTED))}"
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
