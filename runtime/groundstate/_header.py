"""The artefact's header: read, checked, and given types. The format is `docs/artefact.md`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from groundstate._errors import ArtefactError

KEY = "groundstate"
JUDGE_KEY = "groundstate.judge"
FORMATS = (1, 2, 3)
_FORMAT_OF_SIZES = 3
"""From this format on, axes may have names in place of lengths."""
FORMS = ("unrolled", "loop")
PRECISIONS = ("float32", "float16")

_ROWS_OF_FORMAT_1 = 8

_DTYPES = {"float32": np.float32, "float64": np.float64, "int64": np.int64, "int32": np.int32, "bool": np.bool_}


CACHED = 1 << 17
"""Entries of a step's largest tensor that still let its tensors stay in a second-level cache."""
MOST_ROWS = 256


@dataclass(frozen=True, slots=True)
class Spec:
    """A tensor's dtype, and its shape without the batch. An axis with a name is as long as the problem says."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    named: tuple[str | None, ...] = field(default=(), kw_only=True)
    """Names of axes, where any has one; ``shape`` is then 0 there."""

    def at(self, sizes: Mapping[str, int]) -> Self:
        """The same for a problem of these sizes."""
        if not self.named:
            return self
        shape = tuple(sizes[name] if name else n for n, name in zip(self.shape, self.named, strict=True))
        return replace(self, shape=shape, named=())

    @property
    def told(self) -> tuple[int | str, ...]:
        """The shape with names, as the graph has it."""
        return tuple(name or n for n, name in zip(self.shape, self.named, strict=True)) if self.named else self.shape


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
    rows: int
    entries: int
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

    @property
    def sizes(self) -> tuple[str, ...]:
        """Names of the sizes that a problem brings; none where every problem has the same."""
        return tuple(dict.fromkeys(name for spec in self.inputs.values() for name in spec.named if name))

    def sizes_of(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        """The sizes of a problem, from its input tensors without the batch.

        Raises:
            ValueError: If two tensors disagree, or one has another number of axes; the message says which.
        """
        found: dict[str, int] = {}
        for name, spec in self.inputs.items():
            shape = np.shape(inputs[name])
            if len(shape) != len(spec.shape):
                raise ValueError(f"{name} has {len(shape)} axes; it must have {len(spec.shape)}")
            for size, length in zip(spec.named, shape, strict=False):
                if size and found.setdefault(size, length) != length:
                    raise ValueError(f"{name} has {length} {size}, and another input has {found[size]}")
        return found

    def at(self, sizes: Mapping[str, int]) -> Header:
        """The header of a problem of these sizes: every axis has a length."""
        if not self.sizes:
            return self
        inputs, noise, answers = (
            {name: spec.at(sizes) for name, spec in specs.items()} for specs in (self.inputs, self.noise, self.answers)
        )
        state = {name: spec.at(sizes) for name, spec in self.state.items()}
        widest = max(math.prod(spec.shape) for spec in (*inputs.values(), *state.values()))
        rows = 1 << min(max(CACHED // max(widest, 1), 1), MOST_ROWS).bit_length() - 1
        return replace(
            self, inputs=inputs, state=state, noise=noise, answers=answers, entries=max(widest, 1), rows=rows
        )

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
        known = " and ".join(map(str, FORMATS))
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


def _spec(raw: Mapping[str, Any], where: str) -> Spec:
    dtype = _field(raw, "dtype", str, where)
    if dtype not in _DTYPES:
        raise _DamagedError(f"{where + '.dtype'!r} is {dtype!r}; known are {', '.join(_DTYPES)}")
    shape = _field(raw, "shape", list, where)
    if not all(
        (isinstance(n, int) and not isinstance(n, bool) and n >= 0) or (isinstance(n, str) and n) for n in shape
    ):
        raise _DamagedError(f"{where + '.shape'!r} is {shape!r}; it must be a list of whole numbers and names")
    named = tuple(n if isinstance(n, str) else None for n in shape)
    return Spec(
        np.dtype(_DTYPES[dtype]),
        tuple(0 if isinstance(n, str) else n for n in shape),
        named=named if any(named) else (),
    )


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
        specs[name] = StateSpec(
            spec.dtype, spec.shape, initial, _field(one, "minimised", bool, where), named=spec.named
        )
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


def _form(raw: Mapping[str, Any]) -> tuple[str, int | None, str]:
    """Form, fixed batch and precision; format 1 knew one of each."""
    if raw["format"] == 1:
        return "unrolled", None, "float32"
    form, precision = _one_of(raw, "form", FORMS), _one_of(raw, "precision", PRECISIONS)
    batch = _field(raw, "batch", (int, type(None)))
    if batch is not None and batch < 1:
        raise _DamagedError(f"'batch' is {batch}; a fixed batch has at least one row")
    return form, batch, precision


def _positive(raw: Mapping[str, Any], key: str, of_format_1: int) -> int:
    value: int = of_format_1 if raw["format"] == 1 else _field(raw, key, int)
    if value < 1:
        raise _DamagedError(f"{key!r} is {value}; it is at least 1")
    return value


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
    used = {n for specs in (header.state, header.noise, header.answers) for s in specs.values() for n in s.named if n}
    if (header.sizes or used) and raw["format"] < _FORMAT_OF_SIZES:
        raise _DamagedError(f"axes have names, which format {raw['format']} does not know")
    if missing := sorted(used - set(header.sizes)):
        raise _DamagedError(f"the axis {missing[0]!r} is as long as no input says")
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
        rows=_positive(raw, "rows", _ROWS_OF_FORMAT_1),
        entries=_positive(raw, "entries", 1),
        precision=precision,
        inputs=_specs(raw, "inputs"),
        state=_state(raw),
        noise=_specs(raw, "noise"),
        answers=_specs(raw, "answers"),
        terms=_named(raw, "terms"),
        rules=_named(raw, "rules"),
        request=_field(raw, "request", dict),
        answer=_field(raw, "answer", dict),
        defaults=_numbers(raw, "defaults", ("restarts", "max_steps", "patience", "settled")),
        limits=_numbers(raw, "limits", ("restarts", "max_steps", "batch")),
        self_test=_field(raw, "self_test", (dict, type(None))),
        parity=_field(raw, "parity", dict),
        built_with=_field(raw, "built_with", dict),
    )
