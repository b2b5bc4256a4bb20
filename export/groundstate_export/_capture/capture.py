"""Capture: record a PyTorch function as a list of operators, for any batch size.

The function is traced with fake tensors at two prime batch sizes. An integer that is the same in both traces is a constant, and
one that grows with the batch is a multiple of it. Anything else (``batch + 1``, a branch on the batch size) is refused.
The batch is not a symbol, so nothing can silently specialise to an example's batch. Named sizes are symbols, see `symbols`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, fx
from torch._decomp import get_decompositions
from torch._subclasses.fake_tensor import DataDependentOutputException
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.attention import SDPBackend, sdpa_kernel

from groundstate_export._callers_code import Places, place_of, quiet
from groundstate_export._capture.decompositions import OWN, TORCH
from groundstate_export._capture.substitutions import Substitutions
from groundstate_export._capture.symbols import Symbols
from groundstate_export._errors import BadEnergy, UnsupportedOperator
from groundstate_export._examine.kept import branching
from groundstate_export._ir.lengths import Number
from groundstate_export._ir.program import Instruction, Program, Ref, Spec
from groundstate_export._ir.values import Batch, Dimension, Shape

_BATCHES = (1009, 1013)
"""Primes, so that a multiple of the batch differs from the model's own sizes."""


_DROPOUTS = ("dropout", "bernoulli", "rand_like", "rrelu")

Function = Callable[[dict[str, Tensor]], dict[str, Tensor]]


@cache
def _table() -> dict[Any, Any]:
    return {**get_decompositions(TORCH), **OWN}


def _trace(
    function: Function, inputs: Mapping[str, Spec], batch: int, what: str, *, located: bool = False
) -> tuple[fx.GraphModule, list[str], Symbols]:
    names: list[str] = []
    symbols = Symbols(spec.shape for spec in inputs.values())

    def flat(*tensors: Tensor) -> list[Tensor]:
        with Places() if located else contextlib.nullcontext(), Substitutions():
            result = function(dict(zip(inputs, tensors, strict=True)))
        names[:] = list(result)
        return list(result.values())

    with (
        quiet(),
        symbols.mode(),
        symbols.square_roots(),
        sdpa_kernel(SDPBackend.MATH),
        torch.backends.mkldnn.flags(enabled=False),
        torch.autograd.set_detect_anomaly(located, check_nan=False),
    ):
        fakes = [torch.empty((batch, *map(symbols.torch, spec.shape)), dtype=spec.dtype) for spec in inputs.values()]
        try:
            module = make_fx(
                flat,
                decomposition_table=_table(),
                tracing_mode="real",
                _allow_non_fake_inputs=True,
                _error_on_data_dependent_ops=True,
            )(*fakes)
        except UnsupportedOperator as refusal:
            place = refusal.place or place_of(refusal)
            if place or located:
                raise refusal.at(place) from None
            module = None  # raised in a gradient, which has no frame in the user's code: another trace finds the place
        except BadEnergy:
            raise
        except Exception as error:
            symbols.check(what)
            place = place_of(error)
            if isinstance(error, DataDependentOutputException):
                raise BadEnergy(branching(place, what)) from error
            raise BadEnergy(
                f"{what} could not be captured{f' ({place})' if place else ''}: {type(error).__name__}: "
                f"{str(error).strip().split(chr(10))[0]}. It runs in PyTorch, so a step of it depends "
                "on the values in a tensor (an `if`, `.item()`, a boolean index) or needs a fixed batch; write it with "
                "`torch.where`, masks and sums instead."
            ) from error
    if module is None:
        return _trace(function, inputs, batch, what, located=True)
    symbols.check(what)
    module.graph.eliminate_dead_code()
    return module, names, symbols


Sides = tuple[Symbols, Symbols]
"""The symbols of the two traces."""


def _join(a: Any, b: Any, places: Mapping[fx.Node, int], sides: Sides, what: str) -> Any:
    """One argument from the two traces: integers that grow with the batch become `Batch`."""
    if isinstance(a, fx.Node) and isinstance(a.meta.get("val"), _SYMBOLIC):
        a, b = a.meta["val"], b.meta["val"]
    if isinstance(a, _SYMBOLIC):
        a, b = (side.number(x) for side, x in zip(sides, (a, b), strict=True))
    if isinstance(a, fx.Node):
        return Ref(places[a])
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            raise BadEnergy(_grows(what, a, b))
        return tuple(_join(x, y, places, sides, what) for x, y in zip(a, b, strict=True))
    if isinstance(a, Number):
        if a != b:
            raise BadEnergy(_grows(what, a, b))
        return a
    if isinstance(a, (int, float)) and not isinstance(a, bool) and a != b and not (a != a and b != b):  # NaN
        return _dimension(a, b, what)
    return a


_SYMBOLIC = (torch.SymInt, torch.SymFloat, torch.SymBool)


