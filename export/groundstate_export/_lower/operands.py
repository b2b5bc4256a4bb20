"""Tensors and calls during lowering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from groundstate_export._errors import UnsupportedOperator
from groundstate_export._ir.program import Instruction
from groundstate_export._ir.values import Shape, Value


class AnySize(Exception):  # noqa: N818  # it reports a case, and a handler's caller words the refusal
    """An operator is translated for a fixed length only, and its axis has any length."""


@dataclass
class Entry:
    """A tensor during lowering.

    Attributes:
        dtype: PyTorch's dtype.
        shape: PyTorch's shape.
        value: Its value in the graph, whose shape broadcasts to ``shape``. None while only ``tensor`` is known.
        tensor: The tensor itself, if it depends on no input.
        refusal: The reason why it has no value. Its shape may still be used, as the shape of a sum over the batch is by the
            tensor of ones that its gradient starts from. Only a use of the value is refused.
        rows: Whether it contains the batch's row numbers, along its first axis. Only an index may use them.
    """

    dtype: torch.dtype
    shape: Shape
    value: Value | None = None
    tensor: Tensor | None = None
    refusal: UnsupportedOperator | None = None
    rows: bool = False


@dataclass
class Call:
    """An operator during lowering, with its arguments resolved: tensors are `Entry`."""

    instruction: Instruction
    args: list[Any]
    kwargs: dict[str, Any]

    @property
    def qualified(self) -> str:
        """The operator's full name, such as ``aten.sum``."""
        return str(self.instruction.target._schema.name.replace("::", "."))  # noqa: SLF001  # it has no public name

    @property
    def name(self) -> str:
        """The operator's name, such as ``sum``, without the underscore of an in-place operator."""
        name = self.qualified.split(".")[-1]
        return name.removesuffix("_") if self.instruction.in_place else name

    def result(self, index: int = 0) -> tuple[torch.dtype, Shape]:
        """Dtype and shape of an output in PyTorch."""
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
        """An optional argument, by position or by name."""
        return self.args[index] if len(self.args) > index else self.kwargs.get(name, default)

    def named(self, name: str, default: Any = None) -> Any:
        """An argument by its name in the operator's schema."""
        if name in self.kwargs:
            return self.kwargs[name]
        names = [a.name for a in self.instruction.target._schema.arguments]  # noqa: SLF001  # it has no public name
        return self.args[names.index(name)] if name in names and names.index(name) < len(self.args) else default


@dataclass
class Pair:
    """A complex tensor during lowering: its real and its imaginary part."""

    real: Entry
    imag: Entry

    @property
    def dtype(self) -> torch.dtype:
        """PyTorch's dtype."""
        return torch.complex128 if self.real.dtype == torch.float64 else torch.complex64

    @property
    def shape(self) -> Shape:
        """PyTorch's shape."""
        return self.real.shape

    @property
    def tensor(self) -> None:
        """None: a complex constant is an `Entry`, and a pair depends on an input."""
        return
