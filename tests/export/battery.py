"""The operator cases: energies of one operator each, with the state flowing through it, by subject.

Each case is exported with its gradient and held against PyTorch; `support_table` makes the page of them. What needs a layer or
a shape of its own is in `battery_layers`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

Term = Callable[..., Tensor]

INDEX = torch.tensor([3, 1, 1, 0])
COLUMNS = torch.tensor([5, 0, 2, 2])
NAMES = ("x", "n", "m", "k")


@dataclass(frozen=True)
class Case:
    """An energy, and what becomes of it.

    Attributes:
        term: From the state and the inputs that its parameters name to a tensor, batch first; the energy is its sum.
        shape: Of the state, without the batch.
        refused: The operator that the refusal names; None where the case is exported.
        because: Why it is refused, for the page.
    """

    term: Term
    shape: tuple[int, ...] = (4, 6)
    refused: str | None = None
    because: str = ""
    inputs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = [p for p in inspect.signature(self.term).parameters if p in NAMES]
        object.__setattr__(self, "inputs", tuple(names))

    def energy(self, state: Tensor, **inputs: Tensor) -> Tensor:
        """The case's sum, and a parabola that confines the state; ``(batch,)``."""
        result = self.term(state, **inputs).to(torch.float32)
        return result.reshape(len(state), -1).sum(1) + 0.5 * state.square().reshape(len(state), -1).sum(1)

    def example(self) -> tuple[dict[str, Tensor], Tensor]:
        """Inputs and state, three rows: ``x`` normal, ``n`` integers below 4, ``m`` a mask; ``k`` a class."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            state = torch.randn(3, *self.shape)
            pool = {
                "x": torch.randn(3, *self.shape),
                "n": torch.randint(0, 4, (3, *self.shape)),
                "m": torch.rand(3, *self.shape) > 0.4,
                "k": torch.randint(0, 4, (3,)),
            }
        return {name: pool[name] for name in self.inputs}, state


def written(y: Tensor, write: Callable[[Tensor], object]) -> Tensor:
    """A copy after a write in place, squared so that the copy's other elements matter too."""
    copy = y * 1.5
    write(copy)
    return copy.square()


def assign(index: object, value: Callable[[Tensor], Tensor | float]) -> Callable[[Tensor], Tensor]:
    """``h[index] = value(y)``."""

    def term(y: Tensor) -> Tensor:
        return written(y, lambda h: h.__setitem__(index, value(y)))

    return term


def rotate_half(y: Tensor, x: Tensor) -> Tensor:
    a, b = y.chunk(2, -1)
    return (y * x.cos() + torch.cat([-b, a], -1) * x.sin()).exp()


def spline(y: Tensor, x: Tensor) -> Tensor:
    """A piecewise linear function: the knots of a spline flow."""
    knots = torch.linspace(-3, 3, 9)
    heights = knots.sin()
    place = torch.searchsorted(knots, y.detach().contiguous()).clamp(1, 8)
    left, right = knots[place - 1], knots[place]
    share = (y - left) / (right - left)
    return (heights[place - 1] * (1 - share) + heights[place] * share) * x


def stablemax(y: Tensor) -> Tensor:
    s = torch.where(y < 0, 1 / (1 - y + 1e-30), y + 1).to(torch.float64)
    return (s / s.sum(-1, keepdim=True)).log().to(torch.float32)


