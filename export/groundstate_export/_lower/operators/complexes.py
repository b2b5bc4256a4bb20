"""Translations of complex numbers, as pairs of real numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from groundstate_export._ir.values import Shape, Value, broadcast
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry, Pair
from groundstate_export._lower.operators.elementwise import angle
from groundstate_export._lower.operators.fourier import FOURIER

_PARTWISE = frozenset({
    "_neg_view", "_reshape_alias", "_to_copy", "_unsafe_view", "add", "alias", "as_strided", "cat", "clone",
    "constant_pad_nd", "contiguous", "copy", "cumsum", "detach", "diagonal", "diagonal_backward", "empty_like", "expand",
    "fill", "flip", "full", "full_like", "gather", "index", "index_put", "index_select", "lift_fresh", "lift_fresh_copy",
    "masked_fill", "mean", "neg", "new_empty", "new_empty_strided", "new_full", "new_zeros", "permute", "repeat",
    "reshape", "resolve_neg", "roll", "rsub", "scalar_tensor", "scatter_add", "select", "select_backward", "slice",
    "slice_backward", "split", "split_with_sizes", "squeeze", "stack", "sub", "sum", "t", "transpose", "unbind", "unfold",
    "unfold_backward", "unsqueeze", "view", "where", "zero", "zeros", "zeros_like",
})  # fmt: skip
"""Operators that treat the real and the imaginary part alike."""

_REAL = {torch.complex64: torch.float32, torch.complex128: torch.float64, torch.complex32: torch.float16}


def _real(dtype: torch.dtype) -> torch.dtype:
    return _REAL.get(dtype, dtype)


def parts(argument: Any) -> tuple[Any, Any]:
    """The real and the imaginary part of an argument; an argument that is not a number is both."""
    if isinstance(argument, Pair):
        return argument.real, argument.imag
    if isinstance(argument, list):
        pairs = [parts(a) for a in argument]
        return [p[0] for p in pairs], [p[1] for p in pairs]
    if isinstance(argument, complex):
        return argument.real, argument.imag
    if isinstance(argument, Entry) and argument.dtype.is_complex:
        if argument.refusal is not None:
            raise argument.refusal
        assert argument.tensor is not None
        tensor = argument.tensor.resolve_conj()
        real = _real(argument.dtype)
        return tuple(Entry(real, argument.shape, tensor=t.contiguous()) for t in (tensor.real, tensor.imag))  # type: ignore[return-value]
    if isinstance(argument, torch.dtype):
        return _real(argument), _real(argument)
    return argument, argument


def _operand(argument: Any) -> tuple[Any, Any]:
    """As `parts`, for numbers: a real number has no imaginary part."""
    if isinstance(argument, Entry) and not argument.dtype.is_complex:
        return argument, None
    if isinstance(argument, (int, float)):
        return argument, None
    return parts(argument)


@handles("complex numbers")
def _complex(low: Lowering, call: Call) -> Any:
    handler = _OWN.get(call.name)
    if handler is not None:
        return handler(low, call)
    if call.name in _PARTWISE:
        return _partwise(low, call)
    raise low.refuse(call, "it has no translation for complex numbers; write it with real and imaginary parts.")


def _partwise(low: Lowering, call: Call) -> Any:
    results = tuple(None if r is None else (_real(r[0]), r[1]) for r in call.instruction.results)
    instruction = replace(call.instruction, results=results)
    kwargs = [{k: parts(v)[i] for k, v in call.kwargs.items()} for i in (0, 1)]
    split = [_numbers(call, i) for i in (0, 1)]
    real, imag = (low.call(instruction, args, named) for args, named in zip(split, kwargs, strict=True))
    if isinstance(real, list):
        return [Pair(a, b) for a, b in zip(real, imag, strict=True)]
    return Pair(real, imag)


@handles("complex write")
def _write(low: Lowering, call: Call) -> Pair:
    """The value of a complex tensor after a view of it is overwritten."""
    *args, new = call.args
    if call.name in {"view_as_complex", "view_as_real", "_conj"}:
        raise low.refuse(call, "it is a view that is written to; write `torch.where` or `torch.cat` instead.")
    halves = [low.write(call.instruction, [parts(a)[i] for a in args], call.kwargs, parts(new)[i]) for i in (0, 1)]
    return Pair(*halves)


_FILLS = {
    "add": (0, 1), "copy": (1,), "fill": (1,), "full": (1,), "full_like": (1,), "index_put": (2,), "masked_fill": (2,),
    "new_full": (2,), "rsub": (0, 1), "scalar_tensor": (0,), "sub": (0, 1), "where": (1, 2),
}  # fmt: skip
"""The numeric arguments of each operator. A real number among them has the imaginary part zero."""


def _numbers(call: Call, part: int) -> list[Any]:
    """The arguments of one part; real numbers among complex ones have the imaginary part zero."""
    found = []
    for i, argument in enumerate(call.args):
        one = parts(argument)[part]
        real = i in _FILLS.get(call.name, ()) and _operand(argument)[1] is None
        if part == 1 and real:
            one = 0.0 if not isinstance(argument, Entry) else _zero(argument)
        found.append(one)
    return found


def _zero(entry: Entry) -> Entry:
    return Entry(entry.dtype, entry.shape, tensor=torch.zeros((), dtype=entry.dtype))


def _values(low: Lowering, call: Call, arguments: list[Any]) -> list[tuple[Value, Value | None]]:
    dtype = _real(call.dtype)
    found = []
    for argument in arguments:
        real, imag = _operand(argument)
        values = [None if v is None else low.operands([v], dtype)[0] for v in (real, imag)]
        found.append((values[0], values[1]))
    return found  # type: ignore[return-value]  # the real part is never None


def _pair(low: Lowering, call: Call, real: Value, imag: Value) -> Pair:
    dtype, shape = _real(call.dtype), call.shape
    return Pair(Entry(dtype, shape, low.rounded(real, dtype)), Entry(dtype, shape, low.rounded(imag, dtype)))


def _real_entry(low: Lowering, call: Call, value: Value) -> Entry:
    return low.entry(call, value)


def _product(
    low: Lowering, a: tuple[Value, Value | None], b: tuple[Value, Value | None], times: Callable[[Value, Value], Value]
) -> tuple[Value, Value]:
    g = low.graph
    (ar, ai), (br, bi) = a, b
    if ai is None and bi is None:
        return times(ar, br), g.constant(np.asarray(0, ar.dtype))
    if ai is None:
        assert bi is not None
        return times(ar, br), times(ar, bi)
    if bi is None:
        return times(ar, br), times(ai, br)
    return g.binary("Sub", times(ar, br), times(ai, bi)), g.binary("Add", times(ar, bi), times(ai, br))


def _mul(low: Lowering, call: Call) -> Pair:
    a, b = _values(low, call, call.args[:2])
    return _pair(low, call, *_product(low, a, b, lambda x, y: low.graph.binary("Mul", x, y)))


def _div(low: Lowering, call: Call) -> Pair:
    g = low.graph
    a, (real, imag) = _values(low, call, call.args[:2])
    if imag is None:
        return _pair(
            low,
            call,
            *(g.binary("Div", v if v is not None else g.constant(np.asarray(0, real.dtype)), real) for v in a),
        )
    size = g.binary("Add", g.binary("Mul", real, real), g.binary("Mul", imag, imag))
    top = _product(low, a, (real, g.unary("Neg", imag)), lambda x, y: g.binary("Mul", x, y))
    return _pair(low, call, *(g.binary("Div", v, size) for v in top))


def _reciprocal(low: Lowering, call: Call) -> Pair:
    call = Call(call.instruction, [1.0, call.args[0]], {})
    return _div(low, call)


def _conj(low: Lowering, call: Call) -> Pair:
    real, imag = parts(call.args[0])
    return Pair(real, Entry(imag.dtype, imag.shape, low.graph.unary("Neg", low.compact(imag))))


def _same(_: Lowering, call: Call) -> Any:
    return call.args[0]


def _size(low: Lowering, real: Value, imag: Value) -> Value:
    g = low.graph
    return g.unary("Sqrt", g.binary("Add", g.binary("Mul", real, real), g.binary("Mul", imag, imag)))


def _own(low: Lowering, argument: Any) -> tuple[Value, Value]:
    real, imag = parts(argument)
    return low.compact(real), low.compact(imag)


def _abs(low: Lowering, call: Call) -> Entry:
    return low.entry(call, _size(low, *_own(low, call.args[0])))


def _angle(low: Lowering, call: Call) -> Entry:
    real, imag = _own(low, call.args[0])
    return low.entry(call, angle(low, imag, real))


def _sgn(low: Lowering, call: Call) -> Pair:
    g = low.graph
    real, imag = _own(low, call.args[0])
    size = _size(low, real, imag)
    nowhere = g.binary("Equal", size, g.constant(np.asarray(0, size.dtype)), np.bool_)
    safe = g.emit("Where", [nowhere, g.constant(np.asarray(1, size.dtype)), size], size.shape, size.dtype)
    return _pair(low, call, g.binary("Div", real, safe), g.binary("Div", imag, safe))


def _exp(low: Lowering, call: Call) -> Pair:
    g = low.graph
    real, imag = _own(low, call.args[0])
    size = g.unary("Exp", real)
    return _pair(low, call, g.binary("Mul", size, g.unary("Cos", imag)), g.binary("Mul", size, g.unary("Sin", imag)))


def _log(low: Lowering, call: Call) -> Pair:
    real, imag = _own(low, call.args[0])
    return _pair(low, call, low.graph.unary("Log", _size(low, real, imag)), angle(low, imag, real))


def _pow(low: Lowering, call: Call) -> Pair:
    base, exponent = call.args[:2]
    if not isinstance(exponent, int) or not 1 <= exponent <= 8:
        raise low.refuse(call, "a complex power is translated for whole exponents from 1 to 8.")
    (value,) = _values(low, call, [base])
    result = value
    for _ in range(exponent - 1):
        result = _product(low, result, value, lambda x, y: low.graph.binary("Mul", x, y))
    assert result[1] is not None
    return _pair(low, call, result[0], result[1])


def _make(low: Lowering, call: Call) -> Pair:
    real, imag = (low.operands([a], _real(call.dtype))[0] for a in call.args[:2])
    return _pair(low, call, real, imag)


def _polar(low: Lowering, call: Call) -> Pair:
    g = low.graph
    size, turn = (low.operands([a], _real(call.dtype))[0] for a in call.args[:2])
    return _pair(low, call, g.binary("Mul", size, g.unary("Cos", turn)), g.binary("Mul", size, g.unary("Sin", turn)))


def _as_complex(low: Lowering, call: Call) -> Pair:
    x = low.full(call.args[0], [-1])
    g, last = low.graph, len(x.shape) - 1
    halves = []
    for i in (0, 1):
        one = [g.constant([n], np.int64) for n in (i, i + 1, last, 1)]
        half = g.emit("Slice", [x, *one], (*x.shape[:-1], 1))
        halves.append(g.reshape(half, half.shape[:-1]))
    return _pair(low, call, *halves)


def _as_real(low: Lowering, call: Call) -> Entry:
    g = low.graph
    real, imag = parts(call.args[0])
    values = [low.aligned(e) for e in (real, imag)]
    shape: Shape = broadcast(*(v.shape for v in values))
    halves = [g.reshape(v if v.shape == shape else g.expand(v, shape), (*shape, 1)) for v in values]
    return low.entry(call, g.emit("Concat", halves, (*shape, 2), axis=len(shape)))


def _matmul(low: Lowering, call: Call) -> Pair:
    bias, left, right = call.args if call.name in {"addmm", "baddbmm"} else (None, *call.args[:2])
    if bias is not None:
        raise low.refuse(call, "it adds to a complex product; add separately.")
    dtype = _real(call.dtype)
    instruction = replace(call.instruction, results=((dtype, call.shape),))

    def times(a: Entry, b: Entry) -> Value:
        return low.compact(low.call(instruction, [a, b], {}))

    (ar, ai), (br, bi) = (_operand(e) for e in (left, right))
    g = low.graph
    if ai is None:
        return _pair(low, call, times(ar, br), times(ar, bi))
    if bi is None:
        return _pair(low, call, times(ar, br), times(ai, br))
    return _pair(
        low, call, g.binary("Sub", times(ar, br), times(ai, bi)), g.binary("Add", times(ar, bi), times(ai, br))
    )


def _equal(low: Lowering, call: Call) -> Entry:
    g = low.graph
    (ar, ai), (br, bi) = (_operand(a) for a in call.args[:2])
    dtype = next(e.dtype for e in (ar, ai, br, bi) if isinstance(e, Entry))
    values = [low.operands([0.0 if v is None else v], dtype)[0] for v in (ar, br, ai, bi)]
    same = g.binary(
        "And",
        g.binary("Equal", values[0], values[1], np.bool_),
        g.binary("Equal", values[2], values[3], np.bool_),
        np.bool_,
    )
    return low.entry(call, g.unary("Not", same) if call.name == "ne" else same)


def _to_real(low: Lowering, call: Call) -> Any:
    """A cast: from complex to real it drops the imaginary part, from real to complex it adds zero."""
    source = call.args[0]
    if not call.dtype.is_complex:
        return low.entry(call, low.compact(parts(source)[0]))
    if isinstance(source, Entry) and not source.dtype.is_complex:
        value = low.operands([source], _real(call.dtype))[0]
        return _pair(low, call, value, low.graph.constant(np.asarray(0, value.dtype)))
    return _partwise(low, call)


_OWN: dict[str, Callable[[Lowering, Call], Any]] = {
    "mul": _mul, "div": _div, "reciprocal": _reciprocal, "_conj": _conj, "conj_physical": _conj, "_conj_physical": _conj,
    "resolve_conj": _same, "resolve_neg": _same, "abs": _abs, "angle": _angle, "sgn": _sgn, "exp": _exp, "log": _log, "pow": _pow,
    "complex": _make, "polar": _polar, "view_as_complex": _as_complex, "view_as_real": _as_real, "mm": _matmul, "bmm": _matmul,
    "eq": _equal, "ne": _equal, "_to_copy": _to_real, **FOURIER,
}  # fmt: skip
