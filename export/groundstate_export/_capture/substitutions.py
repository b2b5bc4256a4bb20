"""Substitutions: PyTorch functions that are written out before autograd sees them, because their gradients have no translation.

A substitute has the same values and, with autograd, the same gradients; matrices are small. Constants are not substituted,
because PyTorch computes everything that depends on no input.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch._decomp import decompositions as torch_decompositions
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from groundstate_export._capture.factorisations import lstsq, qr
from groundstate_export._capture.stretched import STRETCHED, of_any_size
from groundstate_export._capture.windows import translated
from groundstate_export._errors import UnsupportedOperator

_LARGEST = 16
"""Elimination is unrolled: a matrix of 16 rows takes about 200 nodes."""

_GRID = {"bilinear": 0, "nearest": 1, "bicubic": 2}
_BORDER = {"zeros": 0, "border": 1, "reflection": 2}


class Substitutions(TorchFunctionMode):
    """While a function is traced, replaces calls of a function by calls of its substitute."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = [*args, *kwargs.values()]
        stretched = STRETCHED.get(func)
        if stretched is not None and of_any_size(given):
            return stretched(*args, **kwargs)
        own = _OWN.get(func) or translated(func, args, kwargs)
        if own is None or not any(isinstance(a, FakeTensor) for a in given):
            return func(*args, **kwargs)
        return own(*args, **kwargs)


def _size(name: str, a: Tensor) -> int:
    rows, columns = a.shape[-2:]
    if rows != columns:
        raise UnsupportedOperator(f"aten.{name}", f"its matrices are {rows}×{columns}; they must be square.")
    if rows > _LARGEST:
        raise UnsupportedOperator(
            f"aten.{name}",
            f"its matrices are {rows}×{columns} and the elimination is unrolled; up to {_LARGEST} rows are translated.",
        )
    return rows


def _eliminated(a: Tensor, b: Tensor) -> tuple[Tensor, list[Tensor], Tensor]:
    """Gauss-Jordan elimination with the largest pivot of each column: the solution of ``a x = b``, the pivots, and their sign."""
    n = a.shape[-1]
    rows = torch.cat([a, b], -1)
    sign, pivots = torch.ones_like(a[..., 0, 0]), []
    for k in range(n):
        below = rows[..., k:, :]
        largest = below[..., k].detach().abs().argmax(-1, keepdim=True)
        chosen = (torch.arange(n - k) == largest).to(a.dtype)
        row = (chosen.unsqueeze(-1) * below).sum(-2, keepdim=True)
        swapped = below + chosen.unsqueeze(-1) * (below[..., :1, :] - row)
        sign = sign * (2 * chosen[..., 0] - 1)
        pivot = row[..., k : k + 1]
        pivots.append(pivot[..., 0, 0])
        row = row / torch.where(pivot == 0, 1.0, pivot)
        others = torch.cat([rows[..., :k, :], swapped[..., 1:, :]], -2)
        others = others - others[..., k : k + 1] * row
        rows = torch.cat([others[..., :k, :], row, others[..., k:, :]], -2)
    return rows[..., n:], pivots, sign


def _det(a: Tensor) -> Tensor:
    n = _size("linalg_det", a)
    if n == 1:
        return a[..., 0, 0]
    if n == 2:
        return a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] * a[..., 1, 0]
    if n == 3:
        found: Tensor = (a[..., 0, :] * torch.linalg.cross(a[..., 1, :], a[..., 2, :])).sum(-1)
        return found
    _, pivots, sign = _eliminated(a, a[..., :0])
    result = sign
    for pivot in pivots:
        result = result * pivot
    return result


class _SignAndLog(NamedTuple):
    sign: Tensor
    logabsdet: Tensor


def _slogdet(a: Tensor) -> _SignAndLog:
    if _size("linalg_slogdet", a) <= 3:
        det = _det(a)
        return _SignAndLog(det.sign(), det.abs().log())
    _, pivots, sign = _eliminated(a, a[..., :0])
    stacked = torch.stack(pivots, -1)
    return _SignAndLog(sign * stacked.sign().prod(-1), stacked.abs().log().sum(-1))


