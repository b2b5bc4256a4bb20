"""Keywords of JSON schema checked in our own way: faster than the validator's, with faults that a caller can correct."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from groundstate._json_values import plain
from groundstate._schema_check import LONGEST_MATCHED

if TYPE_CHECKING:
    from jsonschema import ValidationError


def additional(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword ``additionalProperties``: the validator's own lists every unknown property in its message."""
    from jsonschema import Draft202012Validator, ValidationError

    if allowed is not False or "patternProperties" in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, allowed, instance, schema) or ()
    elif isinstance(instance, Mapping) and not instance.keys() <= schema.get("properties", {}).keys():
        yield ValidationError("There are unknown properties")


def unique_items(_: Any, unique: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    """The keyword ``uniqueItems``, in linear time: the validator's own may compare all pairs."""
    from jsonschema import ValidationError

    if unique and isinstance(instance, list) and twice(instance) is not None:
        yield ValidationError("The entries are not unique")


def twice(items: list[Any]) -> int | None:
    """The place of the first item that equals an earlier one; None if there is none."""
    seen = set()
    for place, item in enumerate(items):
        key = json.dumps(plain(item, whole=True), sort_keys=True)
        if key in seen:
            return place
        seen.add(key)
    return None


def pattern(validator: Any, expression: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword ``pattern``: a longer text than anybody types is refused without matching it."""
    from jsonschema import Draft202012Validator, ValidationError

    if isinstance(instance, str) and len(instance) > LONGEST_MATCHED:
        yield ValidationError(f"The text has {len(instance):,} characters; at most {LONGEST_MATCHED:,} are matched")
        return
    yield from Draft202012Validator.VALIDATORS["pattern"](validator, expression, instance, schema) or ()


def any_of(validator: Any, options: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword ``anyOf``: if a type or a constant property distinguishes the options, only the matching one is checked.

    Its faults are those that the caller can correct, and one check is several times faster than all.
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
    """The required property whose constant differs in each option; None if there is none."""
    first = options[0] if options and isinstance(options[0], Mapping) else {}
    for name in first.get("required", ()):
        constants = [
            option.get("properties", {}).get(name, {}).get("const")
            for option in options
            if isinstance(option, Mapping) and name in option.get("required", ())
        ]
        if len(constants) == len(options) and None not in constants and len(set(map(str, constants))) == len(constants):
            return str(name)
    return None
