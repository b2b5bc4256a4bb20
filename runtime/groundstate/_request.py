"""Validates requests against the artefact's JSON schema: reports every fault with its place; valid requests take a fast path.

The file is long because the fast path, the schema and the messages must agree on what is allowed.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from groundstate._errors import ArtefactError, Fault, GroundstateError, RequestError
from groundstate._header import Spec
from groundstate._schema_check import LONGEST_MATCHED, examine
from groundstate._words import did_you_mean, first

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_SHOWN = 60
_NAMED = 10
"""Unknown properties that a message names."""

_LISTED = 40
"""Allowed values or known properties that a message lists."""

_MOST = 100
"""Maximum number of faults reported: enough to correct a request, and a limit on the work for a huge one."""

_SECONDS = 2.0
"""Processor seconds for the schema check of a request. Processor time does not depend on the load of the machine."""

MOST_VALUES = 1 << 18
"""Maximum number of values in a request, unless the host or the model's tensors set another: see `Ceilings.values`."""

_DEEPEST = 200
"""Levels of a request. The validator takes several of Python's frames for each."""

_LEAST_WORK, _WORK = 2_000, 40
"""Checks by costly keywords that a request may need, and further ones for each of its values. Bundled models need at most 3."""

_EXACT = 2**53
"""Below this, every whole number is exact in floating point."""


