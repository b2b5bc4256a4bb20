"""Examine: refuse what cannot be descended, before anything is captured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from groundstate_export._arguments import Arguments
from groundstate_export._descent.descent import Descent
from groundstate_export._descent.evaluate import total
from groundstate_export._descent.initial import of_example
from groundstate_export._descent.rules.rule import Slot
from groundstate_export._errors import BadArgument, BadEnergy, ExportError
from groundstate_export._examine.answers import examine_answers
from groundstate_export._examine.arguments import check_arguments, modules_of
from groundstate_export._examine.calls import called
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.preserve import Snapshot
from groundstate_export._examine.starts import case, relative

_SAME = 1e-6
"""A row that other rows do not reach comes out of the same kernels bit by bit; what reaches it less than this is rounding."""

_SAME_ELSEWHERE = 1e-3
"""At another place of the batch, kernels may group the same sums differently; an energy that counts rows changes by far more."""

_IDEMPOTENT = 1e-3

Found = tuple[dict[str, Tensor], dict[str, Tensor]]


def examine(arguments: Arguments) -> Examined:
    """Check the arguments and run everything once in PyTorch.

    Returns:
        The arguments with terms, answers, checks and slots.

    Raises:
        BadArgument: A name, dtype or shape.
        BadEnergy: The energy, or a function beside it.
    """
    check_arguments(arguments)
    snapshot = Snapshot(modules_of(arguments.energy))
    _keywords(arguments)
    found = _energy(arguments, snapshot)
    slots, confined = _rule(arguments)
    snapshot.restore()
    answers = examine_answers(arguments)
    times = arguments.rule.noise_times and arguments.rule.noise_times.fitting(arguments.unroll)
    examined = Examined.of(
        arguments,
        initial={name: of_example(t) for name, t in arguments.state.items()} | arguments.initial,
        slots=slots,
        noise_times=times,
        noisy=() if times is None else times.within(arguments.unroll),
        confined=confined,
        terms=tuple(found[0]),
        check_names=answers.check_names,
        answers=answers.specs,
        encode_answer=answers.encode_answer,
        accepted=answers.accepted,
    )
    _rows(examined, found)
    _path(examined)
    return examined


def _terms(result: Any, batch: int, dtype: torch.dtype, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
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
                f"The energy's term {name!r} is {shape} at batch {batch}; it must be ({batch},): one number a row. "
                "Sum over every dimension but the first, as in `.flatten(1).sum(1)`."
            )
        if term.dtype != dtype:
            raise BadEnergy(
                f"The energy's term {name!r} is {term.dtype}, and the state is {dtype}; both must be one dtype. "
                f"{_cause(inputs, dtype)}"
            )
    return terms


def _cause(inputs: Mapping[str, Tensor], dtype: torch.dtype) -> str:
    """Where another dtype than the state's may come from."""
    others = [name for name, tensor in inputs.items() if tensor.is_floating_point() and tensor.dtype != dtype]
    call = ".double()" if dtype == torch.float64 else ".float()"
    if others:
        return f"The input {others[0]!r} is {inputs[others[0]].dtype}: call `{call}` on it, in the energy or before."
    return f"Call `{call}` on what the energy makes of another dtype."


def _slope(arguments: Arguments, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], when: str) -> Found:
    leaves = {name: state[name].detach().clone().requires_grad_() for name in arguments.state}
    inputs = {name: tensor.clone() for name, tensor in inputs.items()}
    batch = next(iter(leaves.values())).shape[0]
    with torch.enable_grad():
        told = {**inputs, **arguments.rule.keywords(leaves, last=True)}
        terms = _terms(
            called("energy", arguments.energy, arguments.pack(leaves), told, when), batch, arguments.dtype, inputs
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
                "take an argmax of it, or run under `torch.no_grad`?"
            )
    return {k: t.detach() for k, t in terms.items()}, {k: g for k, g in found.items() if g is not None}


