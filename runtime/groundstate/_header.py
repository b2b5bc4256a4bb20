"""The artefact's header: read, checked, and given types. The format is `docs/artefact.md`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from groundstate._errors import ArtefactError

KEY = "groundstate"
JUDGE_KEY = "groundstate.judge"
FORMATS = (1, 2, 3)
_FORMAT_OF_SIZES = 3
"""From this format on, an axis may be as long as the problem says."""
FORMS = ("unrolled", "loop")
PRECISIONS = ("float32", "float16")

_ENTRIES_OF_FORMAT_1 = 1 << 14

_DTYPES = {"float32": np.float32, "float64": np.float64, "int64": np.int64, "int32": np.int32, "bool": np.bool_}

_LIMITS = ("restarts", "max_steps", "batch")

Length = int | str
"""How long something is: a number, or a product of numbers and names of a problem's sizes, such as ``"2*nodes"``."""

_FACTOR = r"(?:[A-Za-z_]\w*|[1-9]\d{0,8})"
_PRODUCT = re.compile(rf"{_FACTOR}(?:\*{_FACTOR})*", re.ASCII)


def _sizes(length: Length) -> list[str]:
    return [] if isinstance(length, int) else [factor for factor in length.split("*") if not factor.isdecimal()]


def _number(length: Length, sizes: Mapping[str, int]) -> int:
    if isinstance(length, int):
        return length
    return math.prod(int(factor) if factor.isdecimal() else sizes[factor] for factor in length.split("*"))


@dataclass(frozen=True, slots=True)
class Spec:
    """A tensor's dtype, and its shape without the batch.

    Attributes:
        shape: How long each axis is; 0 where that is up to the problem.
        axes: The same as the file tells it, such as ``("2*nodes", 3)``, where an axis is up to the problem; else empty.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    axes: tuple[Length, ...] = field(default=(), kw_only=True)

    @property
    def told(self) -> tuple[Length, ...]:
        """The shape as the file tells it."""
        return self.axes or self.shape

    @property
    def text(self) -> str:
        """The shape as the file tells it, as Python writes tuples."""
        return f"({', '.join(map(str, self.told))}{',' if len(self.told) == 1 else ''})"

    @property
    def sizes(self) -> tuple[str, ...]:
        """The sizes of a problem that the shape depends on."""
        return tuple(dict.fromkeys(size for axis in self.axes for size in _sizes(axis)))

    def at(self, sizes: Mapping[str, int]) -> Self:
        """The same for a problem of these sizes."""
        return replace(self, shape=tuple(_number(n, sizes) for n in self.axes), axes=()) if self.axes else self


@dataclass(frozen=True, slots=True)
class Initial:
    """How a state tensor starts: ``constant`` c, ``normal`` mean and deviation, or ``uniform`` low and high."""

    kind: str
    values: tuple[float, ...]

    def draw(self, random: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        if self.kind == "constant":
            return np.full(shape, self.values[0], dtype=dtype)
        first, second = self.values
        if self.kind == "normal":
            drawn = random.standard_normal(shape, dtype=np.float32)
            return (first + second * drawn).astype(dtype, copy=False)
        return (first + (second - first) * random.random(shape, dtype=np.float32)).astype(dtype, copy=False)


@dataclass(frozen=True, slots=True)
class StateSpec(Spec):
    initial: Initial
    minimised: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A term of the energy or a rule: its name, and a sentence about it."""

    name: str
    description: str


