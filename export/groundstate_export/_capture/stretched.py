"""Substitutions along axes of any size, for PyTorch functions that would turn the size into a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from groundstate_export._errors import UnsupportedOperator


def of_any_size(arguments: Iterable[Any]) -> bool:
    """Whether an argument, or an axis of a tensor among them, depends on a size."""
    for one in arguments:
        if isinstance(one, (list, tuple)) and of_any_size(one):
            return True
        if isinstance(one, torch.SymInt) or (
            isinstance(one, Tensor) and any(isinstance(n, torch.SymInt) for n in one.shape)
        ):
            return True
    return False


def _interpolate(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,  # as PyTorch has it
    recompute_scale_factor: bool | None = None,  # as PyTorch has it
    antialias: bool = False,  # as PyTorch has it
) -> Tensor:
    """PyTorch's rounds the product of a size and a float."""
    lengths = input.shape[2:]
    if antialias or recompute_scale_factor or (mode != "nearest" and not mode.endswith("linear")):
        return functional.interpolate(input, size, scale_factor, mode, align_corners, recompute_scale_factor, antialias)
    wanted, factors = _wanted(lengths, size, scale_factor)
    if mode == "nearest" and len(lengths) == 1:  # PyTorch cannot trace the gradient of the operator of one dimension
        image = _NEAREST[2](input.unsqueeze(2), [1, *wanted], *([1.0, *factors] if factors[0] else [None, None]))
        signal: Tensor = image.squeeze(2)
        return signal
    if mode == "nearest":
        found: Tensor = _NEAREST[len(lengths)](input, wanted, *factors)
        return found
    for axis, (n, m, factor) in enumerate(zip(lengths, wanted, factors, strict=True), 2):
        if align_corners:
            source = torch.arange(m, dtype=input.dtype) * ((n - 1) / (m - 1))
        else:
            ratio = n / m if factor is None else 1.0 / factor
            source = ((torch.arange(m, dtype=input.dtype) + 0.5) * ratio - 0.5).clamp(min=0.0)
        away = (
            torch.minimum(source, torch.full((), 1.0) * (n - 1)).unsqueeze(1) - torch.arange(n, dtype=input.dtype)
        ).abs()
        matrix = (1.0 - away).clamp(min=0.0)
        last = axis == input.dim() - 1
        input = input @ matrix.T if last else (input.transpose(axis, -1) @ matrix.T).transpose(axis, -1)  # noqa: A001
    return input


