"""Tensors and calls while they are lowered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from groundstate_export._errors import UnsupportedOperator
from groundstate_export._ir.graph import Shape, Value
from groundstate_export._ir.program import Instruction


@dataclass
class Entry:
    """A tensor while it is lowered.

    Attributes:
        dtype: As PyTorch has it.
        shape: As PyTorch has it.
        value: In the graph; its shape broadcasts to ``shape``. None until it is needed where ``tensor`` is known.
        tensor: The tensor itself, where it depends on no input.
        refusal: Why it has no value. It may still lend its shape, as a sum over the batch does to the ones that a gradient starts
            from; only what needs the value is refused.
        rows: Whether it is the numbers of the batch's rows, along its first axis. Only an index may use them.
    """

    dtype: torch.dtype
    shape: Shape
    value: Value | None = None
    tensor: Tensor | None = None
    refusal: UnsupportedOperator | None = None
    rows: bool = False


@dataclass
class Call:
    """An operator that is being lowered, with its arguments resolved: tensors are `Entry`."""

    instruction: Instruction
    args: list[Any]
    kwargs: dict[str, Any]

    @property
    def qualified(self) -> str:
        """The operator's full name, such as ``aten.sum``."""
        return str(self.instruction.target._schema.name.replace("::", "."))  # noqa: SLF001  # it has no public name

    @property
    def name(self) -> str:
        """The operator's name, such as ``sum``; the underscore of an operator that works in place is left out."""
        name = self.qualified.split(".")[-1]
        return name.removesuffix("_") if self.instruction.in_place else name

    def result(self, index: int = 0) -> tuple[torch.dtype, Shape]:
        """Dtype and shape of an output, as PyTorch has them."""
        result = self.instruction.results[index]
        assert result is not None
        return result

    @property
    def dtype(self) -> torch.dtype:
        """Dtype of the first output."""
        return self.result()[0]

    @property
    def shape(self) -> Shape:
        """Shape of the first output."""
        return self.result()[1]

    def get(self, index: int, name: str, default: Any) -> Any:
        """An argument that may be given by position, by name, or not at all."""
        return self.args[index] if len(self.args) > index else self.kwargs.get(name, default)

    def named(self, name: str, default: Any = None) -> Any:
        """An argument by the name that the operator's schema gives it."""
        if name in self.kwargs:
            return self.kwargs[name]
        names = [a.name for a in self.instruction.target._schema.arguments]  # noqa: SLF001  # it has no public name
        return self.args[names.index(name)] if name in names and names.index(name) < len(self.args) else default


@dataclass
class Pair:
    """A complex tensor while it is lowered: its real and its imaginary part."""

    real: Entry
    imag: Entry

    @property
    def dtype(self) -> torch.dtype:
        """As PyTorch has it."""
        return torch.complex128 if self.real.dtype == torch.float64 else torch.complex64

    @property
    def shape(self) -> Shape:
        """As PyTorch has it."""
        return self.real.shape

    @property
    def tensor(self) -> None:
        """A complex constant is an `Entry`; what is split depends on an input."""
        return