@dataclass(frozen=True)
class Header:
    """See `docs/artefact.md` for every field."""

    name: str
    title: str
    description: str
    licence: str
    version: str
    task: str | None
    form: str
    steps: int
    trace_every: int
    batch: int | None
    entries: tuple[Length, ...]
    precision: str
    inputs: dict[str, Spec]
    state: dict[str, StateSpec]
    noise: dict[str, Spec]
    answers: dict[str, Spec]
    terms: tuple[Named, ...]
    rules: tuple[Named, ...]
    request: dict[str, Any]
    answer: dict[str, Any]
    defaults: dict[str, float]
    limits: dict[str, int]
    self_test: dict[str, Any] | None
    parity: dict[str, Any]
    built_with: dict[str, str]

    @cached_property
    def sizes(self) -> dict[str, tuple[str, int]]:
        """The sizes that a problem brings: an input, and its axis, that is as long. Empty where every problem has the same."""
        found: dict[str, tuple[str, int]] = {}
        for name, spec in self.inputs.items():
            for place, axis in enumerate(spec.axes):
                if isinstance(axis, str) and axis.isidentifier():
                    found.setdefault(axis, (name, place))
        return found

    def at(self, sizes: Mapping[str, int]) -> Header:
        """The header of problems of these sizes: every length is a number."""
        inputs, noise, answers = (
            {name: spec.at(sizes) for name, spec in specs.items()} for specs in (self.inputs, self.noise, self.answers)
        )
        state = {name: spec.at(sizes) for name, spec in self.state.items()}
        entries = tuple(_number(product, sizes) for product in self.entries)
        return replace(self, inputs=inputs, state=state, noise=noise, answers=answers, entries=entries)

    @property
    def largest(self) -> int:
        """Entries of a step's largest tensor for one row, where every length is a number."""
        return max(n for n in self.entries if isinstance(n, int))

    @property
    def traced(self) -> range:
        """The updates of a segment before which the energy is told: a column of ``trace`` and ``path.<name>`` for each."""
        return range(0, self.steps, self.trace_every)

    @property
    def graph_inputs(self) -> dict[str, tuple[np.dtype[Any], tuple[int | str, ...]]]:
        """Dtype and shape of every input that the graph must have; ``"batch"`` stands for a first axis of any length."""
        rows = "batch" if self.batch is None else self.batch
        specs = {
            **self.inputs,
            **{f"state.{name}": spec for name, spec in self.state.items()},
            **{f"noise.{name}": spec for name, spec in self.noise.items()},
            "rate": Spec(np.dtype(np.float32), ()),
        }
        found: dict[str, tuple[np.dtype[Any], tuple[int | str, ...]]] = {
            name: (spec.dtype, (rows, *spec.told)) for name, spec in specs.items()
        }
        if self.form == "loop":
            found |= {"max_steps": (np.dtype(np.int64), ()), "tolerance": (np.dtype(np.float32), ())}
        return found

    @property
    def graph_outputs(self) -> set[str]:
        """Every output that the graph must have."""
        fixed = {"energy", "terms", "residual", "trace"} | ({"violations"} if self.rules else set())
        fixed |= {"steps"} if self.form == "loop" else set()
        return fixed | {f"next.{name}" for name in self.state} | {f"answer.{name}" for name in self.answers}


def parse(metadata: Mapping[str, str]) -> Header:
    """Read the header from a model's metadata.

    Raises:
        ArtefactError: If there is none, if it is not JSON, if its format is unknown, or if a field is missing or wrong.
    """
    text = metadata.get(KEY)
    if text is None:
        raise ArtefactError(
            "This ONNX file has no 'groundstate' entry in its metadata, so it is not an energy artefact; "
            "make one with groundstate_export.export."
        )
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ArtefactError(f"The artefact's header is not valid JSON: {error}.") from None
    if not isinstance(raw, dict):
        raise ArtefactError(f"The artefact's header is a {type(raw).__name__}; it must be a JSON object.")
    if raw.get("format") not in FORMATS or isinstance(raw.get("format"), bool):
        known = f"{', '.join(map(str, FORMATS[:-1]))} and {FORMATS[-1]}"
        raise ArtefactError(
            f"The artefact's header is of format {raw.get('format')!r}; this version of groundstate reads the formats {known}. "
            "Upgrade groundstate, or export the model again."
        )
    try:
        return _parse(cast("dict[str, Any]", raw))
    except _DamagedError as error:
        raise ArtefactError(f"The artefact's header is damaged: {error}.") from None


