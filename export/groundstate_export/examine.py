"""Examine: refuse what cannot be descended, before anything is captured."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from groundstate_export.capture import Spec
from groundstate_export.differentiate import counts, named_terms, total
from groundstate_export.draft import Draft
from groundstate_export.entries import NUMPY
from groundstate_export.errors import BadArgument, BadEnergy
from groundstate_export.verify import case, relative

_RESERVED = {"rate", "energy", "terms", "residual", "trace", "violations"}
_ROWS = 8
_ROW_TOLERANCE = 1e-3
"""Float32 sums of another batch are grouped differently; rows that influence each other differ by far more."""


def examine(draft: Draft) -> None:
    """Check the arguments and run everything once in PyTorch; fill in terms, answers, rules and slots.

    Raises:
        BadArgument: A name, dtype or shape.
        BadEnergy: The energy, or a function beside it.
    """
    _arguments(draft)
    buffers = {b: b.detach().clone() for b in draft.energy.buffers()} if isinstance(draft.energy, nn.Module) else {}
    try:
        _energy(draft)
        _rule(draft)
        _rows(draft)
        _answers(draft)
    finally:
        with torch.no_grad():  # a batch norm in training mode would have moved its statistics
            for buffer, before in buffers.items():
                buffer.copy_(before)


def _arguments(draft: Draft) -> None:
    if draft.unroll < 1:
        raise BadArgument(f"unroll is {draft.unroll}; it must be 1 or more.")
    if isinstance(draft.energy, nn.Module) and any(p.device.type != "cpu" for p in draft.energy.parameters()):
        raise BadArgument("The energy is on an accelerator; move it with `.cpu()`, because the file is verified there.")
    if not draft.state:
        raise BadArgument("state is empty; it needs at least one tensor to minimise.")
    if not draft.batches or not draft.seeds or min(draft.batches) < 1:
        raise BadArgument(
            "batches and seeds need an entry each, and a batch is 1 or more; without them nothing is verified."
        )
    if unknown := set(draft.initial) - set(draft.state):
        raise BadArgument(f"initial names {sorted(unknown)}; the state has {sorted(draft.state)}.")
    for needs in ("rules", "embed"):
        if getattr(draft, needs) is not None and draft.decode is None:
            raise BadArgument(f"{needs} takes an answer, so decode must be given too.")
    _tensors_given(draft)


def _tensors_given(draft: Draft) -> None:
    named = {f"inputs[{name!r}]": (name, t) for name, t in draft.inputs.items()}
    named |= {f"state[{name!r}]": (name, t) for name, t in draft.state.items()}
    for place, (name, tensor) in named.items():
        _argument(place, name, tensor)
    sizes = {place: tensor.shape[0] for place, (_, tensor) in named.items()}
    if len(set(sizes.values())) > 1:
        raise BadArgument(f"All tensors must have one batch size; these have {sizes}.")
    for name, tensor in draft.state.items():
        if tensor.dtype != torch.float32:
            raise BadArgument(f"state[{name!r}] is {tensor.dtype}; a state is float32.")


def _argument(place: str, name: str, tensor: Tensor) -> None:
    if tensor.dim() < 1 or tensor.numel() == 0:
        raise BadArgument(
            f"{place} has the shape {tuple(tensor.shape)}; it must have the batch first and at least one entry."
        )
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or name in _RESERVED:
        raise BadArgument(f"{place} has the name {name!r}; names are identifiers other than {sorted(_RESERVED)}.")
    if tensor.dtype not in NUMPY:
        raise BadArgument(f"{place} is {tensor.dtype}; allowed are {', '.join(map(str, NUMPY))}.")


def _slope(
    draft: Draft, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    leaves = {name: state[name].detach().clone().requires_grad_() for name in draft.state}
    with torch.enable_grad():
        terms = named_terms(draft.energy(draft.pack(leaves), **inputs))
        batch = next(iter(leaves.values())).shape[0]
        for name, term in terms.items():
            if not isinstance(term, Tensor) or tuple(term.shape) != (batch,):
                shape = tuple(term.shape) if isinstance(term, Tensor) else type(term).__name__
                raise BadEnergy(
                    f"The energy's term {name!r} is {shape} at batch {batch}; it must be ({batch},): one number a row. "
                    "Sum over every dimension but the first, as in `.flatten(1).sum(1)`."
                )
            if term.dtype != torch.float32:
                raise BadEnergy(f"The energy's term {name!r} is {term.dtype}; it must be torch.float32.")
        if not terms:
            raise BadEnergy("The energy returned no terms.")
        energy = total(terms)
        found: dict[str, Tensor | None] = dict.fromkeys(leaves)
        if energy.requires_grad:
            found.update(
                zip(leaves, torch.autograd.grad(energy.sum(), list(leaves.values()), allow_unused=True), strict=True)
            )
    slopes = {name: gradient for name, gradient in found.items() if gradient is not None}
    for name, gradient in found.items():
        if gradient is None:
            raise BadEnergy(
                f"The energy does not depend on the state {name!r}, so there is nothing to descend. Did the energy detach it, or "
                "take an argmax of it?"
            )
    return {k: t.detach() for k, t in terms.items()}, slopes


def _energy(draft: Draft) -> None:
    runs = []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            runs.append(_slope(draft, draft.state, draft.inputs))
    terms, slopes = runs[0]
    draft.terms = list(terms)
    for what, tensors in (("term", terms), ("gradient for the state", slopes)):
        for name, tensor in tensors.items():
            bad = ~torch.isfinite(tensor).flatten(1).all(1) if tensor.dim() > 1 else ~torch.isfinite(tensor)
            if bool(bad.any()):
                raise BadEnergy(
                    f"The energy's {what} {name!r} is not finite at the example, in row {int(bad.nonzero()[0])}; a root, a "
                    "logarithm or a division needs a small number added."
                )
    for first, second in zip(runs[0], runs[1], strict=True):
        if any(not torch.equal(first[k], second[k]) for k in first):
            raise BadEnergy(
                "The energy draws random numbers: two runs at the example differ. Noise belongs to the rule; if it is a dropout, "
                "call `.eval()` on the energy first."
            )


def _rule(draft: Draft) -> None:
    draft.slots = draft.rule.slots(draft.state)
    clash = set(draft.slots) & set(draft.state)
    if clash:
        raise BadArgument(f"The rule's slots {sorted(clash)} have names of the state.")
    state = draft.state | {name: slot.tensor for name, slot in draft.slots.items()}
    rows = next(iter(draft.state.values())).shape[0]
    noise = {k: torch.zeros_like(t) for k, t in draft.state.items()} if draft.kicks else None
    with torch.no_grad():
        try:
            following = draft.rule(
                state, {k: torch.ones_like(t) for k, t in draft.state.items()}, noise, torch.ones(rows)
            )
        except (RuntimeError, KeyError) as error:
            shapes = {name: tuple(t.shape) for name, t in draft.state.items()}
            raise BadArgument(f"The rule does not fit the state {shapes}: {error}") from error
    for name, tensor in state.items():
        if name not in following or following[name].shape != tensor.shape:
            shape = tuple(following[name].shape) if name in following else "missing"
            raise BadArgument(
                f"The rule turns the state {name!r} of shape {tuple(tensor.shape)} into {shape}; it must keep it."
            )


def _rows(draft: Draft) -> None:
    """A row's energy and gradient must be the same alone as among others."""
    start = case(draft, 64, 0, 1.0)
    terms, slopes = _slope(draft, start.state, start.inputs)
    together = terms | slopes
    for row in range(_ROWS):
        alone_terms, alone_slopes = _slope(
            draft,
            {k: t[row : row + 1] for k, t in start.state.items()},
            {k: t[row : row + 1] for k, t in start.inputs.items()},
        )
        for name, alone in (alone_terms | alone_slopes).items():
            error = relative(together[name][row : row + 1].numpy(), alone)
            scale = float(alone.abs().max())
            if error > _ROW_TOLERANCE and error * scale > 1e-5 * float(together[name].abs().max()):
                raise BadEnergy(
                    f"The rows of a batch influence each other: {name!r} of row {row} differs by {error:.3g} between a batch of "
                    "64 and the row alone. A batch norm in training mode does this (call `.eval()`), and so does a mean over "
                    "the batch."
                )


