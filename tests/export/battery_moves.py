"""The operator cases that move, write and order elements, complex numbers, small matrices, and gradients inside an energy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tests.export.battery import (
    COLUMNS,
    INDEX,
    Case,
    Term,
    assign,
    written,
)


def add_in_place(y: Tensor, x: Tensor) -> Tensor:
    total = torch.zeros_like(y)
    for i in range(4):
        total[:, i] += (y[:, i] * x[:, 3 - i]).cumsum(-1)
    return total.square()


def written_between(y: Tensor, x: Tensor) -> Tensor:
    """A view read before and after what it views changes; PyTorch's version counters allow it for sums."""
    h = y + x
    row = h[:, 1]
    before = row + 1
    h.add_(x)
    h[:, 1:3, ::2] = 0.25
    return torch.stack([before * 2, row * row], 1)


def diagonal_written(y: Tensor) -> Tensor:
    square = y @ y.transpose(1, 2)
    square.diagonal(dim1=1, dim2=2).copy_(y[..., 0].sin())
    return square.square()


def rotary(y: Tensor) -> Tensor:
    angles = torch.outer(torch.arange(4.0), torch.tensor([1.0, 0.1, 0.01]))
    turns = torch.polar(torch.ones_like(angles), angles)
    turned = torch.view_as_real(torch.view_as_complex(y.reshape(-1, 4, 3, 2)) * turns)
    return turned.flatten(2).softmax(-1) * y


def inner_gradient(y: Tensor, x: Tensor) -> Tensor:
    """The score of an inner energy: ``½ |∇φ|²``."""
    phi = ((y * x).tanh().square().sum((1, 2)) + y.logsumexp(-1).sum(-1)).sum()
    (slope,) = torch.autograd.grad(phi, y, create_graph=True)
    return 0.5 * slope.square()


def functional_gradient(y: Tensor, x: Tensor) -> Tensor:
    slope = torch.func.grad(lambda z: (z * x).sin().square().sum())(y)
    return y * slope


def inner_step(y: Tensor, x: Tensor) -> Tensor:
    """An inner descent of three steps, differentiated through."""
    z = x.detach().clone().requires_grad_()
    for _ in range(3):
        inner = (z.tanh() - y).square().sum() + 0.1 * z.square().sum()
        (slope,) = torch.autograd.grad(inner, z, create_graph=True)
        z = z - 0.1 * slope
    return (z - 1).square()


def positive(y: Tensor, x: Tensor) -> Tensor:
    """Symmetric positive definite 3×3 matrices, ``(batch, 3, 3)``."""
    a = y[:, :3, :3] + 0.3 * x[:, :3, :3]
    return a @ a.transpose(1, 2) + 0.5 * torch.eye(3)


def regular(y: Tensor, size: int) -> Tensor:
    """Matrices with a dominant diagonal, ``(batch, size, size)``."""
    return 0.3 * y[:, :size, :size].tanh() + 1.5 * torch.eye(size)


def spectrum(y: Tensor) -> Tensor:
    f = torch.fft.fft2(y)
    return (f * f.conj()).real.log1p()


def fill_rows(y: Tensor, x: Tensor) -> Tensor:
    rows = torch.empty_like(y)
    for i in range(4):
        rows[:, i] = y[:, i] * x[:, i]
    return rows.sin()


def multiplied_rows(y: Tensor, x: Tensor) -> Tensor:
    """PyTorch allows writes to one of several views only where it records no gradient."""
    weights = x.clone()
    with torch.no_grad():
        for i, row in enumerate(weights.unbind(1)):
            row.mul_(i)
        left, right = weights.split((2, 4), dim=-1)
        right[:, 1:3].add_(left[:, :2].sum(-1, keepdim=True))
        left.zero_()
    return y.exp() * weights


def stopped(y: Tensor, x: Tensor) -> Tensor:
    with torch.no_grad():
        return (y * x).softmax(-1)


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.round()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


RAGGED = (torch.arange(4).unsqueeze(1) * 2 + torch.arange(6)) % 6

