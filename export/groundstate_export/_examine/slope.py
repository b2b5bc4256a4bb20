"""One evaluation of the caller's energy and its gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from groundstate_export._arguments import Arguments
from groundstate_export._descent.evaluate import total
from groundstate_export._errors import BadEnergy
from groundstate_export._examine.calls import called
from groundstate_export._examine.culprit import at, changing_dtype, cutting, energy_at
from groundstate_export._examine.kept import Kept

Found = tuple[dict[str, Tensor], dict[str, Tensor]]


def _terms(result: Any, batch: int, arguments: Arguments, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    dtype = arguments.dtype
    if not isinstance(result, (Tensor, Mapping)):
        raise BadEnergy(
            f"The energy returned {type(result).__name__}; it must return a tensor ({batch},), or a dict of such tensors by name."
        )
    terms = {"energy": result} if isinstance(result, Tensor) else dict(result)
    if not terms:
        raise BadEnergy("The energy returned no terms.")
    for name, term in terms.items():
        if not isinstance(name, str) or not name:
            raise BadEnergy(f"The energy's term {name!r} has no name; terms are named by strings.")
        if not isinstance(term, Tensor) or tuple(term.shape) != (batch,):
            shape = tuple(term.shape) if isinstance(term, Tensor) else type(term).__name__
            raise BadEnergy(
                f"The energy's term {name!r} is {shape} at batch {batch}; it must be ({batch},), one number per row. "
                f"Sum over every dimension but the first, as in `.flatten(1).sum(1)`.{_scalar(term, batch)}"
            )
        if term.dtype != dtype:
            raise BadEnergy(
                f"The energy's term {name!r} is {term.dtype}, and the state is {dtype}; both must have the same dtype. "
                f"{_cause(arguments, inputs)}"
            )
    return terms


def _scalar(term: object, batch: int) -> str:
    """A probable cause of a term that is one number for all rows."""
    if not isinstance(term, Tensor) or term.dim():
        return ""
    if batch == 1:
        return " A `squeeze()` without a dimension also removes the batch of a single row; use `squeeze(-1)`."
    return " A loss such as `F.mse_loss(a, b)` averages over the rows too; give it `reduction='none'` and sum over the rest."


def _cause(arguments: Arguments, inputs: Mapping[str, Tensor]) -> str:
    """A probable cause of a dtype that differs from the state's."""
    dtype = arguments.dtype
    others = [name for name, tensor in inputs.items() if tensor.is_floating_point() and tensor.dtype != dtype]
    call = ".double()" if dtype == torch.float64 else ".float()"
    if others:
        return f"The input {others[0]!r} is {inputs[others[0]].dtype}: call `{call}` on it, in the energy or before."
    place = changing_dtype(energy_at(arguments, arguments.state, arguments.inputs), dtype)
    return f"Call `{call}` on the energy's tensors of another dtype{at(place)}."


def slope(
    arguments: Arguments, kept: Kept, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], when: str
) -> Found:
    leaves = {name: state[name].detach().clone().requires_grad_() for name in arguments.state}
    inputs = {name: tensor.clone() for name, tensor in inputs.items()}
    batch = next(iter(leaves.values())).shape[0]
    with torch.enable_grad():
        given = {**inputs, **arguments.rule.keywords(leaves, last=True)}
        terms = _terms(
            called(kept, "energy", arguments.energy, arguments.pack(leaves), given, when),
            batch,
            arguments,
            inputs,
        )
        energy = total(terms)
        found: dict[str, Tensor | None] = dict.fromkeys(leaves)
        if energy.requires_grad:
            try:
                slopes = torch.autograd.grad(energy.sum(), list(leaves.values()), allow_unused=True)
            except RuntimeError as error:
                message = str(error).strip().split("\n")[0]
                raise BadEnergy(f"PyTorch cannot differentiate the energy {when}: {message}") from error
            found.update(zip(leaves, slopes, strict=True))
    for name, gradient in found.items():
        if gradient is None:
            raise BadEnergy(
                f"The energy does not depend on the state {name!r}, so there is nothing to descend. Did the energy detach it, "
                f"take an argmax of it, or run under `torch.no_grad`?{_cut(arguments, kept)}"
            )
    return {k: t.detach() for k, t in terms.items()}, {k: g for k, g in found.items() if g is not None}


def _cut(arguments: Arguments, kept: Kept) -> str:
    if kept.place is None:
        place, name = cutting(energy_at(arguments, arguments.state, arguments.inputs))
        remedy = " A gradient inside an energy needs `create_graph=True`." if name == "grad" else ""
        return f" Its gradient ends at {place}.{remedy}" if place else ""
    return f" It takes a value out of a tensor{f' ({kept.place})' if kept.place else ''}, which cuts the gradient."