def _dimension(a: Any, b: Any, what: str) -> Dimension:
    if a == b:
        return a  # type: ignore[no-any-return]  # an integer
    if isinstance(a, int) and isinstance(b, int) and a % _BATCHES[0] == 0 and a * _BATCHES[1] == b * _BATCHES[0]:
        return Batch(a // _BATCHES[0])
    raise BadEnergy(_grows(what, a, b))


def _grows(what: str, a: Any, b: Any) -> str:
    return (
        f"{what} computes with the batch size: a number in its graph is {a} at batch {_BATCHES[0]} and {b} at batch "
        f"{_BATCHES[1]}. Every row must be treated alone; average over the problem's own dimensions, never over the batch."
    )


def _dimensions(first: Any, second: Any, sides: Sides, what: str) -> Shape:
    pairs = zip(map(sides[0].number, first), map(sides[1].number, second), strict=True)
    return tuple(_dimension(p, q, what) for p, q in pairs)


def _results(a: Any, b: Any, sides: Sides, what: str) -> tuple[tuple[torch.dtype, Shape] | None, ...]:
    first, second = (v if isinstance(v, (list, tuple)) else [v] for v in (a, b))
    found: list[tuple[torch.dtype, Shape] | None] = []
    for x, y in zip(first, second, strict=True):
        if isinstance(x, Tensor):
            found.append((x.dtype, _dimensions(x.shape, y.shape, sides, what)))
        else:
            found.append(None)
    return tuple(found)


def _layout(x: fx.Node, y: fx.Node, sides: Sides, what: str) -> tuple[Shape, Shape, Dimension]:
    a, b = (n.args[0].meta["val"] for n in (x, y))  # type: ignore[union-attr]  # the first argument is a tensor
    shape, strides = (
        _dimensions(first, second, sides, what) for first, second in ((a.shape, b.shape), (a.stride(), b.stride()))
    )
    return shape, strides, _dimensions([a.storage_offset()], [b.storage_offset()], sides, what)[0]


def capture(function: Function, inputs: Mapping[str, Spec], what: str) -> Program:
    """Trace a function of named tensors.

    Args:
        function: A function from named tensors to named tensors, batch first.
        inputs: The inputs' dtypes and shapes.
        what: The function's name in messages, such as "The energy".

    Raises:
        BadEnergy: It draws random numbers, or depends on values or the batch size in a way that a graph cannot represent.
    """
    (first, names, one), (second, _, other) = (_trace(function, inputs, batch, what) for batch in _BATCHES)
    sides = one, other
    pairs = list(zip(first.graph.nodes, second.graph.nodes, strict=False))
    if len(first.graph.nodes) != len(second.graph.nodes) or any(
        x.op != y.op or (x.op == "call_function" and x.target != y.target) for x, y in pairs
    ):
        raise BadEnergy(
            f"{what} takes another path at batch {_BATCHES[0]} than at batch {_BATCHES[1]}; it must not branch on the batch size."
        )

    def place(index: int) -> str:
        module, *_ = _trace(function, inputs, _BATCHES[0], what, located=True)
        found: str = list(module.graph.nodes)[index].meta.get("place", "")
        return found

    program = Program(dict(inputs), place=place, conditions=one.conditions())
    order = iter(inputs)
    places: dict[fx.Node, int] = {}
    for index, (x, y) in enumerate(pairs):
        places[x] = index
        if x.op == "placeholder":
            program.placeholders[index] = next(order)
        elif x.op == "get_attr":
            constant = getattr(first, x.target)
            program.constants[index] = constant.detach() if isinstance(constant, Tensor) else constant
        elif x.op == "output":
            refs = (Ref(places[n]) for n in x.args[0])
            program.outputs = dict(zip(names, refs, strict=True))
        if x.op == "call_function" and not isinstance(x.meta.get("val"), _SYMBOLIC):
            if torch.Tag.nondeterministic_seeded in getattr(x.target, "tags", ()):
                where = place(index)
                remedy = (
                    "If this is a dropout, call `.eval()` on the energy first."
                    if any(word in str(x.target) for word in _DROPOUTS)
                    else "Draw a random constant once, outside the energy."
                )
                raise BadEnergy(
                    f"{what} draws random numbers ({x.target}{f', {where}' if where else ''}); noise belongs to the rule. "
                    f"{remedy}"
                )
            args = tuple(_join(p, q, places, sides, what) for p, q in zip(x.args, y.args, strict=True))
            kwargs = {k: _join(v, y.kwargs[k], places, sides, what) for k, v in x.kwargs.items()}
            a, b = x.meta.get("val"), y.meta.get("val")
            layout = _layout(x, y, sides, what) if x.target is torch.ops.aten.as_strided.default else None
            program.body.append(Instruction(x.target, args, kwargs, _results(a, b, sides, what), layout))
        else:
            program.body.append(Instruction(None, (), {}, ()))
    return program