def _logdet(a: Tensor) -> Tensor:
    sign, size = _slogdet(a)
    result: Tensor = torch.where(sign == 0, -torch.inf, torch.where(sign < 0, torch.nan, size))
    return result


def _inv(a: Tensor) -> Tensor:
    n = _size("linalg_inv", a)
    if n == 2:
        flipped = torch.stack([a[..., 1, 1], -a[..., 0, 1], -a[..., 1, 0], a[..., 0, 0]], -1).unflatten(-1, (2, 2))
        inverse: Tensor = flipped / _det(a)[..., None, None]
        return inverse
    if n == 3:
        one, two, three = a.unbind(-2)
        columns = [torch.linalg.cross(two, three), torch.linalg.cross(three, one), torch.linalg.cross(one, two)]
        determinant: Tensor = (one * columns[0]).sum(-1)
        return torch.stack(columns, -1).div(determinant[..., None, None])
    return _eliminated(a, torch.eye(n, dtype=a.dtype).expand_as(a))[0]


def _solve(a: Tensor, b: Tensor, *, left: bool = True) -> Tensor:
    if not left:
        return _solve(a.mT, b.mT).mT
    vector = b.dim() == 1 or (b.dim() == a.dim() - 1 and b.shape == a.shape[:-1])
    n, right = _size("linalg_solve", a), b.unsqueeze(-1) if vector else b
    lead = torch.broadcast_shapes(a.shape[:-2], right.shape[:-2])
    small = n in {2, 3}
    result = (
        _inv(a) @ right if small else _eliminated(a.expand(*lead, n, n), right.expand(*lead, n, right.shape[-1]))[0]
    )
    return result.squeeze(-1) if vector else result


