"""Reads the header from a file's metadata: every field checked, and the first thing that is wrong named.

Long because it has a function for each field, in the order of `docs/artefact.md`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from groundstate._errors import ArtefactError
from groundstate._header import (
    DTYPES,
    FORMAT_OF_ACCEPTANCE,
    FORMAT_OF_SIZES,
    FORMATS,
    FORMS,
    KEY,
    PRECISIONS,
    Accept,
    Check,
    Condition,
    Header,
    Initial,
    InputSpec,
    Length,
    NoiseSpec,
    Spec,
    Stage,
    StateSpec,
    Term,
    is_product,
    sizes_in,
    slots_of,
)
from groundstate._words import clean, shortened

_ELEMENTS_OF_FORMAT_1 = 1 << 14


_LONGEST_REASON = 400
"""Most characters of what is wrong with a header; a file can make a value as long as it likes."""


_MOST_AXES = 16
_MOST_CONDITIONS = 256
_LONGEST_AXIS = (1 << 31) - 1
_MOST_LUBY = 8
_MOST_STEPS = 1 << 16
"""Steps of a segment, and the period of noise: some lists have an entry for each."""


class _DamagedError(Exception):
    pass


def read_header(metadata: Mapping[str, str], source: str = "This file") -> Header:
    """Read the header from a model's metadata.

    Args:
        source: What the file is called, for messages: the subject of a sentence.

    Raises:
        ArtefactError: If there is none, if it is not JSON, if its format is unknown, or if a field is missing or wrong.
    """
    text = metadata.get(KEY)
    if text is None:
        raise ArtefactError(
            f"{source} is an ONNX file that has no 'groundstate' entry in its metadata, so it is not an energy artefact; "
            "make one with groundstate_export.export."
        )
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"{source} cannot be used: its header is not valid JSON: {error!s:.200}.") from None
    if not isinstance(raw, dict):
        raise ArtefactError(f"{source} cannot be used: its header is a {type(raw).__name__}; it must be a JSON object.")
    if raw.get("format") not in FORMATS or isinstance(raw.get("format"), bool):
        known = f"{', '.join(map(str, FORMATS[:-1]))} and {FORMATS[-1]}"
        raise ArtefactError(
            f"{source} cannot be used: its header is of format {raw.get('format')!r:.40}; "
            f"this version of groundstate reads the formats {known}. Upgrade groundstate, or export the model again."
        )
    try:
        return _checked(_read(cast("dict[str, Any]", raw)))
    except _DamagedError as error:
        reason = shortened(clean(str(error)), _LONGEST_REASON)
        raise ArtefactError(f"{source} cannot be used: its header is damaged: {reason}.") from None


def _read(raw: Mapping[str, Any]) -> Header:
    accepts = raw["format"] >= FORMAT_OF_ACCEPTANCE
    steps = _steps(raw)
    form, batch, precision = _form(raw)
    checks = _checks(raw) if accepts else tuple(Check(term.name, term.description) for term in _terms(raw, "rules"))
    header = Header(
        **{key: _field(raw, key, str) for key in ("name", "title", "description", "licence", "version")},
        format=raw["format"],
        task=_field(raw, "task", (str, type(None))),
        form=form,
        steps=steps,
        trace_every=_trace_every(raw, form, steps),
        batch=batch,
        elements=_elements(raw),
        precision=precision,
        inputs=_inputs(raw),
        state=_state(raw),
        noise=_noise(raw, steps),
        answers=_specs(raw, "answers"),
        terms=_terms(raw, "terms"),
        checks=checks,
        accept=_accept(raw, checks) if accepts else _accept_of_old(checks),
        stages=(),
        request=_field(raw, "request", dict),
        answer=_field(raw, "answer", dict),
        defaults=_defaults(raw),
        limits=_limits(raw),
        self_test=_field(raw, "self_test", (dict, type(None))),
        parity=_field(raw, "parity", dict),
        built_with=_field(raw, "built_with", dict),
        knowledge=_field({"knowledge": {}, **raw}, "knowledge", dict),
        conditions=_conditions(raw) if accepts else (),
    )
    return replace(header, stages=_stages(raw, header)) if accepts else header


def _checked(header: Header) -> Header:
    """The header, once its parts fit together."""
    parts = [*(stage.header for stage in header.stages), header]
    specs = [
        spec
        for one in parts
        for group in (one.inputs, one.state, one.noise, one.answers)
        for spec in cast("dict[str, Spec]", group).values()
    ]
    used = {size for spec in specs for size in spec.sizes}
    used |= {size for one in parts for n in one.elements for size in sizes_in(n)}
    if used and header.format < FORMAT_OF_SIZES:
        raise _DamagedError(f"an axis is {min(used)!r} long, and format {header.format} knows numbers only")
    used |= {condition.size for condition in header.conditions}
    if unknown := used - set(header.sizes):
        raise _DamagedError(f"the size {min(unknown)!r} is the length of no axis of an input")
    if used and (header.form == "loop" or header.batch is not None):
        raise _DamagedError("a file of any size is unrolled and of any batch")
    for before, one in zip([None, *parts], parts, strict=False):
        for name, spec in one.state.items():
            _check_start(name, spec, before)
    return header


def _check_start(name: str, spec: StateSpec, before: Header | None) -> None:
    if spec.initial.kind != "answer":
        return
    source = None if before is None else before.answers.get(spec.initial.answer)
    if source is None:
        where = "there is no stage before" if before is None else f"it has {', '.join(before.answers) or 'none'}"
        raise _DamagedError(
            f"'state.{name}' starts as the answer {spec.initial.answer!r} of the stage before, and {where}"
        )
    if source.lengths != spec.lengths:
        raise _DamagedError(
            f"'state.{name}' of shape {spec.text} starts as the answer {spec.initial.answer!r} of shape {source.text}"
        )


def _field(raw: Mapping[str, Any], key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    place = f"{where}.{key}" if where else key
    if key not in raw:
        raise _DamagedError(f"it lacks {place!r}")
    value = raw[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _DamagedError(f"{place!r} is {value!r}, which has the wrong type")
    if isinstance(value, float) and not math.isfinite(value):
        raise _DamagedError(f"{place!r} is {value!r}, which is not a finite number")
    return value


def _steps(raw: Mapping[str, Any]) -> int:
    steps = _least_one(raw, "steps", "a segment has at least one step")
    if steps > _MOST_STEPS:
        raise _DamagedError(f"'steps' is {steps:,}; a segment has at most {_MOST_STEPS:,}")
    return steps


def _least_one(raw: Mapping[str, Any], key: str, why: str, where: str = "") -> int:
    value: int = _field(raw, key, int, where)
    if value < 1:
        raise _DamagedError(f"{f'{where}.{key}'.lstrip('.')!r} is {value}; {why}")
    return value


def _length(value: object, place: str, *, least: int = 0) -> Length:
    number = isinstance(value, int) and not isinstance(value, bool) and value >= least
    if not number and not is_product(value):
        raise _DamagedError(
            f"{place!r} is {shortened(repr(value), 80)}; it must be a whole number of at least {least}, or a product of sizes"
        )
    return cast("Length", value)


def _spec(raw: Mapping[str, Any], where: str) -> Spec:
    dtype = _field(raw, "dtype", str, where)
    if dtype not in DTYPES:
        raise _DamagedError(f"{where + '.dtype'!r} is {dtype!r}; known are {', '.join(DTYPES)}")
    given = _field(raw, "shape", list, where)
    if len(given) > _MOST_AXES:
        raise _DamagedError(f"'{where}.shape' has {len(given)} axes; a tensor has at most {_MOST_AXES}")
    lengths = tuple(_length(n, f"{where}.shape[{i}]") for i, n in enumerate(given))
    shape = tuple(0 if isinstance(n, str) else n for n in lengths)
    return Spec(DTYPES[dtype], shape, axes=() if shape == lengths else lengths)


def _specs(raw: Mapping[str, Any], key: str) -> dict[str, Spec]:
    return {
        name: _spec(_field(_field(raw, key, dict), name, dict, key), f"{key}.{name}") for name in _field(raw, key, dict)
    }


def _inputs(raw: Mapping[str, Any]) -> dict[str, InputSpec]:
    found = {}
    for name, spec in _specs(raw, "inputs").items():
        default = None
        if (given := raw["inputs"][name].get("default")) is not None and raw["format"] >= FORMAT_OF_ACCEPTANCE:
            try:
                default = np.asarray(given, spec.dtype)
            except (ValueError, TypeError, OverflowError):
                raise _DamagedError(f"'inputs.{name}.default' is not an array of {spec.dtype}") from None
            if default.shape != spec.shape or spec.axes:
                raise _DamagedError(f"'inputs.{name}.default' has shape {default.shape}; it must be {spec.text}")
            default.setflags(write=False)
        found[name] = InputSpec(spec.dtype, spec.shape, default, axes=spec.axes)
    return found


def _initial(raw: Mapping[str, Any], where: str) -> Initial:
    if len(raw) == 1:
        kind, value = next(iter(raw.items()))
        if kind == "answer" and isinstance(value, str):
            return Initial(kind, answer=value)
        values = tuple(value) if isinstance(value, list) else (value,)
        if {"constant": 1, "normal": 2, "uniform": 2}.get(kind) == len(values) and all(
            isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in values
        ):
            return Initial(kind, tuple(map(float, values)))
    raise _DamagedError(f"{where!r} is {dict(raw)!r}; known are constant, normal, uniform and answer")


def _state(raw: Mapping[str, Any]) -> dict[str, StateSpec]:
    specs: dict[str, StateSpec] = {}
    for name, spec in _specs(raw, "state").items():
        where = f"state.{name}"
        if spec.dtype.kind != "f":
            raise _DamagedError(f"'{where}.dtype' is {str(spec.dtype)!r}; a state is of floating point")
        one = raw["state"][name]
        initial = _initial(_field(one, "initial", dict, where), f"{where}.initial")
        specs[name] = StateSpec(spec.dtype, spec.shape, initial, _field(one, "minimised", bool, where), axes=spec.axes)
    return specs


def _noise(raw: Mapping[str, Any], steps: int) -> dict[str, NoiseSpec]:
    """Noise and when it is due; before format 4 every slot of every segment is."""
    found = {}
    for name, spec in _specs(raw, "noise").items():
        where, one = f"noise.{name}", raw["noise"][name]
        if not spec.lengths:
            raise _DamagedError(f"'{where}.shape' is []; its first axis counts the slots of a segment")
        if spec.shape[0] > _MOST_STEPS:
            raise _DamagedError(f"'{where}.shape' has {spec.shape[0]:,} slots; it has at most {_MOST_STEPS:,}")
        period, offsets = steps, tuple(range(spec.shape[0]))
        if raw["format"] >= FORMAT_OF_ACCEPTANCE:
            period = _least_one(one, "period", "it is at least 1", where)
            if period > _MOST_STEPS:
                raise _DamagedError(f"'{where}.period' is {period:,}; it is at most {_MOST_STEPS:,}")
            offsets = tuple(_field(one, "offsets", list, where))
            if not all(isinstance(o, int) and not isinstance(o, bool) and 0 <= o < period for o in offsets):
                raise _DamagedError(f"'{where}.offsets' is {list(offsets)!r}; they are whole numbers below {period}")
            if period % steps and steps % period:
                raise _DamagedError(f"'{where}.period' is {period}; it must divide the {steps} steps, or they it")
            slots = len(slots_of(steps, period, offsets))
            if spec.shape[0] != slots:
                raise _DamagedError(f"'{where}.shape' has {spec.shape[0]} slots; its period and offsets make {slots}")
        found[name] = NoiseSpec(spec.dtype, spec.shape, period, offsets, axes=spec.axes)
    return found


def _objects(raw: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    listed = _field(raw, key, list)
    if not all(isinstance(one, dict) for one in listed):
        raise _DamagedError(f"{key!r} is {listed!r}; it must be a list of objects")
    return cast("list[Mapping[str, Any]]", listed)


def _terms(raw: Mapping[str, Any], key: str) -> tuple[Term, ...]:
    return tuple(
        Term(_field(one, "name", str, f"{key}[{i}]"), _field(one, "description", str, f"{key}[{i}]"))
        for i, one in enumerate(_objects(raw, key))
    )


def _checks(raw: Mapping[str, Any]) -> tuple[Check, ...]:
    checks = []
    for i, (term, one) in enumerate(zip(_terms(raw, "checks"), _objects(raw, "checks"), strict=True)):
        tolerance = _field({"tolerance": None, **one}, "tolerance", (int, float, type(None)), f"checks[{i}]")
        if tolerance is not None and tolerance < 0:
            raise _DamagedError(f"'checks[{i}].tolerance' is {tolerance!r}; it must be at least 0, or null")
        unit = _field({"unit": None, **one}, "unit", (str, type(None)), f"checks[{i}]")
        checks.append(Check(term.name, term.description, tolerance, unit))
    if len({check.name for check in checks}) != len(checks):
        raise _DamagedError("two of 'checks' have the same name")
    return tuple(checks)


def _accept(raw: Mapping[str, Any], checks: tuple[Check, ...]) -> Accept:
    one = _field(raw, "accept", dict)
    named, known = one.get("checks"), tuple(check.name for check in checks)
    if named in ("all", "none"):
        names = known if named == "all" else ()
    elif isinstance(named, list) and all(isinstance(name, str) for name in named):
        names = tuple(named)
    else:
        raise _DamagedError(f"'accept.checks' is {named!r}; it must be 'all', 'none' or a list of names of checks")
    if unknown := [name for name in names if name not in known]:
        has = ", ".join(map(repr, known)) or "none"
        raise _DamagedError(f"'accept.checks' names {unknown[0]!r}, and the checks are {has}")
    converged = _field(one, "converged", bool, "accept")
    if not names and not converged:
        raise _DamagedError("'accept' asks for no check and for no convergence, so that anything would be an answer")
    polish = _field(one, "polish", int, "accept")
    if polish < 0:
        raise _DamagedError(f"'accept.polish' is {polish}; it must be at least 0")
    return Accept(names, converged, polish)


def _accept_of_old(checks: tuple[Check, ...]) -> Accept:
    """The meaning of formats 1 to 3: all checks; without checks, a minimum of the energy."""
    return Accept(tuple(check.name for check in checks), converged=not checks, polish=0)


def _stages(raw: Mapping[str, Any], header: Header) -> tuple[Stage, ...]:
    """The earlier stages; each graph has the form, batch and precision of the file."""
    stages = []
    for i, one in enumerate(_objects(raw, "stages")):
        where = f"stages[{i}]"
        try:
            steps = _steps(one)
            until = _field(one, "until", dict)
            residual = _field(until, "residual", (int, float, type(None)), "until")
            part = {**one, "format": raw["format"]}
            of_stage = replace(
                header,
                name=f"{header.name}, stage {_field(one, 'name', str)!r}",
                steps=steps,
                trace_every=_trace_every(one, header.form, steps),
                elements=_elements(part),
                state=_state(one),
                noise=_noise(part, steps),
                answers=_specs(one, "answers"),
                terms=_terms(one, "terms"),
                checks=(),
            )
            most = _least_one(until, "max_steps", "a stage makes at least one step", "until")
            stages.append(Stage(one["name"], _field(one, "model", str), of_stage, residual, most))
        except _DamagedError as error:
            raise _DamagedError(f"in {where!r}, {error}") from None
    return tuple(stages)


def _numbers(raw: Mapping[str, Any], key: str, names: tuple[str, ...]) -> dict[str, Any]:
    values = _field(raw, key, dict)
    return {name: _field(values, name, (int, float), key) for name in names}


def _defaults(raw: Mapping[str, Any]) -> dict[str, Any]:
    names = ("restarts", "max_steps", "patience", "luby_exponent", "residual_tolerance")
    if raw["format"] >= FORMAT_OF_ACCEPTANCE:
        return _checked_defaults(_numbers(raw, "defaults", names))
    # Files without an exponent use the whole Luby sequence.
    old = _numbers(
        {"defaults": {"lengthens": 1.0, **_field(raw, "defaults", dict)}},
        "defaults",
        (*names[:3], "lengthens", "settled"),
    )
    return _checked_defaults(dict(zip(names, old.values(), strict=True)))


def _checked_defaults(found: dict[str, Any]) -> dict[str, Any]:
    for name in ("restarts", "max_steps"):
        if not isinstance(found[name], int) or found[name] < 1:
            raise _DamagedError(f"'defaults.{name}' is {found[name]!r}; it must be a whole number of at least 1")
    if not 0 <= found["luby_exponent"] <= _MOST_LUBY:
        raise _DamagedError(
            f"'defaults.luby_exponent' is {found['luby_exponent']!r}; it must be at least 0 and at most {_MOST_LUBY}"
        )
    return found


def _limits(raw: Mapping[str, Any]) -> dict[str, Any]:
    named = ["restarts", "max_steps", "batch"]
    if raw["format"] == FORMAT_OF_SIZES:
        named.append("entries")
    if raw["format"] >= FORMAT_OF_ACCEPTANCE:
        named.append("elements")
    limits = _numbers(raw, "limits", tuple(named))
    for name, value in limits.items():
        if not isinstance(value, int) or value < 1:
            raise _DamagedError(f"'limits.{name}' is {value!r}; it must be a whole number of at least 1")
    return {("elements" if name == "entries" else name): value for name, value in limits.items()}


def _form(raw: Mapping[str, Any]) -> tuple[str, int | None, str]:
    """Form, fixed batch and precision; format 1 knew one of each."""
    if raw["format"] == 1:
        return "unrolled", None, "float32"
    form, precision = _one_of(raw, "form", FORMS), _one_of(raw, "precision", PRECISIONS)
    batch = _field(raw, "batch", (int, type(None)))
    if batch is not None and batch < 1:
        raise _DamagedError(f"'batch' is {batch}; a fixed batch has at least one row")
    return form, batch, precision


def _elements(raw: Mapping[str, Any]) -> tuple[Length, ...]:
    """Products whose maximum counts; one number below format 3, empty in format 1."""
    if raw["format"] == 1:
        return (_length(raw.get("entries", _ELEMENTS_OF_FORMAT_1), "entries", least=1),)
    if raw["format"] < FORMAT_OF_SIZES:
        return (_length(_field(raw, "entries", int), "entries", least=1),)
    key = "elements" if raw["format"] >= FORMAT_OF_ACCEPTANCE else "entries"
    products = _field(raw, key, list)
    if not products:
        raise _DamagedError(f"'{key}' is []; it must hold at least one product")
    return tuple(_length(product, f"{key}[{i}]", least=1) for i, product in enumerate(products))


def _trace_every(raw: Mapping[str, Any], form: str, steps: int) -> int:
    value: int = _field({"trace_every": 1, **raw}, "trace_every", int)
    if not 1 <= value <= steps:
        raise _DamagedError(f"'trace_every' is {value}; it is from 1 to the {steps} steps of a segment")
    if form == "loop" and value > 1:
        raise _DamagedError(f"'trace_every' is {value}; a loop records every energy, so it is 1")
    return value


def _conditions(raw: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Conditions on sizes; older files have none."""
    found = []
    for i, one in enumerate(_objects({"conditions": [], **raw}, "conditions")):
        if i == _MOST_CONDITIONS:
            raise _DamagedError(f"'conditions' has more than {_MOST_CONDITIONS} elements")
        where, defaults = f"conditions[{i}]", {"multiple": 1, "remainder": 0, "least": 1, "most": None}
        numbers = {key: _field({**defaults, **one}, key, (int, type(None)), where) for key in defaults}
        for key, value in numbers.items():
            if (value is None and key != "most") or (value is not None and not 0 <= value <= _LONGEST_AXIS):
                raise _DamagedError(
                    f"'{where}.{key}' is {value!r}; it must be a whole number from 0 to {_LONGEST_AXIS}"
                )
        condition = Condition(_field(one, "size", str, where), **numbers)
        least, most, multiple = condition.least, condition.most, condition.multiple
        if multiple < 1 or condition.remainder >= multiple or least < 1 or (most is not None and most < least):
            raise _DamagedError(f"{where!r} is {dict(one)!r}, which no length meets")
        found.append(condition)
    return tuple(found)


def _one_of(raw: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
    value: str = _field(raw, key, str)
    if value not in known:
        raise _DamagedError(f"{key!r} is {value!r}; known are {', '.join(known)}")
    return value