def _energy(arguments: Arguments, snapshot: Snapshot) -> Found:
    runs = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        runs.append(_slope(arguments, arguments.state, arguments.inputs, "at the example"))
        if (name := snapshot.changed()) is not None:
            raise BadEnergy(
                f"The energy changes its own {name!r} when it is called, and a file has nothing to keep between calls. A batch "
                "norm or a spectral normalisation in training mode does this: call `.eval()` on the energy first; else fix the "
                "value before the export."
            )
    terms, slopes = runs[0]
    for what, tensors in (("term", terms), ("gradient for the state", slopes)):
        for name, tensor in tensors.items():
            bad = ~torch.isfinite(tensor).reshape(len(tensor), -1).all(1)
            if bool(bad.any()):
                raise BadEnergy(
                    f"The energy's {what} {name!r} is not finite at the example, in row {int(bad.nonzero()[0])}; a root, a "
                    "logarithm or a division needs a small number added."
                )
    _repeats(runs[0], runs[1], "The energy draws random numbers: two runs at the example differ.")
    return runs[0]


def _repeats(first: Found, second: Found, problem: str) -> None:
    for one, two in zip(first, second, strict=True):
        if list(one) != list(two) or any(not torch.equal(one[k].nan_to_num(), two[k].nan_to_num()) for k in one):
            raise BadEnergy(
                f"{problem} Noise belongs to the rule, and nothing may be kept from one call to the next; if it is a dropout, "
                "call `.eval()` on the energy first."
            )


def _rule(arguments: Arguments) -> tuple[dict[str, Slot], bool]:
    """The rule's slots, and whether it moves the state to the nearest that it allows."""
    descent = arguments.descent
    rows = next(iter(arguments.state.values())).shape[0]
    noise = (
        {k: torch.zeros_like(t) for k, t in arguments.state.items()} if arguments.rule.noise_times is not None else None
    )
    with torch.no_grad():
        try:
            slots = arguments.rule.slots(arguments.state, descent.at(arguments.state, last=True))
            _slots(arguments, slots)
            state = arguments.state | {name: slot.tensor for name, slot in slots.items()}
            begun = descent.begin(state)
            following, _ = descent.step(begun, noise, torch.ones(rows, dtype=arguments.dtype))
            probe, gradient = descent.slope(begun)
            kept = arguments.rule(begun, gradient, noise, torch.zeros(rows, dtype=arguments.dtype), probe)
            descent.read(state)
        except (RuntimeError, KeyError, ValueError, TypeError) as error:
            if isinstance(error, ExportError):
                raise
            shapes = {name: tuple(t.shape) for name, t in arguments.state.items()}
            raise BadArgument(f"The rule does not fit the state {shapes}: {error}") from error
    _nearest(arguments, descent, state)
    for name in arguments.state:
        if not torch.equal(kept[name].nan_to_num(), begun[name].nan_to_num()):
            raise BadArgument(
                f"The rule moves the state {name!r} at `step_scale` 0, where a chain is only evaluated; it must multiply its "
                "step size by `step_scale`."
            )
    for name, tensor in state.items():
        if name not in following or following[name].shape != tensor.shape:
            shape = tuple(following[name].shape) if name in following else "missing"
            raise BadArgument(
                f"The rule turns the state {name!r} of shape {tuple(tensor.shape)} into {shape}; it must keep it."
            )
    return slots, any(begun[name] is not state[name] for name in arguments.state)


def _nearest(arguments: Arguments, descent: Descent, state: Mapping[str, Tensor]) -> None:
    """What is brought to where the rule keeps it must stay there when it is brought there again."""
    wide = {name: 3 * tensor if name in arguments.state else tensor for name, tensor in state.items()}
    with torch.no_grad():
        for start in (state, wide):
            once = descent.begin(start)
            for name, again in descent.begin(once).items():
                if relative(again.numpy(), once[name]) > _IDEMPOTENT:
                    raise BadArgument(
                        f"The rule keeps the state {name!r} in sets that do not fit together: what is projected to them once is "
                        "elsewhere when it is projected again. Of two sets for one tensor the second must not leave the first, "
                        "as a simplex and then a box do; keep to one, or put the other into the energy."
                    )


def _slots(arguments: Arguments, slots: Mapping[str, Slot]) -> None:
    if clash := set(slots) & set(arguments.state):
        raise BadArgument(f"The rule's slots {sorted(clash)} have names of the state.")
    for name, slot in slots.items():
        if slot.tensor.dtype != arguments.dtype:
            raise BadArgument(
                f"The rule's slot {name!r} is {slot.tensor.dtype}; it must be {arguments.dtype}, as the state is."
            )


