"""Gather the arguments of `export`: one value for each stage of the descent and each example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

import torch
from torch import Tensor

from groundstate_export._arguments import Arguments, Form, Precision, Stage
from groundstate_export._descent.initial import Constant, Decoded, Normal, Uniform
from groundstate_export._errors import BadArgument
from groundstate_export._examine.arguments import examples
from groundstate_export._examine.sizes import Axes, Sizes

TOLERANCES: dict[str, float] = {"float32": 1e-5, "float16": 1e-2, "float64": 1e-10}
"""The default relative error. Float16 has three digits; sums of many terms lose one."""

_MOST_PARAMETERS = 1 << 16
"""The maximum number of learned numbers in a header; larger sets belong in the graph, as a module's weights."""

Resized = tuple[Mapping[str, Tensor], Tensor | Mapping[str, Tensor]]
"""Inputs and state of an example."""


def tolerance_of(precision: str, dtype: torch.dtype) -> float:
    return TOLERANCES["float64" if dtype == torch.float64 else precision]


def learned_numbers(parameters: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The learned numbers; refuses those that do not fit in a header."""
    found = examples("parameters", parameters)
    if both := sorted(found.keys() & inputs.keys()):
        raise BadArgument(f"inputs and parameters both have {both}; each name must be unique.")
    for name, tensor in found.items():
        if tensor.numel() == 0 or not bool(torch.isfinite(tensor).all()):
            raise BadArgument(
                f"parameters[{name!r}] is {tuple(tensor.shape)}; it must hold at least one number, and only finite ones."
            )
    if (count := sum(t.numel() for t in found.values())) > _MOST_PARAMETERS:
        raise BadArgument(
            f"parameters holds {count} numbers; a header holds {_MOST_PARAMETERS} at most. Keep the others in the energy, as the "
            "weights of a module."
        )
    return found


def with_learned(inputs: dict[str, Tensor], learned: Mapping[str, Tensor]) -> dict[str, Tensor]:
    rows = {t.shape[0] for t in inputs.values() if t.dim()}
    if not learned or len(rows) > 1:
        return inputs  # `check_arguments` refuses rows that differ
    batch = rows.pop() if rows else 1
    return inputs | {name: t.unsqueeze(0).expand(batch, *t.shape).contiguous() for name, t in learned.items()}


def stage_arguments(stage: Stage, inputs: dict[str, Tensor], what: str = "") -> Arguments:
    """The arguments of one stage."""
    bare = isinstance(stage.state, Tensor)
    states = examples(f"{what}state", {"y": stage.state} if isinstance(stage.state, Tensor) else stage.state)
    initial = stage.initial
    for start in initial.values() if isinstance(initial, Mapping) else [initial]:
        if start is not None and not isinstance(start, (Constant, Normal, Uniform, Decoded)):
            raise BadArgument(
                f"initial is {type(start).__name__}; it must be a distribution such as Constant(0.0) or Normal(0.0, 1.0), or "
                "one for each state by name."
            )
    starts = dict(initial or {}) if isinstance(initial, Mapping | None) else dict.fromkeys(states, initial)
    return Arguments(
        energy=stage.energy,
        inputs=inputs,
        state=states,
        bare=bare,
        rule=stage.rule,
        unroll=stage.unroll,
        initial=starts,
        decode=stage.decode,
        batches=(),
        seeds=(),
    )


def earlier_stage(stage: Stage, place: int, last: Arguments, tolerance: float | None) -> Arguments:
    """The arguments of an earlier stage, with the options of the last one."""
    if not isinstance(stage, Stage):
        raise BadArgument(f"stages[{place}] is {type(stage).__name__}; it must be a Stage.")
    found = stage_arguments(stage, last.inputs, f"stages[{place}] ")
    return replace(
        found,
        parameters=last.parameters,
        form=last.form,
        fixed_batch=last.fixed_batch,
        precision=last.precision,
        tolerance=tolerance if tolerance is not None else tolerance_of(last.precision, found.dtype),
        batches=last.batches,
        seeds=last.seeds,
        what=f"The energy of stages[{place}]",
    )


def copied(one: Arguments) -> Arguments:
    inputs, state = ({k: t.clone() for k, t in tensors.items()} for tensors in (one.inputs, one.state))
    return replace(one, inputs=inputs, state=state)


def at_other_size(chain: Sequence[Arguments], stages: Sequence[Stage], place: int, example: Resized) -> list[Arguments]:
    """The arguments of every stage at an example of another size."""
    if not isinstance(example, (tuple, list)) or len(example) != 2:
        raise BadArgument(f"resized[{place}] is {type(example).__name__}; it must be a pair of inputs and state.")
    given, state = example
    inputs = with_learned(examples(f"resized[{place}] inputs", given), chain[-1].parameters)
    states = []
    for number, stage in enumerate(stages):
        if len(stage.resized) <= place:
            raise BadArgument(
                f"stages[{number}].resized holds {len(stage.resized)} states; it must contain this stage's state at each "
                "example of resized."
            )
        states.append(stage.resized[place])
    return [
        replace(
            one,
            inputs=inputs,
            state=examples(f"resized[{place}] state", {"y": there} if isinstance(there, Tensor) else there),
            seeds=one.seeds[:1],
            batches=tuple(sorted(set(one.batches))[:2]),
        )
        for one, there in zip(chain, [*states, state], strict=True)
    ]


def sizes_of(arguments: Arguments, others: Sequence[Arguments], axes: Axes | None) -> Sizes | None:
    """The sizes of a file of any size; None for a file of one size."""
    if not axes and not others:
        return None
    if not axes or not others:
        raise BadArgument(
            f"axes names {len(axes or {})} inputs and resized holds {len(others)} examples. A file of any size needs names, and "
            "at least one example of other sizes, at which it is compared with PyTorch."
        )
    if arguments.form == "loop" or arguments.fixed_batch is not None or arguments.precision == "float16":
        raise BadArgument(
            "A file of any size is unrolled, of any batch, in float32; omit form, fixed_batch and precision."
        )
    return Sizes.of(axes, [(one.inputs, one.state) for one in (arguments, *others)])


def check_lists(lists: Mapping[str, tuple[object, str]]) -> None:
    """Check that arguments that hold several values are lists or tuples.

    Args:
        lists: For each argument by name its value, and what its elements are.

    Raises:
        BadArgument: One is not.
    """
    for name, (value, elements) in lists.items():
        if value is not None and not isinstance(value, (list, tuple, range)):
            shown = value if isinstance(value, (int, float, str)) else type(value).__name__
            raise BadArgument(f"{name} is {shown}; it must be a list of {elements}.")


def check_choices(
    form: str, precision: str, tolerance: float | None, fixed_batch: int | None, batches: Sequence[int] | None
) -> None:
    for name, value, allowed in (("form", form, get_args(Form)), ("precision", precision, get_args(Precision))):
        if value not in allowed:
            raise BadArgument(f"{name} is {value!r}; it must be one of {', '.join(map(repr, allowed))}.")
    if tolerance is not None and not 0 < tolerance < 1:
        raise BadArgument(f"tolerance is {tolerance!r}; it must lie between 0 and 1.")
    if fixed_batch is None:
        return
    if not isinstance(fixed_batch, int) or isinstance(fixed_batch, bool) or fixed_batch < 1:
        raise BadArgument(f"fixed_batch is {fixed_batch!r}; it must be a whole number of at least 1, or None.")
    if form == "loop":
        raise BadArgument(
            "A loop returns as many steps as it made, so its shapes cannot be static; use fixed_batch with the form 'unrolled'."
        )
    if batches is not None and set(batches) != {fixed_batch}:
        raise BadArgument(
            f"batches is {list(batches)}; a file with fixed_batch {fixed_batch} is compared only at that batch."
        )