def _solve_triangular(a: Tensor, b: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Tensor:
    n = _size("linalg_solve_triangular", a)
    if not left:
        return _solve_triangular(a.mT, b.mT, upper=not upper, unitriangular=unitriangular).mT
    found: dict[int, Tensor] = {}
    for i in reversed(range(n)) if upper else range(n):
        row = b[..., i : i + 1, :]
        for j, known in found.items():
            row = row - a[..., i : i + 1, j : j + 1] * known
        found[i] = row if unitriangular else row / a[..., i : i + 1, i : i + 1]
    return torch.cat([found[i] for i in range(n)], -2)


def _cholesky(a: Tensor, upper: bool = False) -> Tensor:  # as PyTorch has it
    n = _size("linalg_cholesky", a)
    a = (a + a.mT) * 0.5  # makes the gradient symmetric, like PyTorch's
    columns: list[Tensor] = []
    for k in range(n):
        rest = a[..., k:, k]
        for column in columns:
            rest = rest - column[..., k:] * column[..., k : k + 1]
        columns.append(functional.pad(rest / rest[..., :1].sqrt(), (k, 0)))
    return torch.stack(columns, -2 if upper else -1)


def _cholesky_solve(b: Tensor, factor: Tensor, upper: bool = False) -> Tensor:  # as PyTorch has it
    low = factor.mT if upper else factor
    return _solve_triangular(low.mT, _solve_triangular(low, b, upper=False), upper=True)


def _grid_sample(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,  # as PyTorch has it
) -> Tensor:
    if input.dim() != 4:
        raise UnsupportedOperator("aten.grid_sampler_3d", "only images are supported, not volumes.")
    function: Callable[..., Tensor] = torch_decompositions.grid_sampler_2d
    return function(input, grid, _GRID[mode], _BORDER[padding_mode], bool(align_corners))


def _bilinear(a: Tensor, b: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    result = torch.einsum("...i,oij,...j->...o", a, weight, b)
    return result if bias is None else result + bias


def _gaussian_nll(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    target: Tensor,
    var: Tensor | float,
    full: bool = False,  # as PyTorch has it
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """PyTorch's function also raises for a negative variance, which a graph cannot do."""
    if not isinstance(var, Tensor):
        var = var * torch.ones_like(input)
    elif var.shape != input.shape and input.shape[:-1] == var.shape:
        var = var.unsqueeze(-1)
    # The clamp has no gradient, because PyTorch clamps a detached copy.
    var = var + (var.clamp(min=eps) - var).detach()
    loss = 0.5 * (var.log() + (input - target).square() / var)
    if full:
        loss = loss + 0.5 * float(torch.log(torch.tensor(2 * torch.pi)))
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def _embedding_bag(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    weight: Tensor,
    *rest: Any,
    mode: str = "mean",
    per_sample_weights: Tensor | None = None,
    **options: Any,
) -> Tensor:
    if (
        input.dim() != 2
        or any(o is not None for o in rest)
        or any(v is not None and v is not False for k, v in options.items() if k != "norm_type")
    ):
        raise UnsupportedOperator(
            "aten.embedding_bag", "only bags of one length are supported, with no options but a mode and weights."
        )
    found = functional.embedding(input, weight)
    if per_sample_weights is not None:
        found = found * per_sample_weights.unsqueeze(-1)
    return found.mean(1) if mode == "mean" else found.sum(1) if mode == "sum" else found.amax(1)


def _multi_margin(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    *_: Any,
    reduction: str = "mean",
    **__: Any,
) -> Tensor:
    classes = input.shape[-1]
    own = target.unsqueeze(-1) == torch.arange(classes)
    score = input.gather(-1, target.unsqueeze(-1))
    loss = functional.relu(margin - score + input) ** p
    if weight is not None:
        loss = loss * weight[target].unsqueeze(-1)
    loss = torch.where(own, 0.0, loss).sum(-1) / classes
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def _stft(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,  # as PyTorch has it
    pad_mode: str = "reflect",
    normalized: bool = False,  # as PyTorch has it
    onesided: bool | None = None,  # as PyTorch has it
    return_complex: bool | None = None,  # as PyTorch has it
    **_: Any,
) -> Tensor:
    if win_length not in {None, n_fft} or not return_complex:
        raise UnsupportedOperator("aten.stft", "only windows of n_fft elements and complex results are supported.")
    if center:
        flat = input.reshape(-1, 1, input.shape[-1])
        input = functional.pad(flat, (n_fft // 2, n_fft // 2), pad_mode).reshape(*input.shape[:-1], -1)  # noqa: A001
    frames = input.unfold(-1, n_fft, hop_length or n_fft // 4)
    frames = frames if window is None else frames * window
    transform = torch.fft.fft if onesided is False else torch.fft.rfft
    spectrum: Tensor = transform(frames, norm="ortho" if normalized else None).mT
    return spectrum


_OWN: dict[Any, Callable[..., Any]] = {
    **dict.fromkeys((torch.det, torch.linalg.det, Tensor.det), _det),
    **dict.fromkeys((torch.slogdet, torch.linalg.slogdet, Tensor.slogdet), _slogdet),
    **dict.fromkeys((torch.logdet, Tensor.logdet), _logdet),
    **dict.fromkeys((torch.inverse, torch.linalg.inv, Tensor.inverse), _inv),
    **dict.fromkeys((torch.linalg.cholesky, torch.cholesky, Tensor.cholesky), _cholesky),
    **dict.fromkeys((torch.cholesky_solve, Tensor.cholesky_solve), _cholesky_solve),
    torch.linalg.solve: _solve,
    **dict.fromkeys((torch.linalg.qr, torch.qr, Tensor.qr), qr),
    torch.linalg.lstsq: lstsq,
    torch.linalg.solve_triangular: _solve_triangular,
    functional.grid_sample: _grid_sample,
    functional.bilinear: _bilinear,
    **dict.fromkeys((torch.stft, Tensor.stft), _stft),
    torch.bilinear: _bilinear,
    functional.gaussian_nll_loss: _gaussian_nll,
    functional.embedding_bag: _embedding_bag,
    functional.multi_margin_loss: _multi_margin,
}
