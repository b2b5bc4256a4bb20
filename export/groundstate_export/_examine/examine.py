"""Examine: refuse an energy that cannot be descended, before it is captured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from groundstate_export._arguments import Arguments
from groundstate_export._callers_code import quiet
from groundstate_export._descent.descent import Descent
from groundstate_export._descent.evaluate import named_terms
from groundstate_export._descent.initial import of_example
from groundstate_export._descent.rules.rule import Slot
from groundstate_export._errors import BadArgument, BadEnergy, ExportError
from groundstate_export._examine.answers import examine_answers
from groundstate_export._examine.arguments import check_arguments, modules_of
from groundstate_export._examine.culprit import at, differing, drawing, energy_at, not_finite
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.kept import NOTHING_KEPT, Kept
from groundstate_export._examine.preserve import Snapshot
from groundstate_export._examine.rows import compare_rows, count_paths
from groundstate_export._examine.slope import Found, slope
from groundstate_export._examine.starts import case, relative
from groundstate_export._examine.twin import twin

_IDEMPOTENT = 1e-3


def examine(arguments: Arguments) -> Examined:
    """Check the arguments and run everything once in PyTorch.

    Returns:
        The arguments with terms, answers, checks and slots.

    Raises:
        BadArgument: A name, dtype or shape is wrong.
        BadEnergy: The energy, or a function beside it, cannot be exported.
    """
    check_arguments(arguments)
    snapshot = Snapshot(modules_of(arguments.energy))
    _keywords(arguments)
    kept, copy = Kept(), twin(arguments.energy)
    found = _energy(arguments, kept, snapshot)
    slots, confined = _rule(arguments, kept)
    snapshot.restore()
    answers = examine_answers(arguments, kept)
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
        kept=kept,
    )
    compare_rows(examined, kept)
    if not _equal(found, slope(examined, kept, examined.state, examined.inputs, "at the example")):
        raise BadEnergy(
            "The energy changes after a call at other values: it keeps something from one call to the next. "
            + NOTHING_KEPT
        )
    count_paths(examined, kept)
    _independent(examined, copy, found)
    return examined


def _energy(arguments: Arguments, kept: Kept, snapshot: Snapshot) -> Found:
    runs, taken = [], []
    for seed in (0, 1):
        torch.manual_seed(seed)
        runs.append(slope(arguments, kept, arguments.state, arguments.inputs, "at the example"))
        taken.append(kept.taken)
        if (name := snapshot.changed()) is not None:
            raise BadEnergy(
                f"The energy changes its own {name!r} when it is called, and a file keeps nothing between calls. A batch "
                "norm or a spectral normalisation in training mode does this: call `.eval()` on the energy first. Otherwise fix "
                "the value before the export."
            )
    if len(taken[0]) != len(taken[1]):
        place = next((place for place in taken[0] if place), "")
        where = f" ({place})" if place else ""
        raise BadEnergy(
            f"The energy takes a value out of a tensor in its first call{where} and not in its second: it keeps the value, "
            f"so the file would contain the example's value. {NOTHING_KEPT}"
        )
    terms, slopes = runs[0]
    for what, tensors in (("term", terms), ("gradient for the state", slopes)):
        for name, tensor in tensors.items():
            bad = ~torch.isfinite(tensor).reshape(len(tensor), -1).all(1)
            if bool(bad.any()):
                place = not_finite(energy_at(arguments, arguments.state, arguments.inputs, slope=True))
                raise BadEnergy(
                    f"The energy's {what} {name!r} is not finite at the example, in row {int(bad.nonzero()[0])}{at(place)}. Add "
                    "a small number inside a root, a logarithm or a division."
                )
    if not _equal(*runs):
        again = energy_at(arguments, arguments.state, arguments.inputs)
        torch.manual_seed(0)
        if _equal(runs[0], slope(arguments, kept, arguments.state, arguments.inputs, "at the example")):
            raise BadEnergy(
                f"The energy draws random numbers{at(drawing(again))}: two runs at the example differ. Noise belongs to the "
                "rule, and a random constant is drawn outside the energy. `.eval()` "
                "turns a dropout module off; `F.dropout(x)` in a `forward` still draws, unless it is given "
                "`training=self.training`."
            )
        raise BadEnergy(
            f"Two runs of the energy at the example differ{at(differing(again, again))}, although it draws no random numbers of "
            "PyTorch: it keeps something "
            f"from one call to the next, such as a count, or draws from elsewhere. {NOTHING_KEPT}"
        )
    return runs[0]


def _equal(first: Found, second: Found) -> bool:
    return all(
        list(one) == list(two) and all(torch.equal(one[k].nan_to_num(), two[k].nan_to_num()) for k in one)
        for one, two in zip(first, second, strict=True)
    )


def _rule(arguments: Arguments, kept: Kept) -> tuple[dict[str, Slot], bool]:
    """The rule's slots, and whether it moves the state to the nearest feasible one."""
    descent = arguments.descent
    rows = next(iter(arguments.state.values())).shape[0]
    noise = (
        {k: torch.zeros_like(t) for k, t in arguments.state.items()} if arguments.rule.noise_times is not None else None
    )
    given = [*arguments.state.values(), *arguments.inputs.values()]
    with torch.no_grad(), kept.call(given):
        try:
            slots = arguments.rule.slots(arguments.state, descent.at(arguments.state, last=True))
            _slots(arguments, slots)
            state = arguments.state | {name: slot.tensor for name, slot in slots.items()}
            begun = descent.begin(state)
            following, _ = descent.step(begun, noise, torch.ones(rows, dtype=arguments.dtype))
            probe, gradient = descent.slope(begun)
            stayed = arguments.rule(begun, gradient, noise, torch.zeros(rows, dtype=arguments.dtype), probe)
            descent.read(state)
        except (RuntimeError, KeyError, ValueError, TypeError) as error:
            if isinstance(error, ExportError):
                raise
            shapes = {name: tuple(t.shape) for name, t in arguments.state.items()}
            raise BadArgument(f"The rule does not fit the state {shapes}: {error}") from error
    _nearest(arguments, descent, state)
    for name in arguments.state:
        if not torch.equal(stayed[name].nan_to_num(), begun[name].nan_to_num()):
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
    """Check that projecting a state twice is the same as projecting it once."""
    wide = {name: 3 * tensor if name in arguments.state else tensor for name, tensor in state.items()}
    with torch.no_grad():
        for start in (state, wide):
            once = descent.begin(start)
            for name, again in descent.begin(once).items():
                if relative(again.numpy(), once[name]) > _IDEMPOTENT:
                    raise BadArgument(
                        f"The rule keeps the state {name!r} in sets that do not fit together: projecting the state twice gives "
                        "another result than projecting it once. The second of two sets must not leave the first, "
                        "as a simplex and then a box do. Use one set, or put the other into the energy."
                    )