class _DamagedError(Exception):
    pass


def _field(raw: Mapping[str, Any], key: str, kind: type | tuple[type, ...], where: str = "") -> Any:
    place = f"{where}.{key}" if where else key
    if key not in raw:
        raise _DamagedError(f"it lacks {place!r}")
    if not isinstance(raw[key], kind) or (isinstance(raw[key], bool) and kind is not bool):
        raise _DamagedError(f"{place!r} is {raw[key]!r}, which has the wrong type")
    return raw[key]


def _length(value: object, place: str, *, least: int = 0) -> Length:
    number = isinstance(value, int) and not isinstance(value, bool) and value >= least
    if not number and not (isinstance(value, str) and _PRODUCT.fullmatch(value) and _sizes(value)):
        raise _DamagedError(
            f"{place!r} is {value!r}; it must be a whole number of at least {least}, or a product of sizes"
        )
    return cast("Length", value)


def _spec(raw: Mapping[str, Any], where: str) -> Spec:
    dtype = _field(raw, "dtype", str, where)
    if dtype not in _DTYPES:
        raise _DamagedError(f"{where + '.dtype'!r} is {dtype!r}; known are {', '.join(_DTYPES)}")
    told = tuple(_length(n, f"{where}.shape[{i}]") for i, n in enumerate(_field(raw, "shape", list, where)))
    shape = tuple(0 if isinstance(n, str) else n for n in told)
    return Spec(np.dtype(_DTYPES[dtype]), shape, axes=() if shape == told else told)


def _initial(raw: Mapping[str, Any], where: str) -> Initial:
    if len(raw) == 1:
        kind, value = next(iter(raw.items()))
        values = tuple(value) if isinstance(value, list) else (value,)
        if {"constant": 1, "normal": 2, "uniform": 2}.get(kind) == len(values) and all(
            isinstance(v, int | float) for v in values
        ):
            return Initial(kind, tuple(map(float, values)))
    raise _DamagedError(f"{where!r} is {dict(raw)!r}; known are constant, normal and uniform")


def _specs(raw: Mapping[str, Any], key: str) -> dict[str, Spec]:
    return {
        name: _spec(_field(_field(raw, key, dict), name, dict, key), f"{key}.{name}") for name in _field(raw, key, dict)
    }


def _state(raw: Mapping[str, Any]) -> dict[str, StateSpec]:
    specs: dict[str, StateSpec] = {}
    for name, spec in _specs(raw, "state").items():
        where = f"state.{name}"
        one = raw["state"][name]
        initial = _initial(_field(one, "initial", dict, where), f"{where}.initial")
        specs[name] = StateSpec(spec.dtype, spec.shape, initial, _field(one, "minimised", bool, where), axes=spec.axes)
    return specs


def _named(raw: Mapping[str, Any], key: str) -> tuple[Named, ...]:
    entries = _field(raw, key, list)
    if not all(isinstance(entry, dict) for entry in entries):
        raise _DamagedError(f"{key!r} is {entries!r}; it must be a list of objects")
    return tuple(
        Named(_field(entry, "name", str, f"{key}[{i}]"), _field(entry, "description", str, f"{key}[{i}]"))
        for i, entry in enumerate(entries)
    )


def _numbers(raw: Mapping[str, Any], key: str, names: tuple[str, ...]) -> dict[str, Any]:
    values = _field(raw, key, dict)
    return {name: _field(values, name, (int, float), key) for name in names}


