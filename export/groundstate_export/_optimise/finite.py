"""Find the values of a graph that are finite for every finite state.

The unread side of a `Where` may be infinite or NaN. A `Where` becomes a sum of products only if neither side can be, and a
softmax needs no guard against rows of −∞ only if no element can be −∞. An overflow of sums and products of finite numbers is not
considered: it takes a state of 1e19, from which no descent returns.
"""

from __future__ import annotations

import numpy as np

from groundstate_export._ir.values import Value

_KEEPS = frozenset({
    "Abs", "Add", "Cast", "Ceil", "Concat", "Conv", "ConvTranspose", "Cos", "CumSum", "Erf", "Expand",
    "Floor", "Gather", "GatherElements", "GatherND", "HardSigmoid", "Identity", "LayerNormalization",
    "LeakyRelu", "MatMul", "Max", "Min", "Mul", "Neg", "Pad", "ReduceMax", "ReduceMean", "ReduceMin",
    "ReduceSum", "Relu", "Reshape", "Round", "ScatterElements", "ScatterND", "Sigmoid", "Sign", "Sin",
    "Slice", "Softmax", "Softplus", "Split", "Sub", "Tanh", "Tile", "Transpose", "Where",
})  # fmt: skip
"""Operators with finite results for finite elements."""


_MIXES = frozenset({"Conv", "ConvTranspose", "Gemm", "LayerNormalization", "MatMul", "Softmax"})
"""Operators that mix elements, so that PyTorch also loses an infinity that passes through them."""


def finite(value: Value) -> bool:
    """Whether every element is finite, for any finite state and any integers or booleans as inputs.

    Floating-point inputs belong to the caller, who may pass infinities, for example as masks. They do not count as finite
    until an operator has mixed their elements.
    """
    return _finite(value, {}, {})


def _finite(value: Value, known: dict[Value, bool], trusting: dict[Value, bool] | None) -> bool:
    """Whether a value is finite; with ``trusting`` None, under the assumption that all inputs are."""
    waiting = [value]
    while waiting:
        each = waiting[-1]
        if each in known:
            waiting.pop()
        elif each.array is not None or each.node is None:
            known[each] = _given(each) or (trusting is None and each.array is None)
        elif each.dtype == np.bool_ or np.issubdtype(each.dtype, np.integer):
            known[each] = True
        elif each.op not in _KEEPS and not _divides(each):
            known[each] = False
        elif each.op in _MIXES and trusting is not None:
            known[each] = _finite(each, trusting, None)
        else:
            unknown = [v for v in each.node.inputs if v not in known]
            waiting.extend(unknown)
            if not unknown:
                known[each] = all(known[v] for v in each.node.inputs)
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
