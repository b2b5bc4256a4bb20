"""Decompositions: operators written as simpler ones, applied during tracing, below autograd.

`TORCH` names PyTorch's decompositions. `OWN` are for operators without one, or with one that uses untranslated operators.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, fx
from torch._decomp import decomposition_table
from torch._subclasses.fake_tensor import FakeTensor, unset_fake_temporarily
from torch.fx.experimental.proxy_tensor import get_proxy_mode, get_proxy_slot

from groundstate_export._capture import special_functions
from groundstate_export._errors import UnsupportedOperator

aten = torch.ops.aten

_NAMES = """
    _fused_rms_norm _fused_rms_norm_backward _native_batch_norm_legit_no_training addcdiv addcmul aminmax
    binary_cross_entropy binary_cross_entropy_backward binary_cross_entropy_with_logits celu channel_shuffle count_nonzero
    deg2rad dist elu_backward embedding_dense_backward glu glu_backward hardshrink hardsigmoid
    hardsigmoid_backward hardswish hardswish_backward hardtanh_backward huber_loss huber_loss_backward leaky_relu_backward
    lerp linalg_cross linalg_vector_norm log_sigmoid_backward log_sigmoid_forward logaddexp logaddexp2 logit logit_backward
    logsumexp mish mish_backward mse_loss mse_loss_backward nansum native_batch_norm native_batch_norm_backward
    nll_loss2d_backward nll_loss2d_forward nll_loss_backward
    nll_loss_forward norm pixel_shuffle pixel_unshuffle rad2deg renorm rrelu_with_noise_backward sinc smooth_l1_loss
    smooth_l1_loss_backward soft_margin_loss soft_margin_loss_backward softshrink special_entr
    special_xlog1py std_mean threshold trace xlogy
