"""QR decompositions and least squares of small matrices, unrolled.

Householder reflections as LAPACK makes them, so that signs are PyTorch's.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from groundstate_export._errors import UnsupportedOperator

_LARGEST = 16
"""Each column is a reflection of about ten nodes."""


class _Factors(NamedTuple):
    Q: Tensor
    R: Tensor


class _Solution(NamedTuple):
    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


def qr(A: Tensor, mode: str = "reduced") -> _Factors:  # noqa: N803  # as PyTorch has it
    """`torch.linalg.qr` of tall matrices."""
    rows, columns = A.shape[-2:]
    if mode != "reduced" or rows < columns:
        raise UnsupportedOperator(
            "aten.linalg_qr",
            f"its matrices are {rows}×{columns} in mode {mode!r}; reduced factors of tall ones are supported.",
        )
    _check("linalg_qr", rows, columns)
    rest, reflections = A, []
    for k in range(columns):
        if k == rows - 1:  # one element is not reflected
            break
        below = rest[..., k:, k]
        first = below[..., :1]
        length = below.square().sum(-1, keepdim=True).sqrt()
        turned = torch.where(first.detach() >= 0, -length, length)
        vector = torch.cat([torch.ones_like(first), below[..., 1:] / (first - turned)], -1).unsqueeze(-1)
        scale = ((turned - first) / turned).unsqueeze(-1)
        reflections.append((vector, scale))
        lower = rest[..., k:, :]
        lower = lower - scale * vector * (vector * lower).sum(-2, keepdim=True)
        rest = torch.cat([rest[..., :k, :], lower], -2)
    q = torch.eye(rows, columns, dtype=A.dtype).expand_as(A)
    for k, (vector, scale) in reversed(list(enumerate(reflections))):
        lower = q[..., k:, :]
        lower = lower - scale * vector * (vector * lower).sum(-2, keepdim=True)
        q = torch.cat([q[..., :k, :], lower], -2)
    return _Factors(q, rest[..., :columns, :].triu())


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> _Solution:  # noqa: N803
    """`torch.linalg.lstsq` of matrices of full rank: only the solution, of least norm for wide matrices."""
    del rcond, driver
    rows, columns = A.shape[-2:]
    _check("linalg_lstsq", *sorted((rows, columns), reverse=True))
    vector = B.dim() == A.dim() - 1
    right = B.unsqueeze(-1) if vector else B
    if rows >= columns:
        q, r = qr(A)
        found = _backward(r, q.mT @ right)
    else:
        q, r = qr(A.mT)
        found = q @ _forward(r.mT, right)
    nothing = A.new_zeros(0)
    return _Solution(found.squeeze(-1) if vector else found, nothing, nothing, nothing)


def _check(name: str, rows: int, columns: int) -> None:
    if not isinstance(rows, int) or not isinstance(columns, int) or columns > _LARGEST:
        raise UnsupportedOperator(
            f"aten.{name}",
            f"its matrices are {rows}×{columns}; up to {_LARGEST} columns, of fixed lengths, are supported.",
        )


def _backward(r: Tensor, b: Tensor) -> Tensor:
    """The solution of an upper triangular system."""
    found: list[Tensor] = []
    for i in reversed(range(r.shape[-1])):
        row = b[..., i : i + 1, :]
        for j, known in enumerate(found):
            place = r.shape[-1] - 1 - j
            row = row - r[..., i : i + 1, place : place + 1] * known
        found.append(row / r[..., i : i + 1, i : i + 1])
    return torch.cat(found[::-1], -2)


def _forward(low: Tensor, b: Tensor) -> Tensor:
    """The solution of a lower triangular system."""
    return _backward(low.flip(-2, -1), b.flip(-2)).flip(-2)