def _slots(arguments: Arguments, slots: Mapping[str, Slot]) -> None:
    if clash := set(slots) & set(arguments.state):
        raise BadArgument(f"The rule's slots {sorted(clash)} have the same names as tensors of the state.")
    for name, slot in slots.items():
        if slot.tensor.dtype != arguments.dtype:
            raise BadArgument(
                f"The rule's slot {name!r} is {slot.tensor.dtype}; it must be {arguments.dtype}, like the state."
            )


def _keywords(arguments: Arguments) -> None:
    """Check that the energy takes the rule's keywords, and that no input has the name of one."""
    keywords = sorted(arguments.rule.keywords(arguments.state, last=True))
    if clash := set(keywords) & set(arguments.inputs):
        raise BadArgument(f"The inputs {sorted(clash)} are keywords of the rule; give them other names.")
    if keywords:
        try:
            arguments.descent.at(arguments.state, last=True)
        except TypeError as error:
            raise BadArgument(
                f"The rule gives the energy the keywords {keywords}, which it does not take: {error}"
            ) from error


def _independent(examined: Examined, copy: Any, found: Found) -> None:
    """Check that a copy of the energy that was first called at other values gives the same at the example."""
    generator = torch.Generator().manual_seed(7)
    rows = next(iter(examined.state.values())).shape[0]
    elsewhere = case(examined, rows + 3, 1, 3.0)  # in another number of rows too
    inputs = {
        name: t * (1 + 0.25 * torch.rand(t.shape, generator=generator).to(t.dtype)) if t.is_floating_point() else t
        for name, t in elsewhere.inputs.items()
    }
    try:
        with quiet(), torch.enable_grad():
            for state, given in ((elsewhere.state, inputs), (examined.state, examined.inputs)):
                leaves = {name: state[name].detach().clone().requires_grad_() for name in examined.state}
                keywords = examined.rule.keywords(leaves, last=True)
                terms = named_terms(copy(examined.pack(leaves), **given, **keywords))
    except Exception:  # noqa: BLE001  # a copy may fail; the energy itself did not
        return
    for name, wanted in found[0].items():
        if name not in terms or not torch.equal(terms[name].detach().nan_to_num(), wanted.nan_to_num()):
            raise BadEnergy(
                f"The energy's term {name!r} depends on its first call: a copy that was first called at other values gives "
                f"another value at the example. {NOTHING_KEPT}"
            )