def _keywords(arguments: Arguments) -> None:
    """What the rule tells the energy must be what the energy takes, and not what the caller tells it."""
    told = sorted(arguments.rule.keywords(arguments.state, last=True))
    if clash := set(told) & set(arguments.inputs):
        raise BadArgument(f"The inputs {sorted(clash)} are what the rule tells the energy; give them other names.")
    if told:
        try:
            arguments.descent.at(arguments.state, last=True)
        except TypeError as error:
            raise BadArgument(
                f"The rule tells the energy {told}, which it does not take as keywords: {error}"
            ) from error


class _Count(TorchDispatchMode):
    """How many operators run."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own has no types
        self.operators = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operators += 1
        return func(*args, **(kwargs or {}))


def _path(examined: Examined) -> None:
    """A loop over the rows runs more operators for more rows. Captured, at a thousand rows, it would take minutes to refuse."""
    counts = []
    for batch in (2, 3):
        start = case(examined, batch, 0, 1.0)
        with _Count() as count:
            _slope(examined, start.state, start.inputs, f"at batch {batch}")
        counts.append(count.operators)
    if counts[0] != counts[1]:
        raise BadEnergy(
            f"The energy takes another path at batch 3 ({counts[1]} operators) than at batch 2 ({counts[0]}): it loops over the "
            "rows of the batch, or branches on their number. Compute all rows at once; `torch.vmap` turns a function of one row "
            "into one of a batch."
        )


def _rows(examined: Examined, example: Found) -> None:
    """A row must come out the same whatever the other rows are; and the example, whatever was asked before it."""
    batch = max(2, min(64, max(examined.batches)))
    one = case(examined, batch, 0, 1.0)
    found = _slope(examined, one.state, one.inputs, f"at batch {batch}")
    other = case(examined, batch, 1, 3.0)
    half = batch // 2
    for kept in (slice(0, half), slice(half, batch)):
        mixed = [
            {name: _mixed(tensor, there[name], kept) for name, tensor in here.items()}
            for here, there in ((one.state, other.state), (one.inputs, other.inputs))
        ]
        _apart(found, _slope(examined, mixed[0], mixed[1], f"at batch {batch}"), kept)
    _placed(examined, found, one.state, one.inputs)
    again = _slope(examined, examined.state, examined.inputs, "at the example")
    _repeats(
        example, again, "The energy is another one after it was called elsewhere: it keeps something between calls."
    )
    _slope(examined, {k: t[:1] for k, t in one.state.items()}, {k: t[:1] for k, t in one.inputs.items()}, "at batch 1")


def _placed(arguments: Arguments, found: Found, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> None:
    """A row must come out the same wherever in the batch it stands."""
    moved = _slope(
        arguments,
        {k: t.roll(1, 0) for k, t in state.items()},
        {k: t.roll(1, 0) for k, t in inputs.items()},
        "with rows moved",
    )
    for one, two in zip(found, moved, strict=True):
        for name, wanted in one.items():
            change = (two[name].roll(-1, 0) - wanted).nan_to_num().abs().max()
            if change > _SAME_ELSEWHERE * wanted.nan_to_num().abs().max():
                raise BadEnergy(
                    f"The energy depends on where in the batch a row stands: {name!r} changes by {float(change):.3g} when "
                    "all rows move by one. Number what is inside a row, not the rows."
                )


def _mixed(here: Tensor, there: Tensor, kept: slice) -> Tensor:
    mixed = there.clone()
    mixed[kept] = here[kept]
    return mixed


def _apart(found: Found, mixed: Found, kept: slice) -> None:
    for one, two in zip(found, mixed, strict=True):
        for name, wanted in one.items():
            rows, others = (t[kept].reshape(len(t[kept]), -1) for t in (wanted, two[name]))
            finite = torch.isfinite(rows).all(1)
            change = torch.where(finite, (rows - others).nan_to_num(torch.inf).abs().amax(1), 0.0)
            error = change / rows.nan_to_num().abs().amax(1).clamp_min(1e-30)
            if bool((error > _SAME).any()):
                row = int(error.argmax())
                raise BadEnergy(
                    f"The rows of a batch influence each other: {name!r} of row {row + (kept.start or 0)} changes by "
                    f"{float(error[row]):.3g} of its size when only other rows change. A batch norm in training mode does this "
                    "(call `.eval()`), and so does a mean over the batch."
                )