class Schema:
    """A JSON schema (2020-12) that converts a caller's value to plain JSON, or reports all its faults.

    Args:
        schema: The schema of an object.
        tensors: Properties that are tensors. If `_bounds` can read their bounds, they are checked in bulk; the full schema check
            runs only if that fails.
        noun: Name of the validated value in messages.
        values: Maximum number of values, if the tensors do not have more elements.

    Raises:
        ArtefactError: If the schema is invalid, or refers to anything outside of it.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        tensors: Mapping[str, Spec],
        noun: str = "request",
        values: int = MOST_VALUES,
    ) -> None:
        self._noun = noun
        self.schema = dict(schema)
        examine(self.schema, noun)
        properties = self.schema.get("properties", {})
        asked = [spec.shape for name, spec in tensors.items() if name in properties and not spec.axes]
        # The lists around the elements count too.
        self.most = max(values, sum(math.prod(n + 1 for n in shape) for shape in asked))
        self._bulk = {
            name: (spec.shape, bounds)
            for name, spec in tensors.items()
            if not spec.axes and (bounds := _bounds(properties.get(name), spec.shape)) is not None
        }
        self._only_bulk = set(self._bulk) == set(properties) == set(self.schema.get("required", []))
        shared = json.dumps(self.schema.get("$defs", {}))
        self._whole = {name: _asks_for_whole(value, shared) for name, value in properties.items()}
        self._clock = threading.local()

    @cached_property
    def _validator(self) -> Validator:
        # The import takes 0.1 s, and most requests do not need it.
        from jsonschema import Draft202012Validator
        from jsonschema.validators import extend
        from referencing import Registry

        checks = {
            "additionalProperties": _additional,
            "anyOf": _any_of,
            "items": self._items,
            "properties": self._properties,
            "pattern": _pattern,
            "uniqueItems": _unique_items,
            **{name: self._timed(name) for name in ("$ref", "$dynamicRef", "allOf", "oneOf")},
        }
        # With an empty registry, no reference of a schema is ever fetched.
        return extend(Draft202012Validator, checks)(self.schema, registry=Registry())

    def validate(self, value: Any) -> dict[str, Any]:
        """Return a copy of the value as plain JSON.

        Raises:
            RequestError: With every fault and its place.
        """
        if (tensors := self.tensors(value)) is not None:
            return tensors
        sent = self.copied(value)
        self.check(sent)
        return sent

    def copied(self, value: Any) -> dict[str, Any]:
        """Return a copy of the value as plain JSON, before it is checked.

        Raises:
            RequestError: If it is no object, or has too many values.
        """
        if not isinstance(value, Mapping):
            what = (
                f"{value!r:.{_SHOWN}}"
                if value is None or isinstance(value, int | float | str)
                else f"of type {type(value).__name__}"
            )
            names = ", ".join(map(repr, self.schema.get("properties", {}))) or "any"
            raise RequestError(
                [Fault("", f"The {self._noun} is {what}; it must be an object with the properties {names}.")]
            )
        # Counted before anything is copied: a request that is too large is refused in milliseconds.
        self.hold_size(value)
        try:
            return {
                str(name): item if type(item) in _FIXED else self._plain(str(name), item)
                for name, item in value.items()
            }
        except RecursionError:
            raise RequestError([Fault("", f"The {self._noun} is nested too deeply.")]) from None

    def hold_size(self, value: Any) -> None:
        """Refuse a value that is nested too deeply, or has too many values in it.

        Raises:
            RequestError: It is one of these.
        """
        number = count_values(value, self.most)
        if number is None:
            raise RequestError([Fault("", f"The {self._noun} is nested too deeply.")])
        if number > self.most:
            text = f"The {self._noun} has more than {self.most:,} values, the most that are accepted. Make it smaller."
            raise RequestError([self._misfit(value) or Fault("", text)])

    def _misfit(self, value: Any) -> Fault | None:
        """The first tensor of a large value that is too long, which says more than the number of its elements."""
        for name, (shape, _) in self._bulk.items() if isinstance(value, Mapping) else ():
            given, place = value.get(name), name
            for size in shape:
                if not isinstance(given, list | tuple) or not given:
                    break
                if len(given) != size:
                    return Fault(place, f"There are {len(given)} entries; there must be exactly {size}.")
                given, place = given[0], f"{place}[0]"
        return None

    def check(self, sent: dict[str, Any]) -> None:
        """Check a copy.

        Raises:
            RequestError: With every fault and its place.
        """
        if (
            self._only_bulk
            and sent.keys() == self._bulk.keys()
            and all(_within(sent[name], shape, bounds) for name, (shape, bounds) in self._bulk.items())
        ):
            return
        self._clock.end = time.thread_time() + _SECONDS
        self._clock.left = _LEAST_WORK + _WORK * (count_values(sent, self.most) or 0)
        # One wrong value can break several keywords of its schema, all with the same message.
        faults = dict.fromkeys(self._fault(error) for error in self._errors(sent))
        if not faults and (fault := _not_finite(sent, "")) is not None:
            faults[fault] = None
        if faults:
            raise RequestError(list(faults))

    def tensors(self, value: Any) -> dict[str, Any] | None:
        """A copy of a value that consists of tensors alone; None if a check in bulk does not show that it is valid."""
        if not self._only_bulk or not isinstance(value, Mapping) or value.keys() != self._bulk.keys():
            return None
        copied = {}
        for name, item in value.items():
            shape, bounds = self._bulk[name]
            plain_ = item.tolist() if hasattr(item, "tolist") else item
            tensor = _copy_within(plain_, shape, bounds, whole=self._whole[name])
            if tensor is None:
                return None
            copied[name] = tensor
        return copied

    def _errors(self, sent: dict[str, Any]) -> list[ValidationError]:
        validator = self._validator
        from referencing.exceptions import Unresolvable

        try:
            return list(islice(validator.iter_errors(sent), _MOST))
        except Unresolvable as error:
            raise ArtefactError(
                f"The artefact's schema of the {self._noun} refers to a place {error.ref!r:.80} that it does not have."
            ) from None
        except RecursionError:
            raise ArtefactError(f"The artefact's schema of the {self._noun} goes round in a circle.") from None
        except GroundstateError:
            raise
        except Exception as error:
            # An invalid schema can raise anything in a validator; checking the schema first would take 80 ms.
            reason = _fault_of(self.schema)
            if reason is None:
                if (fault := _not_json(sent, "")) is not None:
                    raise RequestError([fault]) from None
                raise
            raise ArtefactError(f"The artefact's schema of the {self._noun} is no JSON schema: {reason}.") from error

    def _plain(self, name: str, item: Any) -> Any:
        return plain(item, whole=self._whole.get(name, True))

    def _fault(self, error: ValidationError) -> Fault:
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path).lstrip(".")
        return Fault(place, _sentence(error))

    def _items(self, validator: Any, items: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        """The keyword ``items``: skips a list that is too long, and checks a list of numbers in bulk."""
        from jsonschema import Draft202012Validator

        if not isinstance(instance, list) or len(instance) > schema.get("maxItems", math.inf):
            return
        self._keep_time()
        if "prefixItems" not in schema and _all_within(instance, items):
            return
        for error in Draft202012Validator.VALIDATORS["items"](validator, items, instance, schema):
            self._keep_time()
            yield error

    def _properties(self, validator: Any, properties: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        from jsonschema import Draft202012Validator

        self._keep_time()
        yield from Draft202012Validator.VALIDATORS["properties"](validator, properties, instance, schema)

    def _timed(self, keyword: str) -> Any:
        """A keyword that a schema may make expensive, within the time limit."""

        def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            from jsonschema import Draft202012Validator

            self._keep_time()
            yield from Draft202012Validator.VALIDATORS[keyword](validator, value, instance, schema) or ()

        return check

    def _keep_time(self) -> None:
        """Count a check, and refuse more work than the size of the value explains, or more time than any may take."""
        self._clock.left -= 1
        if self._clock.left < 0:
            raise ArtefactError(
                f"The artefact's schema of the {self._noun} checks the same values again and again: more than "
                f"{_WORK} times each. Its references or its combined schemas multiply."
            )
        if time.thread_time() > self._clock.end:
            raise RequestError(
                [
                    Fault(
                        "",
                        f"The {self._noun} is too large: it took more than {_SECONDS:g} s to check. Make it smaller.",
                    )
                ]
            )


def count_values(value: Any, most: int) -> int | None:
    """The number of values in JSON: properties, entries, elements of arrays; None if they are nested too deeply.

    Counting stops above ``most``.
    """
    total, level = 0, [value]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for one in level:
            items: Any = ()
            if type(one) is list or isinstance(one, list | tuple):
                total, items = total + len(one), one
            elif isinstance(one, Mapping):
                total, items = total + len(one), one.values()
            else:
                shape = getattr(one, "shape", ())  # of an array
                total += math.prod(shape) if isinstance(shape, tuple) else 1
            if total > most:
                return total
            if not _SCALARS.issuperset(map(type, items)):
                below.extend(item for item in items if type(item) not in _SCALARS)
        if not below:
            return total
        level = below
    return None


def _additional(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword ``additionalProperties``: the validator's own lists every unknown property in its message."""
    from jsonschema import Draft202012Validator, ValidationError

    if allowed is not False or "patternProperties" in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, allowed, instance, schema) or ()
    elif isinstance(instance, Mapping) and not instance.keys() <= schema.get("properties", {}).keys():
        yield ValidationError("There are unknown properties")


