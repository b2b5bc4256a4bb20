"""Calls of the caller's functions: report exceptions with their place, and refuse forbidden effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from groundstate_export._callers_code import place_of, quiet
from groundstate_export._errors import BadEnergy, ExportError
from groundstate_export._examine.kept import Kept
from groundstate_export._ir.dtypes import NUMPY


def called(
    kept: Kept, what: str, function: Callable[..., Any], first: Any, inputs: Mapping[str, Tensor], when: str
) -> Any:
    """Run a function of the caller. Reports an exception with its place, and refuses writes to the arguments."""
    given = [*(first if isinstance(first, Mapping) else {"state": first}).items(), *inputs.items()]
    before = [tensor.detach().clone() for _, tensor in given]
    try:
        with quiet(), kept.call(tensor for _, tensor in given):
            result = function(first, **inputs)
    except ExportError:
        raise
    except Exception as error:
        message = (str(error).strip() or "no message").split("\n")[0]
        raise BadEnergy(f"The {what} raised {type(error).__name__} {when}{_at(error)}: {message}") from error
    for (name, tensor), was in zip(given, before, strict=True):
        if not torch.equal(tensor.detach().nan_to_num(), was.nan_to_num()):
            raise BadEnergy(f"The {what} writes to its argument {name!r}; work on a copy: `{name} = {name}.clone()`.")
    return result


def tensors_of(result: object, what: str, rows: int) -> dict[str, Tensor]:
    if not isinstance(result, Mapping) or not result:
        raise BadEnergy(f"{what} returned {type(result).__name__}; it must return a dict of at least one tensor.")
    for name, tensor in result.items():
        if not isinstance(tensor, Tensor) or tensor.dim() < 1 or tensor.shape[0] != rows or tensor.dtype not in NUMPY:
            found = f"{tensor.dtype} {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else type(tensor).__name__
            raise BadEnergy(f"{what} returned {found} as {name!r}; it must be a tensor with the batch ({rows}) first.")
    return dict(result)


def _at(error: BaseException) -> str:
    place = place_of(error)
    return f" ({place})" if place else ""