def _wanted(lengths: Sequence[Any], size: Any, factor: Any) -> tuple[list[Any], list[float | None]]:
    """The lengths that an image is resized to, and the factors if they were given."""
    if factor is None:
        found = list(size) if isinstance(size, (list, tuple)) else [size] * len(lengths)
        return found, [None] * len(found)
    factors = [float(f) for f in (factor if isinstance(factor, (list, tuple)) else [factor] * len(lengths))]
    found = []
    for n, f in zip(lengths, factors, strict=True):
        if not f.is_integer() and not (1 / f).is_integer():
            raise UnsupportedOperator(
                "aten.interpolate", f"its factor is {f:g}; over any size it must be a whole number or 1 over one."
            )
        found.append(n * int(f) if f.is_integer() else n // int(1 / f))
    return found, list(factors)


_NEAREST = {
    2: torch.ops.aten.upsample_nearest2d.default,
    3: torch.ops.aten.upsample_nearest3d.default,
}


def _places(count: Any, size: int, step: int, dilation: int = 1) -> Tensor:
    return (torch.arange(count) * step).unsqueeze(1) + torch.arange(size) * dilation


def _unfold(x: Tensor, dimension: int, size: int, step: int) -> Tensor:
    axis = dimension % x.dim()
    count = (x.shape[axis] - size) // step + 1
    if size == step:
        apart: Tensor = x.narrow(axis, 0, count * size).unflatten(axis, (count, size)).movedim(axis + 1, -1)
        return apart
    found: Tensor = x.movedim(axis, -1)[..., _places(count, size, step)].movedim(-2, axis)
    return found


def _pair(number: Any) -> tuple[int, int]:
    return (number, number) if isinstance(number, int) else (number[0], number[1])


def _patches(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """`torch.nn.functional.unfold`."""
    (kh, kw), (dh, dw), (ph, pw), (sh, sw) = map(_pair, (kernel_size, dilation, padding, stride))
    x = _padded(input, (pw, pw, ph, ph))
    rows, columns = (x.shape[2] - dh * (kh - 1) - 1) // sh + 1, (x.shape[3] - dw * (kw - 1) - 1) // sw + 1
    x = x[:, :, :, _places(columns, kw, sw, dw)]
    x = x[:, :, _places(rows, kh, sh, dh)]  # (batch, channels, rows, kh, columns, kw)
    found: Tensor = x.permute(0, 1, 3, 5, 2, 4).reshape(x.shape[0], x.shape[1] * kh * kw, rows * columns)
    return found


def _linspace(start: Any, end: Any, steps: Any, *, dtype: torch.dtype | None = None, **_: Any) -> Tensor:
    """Counted from the nearer end, as PyTorch has it."""
    place = torch.arange(steps)
    step = (end - start) / (steps - 1)
    made = dtype or torch.get_default_dtype()
    return torch.where(place < steps // 2, start + step * place.to(made), end - step * (steps - 1 - place).to(made))


def _triangle(rows: Any, columns: Any, offset: int, *, lower: bool) -> Tensor:
    """Row and column of the k-th element of a triangle of a square, with the diagonal or without.

    The row solves a quadratic equation; in float64 its root is exact for every matrix that fits into memory.
    """
    if rows is not columns and not bool(rows == columns):
        raise UnsupportedOperator("aten.triu_indices", "over any size it is translated for squares.")
    if offset not in ((0, -1) if lower else (0, 1)):
        raise UnsupportedOperator(
            "aten.triu_indices", "over any size its offset is the diagonal, or the one beside it."
        )
    count = rows * (rows - 1) // 2 if offset else rows * (rows + 1) // 2
    place = torch.arange(count)
    if not lower:  # an upper triangle is a lower one, read from its end
        place = count - 1 - place
    row = (((8.0 * place.double() + 1.0).sqrt() - 1.0) * 0.5).floor().long()
    column = place - row * (row + 1) // 2
    row = row + 1 if offset else row
    if not lower:
        row, column = rows - 1 - row, rows - 1 - column
    return torch.stack([row, column])


def _upper(row: Any, col: Any, offset: int = 0, **_: Any) -> Tensor:
    return _triangle(row, col, offset, lower=False)


def _lower(row: Any, col: Any, offset: int = 0, **_: Any) -> Tensor:
    return _triangle(row, col, offset, lower=True)


_pad = functional.pad


def _padded(x: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    if mode != "constant":
        return _pad(x, pad, mode, value)
    for k in range(len(pad) // 2):
        axis = x.dim() - 1 - k
        before, after = pad[2 * k], pad[2 * k + 1]
        x = x.narrow(axis, max(-before, 0), x.shape[axis] + min(before, 0) + min(after, 0))
        edges = [
            x.new_full((*x.shape[:axis], width, *x.shape[axis + 1 :]), value or 0.0)
            for width in (max(before, 0), max(after, 0))
        ]
        parts = [*([edges[0]] if before > 0 else []), x, *([edges[1]] if after > 0 else [])]
        x = torch.cat(parts, axis) if len(parts) > 1 else x
    return x


def _item(x: Tensor, index: Any) -> Tensor:
    """Elements at a place that depends on a size."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if not any(isinstance(p, torch.SymInt) for p in parts) or any(isinstance(p, (Tensor, list)) for p in parts):
        return x[index]
    taken = sum(p is not None and p is not Ellipsis for p in parts)
    if Ellipsis in parts:
        place = parts.index(Ellipsis)
        parts[place : place + 1] = [slice(None)] * (x.dim() - taken)
    axis = 0
    found = x
    for part in parts:
        if part is None:
            found = found.unsqueeze(axis)
        elif isinstance(part, slice):
            found = found[(*[slice(None)] * axis, part)]
        else:
            found = found.select(axis, part)
            continue
        axis += 1
    return found


STRETCHED: dict[Any, Callable[..., Any]] = {
    functional.interpolate: _interpolate,
    functional.unfold: _patches,
    torch._C._nn.im2col: _patches,  # noqa: SLF001
    functional.pad: _padded,
    Tensor.__getitem__: _item,
    torch._C._nn.pad: _padded,  # noqa: SLF001
    Tensor.unfold: _unfold,
    torch.linspace: _linspace,
    torch.triu_indices: _upper,
    torch.tril_indices: _lower,
}
"""The substitute of each function."""
