"""Find the line of the caller's code that is at fault, by another run of the energy. Only refusals pay for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from groundstate_export._arguments import Arguments
from groundstate_export._callers_code import current_place, quiet
from groundstate_export._descent.evaluate import named_terms, total
from groundstate_export._examine.kept import tensors_in

Run = Callable[[], Any]
"""One call of the energy."""

_MOST = 1 << 26
"""Elements of results that are kept to compare two runs: 256 MiB. A longer run names no line."""


class _Recording(TorchDispatchMode):
    """Asks a question of every operator of a run, and keeps the place of the first one for which the answer is yes."""

    def __init__(self, asks: Callable[[Any, list[Tensor], list[Tensor]], bool]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own has no types
        self.asks, self.place = asks, ""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = list(tensors_in([list(args), kwargs or {}]))
        result = func(*args, **(kwargs or {}))
        if not self.place and self.asks(func, given, list(tensors_in(result))):
            self.place = current_place()
        return result


def energy_at(
    arguments: Arguments, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], *, slope: bool = False
) -> Run:
    """A call of the energy, and of its gradient if ``slope``."""

    def run() -> None:
        leaves = {name: state[name].detach().clone().requires_grad_() for name in arguments.state}
        with torch.enable_grad():
            keywords = arguments.rule.keywords(leaves, last=True)
            terms = arguments.energy(
                arguments.pack(leaves), **{name: t.clone() for name, t in inputs.items()}, **keywords
            )
            if slope:
                torch.autograd.grad(total(named_terms(terms)).sum(), list(leaves.values()), allow_unused=True)

    return run


def _first(run: Run, asks: Callable[[Any, list[Tensor], list[Tensor]], bool]) -> str:
    mode = _Recording(asks)
    # Whatever it raises, the refusal is known, and only its place is looked for.
    with contextlib.suppress(Exception), quiet(), mode:
        run()
    return mode.place


def at(place: str) -> str:
    """A place as messages have it, in parentheses; empty if it is unknown."""
    return f" ({place})" if place else ""


def drawing(run: Run) -> str:
    """The place of the first operator that draws random numbers."""
    return _first(run, lambda func, *_: torch.Tag.nondeterministic_seeded in func.tags)


def writing(function: Callable[..., Any], first: Any, inputs: Mapping[str, Tensor], tensor: Tensor) -> str:
    """The place of the first operator of a call that writes to one of its arguments."""
    storage = tensor.untyped_storage()._cdata  # noqa: SLF001  # a storage has no public identity

    def asks(func: Any, given: list[Tensor], _: list[Tensor]) -> bool:
        written = func._schema.is_mutable and bool(given)  # noqa: SLF001  # a schema has no public name
        return written and given[0].untyped_storage()._cdata == storage  # noqa: SLF001

    return _first(lambda: function(first, **inputs), asks)


def not_finite(run: Run) -> str:
    """The place of the first operator whose result is not finite, although all that it is given is. Gradients count too."""

    def asks(_: Any, given: list[Tensor], results: list[Tensor]) -> bool:
        return not all(map(_finite, results)) and all(map(_finite, given))

    with torch.autograd.set_detect_anomaly(mode=True, check_nan=False):
        return _first(run, asks)


def _finite(tensor: Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor.detach()).all())


def changing_dtype(run: Run, dtype: torch.dtype) -> str:
    """The place of the first operator that is given floating-point numbers of this dtype and returns others."""

    def asks(_: Any, given: list[Tensor], results: list[Tensor]) -> bool:
        return any(t.dtype == dtype for t in given) and any(t.is_floating_point() and t.dtype != dtype for t in results)

    return _first(run, asks)


class _Cutting(TorchFunctionMode):
    """Keeps the place of the first function through which no gradient flows."""

    def __init__(self) -> None:
        super().__init__()
        self.place = self.name = ""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        flows = any(t.requires_grad for t in tensors_in([list(args), kwargs or {}]))
        result = func(*args, **(kwargs or {}))
        made = list(tensors_in(result))
        if not self.place and flows and made and not any(t.requires_grad for t in made):
            name = getattr(func, "__name__", "")
            if not name.endswith("_like"):
                self.place, self.name = current_place(), name
        return result


def cutting(run: Run) -> tuple[str, str]:
    """The place and the name of the first function that is given a tensor with a gradient and returns one without."""
    mode = _Cutting()
    with contextlib.suppress(Exception), quiet(), mode:
        run()
    return mode.place, mode.name


def differing(one: Run, other: Run, rows: slice | None = None, batch: int = 0, moved: int = 0) -> str:
    """The place of the first operator whose results differ between two runs.

    Args:
        one: A run.
        other: Another run.
        rows: Compare only these rows of results with the batch first; other results are compared as a whole. None: all.
        batch: The number of rows.
        moved: By how many places the rows of the other run are moved.
    """
    runs: list[list[tuple[str, list[Tensor]]]] = []
    for run, shift in ((one, 0), (other, -moved)):
        kept: list[tuple[str, list[Tensor]]] = []
        left = [_MOST]

        def asks(
            _: Any, __: Any, results: list[Tensor], kept: Any = kept, left: Any = left, shift: int = shift
        ) -> bool:
            left[0] -= sum(t.numel() for t in results)
            if left[0] < 0:
                return True
            kept.append((current_place(), [_part(t, rows, batch, shift) for t in results]))
            return False

        _first(run, asks)
        runs.append(kept)
    for (place, found), (_, wanted) in zip(runs[0], runs[1], strict=False):
        if any(not _same(a, b) for a, b in zip(found, wanted, strict=False)):
            return place
    return ""


def _part(tensor: Tensor, rows: slice | None, batch: int, shift: int) -> Tensor:
    if tensor.dim() and tensor.shape[0] == batch:
        tensor = tensor.roll(shift, 0) if shift else tensor if rows is None else tensor[rows]
    return tensor.detach().clone()


def _same(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if not one.is_floating_point() or one.numel() == 0:
        return torch.equal(one, other)
    apart = (one - other).nan_to_num().abs().max()
    return bool(apart <= 1e-6 * one.nan_to_num().abs().max())