def attention(y: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
    query = y.reshape(-1, 1, *y.shape[1:])
    return F.scaled_dot_product_attention(query, query * 0.5, query.sin(), attn_mask=mask, is_causal=causal)


def bound_of_heads(y: Tensor) -> Tensor:
    """Energy of attention: ``-logsumexp`` over an einsum."""
    return -torch.einsum("bqd,bkd->bqk", y, y.cos()).logsumexp(-1)


GROUPS: dict[str, Mapping[str, Term | Case]] = {
    "Arithmetic": {
        "add with alpha": lambda y, x: torch.add(y, x, alpha=0.3) ** 2,
        "rsub": lambda y, x: (2 - y) * x,
        "division": lambda y, x: x / (y.square() + 1),
        "division by a constant": lambda y, x: y.exp() / 3 * x,
        "floor division": lambda y, x: (x // 0.5) * y + (y.detach() // 0.4) * y,
        "truncating division": lambda y, x: torch.div(x, 0.4, rounding_mode="trunc") * y,
        "fmod": lambda y, x: torch.fmod(y, 0.7) * x,
        "fmod by a tensor": lambda y, x: torch.fmod(y, x.abs() + 0.5) * x,
        "remainder": lambda y, x: torch.remainder(y, 0.7) * x,
        "remainder by a tensor": lambda y, x: torch.remainder(y, x + 4) * x,
        "reciprocal": lambda y, x: (y.square() + 1).reciprocal() * x,
        "addcmul": lambda y, x: torch.addcmul(x, y, y, value=0.5),
        "addcdiv": lambda y, x: torch.addcdiv(x, y, y.square() + 2, value=0.5),
        "lerp": lambda y, x: torch.lerp(y, x, 0.3) ** 2,
        "lerp by a tensor": lambda y, x: torch.lerp(y, x, y.sigmoid()) ** 2,
        "square": lambda y, x: y.square() * x,
        "sqrt": lambda y, x: (y.square() + 1).sqrt() * x,
        "rsqrt": lambda y, x: (y.square() + 1).rsqrt() * x,
        "pow 3": lambda y, x: (y**3).tanh() * x,
        "pow 1.5": lambda y, x: (y.square() + 0.1) ** 1.5 * x,
        "pow -2 of negatives": lambda y, x: (y - 5) ** -2 * x,
        "pow 5 of negatives": lambda y, x: y**5 * 0.1 * x,
        "pow of a number": lambda y, x: 2.0**y * x,
        "pow of two tensors": lambda y, x: (y.square() + 0.2) ** x,
        "float_power": lambda y, x: torch.float_power(y.abs() + 0.5, 1.7) * x,
        "sign, abs": lambda y, x: y.abs() * x + y.sign() * y,
        "sgn": lambda y, x: torch.sgn(y) * y * x,
        "copysign": lambda y, x: torch.copysign(y, x) * x,
        "hypot": lambda y, x: torch.hypot(y, x),  # noqa: PLW0108
        "maximum, minimum": lambda y, x: torch.maximum(y, x) * 2 + torch.minimum(y.sin(), x),
        "fmax, fmin": lambda y, x: torch.fmax(y, x) * 2 + torch.fmin(y.sin(), x),
        "clamp": lambda y, x: y.clamp(-0.5, 0.7) * x,
        "clamp below": lambda y, x: y.clamp(min=0.1) * x,
        "clamp by tensors": lambda y, x: torch.clamp(y, x - 0.5, x + 0.5) * y,
        "ceil, floor, round, trunc": lambda y, x: (y.ceil() + y.floor() * 2 + y.round() * x + y.trunc()) * y,
        "frac": lambda y, x: y.frac() * x,
        "round to decimals": lambda y, x: torch.round(y, decimals=1) * y * x,
        "nan_to_num": lambda y, x: torch.nan_to_num(x / (x > 0), nan=1.0, posinf=2.0, neginf=-2.0) * y,
        "broadcasts": lambda y, x: y[:, :1] * x[:, :, :1] + y.mean((1, 2), keepdim=True),
    },
    "Functions": {
        "exp": lambda y, x: (y * 0.3).exp() * x,
        "exp2": lambda y, x: torch.exp2(y) * x,
        "expm1": lambda y, x: (0.3 * y).expm1() * x,
        "log": lambda y, x: (y.square() + 0.3).log() * x,
        "log1p": lambda y, x: y.square().log1p() * x,
        "log2, log10": lambda y, x: (y.square() + 1).log2() * x + (y.square() + 2).log10(),
        "sin, cos": lambda y, x: y.sin() * x + (y * x).cos(),
        "tan": lambda y, x: (0.3 * y).tanh().tan() * x,
        "asin, acos, atan": lambda y, x: (0.9 * y.tanh()).asin() * x + (0.9 * y.tanh()).acos() + y.atan() * x,
        "atan2": lambda y, x: torch.atan2(y, x),  # noqa: PLW0108
        "atan2 in every quadrant": lambda y, x: torch.atan2(y.sin() * 2, y.cos() * x),
        "sinh, cosh": lambda y, x: (0.5 * y).sinh() * x + (0.5 * y).cosh(),
        "tanh": lambda y, x: (y * x).tanh(),
        "asinh, acosh, atanh": lambda y, x: y.asinh() * x + (y.square() + 1.5).acosh() + (0.9 * y.tanh()).atanh(),
        "log of a cosh": lambda y, x: (y * x).cosh().log(),
        "erf": lambda y, x: y.erf() * x,
        "erfc": lambda y, x: y.erfc() * x,
        "erfinv": lambda y, x: (0.9 * y.tanh()).erfinv() * x,
        "normal distribution": lambda y, x: torch.special.ndtr(y) * x + torch.special.log_ndtr(y),
        "logit": lambda y, x: y.sigmoid().logit(1e-4) * x,
        "expit": lambda y, x: torch.special.expit(y) * x,
        "sinc": lambda y, x: torch.sinc(y) * x,
        "lgamma": lambda y, x: torch.lgamma(y.square() + 0.3) * x,
        "digamma": lambda y, x: torch.digamma(y.square() + 0.3) * x,
        "polygamma": lambda y, x: torch.polygamma(1, y.square() + 0.3) * x,
        "Bessel function i0": lambda y, x: torch.i0(y) * x,
        "Bessel functions i0e, i1, i1e": lambda y, x: (
            torch.special.i0e(y) + torch.special.i1(y) * x + torch.special.i1e(y)
        ),
        "xlogy": lambda y, x: torch.xlogy(y, y.square() + 0.5) * x,
        "xlog1py": lambda y, x: torch.special.xlog1py(y, y.square()) * x,
        "entr": lambda y, x: torch.special.entr(y.square() + 0.1) * x,
        "logaddexp": lambda y, x: torch.logaddexp(y, x),  # noqa: PLW0108
        "logaddexp2": lambda y, x: torch.logaddexp2(y, x),  # noqa: PLW0108
        "deg2rad": lambda y, x: torch.deg2rad(y * 90) * x + torch.rad2deg(y) * 0.01,
        "heaviside": lambda y, x: torch.heaviside(x, y.detach()) * y,
    },
    "Masks and comparisons": {
        "where": lambda y, x: torch.where(y > x, y * y, x * y),
        "where of the input": lambda y, x: torch.where(x > 0, y * y, y),
        "where of a number": lambda y, x: torch.where(y > 0.2, y, 0.5) * x,
        "masked_fill": lambda y, x: y.masked_fill(x > 0, 0.5) ** 2,
        "mask as an input": lambda y, m: torch.where(m, y.square(), y.sin()),
        "masked softmax": lambda y, m: y.masked_fill(~m, -1e9).softmax(-1).square(),
        "masked mean": lambda y, m: (y * m).sum(-1) / m.sum(-1).clamp(min=1),
        "comparisons": lambda y, x: ((y > x) + 2 * (y <= x).float() + (y >= 0) + (y < 0.1) + (y == x) + (y != x)) * y,
        "logic": lambda y, x: ((y > 0) & (x > 0) | ~(x > 0.5) ^ (y < 0.3)).float() * y,
        "logical functions": lambda y, m: (
            (torch.logical_and(y > 0, m).float() + torch.logical_xor(y > 0, m) + torch.logical_not(m)) * y
        ),
        "any, all": lambda y, x: ((x > 0.5).any(-1).float() + (x > -1).all(1).sum(-1, keepdim=True)) * y.sum(-1),
        "isfinite, isnan, isinf": lambda y, x: torch.where(torch.isfinite(y / x.relu()), y, 0.0) + y * torch.isnan(x),
        "boolean constant index": lambda y, x: y[:, torch.tensor([True, False, True, True])] * x[:, :3],
        "boolean constant write": assign(
            (slice(None), torch.tensor([True, False, True, False])), lambda y: y[:, :2].sin()
        ),
        "masked write of a number": lambda y, x: written(y, lambda h: h.__setitem__(x > 0, 0.5)),
        "count_nonzero": lambda y, x: y.sum(-1) * torch.count_nonzero(x > 0, dim=-1),
        "masked_select": Case(
            lambda y, x: torch.masked_select(y, x > 0).sum() * 0 + y,
            refused="masked_select",
            because="its size depends on the values; multiply by the mask instead",
        ),
        "boolean index by the input": Case(
            lambda y, m: y[m].sum() * 0 + y,
            refused="index",
            because="its size depends on the values; multiply by the mask instead",
        ),
        "nonzero": Case(
            lambda y, x: y.flatten()[torch.nonzero(x.flatten() > 0)].sum() * 0 + y,
            refused="nonzero",
            because="its size depends on the values; multiply by the mask instead",
        ),
    },
    "Integers and dtypes": {
        "integers as numbers": lambda y, n: n * y,
        "integer arithmetic": lambda y, n: (n * 3 - (n + 1) // 2 + (n + 2) % 3 - n**2) * y,
        "integers compared": lambda y, n: (n == 2).float() * y.exp() + (n.unsqueeze(-1) == torch.arange(4)).sum(-1) * y,
        "bits": lambda y, n: ((n & 1) + (n | 4) + (n ^ 3) + ~n) * y,
        "shifts": lambda y, n: ((n << 2) + (n >> 1)) * y,
        "bits of constants": lambda y, x: ((torch.arange(6) >> 1) & 1) * y * x,
        "one_hot of the input": lambda y, n: (F.one_hot(n[:, :, 0], 6) * y).exp(),
        "one_hot of a class": lambda y, k: F.one_hot(k, 4).unsqueeze(-1) * y.square(),
        "one_hot without a number of classes": Case(
            lambda y, n: (F.one_hot(n) * y[..., :1, None]).sum(-1),
            refused="one_hot",
            because="the number of classes depends on the values; write `one_hot(x, classes)`",
        ),
        "float64 inside": lambda y, x: (y.double().exp() * x.double()).float(),
        "float64 of a function that is float32 in ONNX Runtime": lambda y: F.conv1d(
            y.double().flatten(1).unsqueeze(1), torch.ones(1, 1, 3, dtype=torch.float64)
        ).float(),
        "float16 inside": lambda y, x: (y.half() * 2).float() * x,
        "bfloat16 inside": lambda y, x: (y.bfloat16() * 2).float() * x,
        "integers of the state": lambda y, x: (y * 3).long() * y + (y > 0).int() * x,
        "stablemax in float64": lambda y: stablemax(y),  # noqa: PLW0108
        "integer counts": lambda y, n: (n.sum(-1).float() / n.amax(-1).clamp(min=1)).unsqueeze(-1) * y,
        "int32": lambda y, n: (n.int() * 2 + 1) * y,
        "mean of integers as floats": lambda y, n: n.float().mean(-1, keepdim=True) * y.sin(),
    },
    "Activations": {
        name: partial(lambda f, y, x: f(y) * x, function)
        for name, function in {
            "relu": F.relu,
            "relu6": F.relu6,
            "leaky_relu": partial(F.leaky_relu, negative_slope=0.2),
            "elu": F.elu,
            "elu with alpha": partial(F.elu, alpha=0.7),
            "selu": F.selu,
            "celu": F.celu,
            "celu with alpha": partial(F.celu, alpha=0.7),
            "gelu": F.gelu,
            "gelu by tanh": partial(F.gelu, approximate="tanh"),
            "silu": F.silu,
            "mish": F.mish,
            "sigmoid": torch.sigmoid,
            "logsigmoid": F.logsigmoid,
            "hardsigmoid": F.hardsigmoid,
            "hardswish": F.hardswish,
            "hardtanh": F.hardtanh,
            "hardshrink": F.hardshrink,
            "softshrink": F.softshrink,
            "tanhshrink": F.tanhshrink,
            "softsign": F.softsign,
            "softplus": F.softplus,
            "softplus with beta": partial(F.softplus, beta=3.0, threshold=5.0),
            "shifted softplus": lambda y: F.softplus(y) - math.log(2),
            "threshold": partial(F.threshold, threshold=0.2, value=-1.0),
            "rrelu in evaluation": partial(F.rrelu, training=False),
            "squared relu": lambda y: F.relu(y).square(),
            "soft clamp": lambda y: 5 * torch.tanh(y / 5),
        }.items()
    }
    | {
        "glu": lambda y, x: F.glu(y) * x[..., :3],
        "swiglu": lambda y, x: F.silu(y[..., :3]) * y[..., 3:] * x[..., :3],
        "prelu": lambda y, x: F.prelu(y, torch.tensor([0.1, 0.2, 0.3, 0.4])) * x,
        "softmax": lambda y, x: y.softmax(1) * x,
        "softmax twice": lambda y, x: (y * x).softmax(-1).softmax(-2) * x,
        "softmin": lambda y, x: F.softmin(y, -1) * x,
        "log_softmax": lambda y, x: y.log_softmax(-1) * x,
        "entropy": lambda y, x: -(y.softmax(-1) * y.log_softmax(-1)) * x.abs(),
        "gumbel-softmax without noise": lambda y, x: ((y + x) / 0.5).softmax(-1) * x,
    },
    "Reductions": {
        "sum": lambda y, x: (y * x).sum((1, 2)).square(),
        "mean": lambda y, x: y.mean(1, keepdim=True) * x,
        "prod": lambda y, x: y.prod(-1) * x.sum(-1),
        "prod with zeros": lambda y, x: F.relu(y - 0.1).prod(1) * x.sum(1) + (y * (x > 0)).prod(1),
        "prod of everything": lambda y, x: (y * 0.5 + 1).flatten(1).prod(1),
        "amax, amin": lambda y, x: (y * x).amax(-1) - (y * x).amin(2),
        "amin over two axes": lambda y, x: (y * x).amin((1, 2)),
        "max, min with places": lambda y, x: (
            (y + x).max(1).values * 2 - (y * x).min(-1, keepdim=True).values.sum(-1).sum(-1, keepdim=True)
        ),
        "aminmax": lambda y, x: torch.aminmax(y * x, dim=-1).max - torch.aminmax(y, dim=-1).min,
        "argmax, argmin": lambda y, x: (y.argmax(-1) * 0.1 + x.argmin(-1)) * y.sum(-1),
        "median": lambda y, x: (y * x).median(-1).values,
        "nanmedian": lambda y, x: (y * x).nanmedian(-1).values,
        "mode": Case(
            lambda y, n: n.mode(-1).values * y.sum(-1),
            refused="mode",
            because="ONNX cannot count values",
        ),
        "quantile": lambda y, x: (y * x).quantile(0.3, dim=-1),
        "kthvalue": lambda y, x: (y * x).kthvalue(2, -1).values,
        "norm": lambda y, x: (y - x).norm(dim=-1),
        "norm p = 1": lambda y, x: (y - x).norm(p=1, dim=-1),
        "norm p = inf": lambda y, x: (y - x).norm(p=math.inf, dim=-1),
        "norm p = -inf": lambda y, x: torch.linalg.vector_norm(y - x, -math.inf, dim=-1),
        "norm p = 3": lambda y, x: (y - x).norm(p=3, dim=-1),
        "norm p = 0.5": lambda y, x: (y - x).norm(p=0.5, dim=-1) * 0.1,
        "norm of matrices": lambda y, x: torch.linalg.matrix_norm(y - x) + torch.linalg.matrix_norm(y, 1),
        "dist": lambda y, x: F.pairwise_distance(y, x),  # noqa: PLW0108
        "normalise": lambda y, x: F.normalize(y, dim=-1) * x,
        "cosine similarity": lambda y, x: F.cosine_similarity(y, x, dim=-1),
        "var": lambda y, x: y.var(-1, unbiased=False) * x.mean(-1),
        "std": lambda y, x: y.std(-1),
        "var_mean": lambda y, x: torch.var_mean(y, dim=1)[0] * torch.std_mean(y, dim=1)[1],
        "logsumexp": lambda y, x: (y * x).logsumexp(-1),
        "logsumexp over two axes": lambda y, x: (y * x).logsumexp((1, 2)),
        "logsumexp with -inf": lambda y, x: y.masked_fill(x > 0.5, -math.inf).logsumexp(-1).clamp(min=-10),
        "cumsum": lambda y, x: y.cumsum(1) ** 2,
        "cumprod": lambda y, x: y.cumprod(-1) * x,
        "cumprod with zeros": lambda y, x: (y * (x > 0)).cumprod(-1) * x,
        "cummax, cummin": lambda y, x: y.cummax(-1).values * x + y.cummin(1).values,
        "logcumsumexp": lambda y, x: y.logcumsumexp(-1) * x,
        "trace": lambda y, x: torch.einsum("bii->b", y[:, :, :4]) * x.mean((1, 2)),
        "diff": lambda y, x: torch.diff(y, dim=-1).square() + torch.diff(x, dim=-1),
        "nansum, nanmean": lambda y, x: torch.nansum(y / (x > -9), -1) + torch.nanmean(y * x, -1),
        "trapezoid": lambda y, x: torch.trapezoid(y * x, dx=0.1, dim=-1),
        "renorm": lambda y, x: y / y.norm(dim=-1, keepdim=True).clamp(min=1.0) * x,
    },
    "Products": {
        "matmul": lambda y, x: (y @ x.transpose(1, 2)).tanh(),
        "matmul with a weight": lambda y, x: (y @ torch.linspace(-1, 1, 30).reshape(6, 5)).tanh() * x[..., :5],
        "bmm": lambda y, x: torch.bmm(y, y.transpose(1, 2)),
        "baddbmm": lambda y, x: torch.baddbmm(x[:, :, :4], y, y.transpose(1, 2), beta=0.5, alpha=2),
        "mv": lambda y, x: (y @ torch.linspace(-1, 1, 6)).square(),
        "batched mv": lambda y, x: (y @ x[:, 0].unsqueeze(-1)).square(),
        "products of rows": lambda y, x: torch.matmul(y.unsqueeze(2), x.unsqueeze(3)).flatten(1),
        "vecdot, inner": lambda y, x: torch.linalg.vecdot(y, x).square(),
        "outer product": lambda y, x: (y[:, 0].unsqueeze(-1) * x[:, 1].unsqueeze(-2)).tanh(),
        "einsum bij,bkj->bik": lambda y, x: torch.einsum("bij,bkj->bik", y, x) ** 2,
        "einsum bij,jk->bki": lambda y, x: torch.einsum("bij,jk->bki", y, torch.linspace(-1, 1, 12).reshape(6, 2)) ** 2,
        "einsum bij,bij->bi": lambda y, x: torch.einsum("bij,bij->bi", y, x) ** 2,
        "einsum of three": lambda y, x: torch.einsum("bi,bij,bj->b", y[:, :, 0], x, y[:, 0]),
        "einsum to a scalar": lambda y, x: torch.einsum("bij,bij,bij->b", y, y, x),
        "einsum of an outer product": lambda y, x: torch.einsum("bi,bj->bij", y[:, 0], x[:, 0]).sin(),
        "einsum with an ellipsis": lambda y, x: torch.einsum("...ij,...kj->...ik", y, x).tanh(),
        "tensordot": lambda y, x: torch.tensordot(
            y, torch.linspace(-1, 1, 24).reshape(4, 6), dims=([1, 2], [0, 1])
        ).square(),
        "kron by einsum": lambda y, x: torch.einsum("bi,bj->bij", y[:, 0], y[:, 1]).reshape(-1, 36).sin(),
        "cross product": lambda y, x: torch.linalg.cross(y[..., :3], x[..., 3:]) ** 2,
        "chain_matmul": lambda y, x: (
            torch.linalg.multi_dot([torch.ones(2, 4), torch.linspace(-1, 1, 24).reshape(4, 6)]).sum() * y
        ),
        "cdist": lambda y, x: torch.cdist(y, x).sin(),
        "cdist p = 1": lambda y, x: torch.cdist(y, x, p=1).sin(),
        "pairwise distances": lambda y, x: (y.unsqueeze(1) - y.unsqueeze(2) + x.unsqueeze(1)).square().sum(-1).sqrt(),
        "quadratic form": lambda y, x: ((y @ torch.linspace(-1, 1, 36).reshape(6, 6)) * y).sum(-1).square() * 0.1,
        "attention": lambda y, x: attention(y) * x.unsqueeze(1),
        "attention, causal": lambda y: attention(y, causal=True),
        "attention, boolean mask": lambda y, m: attention(y, mask=m[:, None, :, :4] | torch.eye(4, dtype=torch.bool)),
        "attention, float mask": lambda y, x: attention(y, mask=x[:, None, :, :4]),
        "energy of attention": lambda y: bound_of_heads(y),  # noqa: PLW0108
        "rotary embedding by halves": rotate_half,
    },
}
