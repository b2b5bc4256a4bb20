"""The artefact's header as typed values. `_header_reader` reads it from a file; `docs/artefact.md` specifies it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

KEY = "groundstate"
"""Metadata key of the header."""

FORMATS = (1, 2, 3, 4)
FORMAT_OF_SIZES = 3
"""From this format on, the length of an axis may depend on the problem."""
FORMAT_OF_ACCEPTANCE = 4
"""From this format on, the header states when a chain is acceptable, and noise follows each chain's step count."""

FORMS = ("unrolled", "loop")
PRECISIONS = ("float32", "float16")

DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(name) for name in ("float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool")
}
"""The dtypes that inputs, states and answers may have."""

Length = int | str
"""A length: a number, or a product of numbers and names of a problem's sizes, such as ``"2*nodes"``."""

_FACTOR = r"(?:[A-Za-z_]\w*|[1-9]\d{0,8})"
_PRODUCT = re.compile(rf"{_FACTOR}(?:\*{_FACTOR})*", re.ASCII)


def is_product(length: object) -> bool:
    """Whether a length is a product of names and numbers with at least one name."""
    return isinstance(length, str) and bool(_PRODUCT.fullmatch(length)) and bool(sizes_in(length))


def sizes_in(length: Length) -> list[str]:
    """The names of sizes in a length."""
    return [] if isinstance(length, int) else [factor for factor in length.split("*") if not factor.isdecimal()]


def _number(length: Length, sizes: Mapping[str, int]) -> int:
    if isinstance(length, int):
        return length
    return math.prod(int(factor) if factor.isdecimal() else sizes[factor] for factor in length.split("*"))


@dataclass(frozen=True, slots=True)
class Spec:
    """A tensor's dtype, and its shape without the batch axis.

    Attributes:
        shape: Length of each axis; 0 if it depends on the problem.
        axes: The shape as the file states it, such as ``("2*nodes", 3)``, if an axis depends on the problem; else empty.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    axes: tuple[Length, ...] = field(default=(), kw_only=True)

    @property
    def lengths(self) -> tuple[Length, ...]:
        """The shape as the file states it."""
        return self.axes or self.shape

    @property
    def text(self) -> str:
        """The shape as the file states it, as Python writes tuples."""
        return f"({', '.join(map(str, self.lengths))}{',' if len(self.lengths) == 1 else ''})"

    @property
    def sizes(self) -> tuple[str, ...]:
        """The sizes of a problem that the shape depends on."""
        return tuple(dict.fromkeys(size for axis in self.axes for size in sizes_in(axis)))

    def at(self, sizes: Mapping[str, int]) -> Self:
        """The same for a problem of these sizes."""
        return replace(self, shape=tuple(_number(n, sizes) for n in self.axes), axes=()) if self.axes else self


@dataclass(frozen=True, slots=True)
class InputSpec(Spec):
    """An input. `default` contains learned numbers, without the batch axis; None for an input from the request."""

    default: NDArray[Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Initial:
    """How a state tensor starts.

    Attributes:
        kind: ``constant`` c, ``normal`` mean and deviation, ``uniform`` low and high, or ``answer``.
        values: The numbers that the kind takes.
        answer: For the kind ``answer``: the answer of the previous stage that is the tensor's start.
    """

    kind: str
    values: tuple[float, ...] = ()
    answer: str = ""

    def draw(self, random: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """A tensor of this shape, drawn or filled; zeros for the kind ``answer``."""
        if self.kind in ("constant", "answer"):
            return np.full(shape, self.values[0] if self.values else 0, dtype=dtype)
        first, second = self.values
        if self.kind == "normal":
            drawn = np.asarray(random.standard_normal(shape, dtype=np.float32))
            drawn *= np.float32(second)
            drawn += np.float32(first)
            return drawn.astype(dtype, copy=False)
        return (first + (second - first) * random.random(shape, dtype=np.float32)).astype(dtype, copy=False)


@dataclass(frozen=True, slots=True)
class StateSpec(Spec):
    """A state tensor: how it starts, and whether it is minimised or carried by the rule of descent."""

    initial: Initial
    minimised: bool


@dataclass(frozen=True, slots=True)
class NoiseSpec(Spec):
    """Noise of a segment; the first axis counts its slots.

    Noise is due at the steps t of a chain, counted from its start, with ``t mod period`` in `offsets`.
    """

    period: int
    offsets: tuple[int, ...]


def slots_of(steps: int, period: int, offsets: tuple[int, ...]) -> list[int]:
    """The steps within a segment, in order, at which noise may be due."""
    cycle = min(steps, period)  # either divides the other
    due = {offset % cycle for offset in offsets}
    return [i for i in range(steps) if i % cycle in due]


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the energy: its name, and a sentence about it."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Check:
    """A check of answers.

    Attributes:
        name: Its name.
        description: A sentence about it.
        tolerance: None where the check counts; else the amount up to which an element passes.
        unit: Of the amount; None where it has none.
    """

    name: str
    description: str
    tolerance: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """What makes a chain acceptable.

    Attributes:
        checks: Names of the checks that must hold.
        converged: Whether its residual must be below the header's ``residual_tolerance``.
        polish: Segments that an acceptable chain goes on for before its best configuration is offered.
    """

    checks: tuple[str, ...]
    converged: bool
    polish: int


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the length of a size: ``least <= length <= most`` and ``length % multiple == remainder``.

    Attributes:
        most: None for any length.
    """

    size: str
    multiple: int = 1
    remainder: int = 0
    least: int = 1
    most: int | None = None

    def holds(self, length: int) -> bool:
        """Whether a length meets the condition."""
        within = self.least <= length and (self.most is None or length <= self.most)
        return within and length % self.multiple == self.remainder

    @property
    def text(self) -> str:
        """The condition in words, such as ``height must be a multiple of 4 and at least 8``."""
        parts = []
        if self.multiple > 1:
            more = f"{self.remainder} more than " if self.remainder else ""
            parts.append(f"{more}a multiple of {self.multiple}")
        if self.least > 1:
            parts.append(f"at least {self.least}")
        if self.most is not None:
            parts.append(f"at most {self.most}")
        return f"{self.size} must be {' and '.join(parts)}"


