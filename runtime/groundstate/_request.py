"""Validates requests against the artefact's JSON schema: reports every fault with its place; valid requests take a fast path."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from groundstate._bulk_check import all_within, bounds_of, copy_within, within
from groundstate._errors import ArtefactError, Fault, GroundstateError, RequestError
from groundstate._header import Spec
from groundstate._json_values import FIXED, count_values, not_finite, not_json, plain
from groundstate._schema_check import examine
from groundstate._schema_faults import SHOWN, sentence
from groundstate._schema_keywords import additional, any_of, pattern, unique_items

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator


_MOST = 100
"""Maximum number of faults reported: enough to correct a request, and a limit on the work for a huge one."""

_SECONDS = 2.0
"""Processor seconds for the schema check of a request. Processor time does not depend on the load of the machine."""

MOST_VALUES = 1 << 18
"""Maximum number of values in a request, unless the host or the model's tensors set another: see `Ceilings.values`."""


_LEAST_WORK, _WORK = 2_000, 40
"""Checks by costly keywords that a request may need, and further ones for each of its values. Bundled models need at most 3."""


class Schema:
    """A JSON schema (2020-12) that converts a caller's value to plain JSON, or reports all its faults.

    Args:
        schema: The schema of an object.
        tensors: Properties that are tensors. If `bounds_of` can read their bounds, they are checked in bulk; the full check
            of the schema runs only if that fails.
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
            if not spec.axes and (bounds := bounds_of(properties.get(name), spec.shape)) is not None
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
            "additionalProperties": additional,
            "anyOf": any_of,
            "items": self._items,
            "properties": self._properties,
            "pattern": pattern,
            "uniqueItems": unique_items,
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
                f"{value!r:.{SHOWN}}"
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
                str(name): item if type(item) in FIXED else self._plain(str(name), item) for name, item in value.items()
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
            and all(within(sent[name], shape, bounds) for name, (shape, bounds) in self._bulk.items())
        ):
            return
        self._clock.end = time.thread_time() + _SECONDS
        self._clock.left = _LEAST_WORK + _WORK * (count_values(sent, self.most) or 0)
        # One wrong value can break several keywords of its schema, all with the same message.
        faults = dict.fromkeys(self._fault(error) for error in self._errors(sent))
        if not faults and (fault := not_finite(sent, "")) is not None:
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
            tensor = copy_within(plain_, shape, bounds, whole=self._whole[name])
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
                if (fault := not_json(sent, "")) is not None:
                    raise RequestError([fault]) from None
                raise
            raise ArtefactError(f"The artefact's schema of the {self._noun} is no JSON schema: {reason}.") from error

    def _plain(self, name: str, item: Any) -> Any:
        return plain(item, whole=self._whole.get(name, True))

    def _fault(self, error: ValidationError) -> Fault:
        place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.absolute_path).lstrip(".")
        return Fault(place, sentence(error))

    def _items(self, validator: Any, items: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        """The keyword ``items``: skips a list that is too long, and checks a list of numbers in bulk."""
        from jsonschema import Draft202012Validator

        if not isinstance(instance, list) or len(instance) > schema.get("maxItems", math.inf):
            return
        self._keep_time()
        if "prefixItems" not in schema and all_within(instance, items):
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
