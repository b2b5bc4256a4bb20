"""Calls of the caller's functions: report exceptions with their place, and refuse forbidden effects."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from groundstate_export._callers_code import place_of, quiet
from groundstate_export._errors import BadEnergy, ExportError
from groundstate_export._examine.culprit import at, writing
from groundstate_export._examine.kept import Kept
from groundstate_export._ir.dtypes import NUMPY

_IN_NUMPY = " NumPy has no gradients and a file cannot contain it: use PyTorch's functions instead of NumPy's."


def called(
    kept: Kept, what: str, function: Callable[..., Any], first: Any, inputs: Mapping[str, Tensor], when: str
) -> Any:
    """Run a function of the caller. Reports an exception with its place, and refuses writes to the arguments."""
    own = _first_name(function)
    given = [*(first if isinstance(first, Mapping) else {own: first}).items(), *inputs.items()]
    before = [tensor.detach().clone() for _, tensor in given]
    try:
        with quiet(), kept.call(tensor for _, tensor in given):
            result = function(first, **inputs)
    except ExportError:
        raise
    except Exception as error:
        message = (str(error).strip() or "no message").split("\n")[0]
        place = at(place_of(error))
        if "leaf Variable that requires grad" in message:  # only the state is one
            raise BadEnergy(_writes(what, own, place)) from error
        hint = _IN_NUMPY if "call numpy() on Tensor" in message else ""
        raise BadEnergy(f"The {what} raised {type(error).__name__} {when}{place}: {message}{hint}") from error
    for (name, tensor), was in zip(given, before, strict=True):
        if not torch.equal(tensor.detach().nan_to_num(), was.nan_to_num()):
            raise BadEnergy(_writes(what, name, at(writing(function, first, inputs, tensor))))
    return result


def tensors_of(result: object, what: str, rows: int) -> dict[str, Tensor]:
    if not isinstance(result, Mapping) or not result:
        raise BadEnergy(f"{what} returned {type(result).__name__}; it must return a dict of at least one tensor.")
    for name, tensor in result.items():
        if not isinstance(tensor, Tensor) or tensor.dim() < 1 or tensor.shape[0] != rows or tensor.dtype not in NUMPY:
            found = f"{tensor.dtype} {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else type(tensor).__name__
            raise BadEnergy(f"{what} returned {found} as {name!r}; it must be a tensor with the batch ({rows}) first.")
    return dict(result)


def _first_name(function: Callable[..., Any]) -> str:
    """The name of a function's first argument."""
    try:
        return next(
            iter(inspect.signature(function.forward if isinstance(function, nn.Module) else function).parameters)
        )
    except (TypeError, ValueError, StopIteration):  # a built-in function has no signature
        return "state"


def _writes(what: str, name: str, place: str) -> str:
    return f"The {what} writes to its argument {name!r}{place}; work on a copy: `{name} = {name}.clone()`."