MOVES: dict[str, Mapping[str, Term | Case]] = {
    "Views": {
        "view, reshape": lambda y, x: y.view(-1, 24).reshape(-1, 3, 8).sin() * x.flatten(1).view(-1, 3, 8),
        "unflatten, flatten": lambda y, x: y.unflatten(2, (2, 3)).mean(2, keepdim=True) * x.unflatten(2, (2, 3)),
        "squeeze, unsqueeze": lambda y, x: (
            (y.unsqueeze(1).unsqueeze(-1) * x.unsqueeze(-1).unsqueeze(1)).squeeze(-1).squeeze(1).sin()
        ),
        "transpose, permute, movedim": lambda y, x: (y.transpose(1, 2) @ x).permute(0, 2, 1).movedim(1, 2).sin(),
        "adjoint": lambda y, x: y.mT @ x + (y.mH @ x).sin(),
        "expand": lambda y, x: y.mean(1, keepdim=True).expand(-1, 4, -1) * x,
        "repeat": lambda y, x: y.repeat(1, 2, 1) ** 2,
        "tile, repeat_interleave": lambda y, x: (y.tile(1, 1, 2) * x.repeat_interleave(2, dim=2)).sin(),
        "repeat_interleave by counts": lambda y, x: y.repeat_interleave(torch.tensor([1, 0, 3, 2]), dim=1).sin(),
        "cat": lambda y, x: torch.cat([y, x * y, x], dim=1) ** 2,
        "stack, hstack, vstack": lambda y, x: (
            torch.stack([y, x * y], -1).square().sum(-1) + torch.hstack([y, x])[:, 2:6].sin()
        ),
        "column_stack": lambda y, x: torch.column_stack([y[:, 0], x[:, 1]]).sin(),
        "zeros": lambda y, x: torch.cat([y, torch.zeros_like(x), torch.ones_like(x)], 1) ** 2,
        "chunk, split": lambda y, x: y.chunk(2, dim=-1)[0] * x.split([3, 3], dim=-1)[1] + y.tensor_split(2, -1)[1],
        "unbind": lambda y, x: torch.stack([a * b for a, b in zip(y.unbind(1), x.unbind(1), strict=True)], 1),
        "select": lambda y, x: y[:, 1] * y[:, -1] * x[:, 0],
        "narrow": lambda y, x: y.narrow(1, 1, 2).sin() * x.narrow(1, 0, 2),
        "slices": lambda y, x: (y[:, 1:] - y[:, :-1]) ** 2 * x[:, 1:],
        "slices with a stride": lambda y, x: y[:, ::2, 1::3].sin() * x[:, 1::2, ::3],
        "flip": lambda y, x: y.flip(1) * y * x,
        "flip of two axes": lambda y, x: y.flip((1, 2)) * y * x,
        "roll": lambda y, x: y.roll(1, dims=1) * y * x,
        "roll of two axes": lambda y, x: y.roll((1, -2), dims=(1, 2)) * y * x,
        "rot90": lambda y, x: torch.rot90(y, 1, (1, 2)).sin(),
        "diagonal": lambda y, x: y.diagonal(dim1=1, dim2=2).sin() * x[:, :, 0],
        "diagonal with an offset": lambda y, x: y.diagonal(-1, 1, 2).sin() + x.diagonal(2, 1, 2)[:, :3],
        "diag_embed": lambda y, x: (torch.diag_embed(y) + x.unsqueeze(-1)).sin(),
        "diag of the product": lambda y, x: torch.diagonal(y @ x.mT, dim1=-2, dim2=-1).sin(),
        "tril, triu": lambda y, x: y.tril() * 2 + y.triu(1).exp() * x,
        "meshgrid": lambda y, x: y * torch.meshgrid(torch.arange(4.0), torch.arange(6.0), indexing="ij")[0],
        "block_diag of constants": lambda y, x: y @ torch.block_diag(torch.ones(3, 3), torch.eye(3)) * x,
        "broadcast_tensors": lambda y, x: torch.broadcast_tensors(y[:, :1], x)[0] * x,
        "arange of the batch": Case(
            lambda y, x: y * torch.arange(len(y)).reshape(-1, 1, 1),
            refused="depends on the position of a row in the batch",
            because="rows must be treated alone",
        ),
    },
    "Indexing": {
        "constant index": lambda y, x: y[:, INDEX] * x,
        "constant indices of two axes": lambda y, x: y[:, INDEX, COLUMNS].sin() * x[:, :, 0],
        "constant indices apart": lambda y, x: (
            y.unsqueeze(1).expand(-1, 4, -1, -1)[:, INDEX, :, COLUMNS].sum((0, 2)).sin()
        ),
        "outer indices": lambda y, x: y[:, INDEX.unsqueeze(1), COLUMNS].sin(),
        "index_select": lambda y, x: torch.index_select(y, 1, INDEX) ** 2 * x,
        "gather": lambda y, x: y.gather(2, RAGGED.expand_as(y)).sin() * x,
        "gather by the input": lambda y, x: y.gather(2, x.argsort(-1)) * y,
        "gather by integers": lambda y, n: y.gather(1, n).sin(),
        "take_along_dim": lambda y, n: torch.take_along_dim(y, n, dim=2).sin(),
        "rows and classes": lambda y, k: y[torch.arange(len(y)), k].sin(),
        "rows and many classes": lambda y, n: y[torch.arange(len(y)).unsqueeze(1), n[:, 0]].sin(),
        "index by the input": lambda y, n: torch.linspace(-1, 1, 24).reshape(4, 6)[n].sum(-1) * y.sin(),
        "take of constants": lambda y, n: torch.linspace(-1, 1, 5).take(n) * y,
        "scatter": lambda y, n: (
            torch.zeros_like(y).scatter(1, RAGGED.clamp(max=3).expand_as(y)[:, :1], y[:, :1]).sin() * y
        ),
        "scatter of a number": lambda y, n: y.scatter(1, n[:, :1], 0.3).sin(),
        "scatter_add": lambda y, x: torch.zeros_like(y).scatter_add(2, RAGGED.expand_as(y), y * x).sin(),
        "scatter_add by integers": lambda y, n: y.scatter_add(1, n, y.sin()).square(),
        "scatter_reduce, sum": lambda y, n: y.scatter_reduce(1, n, y.sin(), "sum").square(),
        "scatter_reduce, mean": lambda y, n: (
            torch.zeros_like(y).scatter_reduce(1, n, y.sin(), "mean", include_self=False).square()
        ),
        "scatter_reduce, amax": lambda y, n: (
            torch.zeros_like(y).scatter_reduce(1, n, y.sin(), "amax", include_self=True).square()
        ),
        "scatter_reduce, prod": lambda y, n: torch.ones_like(y).scatter_reduce(1, n, y, "prod"),
        "index_add": lambda y, x: x.index_add(1, INDEX, y.sin(), alpha=0.5).square(),
        "rows and classes, added": lambda y, k: written(
            y, lambda h: h.index_put_((torch.arange(len(y)), k), y[:, 0].sin(), accumulate=True)
        ),
        "rows and classes, written": lambda y, k: written(y, lambda h: h.__setitem__((torch.arange(len(y)), k), 0.5)),
        "rows, columns apart": lambda y, k: y[torch.arange(len(y)), :, k].sin(),
        "values of fewer axes": assign((slice(None), INDEX[:2], COLUMNS[:2]), lambda y: torch.tensor([0.3, -0.2])),
        "negative indices": lambda y, k: y[:, -1].sin() + y[torch.arange(len(y)), -1 - k],
        "index_copy": lambda y, x: x.index_copy(1, torch.tensor([2, 0]), y[:, :2]).square(),
        "index_fill": lambda y, x: y.index_fill(1, torch.tensor([2, 0]), 0.5).square(),
        "index_put of constants": lambda y, x: written(
            y, lambda h: h.index_put_((torch.arange(len(y)).unsqueeze(1), INDEX), x, accumulate=True)
        ),
        "masked_scatter": Case(
            lambda y, x: y.masked_scatter(x > 0, x) * 0 + y,
            refused="masked_scatter",
            because="the place of a value depends on the values before it; use `torch.where`",
        ),
        "segment sums": lambda y, n: torch.zeros(len(y), 4).scatter_add(1, n[:, 0], y[:, 0]).square(),
        "bincount": Case(
            lambda y, n: torch.bincount(n.flatten()).sum() * 0 + y,
            refused="bincount",
            because="it counts across the batch",
        ),
    },
    "Writes in place": {
        "arithmetic": lambda y, x: (y * x).mul_(2).add_(x) ** 2,
        "a column": assign((slice(None), 0), lambda y: y[:, 1].sin()),
        "a number": assign((..., 2), lambda y: 0.7),
        "a slice": assign((slice(None), slice(1, 3)), lambda y: y[:, :2].sin()),
        "a strided slice": assign((..., slice(0, None, 2)), lambda y: y[..., :3].exp()),
        "an entry": assign((slice(None), 1, 2), lambda y: y[:, 0, 0].sin()),
        "a view of a view": lambda y, x: written(y, lambda h: h[:, 1:].transpose(1, 2)[:, 2:4].copy_(x[:, :2, :3])),
        "an index": assign((slice(None), INDEX[:2]), lambda y: y[:, 1:3].sin()),
        "sums into slices": add_in_place,
        "reads between writes": written_between,
        "a diagonal": diagonal_written,
        "a superdiagonal": lambda y, x: written(y, lambda h: h.diagonal(1, 1, 2).add_(x[:, :, 0].sin())),
        "through a reshape": lambda y, x: written(y, lambda h: h.view(-1, 24)[:, 3:9].mul_(x.flatten(1)[:, 3:9])),
        "through squeeze and narrow": lambda y, x: written(
            y, lambda h: h.unsqueeze(0).squeeze(0).narrow(1, 0, 1).add_(x[:, 1:2])
        ),
        "through unbind and split": multiplied_rows,
        "zero_, fill_": lambda y, x: written(y, lambda h: (h[:, 0].zero_(), h[:, 1].fill_(0.5))),
        "a buffer filled by rows": fill_rows,
        "relu_, clamp_": lambda y, x: F.relu((y * x).clamp_(-1, 1), inplace=True) * y,
        "masked_fill_ of a view": lambda y, m: written(y, lambda h: h[:, 1:].masked_fill_(m[:, 1:], 0.25)),
        "an input": Case(
            lambda y, x: x.mul_(1) * y,
            refused="mul_",
            because="it changes an input of the energy; write `x = x * 2`",
        ),
    },
    "Order of elements": {
        "sort": lambda y, x: y.sort(-1).values * x.sort(-1, descending=True).values,
        "sort of the first axis": lambda y, x: y.sort(dim=1, stable=True).values * x,
        "argsort": lambda y, x: y.argsort(-1) * y + x.argsort(1, descending=True) * y,
        "msort": lambda y, x: torch.msort(y.transpose(0, 1)).transpose(0, 1) * x,
        "topk": lambda y, x: y.topk(3, -1).values.square() * x[..., :3],
        "topk, smallest": lambda y, x: y.topk(2, 1, largest=False).values.square(),
        "ranks": lambda y, x: y * x.argsort(-1).argsort(-1),
        "searchsorted": lambda y, x: torch.searchsorted(torch.linspace(-2, 2, 7), x.contiguous()) * y,
        "searchsorted, right, of the state": lambda y, x: (
            torch.searchsorted(torch.linspace(-2, 2, 7), y.detach().contiguous(), right=True) * y
        ),
        "bucketize": lambda y, x: torch.bucketize(x, torch.linspace(-2, 2, 7)) * y,
        "unique": Case(
            lambda y, x: torch.unique(x.round()).sum() * 0 + y,
            refused="unique",
            because="its size depends on the values",
        ),
    },
    "Complex numbers and Fourier": {
        "rotary embedding": rotary,
        "complex product": lambda y, x: torch.view_as_real(
            torch.view_as_complex(y.reshape(-1, 12, 2)) * torch.view_as_complex(x.reshape(-1, 12, 2))
        ).sin(),
        "complex quotient": lambda y, x: torch.view_as_real(
            torch.view_as_complex(x.reshape(-1, 12, 2)) / (torch.view_as_complex(y.reshape(-1, 12, 2)) + (3 + 1j))
        ).sin(),
        "complex parts": lambda y, x: torch.complex(y, x).conj().imag * y + torch.complex(y, x).real.sin(),
        "complex magnitude": lambda y, x: torch.complex(y, x).abs().sin(),
        "complex angle": lambda y, x: torch.complex(y, x).angle().sin(),
        "complex exponential": lambda y, x: torch.exp(1j * y).real * x + torch.exp(torch.complex(0.3 * x, y)).imag,
        "complex matrices": lambda y, x: (torch.complex(y, x) @ torch.complex(x, y).mT).abs().square(),
        "polar of the state": lambda y, x: torch.view_as_real(torch.polar(y.abs() + 0.1, x)).sin(),
        "rfft": lambda y, x: torch.fft.rfft(y).abs().square() * 0.1,
        "rfft, irfft": lambda y, x: torch.fft.irfft(torch.fft.rfft(y) * torch.fft.rfft(x), n=6).sin(),
        "irfft of an odd length": Case(
            lambda y, x: torch.fft.irfft(torch.fft.rfft(y) * torch.fft.rfft(x), n=7).sin(), (3, 7)
        ),
        "fft": lambda y, x: torch.fft.fft(y, dim=1).real.sin() + torch.fft.fft(x).imag * y,
        "fft, ifft, orthonormal": lambda y, x: torch.fft.ifft(
            torch.fft.fft(y, norm="ortho") * torch.fft.fft(x, norm="ortho"), norm="ortho"
        ).real.sin(),
        "fft2": spectrum,
        "rfft2, irfft2": lambda y, x: torch.fft.irfft2(torch.fft.rfft2(y) * torch.fft.rfft2(x), s=(4, 6)).sin(),
        "fftshift, fftfreq": lambda y, x: torch.fft.fftshift(y, -1) * torch.fft.fftfreq(6),
        "stft": Case(
            lambda y: torch.stft(y, 8, 4, window=torch.hann_window(8), return_complex=True).abs().square(), (24,)
        ),
    },
    "Linear algebra": {
        "det 2×2": lambda y, x: torch.linalg.det(regular(y, 2)),
        "det 3×3": lambda y, x: torch.linalg.det(regular(y, 3)),
        "det 4×4": lambda y, x: torch.linalg.det(regular(y, 4)),
        "slogdet": lambda y, x: torch.linalg.slogdet(regular(y, 4))[1],
        "logdet": lambda y, x: torch.logdet(positive(y, x)),
        "inverse 2×2": lambda y, x: torch.linalg.inv(regular(y, 2)).sin(),
        "inverse 3×3": lambda y, x: torch.linalg.inv(regular(y, 3)).sin(),
        "inverse 4×4": lambda y, x: torch.inverse(regular(y, 4)).sin(),
        "solve": lambda y, x: torch.linalg.solve(regular(y, 4), x).sin(),
        "solve of a vector": lambda y, x: torch.linalg.solve(regular(y, 3), x[:, 0, :3]).sin(),
        "solve by constants": lambda y, x: torch.linalg.solve(torch.eye(4) + 0.1 * torch.ones(4, 4), y * x).sin(),
        "solve_triangular": lambda y, x: torch.linalg.solve_triangular(regular(y, 4).tril(), x, upper=False).sin(),
        "cholesky": lambda y, x: torch.linalg.cholesky(positive(y, x)).sin(),
        "cholesky_solve": lambda y, x: torch.cholesky_solve(x[:, :3, :2], torch.linalg.cholesky(positive(y, x))).sin(),
        "matrix_power": lambda y, x: torch.linalg.matrix_power(regular(y, 4), 3).sin(),
        "pinv of constants": lambda y, x: y @ torch.linalg.pinv(torch.linspace(-1, 1, 12).reshape(2, 6).sin()),
        "matrix_exp": Case(
            lambda y: torch.linalg.matrix_exp(regular(y, 4)),
            refused="linalg_matrix_exp",
            because="the number of terms of its series depends on the values",
        ),
        "eigh": Case(
            lambda y, x: torch.linalg.eigh(positive(y, x))[0], refused="_linalg_eigh", because="ONNX has no eigenvalues"
        ),
        "svd": Case(
            lambda y: torch.linalg.svdvals(y),  # noqa: PLW0108  # a builtin has no signature
            refused="_linalg_svd",
            because="ONNX has no singular values",
        ),
        "qr": lambda y: torch.linalg.qr(regular(y, 4))[1],
    },
    "Gradients inside the energy": {
        "score of an inner energy": inner_gradient,
        "torch.func.grad": functional_gradient,
        "torch.func.vmap": lambda y, x: torch.func.vmap(lambda a, b: (a @ b.mT).logsumexp(-1))(y, x),  # noqa: PLW0108
        "jacobian by vmap": lambda y, x: torch.func.vmap(torch.func.jacrev(lambda a: a.sin().prod(-1)))(
            y[..., :3]
        ).sin(),
        "hessian-vector product": lambda y, x: torch.func.jvp(
            torch.func.grad(lambda z: z.cos().prod(-1).sum()), (y,), (x,)
        )[1].sin(),
        "inner descent": inner_step,
        "detach of a weight": lambda y, x: y * (x * y).detach(),
        "no_grad inside": lambda y, x: y * stopped(y, x),
        "custom autograd function": lambda y, x: StraightThrough.apply(y) * x,
        "divergence": lambda y, x: torch.func.vmap(
            lambda a: torch.func.jacrev(lambda z: z.sin() * z.sum())(a).diagonal().sum()
        )(y[:, 0]),
    },
}
