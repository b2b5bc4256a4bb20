"""Lower: turn a captured function into ONNX operators.

Broadcasts stay implicit: an `Entry` has PyTorch's shape of a tensor, while its value in the graph may have size 1 along repeated
axes. Constants are computed here, by PyTorch. Writes in place become new tensors, see `aliasing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from groundstate_export._errors import UnsupportedOperator
from groundstate_export._ir.dtypes import COMPUTED, HALVES, NUMPY
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.lengths import sized
from groundstate_export._ir.program import Instruction, Program
from groundstate_export._ir.values import Batch, Dimension, Shape, Value, static
from groundstate_export._lower.aliasing import Memory
from groundstate_export._lower.operands import AnySize, Call, Entry, Pair

Handler = Callable[["Lowering", Call], Any]
_Handler = TypeVar("_Handler", bound=Handler)
HANDLERS: dict[str, Handler] = {}
"""The translation of each operator, by its name without the overload."""


def handles(*names: str) -> Callable[[_Handler], _Handler]:
    """Register the translation of operators."""

    def register(handler: _Handler) -> _Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return register


Writer = Callable[["Lowering", Call, Entry], Entry]
WRITERS: dict[str, Writer] = {}
"""For each view, the translation of a write to it: the new value of the viewed tensor. `""` for all other views."""


def writes(*names: str) -> Callable[[Writer], Writer]:
    """Register the translation of a write to these views."""

    def register(writer: Writer) -> Writer:
        for name in names:
            WRITERS[name] = writer
        return writer

    return register


_ROW_VIEWS = frozenset({"view", "_unsafe_view", "unsqueeze", "expand", "clone", "alias", "detach"})
"""Operators that preserve the batch's row numbers, if the batch stays the first axis."""

_SINGLE = frozenset({
    "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "AveragePool", "Conv", "ConvTranspose", "Cosh", "Erf", "Sinh", "Tan",
})  # fmt: skip
"""Operators that ONNX Runtime computes on CPUs in float32, but not in float64."""