_NUMBERS = count()


@dataclass(frozen=True)
class Header:
    """See `docs/artefact.md` for every field. Of an earlier stage, `Stage.header` describes its graph the same way.

    Attributes:
        files: Whether a request may name files of this host for a task to read. The host says so, and not the file.
    """

    format: int
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
    elements: tuple[Length, ...]
    precision: str
    inputs: dict[str, InputSpec]
    state: dict[str, StateSpec]
    noise: dict[str, NoiseSpec]
    answers: dict[str, Spec]
    terms: tuple[Term, ...]
    checks: tuple[Check, ...]
    accept: Accept
    stages: tuple[Stage, ...]
    request: dict[str, Any]
    answer: dict[str, Any]
    defaults: dict[str, float]
    limits: dict[str, int]
    self_test: dict[str, Any] | None
    parity: dict[str, Any]
    built_with: dict[str, str]
    knowledge: dict[str, Any] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    files: bool = True

    @cached_property
    def sizes(self) -> dict[str, tuple[str, int]]:
        """For each size of a problem, an input and its axis of that length. Empty if all problems have the same size."""
        found: dict[str, tuple[str, int]] = {}
        for name, spec in self.inputs.items():
            for place, axis in enumerate(spec.axes):
                if isinstance(axis, str) and axis.isidentifier():
                    found.setdefault(axis, (name, place))
        return found

    @cached_property
    def number(self) -> int:
        """Distinguishes this header from all others of the process, unlike `id`."""
        return next(_NUMBERS)

    @cached_property
    def asked(self) -> dict[str, InputSpec]:
        """The inputs from the request: all except learned numbers."""
        return {name: spec for name, spec in self.inputs.items() if spec.default is None}

    def at(self, sizes: Mapping[str, int]) -> Header:
        """The header of problems of these sizes: every length is a number."""
        return replace(
            self,
            inputs={name: spec.at(sizes) for name, spec in self.inputs.items()},
            state={name: spec.at(sizes) for name, spec in self.state.items()},
            noise={name: spec.at(sizes) for name, spec in self.noise.items()},
            answers={name: spec.at(sizes) for name, spec in self.answers.items()},
            elements=tuple(_number(product, sizes) for product in self.elements),
            stages=tuple(replace(stage, header=stage.header.at(sizes)) for stage in self.stages),
        )

    @cached_property
    def largest(self) -> int:
        """Elements of a step's largest tensor for one row; 0 if lengths depend on the problem."""
        return max((n for n in self.elements if isinstance(n, int)), default=0)

    @cached_property
    def required(self) -> NDArray[np.intp]:
        """The columns of ``violations`` that must be 0 in an acceptable answer."""
        return np.array([k for k, check in enumerate(self.checks) if check.name in self.accept.checks], np.intp)

    @cached_property
    def requires_all(self) -> bool:
        """Whether every column of ``violations`` must be 0."""
        return len(self.required) == len(self.checks)

    @cached_property
    def cycle(self) -> int:
        """Steps after which the noise of a chain recurs, or the steps of a segment, if they are more."""
        return max([self.steps, *(noise.period for noise in self.noise.values())])

    @cached_property
    def tracked(self) -> dict[str, Spec]:
        """The answers of whole numbers, for which the order in which they are decided is recorded."""
        return {name: spec for name, spec in self.answers.items() if spec.dtype.kind in "iu"}

    @cached_property
    def streams(self) -> int:
        """Generators that a chain draws from: one for its start and its noise, and one for each further noise tensor."""
        return max(1, len(self.noise), *(len(stage.header.noise) for stage in self.stages))

    @property
    def traced(self) -> range:
        """The updates of a segment before which the energy is recorded: a column of ``trace`` and ``path.<name>`` for each."""
        return range(0, self.steps, self.trace_every)

    @property
    def step_scale(self) -> str:
        """The name of the graph's input that multiplies the step size of a chain."""
        return "step_scale" if self.format >= FORMAT_OF_ACCEPTANCE else "rate"

    @property
    def checker_key(self) -> str:
        """The metadata key of the small model that checks answers."""
        return f"groundstate.{'checker' if self.format >= FORMAT_OF_ACCEPTANCE else 'judge'}"

    @property
    def measures(self) -> bool:
        """Whether the graph returns the excess of each check."""
        return bool(self.checks) and self.format >= FORMAT_OF_ACCEPTANCE

    @property
    def is_float64(self) -> bool:
        """Whether the descent computes in float64."""
        return any(spec.dtype == np.float64 for spec in self.state.values())

    @property
    def graph_inputs(self) -> dict[str, tuple[np.dtype[Any], tuple[int | str, ...]]]:
        """Dtype and shape of every input that the graph must have; ``"batch"`` stands for a first axis of any length."""
        rows = "batch" if self.batch is None else self.batch
        specs: dict[str, Spec] = {
            **self.inputs,
            **{f"state.{name}": spec for name, spec in self.state.items()},
            **{f"noise.{name}": spec for name, spec in self.noise.items()},
            self.step_scale: Spec(np.dtype(np.float32), ()),
        }
        found: dict[str, tuple[np.dtype[Any], tuple[int | str, ...]]] = {
            name: (spec.dtype, (rows, *spec.lengths)) for name, spec in specs.items()
        }
        if self.form == "loop":
            found |= {"max_steps": (np.dtype(np.int64), ()), "tolerance": (np.dtype(np.float32), ())}
        return found

    @cached_property
    def graph_outputs(self) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
        """Dtype and shape, without the batch, of every output that the graph must have and whose shape is known before."""
        float32, int64, columns = np.dtype(np.float32), np.dtype(np.int64), (len(self.checks),)
        # The energy has the dtype of the state: float64 where that is.
        wide = np.dtype(np.float64)
        real = wide if any(spec.dtype == wide for spec in self.state.values()) else float32
        found: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
            "energy": (real, ()),
            "terms": (real, (len(self.terms),)),
            "residual": (real, ()),
        }
        if self.checks:
            found["violations"] = (int64, columns)
        if self.measures:
            found["excess"] = (float32, columns)
        if self.form == "loop":
            found["steps"] = (int64, ())
        found |= {f"next.{name}": (spec.dtype, spec.shape) for name, spec in self.state.items()}
        return found | {f"answer.{name}": (spec.dtype, spec.shape) for name, spec in self.answers.items()}


@dataclass(frozen=True)
class Stage:
    """An earlier stage of the descent.

    Attributes:
        name: Its name.
        model: Metadata key of its graph.
        header: The file's header with this stage's steps, state, noise, answers and terms; it has no checks.
        residual: The residual below which a chain goes on to the next stage; None for never.
        max_steps: Updates after which a chain goes on in any case.
    """

    name: str
    model: str
    header: Header
    residual: float | None
    max_steps: int