""".split()  # noqa: SIM905  # one name per line would fill a page
_IN_PLACE = [f"{name}_" for name in _NAMES]

TORCH = [
    getattr(aten, name)
    for name in [*_NAMES, *_IN_PLACE]
    if hasattr(aten, name)
    and any(getattr(getattr(aten, name), o) in decomposition_table for o in getattr(aten, name).overloads())
]
"""Operators that PyTorch decomposes."""


OWN: dict[Any, Callable[..., Any]] = {
    aten.lgamma.default: special_functions.lgamma,
    aten.digamma.default: special_functions.digamma,
    aten.polygamma.default: special_functions.polygamma,
    aten.erfc.default: special_functions.erfc,
    aten.special_erfcx.default: special_functions.erfcx,
    aten.special_log_ndtr.default: special_functions.log_ndtr,
    aten.erfinv.default: special_functions.erfinv,
    aten.i0.default: lambda x: special_functions.bessel(x, 0) * x.abs().exp(),
    aten.special_i0e.default: lambda x: special_functions.bessel(x, 0),
    aten.special_i1.default: lambda x: special_functions.bessel(x, 1) * x.abs().exp(),
    aten.special_i1e.default: lambda x: special_functions.bessel(x, 1),
}
"""The decomposition of each operator that this project decomposes."""


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _decomposes(*operators: Any) -> Callable[[_Function], _Function]:
    def register(function: _Function) -> _Function:
        OWN.update(dict.fromkeys(operators, function))
        return function

    return register


@_decomposes(aten.softshrink_backward.default, aten.hardshrink_backward.default)
def _shrink_backward(gradient: Tensor, x: Tensor, bound: float) -> Tensor:
    return torch.where((x >= -bound) & (x <= bound), 0.0, gradient)


@_decomposes(aten.elu_backward.default)
def _elu_backward(
    gradient: Tensor, alpha: float, scale: float, input_scale: float, is_result: bool, x: Tensor
) -> Tensor:
    """Where the slope is continuous, as in ELU and CELU, without a choice: ``exp(min(x, 0))``."""
    if abs(alpha * input_scale - 1.0) < 1e-12:
        below = x.clamp(max=0.0)
        slope = below * input_scale + scale if is_result else scale * (below * input_scale).exp()
    elif is_result:
        slope = torch.where(x <= 0, input_scale * (x + alpha * scale), scale)
    else:
        slope = torch.where(x <= 0, alpha * scale * input_scale * (x * input_scale).exp(), scale)
    return gradient * slope


@_decomposes(aten.rrelu_with_noise.default)
def _rrelu(
    x: Tensor, _: Tensor, lower: float = 0.125, upper: float = 1 / 3, training: bool = False, __: Any = None
) -> Any:
    return NotImplemented if training else torch.nn.functional.leaky_relu(x, (lower + upper) / 2)


def _differences(a: Tensor, b: Tensor) -> Tensor:
    return a.unsqueeze(-2) - b.unsqueeze(-3)


@_decomposes(aten._cdist_forward.default)  # noqa: SLF001  # its name in PyTorch
def _cdist(a: Tensor, b: Tensor, p: float, _: int | None = None) -> Tensor:
    distances: Tensor = torch.linalg.vector_norm(_differences(a, b), p, dim=-1)
    return distances


@_decomposes(aten._euclidean_dist.default)  # noqa: SLF001  # its name in PyTorch
def _euclidean(a: Tensor, b: Tensor) -> Tensor:
    return _cdist(a, b, 2.0)


@_decomposes(aten._cdist_backward.default)  # noqa: SLF001  # its name in PyTorch
def _cdist_backward(gradient: Tensor, a: Tensor, b: Tensor, p: float, found: Tensor) -> Tensor:
    d, g, r = _differences(a, b), gradient.unsqueeze(-1), found.unsqueeze(-1)
    if p == 0:
        return torch.zeros_like(a)
    if p == 1:
        slope = d.sign() * g
    elif p == float("inf"):
        slope = torch.where(d.abs() == r, d.sign() * g, 0.0)
    else:
        power = d if p == 2 else d.sign() * torch.where(d == 0, 0.0, d.abs() ** (p - 1))
        slope = torch.where(r == 0, 0.0, power * g / r ** (p - 1))
    return slope.sum(-2)


@_decomposes(aten.median.dim)
def _median(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    return _kth(x, (x.shape[dim] + 1) // 2, dim, keepdim)


@_decomposes(aten.kthvalue.default)
def _kth(x: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    values, places = torch.sort(x, dim=dim, stable=True)
    if keepdim:
        return values.narrow(dim, k - 1, 1), places.narrow(dim, k - 1, 1)
    return values.select(dim, k - 1), places.select(dim, k - 1)


@_decomposes(aten.nanmedian.dim)
def _nanmedian(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    missing = x.isnan()
    values, places = torch.sort(torch.where(missing, torch.inf, x), dim=dim, stable=True)
    middle = (((~missing).sum(dim, keepdim=True) - 1) // 2).clamp(min=0)
    found = (
        torch.where(missing.all(dim, keepdim=True), torch.nan, values.gather(dim, middle)),
        places.gather(dim, middle),
    )
    return found if keepdim else (found[0].squeeze(dim), found[1].squeeze(dim))


@_decomposes(aten.median.default, aten.nanmedian.default)
def _whole(*_: Any, **__: Any) -> Tensor:
    raise UnsupportedOperator("aten.median", "it reduces over the batch; pass a `dim`.")


@_decomposes(aten.adaptive_max_pool2d.default)
def _adaptive_max(x: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The windows side by side, padded with a value that is never the largest."""
    height, width = x.shape[-2:]
    windows = [
        [r * width + c for r in range(i * height // size[0], -(-(i + 1) * height // size[0]))
         for c in range(j * width // size[1], -(-(j + 1) * width // size[1]))]
        for i in range(size[0]) for j in range(size[1])
    ]  # fmt: skip
    longest = max(map(len, windows))
    # A window is padded with its own last element: it can only tie with itself, and the first of equal elements is taken.
    table = torch.tensor([w + w[-1:] * (longest - len(w)) for w in windows])
    found = x.flatten(-2)[..., table]
    values, places = found.max(-1)
    return values.unflatten(-1, size), table.expand(found.shape).gather(-1, places.unsqueeze(-1)).squeeze(-1).unflatten(
        -1, size
    )


@_decomposes(aten.adaptive_max_pool2d_backward.default)
def _adaptive_max_backward(gradient: Tensor, x: Tensor, places: Tensor) -> Tensor:
    flat = torch.zeros_like(x).flatten(-2).scatter_add(-1, places.flatten(-2), gradient.flatten(-2))
    return flat.view(x.shape)


def _prefixes(x: Tensor, dim: int, fill: float) -> Tensor:
    """For each element along an axis, all elements up to it along a new last axis; ``fill`` replaces those after it."""
    x = x.movedim(dim, -1).unsqueeze(-2)
    return torch.where(torch.ones(x.shape[-1], x.shape[-1], dtype=torch.bool).tril(), x, fill)


@_decomposes(aten.cumprod.default)
def _cumprod(x: Tensor, dim: int, *, dtype: torch.dtype | None = None) -> Tensor:
    x = x if dtype is None else x.to(dtype)
    return x.clone() if x.dim() == 0 else _prefixes(x, dim, 1).prod(-1).movedim(-1, dim)


@_decomposes(aten.logcumsumexp.default)
def _logcumsumexp(x: Tensor, dim: int) -> Tensor:
    return _prefixes(x, dim, -torch.inf).logsumexp(-1).movedim(-1, dim)


def _cumulative(x: Tensor, dim: int, sign: int) -> tuple[Tensor, Tensor]:
    prefixes = _prefixes(sign * x, dim, -torch.inf)
    values = prefixes.amax(-1)
    # PyTorch returns the place of the last of equal elements.
    places = torch.where(prefixes == values.unsqueeze(-1), torch.arange(x.shape[dim]), -1).amax(-1)
    return sign * values.movedim(-1, dim), places.movedim(-1, dim)


@_decomposes(aten.cummax.default)
def _cummax(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    return _cumulative(x, dim, 1)


@_decomposes(aten.cummin.default)
def _cummin(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    return _cumulative(x, dim, -1)


@_decomposes(aten.searchsorted.Tensor)
def _searchsorted(
    knots: Tensor,
    x: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    if sorter is not None:
        knots = knots.gather(-1, sorter)
    knots, x = knots.unsqueeze(-2), x.unsqueeze(-1)
    below = knots <= x if right or side == "right" else knots < x
    return below.sum(-1, dtype=torch.int32 if out_int32 else torch.int64)


@_decomposes(aten.bucketize.Tensor)
def _bucketize(x: Tensor, knots: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    return _searchsorted(knots, x, out_int32=out_int32, right=right)


@_decomposes(aten.nan_to_num.default)
def _nan_to_num(
    x: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    limits = torch.finfo(x.dtype)
    x = torch.where(x.isnan(), 0.0 if nan is None else nan, x)
    x = torch.where(x == torch.inf, limits.max if posinf is None else posinf, x)
    return torch.where(x == -torch.inf, limits.min if neginf is None else neginf, x)


@_decomposes(aten.heaviside.default)
def _heaviside(x: Tensor, at_zero: Tensor) -> Tensor:
    return torch.where(x == 0, at_zero, torch.where(x < 0, 0.0, 1.0))


@_decomposes(aten.take.default)
def _take(x: Tensor, index: Tensor) -> Tensor:
    return x.reshape(-1)[index]


def _known(tensor: Tensor) -> Tensor | None:
    """A tensor's values, if they depend on no input: runs the trace so far again, without inputs."""
    if not isinstance(tensor, FakeTensor):
        return tensor
    mode = get_proxy_mode()
    tracked = get_proxy_slot(tensor, mode.tracer, None) if mode is not None else None
    if mode is None or tracked is None:
        return None
    with unset_fake_temporarily(), _no_modes():
        found = _replayed(mode.tracer.graph, mode.tracer.root)  # type: ignore[union-attr]  # make_fx's has one
        return found.get(tracked.proxy.node)


def _replayed(graph: fx.Graph, root: Any) -> dict[fx.Node, Any]:
    found: dict[fx.Node, Any] = {}
    for node in graph.nodes:
        if node.op == "get_attr":
            found[node] = getattr(root, node.target).clone()
        elif node.op == "call_function":
            missing = [n for n in node.all_input_nodes if n not in found]
            if not missing:
                found[node] = node.target(*fx.map_arg(node.args, found.get), **fx.map_arg(node.kwargs, found.get))
            elif getattr(node.target, "_schema", None) is not None and node.target._schema.is_mutable:  # noqa: SLF001
                return {}  # an input is written into a constant; other views of that memory are not tracked
    return found


def _integers(indices: Sequence[Tensor | None]) -> list[Tensor | None] | None:
    """Convert constant boolean masks to integers; None if there are none."""
    if not any(i is not None and i.dtype in {torch.bool, torch.uint8} for i in indices):
        return None
    found: list[Tensor | None] = []
    for index in indices:
        if index is None or index.dtype not in {torch.bool, torch.uint8}:
            found.append(index)
            continue
        values = _known(index)
        if values is None:
            raise UnsupportedOperator(
                "aten.index",
                "the result's size depends on the mask's values; multiply by the mask or use `torch.where`.",
            )
        with unset_fake_temporarily(), _no_modes():
            found.extend(i.clone() for i in values.nonzero().unbind(-1))
    return found


def _no_modes() -> contextlib.AbstractContextManager[Any]:
    return torch.utils._python_dispatch._disable_current_modes()  # noqa: SLF001  # a constant must not be traced


@_decomposes(aten.index.Tensor)
def _index(x: Tensor, indices: Sequence[Tensor | None]) -> Any:
    integers = _integers(indices)
    return NotImplemented if integers is None else aten.index.Tensor(x, integers)


@_decomposes(aten.index_put.default, aten._unsafe_index_put.default)  # noqa: SLF001  # its name in PyTorch
def _index_put(x: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Any:
    filled = _filled(x, indices, values, accumulate)
    if filled is not None:
        return filled
    integers = _integers(indices)
    return NotImplemented if integers is None else aten.index_put.default(x, integers, values, accumulate)


@_decomposes(aten.index_put_.default)
def _index_put_(x: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool = False) -> Any:
    filled = _filled(x, indices, values, accumulate)
    if filled is not None:
        return x.copy_(filled)
    integers = _integers(indices)
    return NotImplemented if integers is None else aten.index_put_.default(x, integers, values, accumulate)


def _filled(x: Tensor, indices: Sequence[Tensor | None], values: Tensor, accumulate: bool) -> Tensor | None:
    """Write one number where a mask is set, which needs no places."""
    if len(indices) != 1 or indices[0] is None or indices[0].dtype != torch.bool or values.numel() != 1:
        return None
    mask = indices[0].reshape(*indices[0].shape, *(1,) * (x.dim() - indices[0].dim()))
    new = values.reshape(()).to(x.dtype)
    return torch.where(mask, x + new if accumulate else new, x)


@_decomposes(aten.repeat_interleave.Tensor)
def _repeat_interleave(repeats: Tensor, **_: Any) -> Any:
    values = _known(repeats)
    if values is None:
        raise UnsupportedOperator(
            "aten.repeat_interleave", "the number of repetitions depends on the input; it must be constant."
        )
    with unset_fake_temporarily(), _no_modes():
        return torch.repeat_interleave(values)


@_decomposes(aten.masked_select.default)
def _masked_select(*_: Any) -> Any:
    raise UnsupportedOperator(
        "aten.masked_select",
        "the result's size depends on the mask's values; multiply by the mask or use `torch.where`.",
    )


@_decomposes(aten.nonzero.default)
def _nonzero(_: Tensor) -> Any:
    raise UnsupportedOperator(
        "aten.nonzero", "the size of its result depends on the values; use masks and sums instead."
    )


@_decomposes(aten._unique2.default, aten.unique_dim.default, aten.unique_consecutive.default)  # noqa: SLF001  # its name in PyTorch
def _unique(*_: Any, **__: Any) -> Any:
    raise UnsupportedOperator("aten.unique", "the size of its result depends on the values.")
