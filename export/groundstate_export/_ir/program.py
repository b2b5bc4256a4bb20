"""Programs: a captured PyTorch function as a list of operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from groundstate_export._ir.values import Dimension, Shape


@dataclass(frozen=True)
class Spec:
    """A tensor's dtype and its shape without the batch."""

    dtype: torch.dtype
    shape: tuple[int, ...]

    @classmethod
    def of(cls, tensor: Tensor) -> Spec:
        return cls(tensor.dtype, tuple(tensor.shape[1:]))


@dataclass(frozen=True)
class Ref:
    """An earlier instruction's result, by position."""

    index: int


@dataclass(frozen=True)
class Instruction:
    """One operator: its arguments contain `Ref`, `Batch` and plain values; ``results`` describes its outputs."""

    target: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    results: tuple[tuple[torch.dtype, Shape] | None, ...]
    layout: tuple[Shape, Shape, Dimension] | None = None
    """For `as_strided`: shape, strides and offset of the tensor that it reads."""

    @cached_property
    def written(self) -> tuple[int, ...]:
        """The arguments that it changes, by position."""
        return tuple(i for i, a in enumerate(self._aliases) if a is not None and a.is_write)

    @property
    def in_place(self) -> bool:
        """Whether it changes an argument."""
        return bool(self.written)

    @property
    def is_view(self) -> bool:
        """Whether its result shares memory with an argument."""
        return not self.in_place and any(a is not None for a in self._aliases)

    @property
    def _aliases(self) -> list[Any]:
        schema = getattr(self.target, "_schema", None)
        return [a.alias_info for a in schema.arguments] if schema is not None else []


@dataclass(frozen=True)
class Condition:
    """A condition on sizes that decided which path a function took.

    Attributes:
        expression: The condition, which held.
        place: The place in the user's source that asked for it.
    """

    expression: Any
    place: str


@dataclass
class Program:
    """A captured function: from named tensors to named tensors."""

    inputs: dict[str, Spec]
    body: list[Instruction] = field(default_factory=list)
    constants: dict[int, Tensor] = field(default_factory=dict)
    placeholders: dict[int, str] = field(default_factory=dict)
    outputs: dict[str, Ref] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)
    """What its path depends on."""
    place: Callable[[int], str] = lambda _: ""
    """The place of an instruction in the user's source, such as ``energy.py:31, in forward: `y.sort()` ``."""

    def first_use(self, index: int) -> int:
        """The first instruction that reads a result, or the result's own index."""

        def reads(argument: Any) -> bool:
            if isinstance(argument, (tuple, list)):
                return any(map(reads, argument))
            return isinstance(argument, Ref) and argument.index == index

        found = (k for k, one in enumerate(self.body) if any(map(reads, (*one.args, *one.kwargs.values()))))
        return next(found, index)