def _unique_items(_: Any, unique: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    """The keyword ``uniqueItems``, in linear time: the validator's own may compare all pairs."""
    from jsonschema import ValidationError

    if unique and isinstance(instance, list) and _twice(instance) is not None:
        yield ValidationError("The entries are not unique")


def _twice(items: list[Any]) -> int | None:
    """The place of the first item that equals an earlier one; None if there is none."""
    seen = set()
    for place, item in enumerate(items):
        key = json.dumps(plain(item, whole=True), sort_keys=True)
        if key in seen:
            return place
        seen.add(key)
    return None


def _pattern(validator: Any, pattern: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword ``pattern``: a longer text than anybody types is refused without matching it."""
    from jsonschema import Draft202012Validator, ValidationError

    if isinstance(instance, str) and len(instance) > LONGEST_MATCHED:
        yield ValidationError(f"The text has {len(instance):,} characters; at most {LONGEST_MATCHED:,} are matched")
        return
    yield from Draft202012Validator.VALIDATORS["pattern"](validator, pattern, instance, schema) or ()


def _fault_of(schema: Mapping[str, Any]) -> str | None:
    """The first fault of a schema; None if it is valid."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"{error.message[:200]}"
    return None


def _asks_for_whole(schema: Any, shared: str) -> bool:
    """Whether the schema of a property allows whole numbers, so that 5.0 means 5."""
    text = json.dumps(schema)
    return '"number"' not in text or '"integer"' in text or ("$ref" in text and '"integer"' in shared)


def _any_of(validator: Any, options: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
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


def _sentence(error: ValidationError) -> str:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    value = error.instance
    shown = f"{value!r:.{_SHOWN}}" if not isinstance(value, list | dict) else f"{_kind(value)} of {len(value)}"
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
            twice = value[_twice(value) or 0]
            return f"{twice!r:.{_SHOWN}} is listed twice; each entry may be listed once."
        case "required":
            missing = [name for name in schema.get("required", []) if name not in value]
            return f"The property {', '.join(map(repr, missing))} is missing."
        case "additionalProperties":
            known = list(schema.get("properties", {}))
            unknown = [name for name in value if name not in known]
            near = _near(unknown[0], known) if unknown else ""
            hint = f"; d{near[2:]}" if near else f"; known are {', '.join(first(map(repr, known), _LISTED))}."
            named = ", ".join(f"{name!r:.{_SHOWN}}" for name in unknown[:_NAMED])
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


def plain(value: Any, *, whole: bool = False) -> Any:
    """Copy a value as plain JSON: arrays, NumPy scalars and tuples become lists and numbers.

    Args:
        whole: Whether floating-point numbers without a fraction become whole numbers: 5.0 becomes 5.
    """
    if type(value) in _FIXED:
        return value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): item if type(item) in _FIXED else plain(item, whole=whole) for name, item in value.items()}
    if isinstance(value, list | tuple):
        kinds = set(map(type, value))
        if kinds <= _SCALARS:
            return [_whole(item) for item in value] if whole and float in kinds else list(value)
        return [plain(item, whole=whole) for item in value]
    return _whole(value) if whole else value


_FIXED = {int, str, bool, type(None)}
_SCALARS = {*_FIXED, float}


def _whole(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() and abs(value) < _EXACT else value


def _not_json(value: Any, place: str) -> Fault | None:
    """The fault of the first value that JSON does not have; None if there is none."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            inner = f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip(".")
            if (found := _not_json(item, inner)) is not None:
                return found
        return None
    if isinstance(value, int | float | str | None):
        return None
    return Fault(place, f"A value of type {type(value).__name__} is not allowed here; JSON does not have it.")


def _not_finite(value: Any, place: str) -> Fault | None:
    """The fault of the first number in plain JSON that is NaN or infinite; None if there is none."""
    if isinstance(value, list) and set(map(type, value)) <= _SCALARS - {float}:
        return None
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            inner = f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip(".")
            if (found := _not_finite(item, inner)) is not None:
                return found
        return None
    if type(value) is float and not math.isfinite(value):
        return Fault(place, f"{value!r} is not allowed here; a finite number is.")
    return None


_Bounds = tuple[frozenset[type], float, float]
"""Allowed types, least value and greatest value of an element."""

_KINDS_OF: dict[str, frozenset[type]] = {
    "integer": frozenset((int,)),
    "number": frozenset((int, float)),
    "string": frozenset((str,)),
}


def _scalar(schema: Any) -> _Bounds | None:
    """The bounds in the schema of a number or an unrestricted string; None for other kinds or other keywords."""
    if not isinstance(schema, Mapping) or schema.keys() - {"type", "minimum", "maximum", "description", "title"}:
        return None
    named = schema.get("type")
    kinds = frozenset[type]()
    for name in [named] if isinstance(named, str) else named or [""]:
        if name not in _KINDS_OF:
            return None
        kinds |= _KINDS_OF[name]
    low, high = schema.get("minimum"), schema.get("maximum")
    if str in kinds and (low, high) != (None, None):
        return None
    return kinds, -math.inf if low is None else low, math.inf if high is None else high


def _bounds(schema: Any, shape: tuple[int, ...]) -> _Bounds | None:
    """The bounds of the elements, if the schema is nested arrays of exactly this shape of bounded numbers; else None."""
    for size in shape:
        if not isinstance(schema, Mapping) or schema.keys() - {"description", "title", "examples"} != {
            "type",
            "items",
            "minItems",
            "maxItems",
        }:
            return None
        if schema["type"] != "array" or schema["minItems"] != size or schema["maxItems"] != size:
            return None
        schema = schema["items"]
    bounds = _scalar(schema)
    return None if bounds is None or str in bounds[0] else bounds


def _copy_within(value: Any, shape: tuple[int, ...], bounds: _Bounds, *, whole: bool) -> Any:
    """A copy of nested lists of exactly this shape and numbers within bounds; None if it is not that, or must be converted.

    It makes no Python call for each element: a board of 81 cells takes a few microseconds.

    Args:
        whole: As in `plain`: then floating-point numbers must be converted.
    """
    level = [value]
    for size in shape:
        if set(map(type, level)) - {list} or set(map(len, level)) - {size}:
            return None
        level = list(chain.from_iterable(level))
    kinds, low, high = bounds
    present = set(map(type, level))
    if not present <= kinds or (float in present and (whole or not all(map(math.isfinite, level)))):
        return None
    if level and not (low <= min(level) and max(level) <= high):
        return None
    return _copy_nested(value, len(shape))


def _copy_nested(value: Any, depth: int) -> Any:
    if depth == 0:
        return value
    return value.copy() if depth == 1 else [_copy_nested(item, depth - 1) for item in value]


def _within(value: Any, shape: tuple[int, ...], bounds: _Bounds) -> bool:
    if not shape:
        kinds, low, high = bounds
        return type(value) in kinds and low <= value <= high and math.isfinite(value)
    if not isinstance(value, list) or len(value) != shape[0]:
        return False
    if len(shape) == 1:
        return _row_within(value, bounds)
    return all(_within(item, shape[1:], bounds) for item in value)


def _row_within(row: list[Any], bounds: _Bounds) -> bool:
    kinds, low, high = bounds
    if not row:
        return True
    present = set(map(type, row))
    if not present <= kinds or (float in present and not all(map(math.isfinite, row))):
        return False
    bounded = low > -math.inf or high < math.inf
    return not bounded or (low <= min(row) and max(row) <= high)


def _all_within(values: list[Any], schema: Any) -> bool:
    """Whether a bulk check shows that the schema allows every element of a list; False if it cannot tell."""
    bounds = _scalar(schema)
    return bounds is not None and _row_within(values, bounds)
