"""Row independence: a row's result must not depend on the other rows or on its position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from groundstate_export._arguments import Arguments
from groundstate_export._errors import BadEnergy
from groundstate_export._examine.culprit import at, differing, energy_at
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.kept import Kept, branching
from groundstate_export._examine.slope import Found, slope
from groundstate_export._examine.starts import case

_SAME = 1e-6
"""Tolerance for row independence: an independent row is bit-identical; smaller differences are rounding."""


_SAME_ELSEWHERE = 1e-3
"""Tolerance for a row at another position: kernels may group sums differently; an energy that counts rows changes by far more."""


class _Count(TorchDispatchMode):
    """Counts the operators that run."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own has no types
        self.operators = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operators += 1
        return func(*args, **(kwargs or {}))


def count_paths(examined: Examined, kept: Kept) -> None:
    """Refuse a loop over the rows: it runs more operators for more rows. Capturing it at a thousand rows would take minutes."""
    counts = []
    for batch in (2, 3):
        start = case(examined, batch, 0, 1.0)
        with _Count() as count:
            slope(examined, kept, start.state, start.inputs, f"at batch {batch}")
        counts.append(count.operators)
    if counts[0] != counts[1]:
        if (place := kept.place) is not None:
            raise BadEnergy(branching(place))
        raise BadEnergy(
            f"The energy takes another path at batch 3 ({counts[1]} operators) than at batch 2 ({counts[0]}): it loops over the "
            "rows of the batch, or branches on their number. Compute all rows at once; `torch.vmap(row)(state, x)` turns a "
            "function of one row into a function of a batch. It passes the arguments by position."
        )


def compare_rows(examined: Examined, kept: Kept) -> None:
    """Check that a row's result does not depend on the other rows, and the example's result not on earlier calls."""
    batch = max(2, min(64, max(examined.batches)))
    one = case(examined, batch, 0, 1.0)
    found = slope(examined, kept, one.state, one.inputs, f"at batch {batch}")
    other = case(examined, batch, 1, 3.0)
    half = batch // 2
    for same in (slice(0, half), slice(half, batch)):
        mixed = [
            {name: _mixed(tensor, there[name], same) for name, tensor in here.items()}
            for here, there in ((one.state, other.state), (one.inputs, other.inputs))
        ]
        row = _apart(kept, found, slope(examined, kept, mixed[0], mixed[1], f"at batch {batch}"), same)
        if row is not None:
            runs = energy_at(examined, one.state, one.inputs), energy_at(examined, mixed[0], mixed[1])
            place = differing(*runs, rows=same, batch=batch)
            raise BadEnergy(
                f"The rows of a batch influence each other{at(place)}: {row} of its size when only other rows change. Common "
                "causes are a batch norm in training mode (call `.eval()`) and a mean over the batch."
            )
    _placed(examined, kept, found, one.state, one.inputs)
    slope(
        examined,
        kept,
        {k: t[:1] for k, t in one.state.items()},
        {k: t[:1] for k, t in one.inputs.items()},
        "at batch 1",
    )


def _placed(
    arguments: Arguments, kept: Kept, found: Found, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]
) -> None:
    """Check that a row's result does not depend on its position in the batch."""
    moved = slope(
        arguments,
        kept,
        {k: t.roll(1, 0) for k, t in state.items()},
        {k: t.roll(1, 0) for k, t in inputs.items()},
        "with rows moved",
    )
    for one, two in zip(found, moved, strict=True):
        for name, wanted in one.items():
            change = (two[name].roll(-1, 0) - wanted).nan_to_num().abs().max()
            if change > _SAME_ELSEWHERE * wanted.nan_to_num().abs().max():
                rolled = [{k: t.roll(1, 0) for k, t in tensors.items()} for tensors in (state, inputs)]
                batch = len(next(iter(state.values())))
                runs = energy_at(arguments, state, inputs), energy_at(arguments, *rolled)
                place = at(differing(*runs, batch=batch, moved=1))
                raise BadEnergy(
                    f"The energy depends on the position of a row in the batch{place}: {name!r} changes by {float(change):.3g} "
                    "when all rows move by one. Number the elements of a row, not the rows."
                )


def _mixed(here: Tensor, there: Tensor, same: slice) -> Tensor:
    mixed = there.clone()
    mixed[same] = here[same]
    return mixed


def _apart(kept: Kept, found: Found, mixed: Found, same: slice) -> str | None:
    """By how much which row changes; None if none does."""
    for one, two in zip(found, mixed, strict=True):
        for name, wanted in one.items():
            rows, others = (t[same].reshape(len(t[same]), -1) for t in (wanted, two[name]))
            finite = torch.isfinite(rows).all(1)
            change = torch.where(finite, (rows - others).nan_to_num(torch.inf).abs().amax(1), 0.0)
            error = change / rows.nan_to_num().abs().amax(1).clamp_min(1e-30)
            if bool((error > _SAME).any()):
                row = int(error.argmax())
                if (place := kept.place) is not None:
                    raise BadEnergy(branching(place))
                return f"{name!r} of row {row + (same.start or 0)} changes by {float(error[row]):.3g}"
    return None
