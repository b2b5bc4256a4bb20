"""Lower: a captured function as ONNX operators.

Broadcasts stay implicit: an `Entry` knows the shape that PyTorch gave a tensor, while the value in the graph may have size 1
where entries repeat. What depends on no input is computed here, by PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from groundstate_export.capture import Instruction, Program, Ref
from groundstate_export.errors import UnsupportedOperator
from groundstate_export.ir import Batch, Dimension, Graph, Shape, Value, static

NUMPY = {
    torch.float32: np.float32,
    torch.float64: np.float64,
    torch.float16: np.float16,
    torch.int64: np.int64,
    torch.int32: np.int32,
    torch.uint8: np.uint8,
    torch.int8: np.int8,
    torch.bool: np.bool_,
}


@dataclass
class Entry:
    """A tensor while it is lowered.

    Attributes:
        dtype: As PyTorch has it.
        shape: As PyTorch has it.
        value: In the graph; its shape broadcasts to ``shape``. None until it is needed where ``tensor`` is known.
        tensor: The tensor itself, where it depends on no input.
    """

    dtype: torch.dtype
    shape: Shape
    value: Value | None = None
    tensor: Tensor | None = None


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


Handler = Callable[["Lowering", Call], Any]
HANDLERS: dict[str, Handler] = {}
"""The translation of each operator, by its name without the overload."""


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register the translation of operators."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return register


class Lowering:
    """Lowers programs into one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def run(self, program: Program, bindings: Mapping[str, Value]) -> dict[str, Entry]:
        """Emit a program with its inputs bound to values; its outputs by name."""
        entries: dict[int, Any] = {}
        same = _changed_in_place(program)
        for index, instruction in enumerate(program.body):
            if index in program.placeholders:
                name = program.placeholders[index]
                spec = program.inputs[name]
                entries[index] = Entry(spec.dtype, (Batch(), *spec.shape), bindings[name])
            elif index in program.constants:
                constant = program.constants[index]
                entries[index] = Entry(constant.dtype, tuple(constant.shape), tensor=constant)
            elif instruction.target is not None:
                # What changes a tensor in place becomes the tensor, for all that reads it from here on.
                entries[same.get(index, index)] = self._call(instruction, entries, same)
        return {name: entries[same.get(ref.index, ref.index)] for name, ref in program.outputs.items()}

    def _call(self, instruction: Instruction, entries: Mapping[int, Any], same: Mapping[int, int]) -> Any:
        def resolve(argument: Any) -> Any:
            if isinstance(argument, Ref):
                return entries[same.get(argument.index, argument.index)]
            if isinstance(argument, tuple):
                return [resolve(a) for a in argument]
            return argument

        args = [resolve(a) for a in instruction.args]
        kwargs = {k: resolve(v) for k, v in instruction.kwargs.items()}
        if getattr(instruction.target, "__name__", "") == "getitem":
            return args[0][args[1]]
        folded = self._fold(instruction, args, kwargs)
        if folded is not None:
            return folded
        call = Call(instruction, args, kwargs)
        handler = HANDLERS.get(call.name)
        if handler is None:
            raise self.refuse(
                call,
                "it has no translation to ONNX. Express it by elementwise operators, sums, products of matrices, gathers with "
                "constant indices, or masks.",
            )
        return handler(self, call)

    def _fold(self, instruction: Instruction, args: Any, kwargs: Any) -> Any:
        """Compute now what depends on no input; None where that is not so."""

        def constant(argument: Any) -> bool:
            if isinstance(argument, Entry):
                return argument.tensor is not None
            if isinstance(argument, list):
                return all(map(constant, argument))
            return not isinstance(argument, Batch)

        def concrete(argument: Any) -> Any:
            if isinstance(argument, Entry):
                return argument.tensor
            return [concrete(a) for a in argument] if isinstance(argument, list) else argument

        if not (constant(args) and all(constant(v) for v in kwargs.values())):
            return None
        if instruction.in_place:
            args = [Entry(args[0].dtype, args[0].shape, tensor=args[0].tensor.clone()), *args[1:]]
        with torch.no_grad():
            result = instruction.target(*map(concrete, args), **{k: concrete(v) for k, v in kwargs.items()})
        if isinstance(result, (list, tuple)):
            return [Entry(t.dtype, tuple(t.shape), tensor=t) if isinstance(t, Tensor) else t for t in result]
        return Entry(result.dtype, tuple(result.shape), tensor=result)

    # What handlers are made of.

    def refuse(self, call: Call, reason: str) -> UnsupportedOperator:
        """The exception that names an operator."""
        return UnsupportedOperator(call.qualified, reason)

    def compact(self, entry: Entry | float) -> Value:
        """The value in the graph, repeated entries left out."""
        if not isinstance(entry, Entry):
            raise TypeError(f"a tensor was expected, not {entry!r}")
        if entry.value is None:
            tensor = entry.tensor
            assert tensor is not None
            tensor = tensor.detach().cpu()
            for axis, (size, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
                if stride == 0 and size > 1:
                    tensor = tensor.narrow(axis, 0, 1)
            if tensor.numel() > 1 and bool((tensor == tensor.flatten()[0]).all()):
                tensor = tensor.flatten()[0]
            entry.value = self.graph.constant(tensor.numpy())
        return entry.value

    def aligned(self, entry: Entry) -> Value:
        """As `compact`, with as many axes as PyTorch has."""
        value = self.compact(entry)
        missing = len(entry.shape) - len(value.shape)
        return self.graph.reshape(value, (1,) * missing + value.shape) if missing else value

    def full(self, entry: Entry, axes: Sequence[int] | None = None) -> Value:
        """The value with its repeated entries written out (along these axes, or all)."""
        value = self.aligned(entry)
        rank = len(entry.shape)
        wanted = range(rank) if axes is None else [a % rank for a in axes]
        shape = tuple(d if i in wanted else value.shape[i] for i, d in enumerate(entry.shape))
        if value.array is not None and static(shape):
            return self.graph.constant(np.broadcast_to(value.array, [int(d) for d in shape]))  # type: ignore[arg-type]
        return self.graph.expand(value, shape)

    def entry(self, call: Call, value: Value, index: int = 0) -> Entry:
        """A handler's result, of the dtype and shape that PyTorch gave it."""
        dtype, shape = call.result(index)
        return Entry(dtype, shape, self.graph.unary("Cast", value, NUMPY[dtype]))

    def number(self, x: float, dtype: torch.dtype) -> Entry:
        """A Python number as a tensor."""
        return Entry(dtype, (), tensor=torch.tensor(x, dtype=dtype))

    def operands(self, arguments: Sequence[Any], dtype: torch.dtype | None = None) -> list[Value]:
        """Tensors and numbers as values of one dtype."""
        if dtype is None:
            tensors = [torch.empty((1,) * len(a.shape), dtype=a.dtype) for a in arguments if isinstance(a, Entry)]
            numbers = [a for a in arguments if not isinstance(a, Entry)]
            dtype = tensors[0].dtype
            for other in [*tensors[1:], *numbers]:
                dtype = torch.promote_types(dtype, torch.result_type(torch.empty((1,), dtype=dtype), other))
        entries = [a if isinstance(a, Entry) else self.number(a, dtype) for a in arguments]
        return [self.graph.unary("Cast", self.compact(e), NUMPY[dtype]) for e in entries]

    def reshape(self, entry: Entry, shape: Shape) -> Value:
        """Reshape; repeated entries stay implicit where the new shape allows it."""
        value = self.aligned(entry)
        if value.shape == entry.shape:
            return self.graph.reshape(value, shape)
        compact = regroup(entry.shape, value.shape, shape)
        if compact is not None:
            return self.graph.reshape(value, compact)
        # Write out only the axes that share a group with real ones.
        return self.graph.reshape(self.full(entry), shape)


def _changed_in_place(program: Program) -> dict[int, int]:
    """For each instruction that changes a tensor in place, the instruction that made the tensor.

    Raises:
        UnsupportedOperator: The tensor is an input, or shares its memory with a view.
    """
    same: dict[int, int] = {}
    viewed: dict[int, set[int]] = {}
    for index, instruction in enumerate(program.body):
        for argument in instruction.args:
            if isinstance(argument, Ref) and instruction.is_view:
                source = same.get(argument.index, argument.index)
                viewed.setdefault(source, set()).add(index)
                viewed.setdefault(index, set()).add(source)
                break
    for index, instruction in enumerate(program.body):
        if instruction.in_place:
            changed = instruction.args[0]
            root = same.get(changed.index, changed.index)
            if root in viewed or program.body[root].target is None:
                raise UnsupportedOperator(
                    Call(instruction, [], {}).qualified,
                    "it changes a part of a tensor, or an input, in place; write `torch.where`, `torch.cat` or `x = x + y` "
                    "instead of `x[...] = y`.",
                )
            same[index] = root
    return same


def _times(a: Dimension, b: Dimension) -> Dimension:
    if isinstance(a, Batch):
        return Batch(a.times * _fixed(b))
    return Batch(a * b.times) if isinstance(b, Batch) else a * b


def _fixed(d: Dimension) -> int:
    if isinstance(d, Batch):
        raise ValueError("two dimensions depend on the batch")  # noqa: TRY004  # a value, not a type, as callers see it
    return d


def _less(a: Dimension, b: Dimension) -> bool:
    if isinstance(a, Batch):
        return isinstance(b, Batch) and a.times < b.times
    return isinstance(b, Batch) or a < b


def regroup(before: Shape, actual: Shape, after: Shape) -> Shape | None:
    """The shape that a tensor with repeated entries has after a reshape, or None where they must be written out.

    Args:
        before: Its shape, repeated entries included.
        actual: Its shape in the graph: 1 where entries repeat.
        after: Its shape after the reshape, repeated entries included.
    """
    result: list[Dimension] = []
    i = j = 0
    while i < len(before) or j < len(after):
        left, right = [i], [j]
        a: Dimension = before[i] if i < len(before) else 1
        b: Dimension = after[j] if j < len(after) else 1
        i, j = i + 1, j + 1
        while a != b:
            if _less(a, b):
                if i >= len(before):
                    return None
                a = _times(a, before[i])
                left.append(i)
                i += 1
            else:
                if j >= len(after):
                    return None
                b = _times(b, after[j])
                right.append(j)
                j += 1
        sources = [k for k in left if k < len(before) and before[k] != 1]
        targets = [k for k in right if k < len(after)]
        if all(actual[k] == before[k] for k in sources):
            result.extend(after[k] for k in targets)
        elif all(actual[k] == 1 for k in sources):
            result.extend(1 for _ in targets)
        else:
            return None
    return tuple(result)