def _defaults(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What a caller need not say; files of before there was ``lengthens`` went by all of Luby's sequence."""
    told = {**raw, "defaults": {"lengthens": 1.0, **_field(raw, "defaults", dict)}}
    return _numbers(told, "defaults", ("restarts", "max_steps", "patience", "lengthens", "settled"))


def _form(raw: Mapping[str, Any]) -> tuple[str, int | None, str]:
    """Form, fixed batch and precision; format 1 knew one of each."""
    if raw["format"] == 1:
        return "unrolled", None, "float32"
    form, precision = _one_of(raw, "form", FORMS), _one_of(raw, "precision", PRECISIONS)
    batch = _field(raw, "batch", (int, type(None)))
    if batch is not None and batch < 1:
        raise _DamagedError(f"'batch' is {batch}; a fixed batch has at least one row")
    return form, batch, precision


def _entries(raw: Mapping[str, Any]) -> tuple[Length, ...]:
    """Products of which the greatest counts; below format 3 a number, and in format 1 none."""
    told = {"entries": _ENTRIES_OF_FORMAT_1, **raw} if raw["format"] == 1 else raw
    if raw["format"] < _FORMAT_OF_SIZES:
        return (_length(_field(told, "entries", int), "entries", least=1),)
    products = _field(told, "entries", list)
    if not products:
        raise _DamagedError("'entries' is []; it must hold at least one product")
    return tuple(_length(product, f"entries[{i}]", least=1) for i, product in enumerate(products))


def _trace_every(raw: Mapping[str, Any], form: str, steps: int) -> int:
    value: int = _field({"trace_every": 1, **raw}, "trace_every", int)
    if not 1 <= value <= steps:
        raise _DamagedError(f"'trace_every' is {value}; it is from 1 to the {steps} steps of a segment")
    if form == "loop" and value > 1:
        raise _DamagedError(f"'trace_every' is {value}; a loop tells every energy, so it is 1")
    return value


def _one_of(raw: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
    value: str = _field(raw, key, str)
    if value not in known:
        raise _DamagedError(f"{key!r} is {value!r}; known are {', '.join(known)}")
    return value


def _parse(raw: Mapping[str, Any]) -> Header:
    header = _read(raw)
    specs = (*header.inputs.values(), *header.state.values(), *header.noise.values(), *header.answers.values())
    used = {size for spec in specs for size in spec.sizes} | {size for n in header.entries for size in _sizes(n)}
    if used and raw["format"] < _FORMAT_OF_SIZES:
        raise _DamagedError(f"an axis is {min(used)!r} long, and format {raw['format']} knows numbers only")
    if unknown := used - set(header.sizes):
        raise _DamagedError(f"the size {min(unknown)!r} is the length of no axis of an input")
    if used and (header.form == "loop" or header.batch is not None):
        raise _DamagedError("a file of any size is unrolled and of any batch")
    return header


def _read(raw: Mapping[str, Any]) -> Header:
    steps = _field(raw, "steps", int)
    if steps < 1:
        raise _DamagedError(f"'steps' is {steps}; a segment has at least one step")
    form, batch, precision = _form(raw)
    texts = {key: _field(raw, key, str) for key in ("name", "title", "description", "licence", "version")}
    return Header(
        **texts,
        task=_field(raw, "task", (str, type(None))),
        form=form,
        steps=steps,
        trace_every=_trace_every(raw, form, steps),
        batch=batch,
        entries=_entries(raw),
        precision=precision,
        inputs=_specs(raw, "inputs"),
        state=_state(raw),
        noise=_specs(raw, "noise"),
        answers=_specs(raw, "answers"),
        terms=_named(raw, "terms"),
        rules=_named(raw, "rules"),
        request=_field(raw, "request", dict),
        answer=_field(raw, "answer", dict),
        defaults=_defaults(raw),
        limits=_numbers(raw, "limits", _LIMITS if raw["format"] < _FORMAT_OF_SIZES else (*_LIMITS, "entries")),
        self_test=_field(raw, "self_test", (dict, type(None))),
        parity=_field(raw, "parity", dict),
        built_with=_field(raw, "built_with", dict),
    )
