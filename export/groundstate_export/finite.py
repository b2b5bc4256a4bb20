"""Which values of a graph are finite whatever the state is, as long as the state itself is.

What a `Where` leaves unread may be infinite or not a number; only where it cannot be is the `Where` a sum of products, and
only where no entry can be −∞ does a softmax need no guard against rows of nothing else. An overflow of sums and products of
finite numbers is not counted: it takes a state of 1e19, from which no descent returns.
"""

from __future__ import annotations

import numpy as np

from groundstate_export.ir import Value

_KEEPS = frozenset({
    "Abs", "Add", "Cast", "Ceil", "Concat", "Conv", "ConvTranspose", "Cos", "CumSum", "Erf", "Expand",
    "Floor", "Gather", "GatherElements", "GatherND", "HardSigmoid", "Identity", "LayerNormalization",
    "LeakyRelu", "MatMul", "Max", "Min", "Mul", "Neg", "Pad", "ReduceMax", "ReduceMean", "ReduceMin",
    "ReduceSum", "Relu", "Reshape", "Round", "ScatterElements", "ScatterND", "Sigmoid", "Sign", "Sin",
    "Slice", "Softmax", "Softplus", "Split", "Sub", "Tanh", "Tile", "Transpose", "Where",
})  # fmt: skip
"""Operators that turn finite entries into finite ones."""


def finite(value: Value) -> bool:
    """Whether every entry is finite, for any finite state and any integers or truth values as inputs.

    Inputs of floating point are the caller's, who may well send infinities, as masks for example.
    """
    known: dict[Value, bool] = {}
    waiting = [value]
    while waiting:
        each = waiting[-1]
        if each in known:
            waiting.pop()
            continue
        if each.array is not None or each.node is None:
            known[each] = _given(each)
            continue
        open_inputs = [v for v in each.node.inputs if v not in known]
        if (
            each.op not in _KEEPS
            and not _divides(each)
            and not np.issubdtype(each.dtype, np.integer)
            and each.dtype != np.bool_
        ):
            known[each] = False
        elif open_inputs and each.dtype != np.bool_:
            waiting.extend(open_inputs)
        else:
            known[each] = each.dtype == np.bool_ or all(known[v] for v in each.node.inputs)
    return known[value]


def _given(value: Value) -> bool:
    if value.array is not None:
        return not np.issubdtype(value.dtype, np.floating) or bool(np.isfinite(value.array).all())
    return not np.issubdtype(value.dtype, np.floating) or value.name.startswith(("state.", "noise."))


def _divides(value: Value) -> bool:
    """Whether it divides by a constant other than zero."""
    if value.op != "Div" or value.node is None:
        return False
    divisor = value.node.inputs[1].array
    return divisor is not None and bool((divisor != 0).all())
