"""The arguments of `export` as one object."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from groundstate_export._card import Accept, Card
from groundstate_export._descent.descent import Descent
from groundstate_export._descent.initial import Decoded, Initial
from groundstate_export._descent.rules.rule import Rule

Form = Literal["unrolled", "loop"]
Precision = Literal["float32", "float16"]
Energy = Callable[..., Tensor | Mapping[str, Tensor]]
Decode = Callable[..., Mapping[str, Tensor]]
Checks = Callable[..., Mapping[str, Tensor]]
EncodeAnswer = Callable[..., Tensor | Mapping[str, Tensor]]


@dataclass(frozen=True)
class Until:
    """When a chain leaves a stage: at the first of two conditions.

    Args:
        residual: Leave when the residual is below this; None for never.
        max_steps: Leave after this many updates in the stage.

    Raises:
        ValueError: A number is out of range.
    """

    residual: float | None = None
    max_steps: int = 1024

    def __post_init__(self) -> None:
        if self.residual is not None and not (self.residual > 0 and math.isfinite(self.residual)):
            raise ValueError(f"residual is {self.residual!r}; it must be positive and finite, or None.")
        if not isinstance(self.max_steps, int) or isinstance(self.max_steps, bool) or self.max_steps < 1:
            raise ValueError(f"max_steps is {self.max_steps!r}; it must be a whole number of at least 1.")

    def header(self) -> dict[str, object]:
        return {"residual": self.residual, "max_steps": self.max_steps}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage before the last one; the other arguments of `export` describe the last. All stages take the same inputs.

    A state of the next stage may start from this stage's answer: ``initial={"y": Decoded("answer")}``.

    Attributes:
        energy: As in `export`.
        state: As in `export`.
        rule: As in `export`.
        unroll: Steps in a segment of this stage.
        decode: As in `export`; by default the answers are the state.
        until: When a chain moves on to the next stage.
        initial: A chain's start in this stage.
        name: The stage's name; by default ``stage_1``, ``stage_2``, ….
        resized: For a file of any size: the example state for each example of ``resized``.
    """

    energy: Energy
    state: Tensor | Mapping[str, Tensor]
    rule: Rule
    unroll: int
    decode: Decode | None = None
    until: Until = field(default_factory=Until)
    initial: Initial | Decoded | Mapping[str, Initial | Decoded] | None = None
    name: str | None = None
    resized: Sequence[Tensor | Mapping[str, Tensor]] = ()


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """The caller's arguments for one stage, with defaults filled in.

    Attributes:
        what: The energy's name in messages, such as "The energy".
        parameters: The inputs that contain learned numbers, with their values, without the batch.
        before: The answers of the previous stage at its example, by name; empty for the first stage.
    """

    energy: Energy
    inputs: dict[str, Tensor]
    state: dict[str, Tensor]
    bare: bool
    rule: Rule
    unroll: int
    initial: dict[str, Initial | Decoded]
    decode: Decode | None = None
    checks: Checks | None = None
    encode_answer: EncodeAnswer | None = None
    parameters: dict[str, Tensor] = field(default_factory=dict)
    before: dict[str, Tensor] = field(default_factory=dict)
    record: bool = False
    trace_every: int = 1
    accept: Accept | None = None
    card: Card = field(default_factory=Card)
    form: Form = "unrolled"
    fixed_batch: int | None = None
    precision: Precision = "float32"
    tolerance: float = 1e-5
    batches: tuple[int, ...]
    seeds: tuple[int, ...]
    what: str = "The energy"

    def pack(self, state: Mapping[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """The minimised tensors in the form that the caller's functions take."""
        return state["y"] if self.bare else {name: state[name] for name in self.state}

    def decoded(self, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The answer of a state; without `decode`, the minimised tensors themselves."""
        if self.decode is None:
            return {name: state[name] for name in self.state}
        return dict(self.decode(self.pack(state), **inputs))

    def encoded(self, answer: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The state of an answer."""
        assert self.encode_answer is not None
        place = self.encode_answer(dict(answer), **inputs)
        return {"y": place} if isinstance(place, Tensor) else dict(place)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the state and the energy: float32 or float64."""
        return next((t.dtype for t in self.state.values()), torch.float32)

    @property
    def tolerances(self) -> dict[str, float | None]:
        """The tolerance of each check that the card describes; None for one that counts."""
        return {name: check.tolerance for name, check in self.card.described_checks().items()}

    @property
    def descent(self) -> Descent:
        """The same descent in PyTorch."""
        return Descent(self.energy, self.rule, self.inputs, None if self.bare else tuple(self.state))

    @property
    def traced(self) -> range:
        """The steps of a segment before which the energy is recorded, and the answer with ``record``."""
        return range(0, self.unroll, self.trace_every)