class Lowering:
    """Lowers programs into one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def run(self, program: Program, bindings: Mapping[str, Value]) -> dict[str, Entry]:
        """Emit a program with its inputs bound to values. Returns its outputs by name.

        Raises:
            UnsupportedOperator: An operator has no translation. The message names its place in the user's source.
        """
        memory = Memory(self.call, self.write, program)
        for index, instruction in enumerate(program.body):
            if index in program.placeholders:
                name = program.placeholders[index]
                spec = program.inputs[name]
                value = self.graph.unary("Cast", bindings[name], COMPUTED[spec.dtype])
                memory.define(index, Entry(spec.dtype, (Batch(), *spec.shape), value))
            elif index in program.constants:
                constant = program.constants[index]
                memory.define(index, Entry(constant.dtype, tuple(constant.shape), tensor=constant))
            elif instruction.target is not None:
                self._execute(memory, index, instruction)
        try:
            return {name: self._given(memory.read(ref.index)) for name, ref in program.outputs.items()}
        except UnsupportedOperator as refusal:
            raise refusal.at(program.place(refusal.index)) from None

    def _execute(self, memory: Memory, index: int, instruction: Instruction) -> None:
        """Lower an instruction. A refusal is delayed until the value is needed, except for a write."""
        try:
            memory.execute(index, instruction)
        except UnsupportedOperator as refusal:
            refusal.index = index if refusal.index < 0 else refusal.index
            if instruction.in_place:
                raise refusal.at(memory.program.place(refusal.index)) from None
            missing = [None if r is None else Entry(*r, refusal=refusal) for r in instruction.results]
            returns = getattr(getattr(instruction.target, "_schema", None), "returns", missing)
            memory.define(index, missing[0] if len(returns) == len(missing) == 1 else missing)

    def _given(self, entry: Entry) -> Entry:
        """An output in PyTorch's dtype."""
        value = self.graph.unary("Cast", self.compact(entry), NUMPY[entry.dtype])
        return Entry(entry.dtype, entry.shape, value)

    def call(self, instruction: Instruction, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Lower one operator whose arguments are resolved."""
        if getattr(instruction.target, "__name__", "") == "getitem":
            return args[0][args[1]]
        folded = self._fold(instruction, args, kwargs)
        if folded is not None:
            return folded
        call = Call(instruction, args, kwargs)
        if call.name in _ROW_VIEWS and _numbers_rows(args[0], call.shape):
            return Entry(call.dtype, call.shape, refusal=args[0].refusal, rows=True)
        if _complex(instruction, args):
            return HANDLERS["complex numbers"](self, call)
        handler = HANDLERS.get(call.name)
        if handler is None:
            raise self.refuse(
                call,
                "it has no translation to ONNX. Write it with elementwise operators, sums, matrix products, gathers with "
                "constant indices, or masks.",
            )
        before = len(self.graph.nodes)
        try:
            result = handler(self, call)
        except AnySize:
            raise self.refuse(
                call,
                "it is not translated along an axis of any size; use slices, `cat`, or an index made with `torch.arange`.",
            ) from None
        except ValueError as error:
            raise self.refuse(call, f"{error}; every row must be treated alone.") from error
        if any(n.op in _SINGLE and n.inputs[0].dtype == np.float64 for n in self.graph.nodes[before:]):
            raise self.refuse(call, "ONNX Runtime supports it only in float32; cast with `.float()` before it.")
        return result

    def write(self, instruction: Instruction, args: list[Any], kwargs: dict[str, Any], new: Any) -> Any:
        """The first argument of a view after the view is overwritten by ``new``."""
        call = Call(instruction, args, kwargs)
        base = args[0]
        if isinstance(base, Pair) or isinstance(new, Pair):
            return HANDLERS["complex write"](self, Call(instruction, [*args, new], kwargs))
        if base.tensor is not None and new.tensor is not None:
            changed = base.tensor.clone()
            view = instruction.target(
                changed, *(concrete(a) for a in args[1:]), **{k: concrete(v) for k, v in kwargs.items()}
            )
            view.copy_(new.tensor)
            return Entry(base.dtype, base.shape, tensor=changed)
        try:
            return WRITERS.get(call.name, WRITERS[""])(self, call, new)
        except (AnySize, ValueError) as error:
            raise self.refuse(
                call,
                "a write to this view is not translated over any size; make a new tensor with `cat` or `torch.where`.",
            ) from error

    def _fold(self, instruction: Instruction, args: Any, kwargs: Any) -> Any:
        """Compute a constant result now; None if it depends on an input."""
        if not (constant(args) and all(constant(v) for v in kwargs.values())):
            return None
        if instruction.in_place:
            args = [Entry(args[0].dtype, args[0].shape, tensor=args[0].tensor.clone()), *args[1:]]
        with torch.no_grad():
            result = instruction.target(*map(concrete, args), **{k: concrete(v) for k, v in kwargs.items()})
        if isinstance(result, (list, tuple)):
            return [Entry(t.dtype, tuple(t.shape), tensor=t) if isinstance(t, Tensor) else t for t in result]
        return Entry(result.dtype, tuple(result.shape), tensor=result)

    # Building blocks of handlers.

    def refuse(self, call: Call, reason: str) -> UnsupportedOperator:
        """The exception for an operator, with its name."""
        return UnsupportedOperator(call.qualified, reason)

    def compact(self, entry: Entry | float) -> Value:
        """The value in the graph, with repeated elements left out."""
        if not isinstance(entry, Entry):
            raise TypeError(f"a tensor was expected, not {entry!r}")
        if entry.refusal is not None:
            raise entry.refusal
        if entry.value is None:
            tensor = entry.tensor
            assert tensor is not None
            tensor = tensor.detach().cpu()
            for axis, (size, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
                if stride == 0 and size > 1:
                    tensor = tensor.narrow(axis, 0, 1)
            if tensor.dtype in HALVES:
                tensor = tensor.float()
            if tensor.numel() > 1 and bool((tensor == tensor.flatten()[0]).all()):
                tensor = tensor.flatten()[0]
            entry.value = self.graph.constant(tensor.numpy())
        return entry.value

    def aligned(self, entry: Entry) -> Value:
        """As `compact`, with PyTorch's number of axes."""
        value = self.compact(entry)
        missing = len(entry.shape) - len(value.shape)
        return self.graph.reshape(value, (1,) * missing + value.shape) if missing else value

    def full(self, entry: Entry, axes: Sequence[int] | None = None) -> Value:
        """The value with its repeated elements written out, along these axes or all."""
        value = self.aligned(entry)
        rank = len(entry.shape)
        wanted = range(rank) if axes is None else [a % rank for a in axes]
        shape = tuple(d if i in wanted else value.shape[i] for i, d in enumerate(entry.shape))
        if value.array is not None and static(shape):
            return self.graph.constant(np.broadcast_to(value.array, [int(d) for d in shape]))  # type: ignore[arg-type]
        return self.graph.expand(value, shape)

    def entry(self, call: Call, value: Value, index: int = 0) -> Entry:
        """A handler's result, with PyTorch's dtype and shape."""
        dtype, shape = call.result(index)
        return Entry(dtype, shape, self.rounded(value, dtype))

    def rounded(self, value: Value, dtype: torch.dtype) -> Value:
        """A value in a dtype; half precision is rounded float32."""
        value = self.graph.unary("Cast", value, COMPUTED[dtype])
        if dtype in HALVES and value.array is None:
            half = self.graph.emit("Cast", [value], value.shape, HALVES[dtype], to=HALVES[dtype])
            return self.graph.emit("Cast", [half], value.shape, np.float32, to="float32")
        return value

    def number(self, x: float, dtype: torch.dtype) -> Entry:
        """A Python number as a tensor."""
        return Entry(dtype, (), tensor=torch.tensor(x, dtype=dtype))

    def operands(self, arguments: Sequence[Any], dtype: torch.dtype | None = None) -> list[Value]:
        """Tensors and numbers as values of one dtype."""
        if dtype is None:
            tensors = [torch.empty((1,) * len(a.shape), dtype=a.dtype) for a in arguments if isinstance(a, Entry)]
            numbers = [
                float(a) if isinstance(a, float) else int(a) if sized(a) else a
                for a in arguments
                if not isinstance(a, Entry)
            ]
            dtype = tensors[0].dtype
            for other in [*tensors[1:], *numbers]:
                dtype = torch.promote_types(dtype, torch.result_type(torch.empty((1,), dtype=dtype), other))
        elements = [
            a
            if isinstance(a, Entry)
            else Entry(dtype, (), self.graph.constant(a, COMPUTED[dtype]))
            if sized(a)
            else self.number(a, dtype)
            for a in arguments
        ]
        return [self.graph.unary("Cast", self.compact(e), COMPUTED[dtype]) for e in elements]

    def reshape(self, entry: Entry, shape: Shape) -> Value:
        """Reshape; repeated elements stay implicit if the new shape allows it."""
        value = self.aligned(entry)
        if value.shape == entry.shape:
            return self.graph.reshape(value, shape)
        compact = regroup(entry.shape, value.shape, shape)
        if compact is not None:
            return self.graph.reshape(value, compact)
        # Write out only the axes that share a group with real ones.
        return self.graph.reshape(self.full(entry), shape)


def constant(argument: Any) -> bool:
    """Whether an argument depends on no input."""
    if isinstance(argument, (Entry, Pair)):
        return argument.tensor is not None
    if isinstance(argument, list):
        return all(map(constant, argument))
    return not isinstance(argument, Batch) and not sized(argument)


def concrete(argument: Any) -> Any:
    """A constant argument in PyTorch's form."""
    if isinstance(argument, Entry):
        return argument.tensor
    return [concrete(a) for a in argument] if isinstance(argument, list) else argument


def _numbers_rows(viewed: Any, shape: Shape) -> bool:
    in_front = shape[:1] == (Batch(),) and sum(isinstance(d, Batch) for d in shape) == 1
    return isinstance(viewed, Entry) and viewed.rows and in_front


def _complex(instruction: Instruction, args: Sequence[Any]) -> bool:
    flat = [a for argument in args for a in (argument if isinstance(argument, list) else [argument])]
    return any(isinstance(a, Pair) for a in flat) or any(r is not None and r[0].is_complex for r in instruction.results)


def _times(a: Dimension, b: Dimension) -> Dimension:
    if isinstance(a, Batch):
        return Batch(a.times * _fixed(b))
    return Batch(a * b.times) if isinstance(b, Batch) else a * b


def _fixed(d: Dimension) -> int:
    if isinstance(d, Batch):
        raise ValueError("two dimensions depend on the batch")  # noqa: TRY004  # callers catch ValueError
    return d


def _less(a: Dimension, b: Dimension) -> bool:
    if isinstance(a, Batch):
        return isinstance(b, Batch) and a.times < b.times
    return isinstance(b, Batch) or a < b


def regroup(before: Shape, actual: Shape, after: Shape) -> Shape | None:
    """The shape of a tensor with repeated elements after a reshape, or None if they must be written out.

    Args:
        before: Its shape, repeated elements included.
        actual: Its shape in the graph: 1 along repeated axes.
        after: Its shape after the reshape, repeated elements included.
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