def _tensors(result: object, what: str, rows: int) -> dict[str, Tensor]:
    if not isinstance(result, Mapping) or not result:
        raise BadEnergy(
            f"{what} returned {type(result).__name__}; it must return a dict of tensors with at least one entry."
        )
    for name, tensor in result.items():
        if not isinstance(tensor, Tensor) or tensor.dim() < 1 or tensor.shape[0] != rows or tensor.dtype not in NUMPY:
            found = f"{tensor.dtype} {tuple(tensor.shape)}" if isinstance(tensor, Tensor) else type(tensor).__name__
            raise BadEnergy(f"{what} returned {found} as {name!r}; it must be a tensor with the batch ({rows}) first.")
    return dict(result)


def _answers(draft: Draft) -> None:
    if draft.decode is None:
        return
    rows = next(iter(draft.state.values())).shape[0]
    with torch.no_grad():
        answer = _tensors(draft.decode(draft.pack(draft.state), **draft.inputs), "decode", rows)
        draft.answers = {name: Spec.of(t) for name, t in answer.items()}
        if draft.rules is not None:
            broken = _tensors(draft.rules(dict(answer), **draft.inputs), "rules", rows)
            for name, tensor in broken.items():
                if tensor.dim() != 1 or tensor.is_floating_point() or tensor.dtype == torch.bool:
                    raise BadEnergy(
                        f"rules returned {tensor.dtype} {tuple(tensor.shape)} as {name!r}; it must count, as integers ({rows},)."
                    )
            draft.rule_names = list(broken)
            counts(draft, answer, draft.inputs)
        if draft.embed is not None:
            place = draft.embed(answer, **draft.inputs)
            named = _tensors({"y": place} if isinstance(place, Tensor) else place, "embed", rows)
            shapes = {k: tuple(t.shape) for k, t in named.items()}
            wanted = {k: tuple(t.shape) for k, t in draft.state.items()}
            if shapes != wanted:
                raise BadEnergy(f"embed returned {shapes}; it must return the state {wanted}.")
