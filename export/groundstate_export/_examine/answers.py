"""Examine the answer, its checks, and the encoding of an answer as a state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from groundstate_export._arguments import Arguments, EncodeAnswer
from groundstate_export._card import Accept
from groundstate_export._errors import BadArgument, BadEnergy
from groundstate_export._examine.calls import called, tensors_of
from groundstate_export._examine.kept import Kept
from groundstate_export._ir.program import Spec

_WIDTHS = (1.0, 3.0, 100.0)
"""Widths of the states at which answer and state are compared: wide states reveal a decoding that clamps."""


@dataclass(frozen=True)
class Answers:
    """The result of examining answers.

    Attributes:
        specs: The tensors of the answer.
        check_names: The names of the checks.
        encode_answer: From an answer to its state; None if unknown.
        accepted: Which chains have an answer.
    """

    specs: dict[str, Spec]
    check_names: tuple[str, ...]
    encode_answer: EncodeAnswer | None
    accepted: Accept


def examine_answers(arguments: Arguments, kept: Kept) -> Answers:
    """Run `decode`, `checks` and `encode_answer` once at the example.

    Raises:
        BadArgument: The card or `accept` does not fit the checks.
        BadEnergy: One of them returns a wrong type or shape.
    """
    rows, when = next(iter(arguments.state.values())).shape[0], "at the example"
    with torch.no_grad():
        answer = dict(arguments.state)
        if arguments.decode is not None:
            for _ in range(2):  # the second call reveals values that the first one keeps
                found = called(
                    kept, "decode", arguments.decode, arguments.pack(arguments.state), arguments.inputs, when
                )
            answer = tensors_of(found, "decode", rows)
        encode = arguments.encode_answer
        if encode is None and (found_in := _found_in(arguments, answer)) is not None:
            encode = _taken_from(found_in)
        if encode is not None:
            _encoded(arguments, kept, encode, answer)
        names = _checked(arguments, kept, answer, rows)
    return Answers({name: Spec.of(t) for name, t in answer.items()}, names, encode, _accepted(arguments, names))


def _taken_from(names: Mapping[str, str]) -> EncodeAnswer:
    def encode_answer(answer: Mapping[str, Tensor], **_: Tensor) -> dict[str, Tensor]:
        return {state: answer[name] for state, name in names.items()}

    return encode_answer


def _found_in(arguments: Arguments, answer: Mapping[str, Tensor]) -> dict[str, str] | None:
    """The name of the answer that equals each state tensor; None if a state tensor equals no answer."""
    if arguments.decode is None:
        return {name: name for name in arguments.state}
    same = {
        name: [n for n, t in answer.items() if (t.shape, t.dtype) == (state.shape, state.dtype)]
        for name, state in arguments.state.items()
    }
    if not all(same.values()):
        return None
    generator = torch.Generator().manual_seed(0)
    for width in _WIDTHS:
        state = {
            name: t + width * torch.randn(t.shape, generator=generator, dtype=t.dtype)
            for name, t in arguments.state.items()
        }
        found = arguments.decoded(state, arguments.inputs)
        same = {name: [n for n in names if torch.equal(found[n], state[name])] for name, names in same.items()}
    return {name: names[0] for name, names in same.items()} if all(same.values()) else None


def _encoded(arguments: Arguments, kept: Kept, encode: Callable[..., Any], answer: Mapping[str, Tensor]) -> None:
    for _ in range(2):
        place = called(kept, "encode_answer", encode, dict(answer), arguments.inputs, "at the example")
    rows = next(iter(answer.values())).shape[0]
    named = tensors_of({"y": place} if isinstance(place, Tensor) else place, "encode_answer", rows)
    found, wanted = (
        {k: f"{str(t.dtype).removeprefix('torch.')} {tuple(t.shape)}" for k, t in tensors.items()}
        for tensors in (named, arguments.state)
    )
    if found != wanted:
        raise BadEnergy(f"encode_answer returned {found}; it must return the state {wanted}.")


def _checked(arguments: Arguments, kept: Kept, answer: Mapping[str, Tensor], rows: int) -> tuple[str, ...]:
    """The names of the checks. Each must return counts, or have a tolerance."""
    described = arguments.card.described_checks()
    if arguments.checks is None:
        if described:
            raise BadArgument(f"card.checks describes {sorted(described)}, but there are no checks; give checks=….")
        return ()
    for _ in range(2):
        measured = called(kept, "checks", arguments.checks, dict(answer), arguments.inputs, "at the example")
    found = tensors_of(measured, "checks", rows)
    if unknown := sorted(described.keys() - found.keys()):
        raise BadArgument(f"card.checks describes {unknown}; the checks are {sorted(found)}.")
    for name, tensor in found.items():
        tolerance = arguments.tolerances.get(name)
        if tensor.dim() > 2 or tensor.dtype == torch.bool:
            raise BadEnergy(
                f"checks returned {tensor.dtype} {tuple(tensor.shape)} as {name!r}; it must return integer counts or "
                f"floating-point amounts of shape ({rows},) or ({rows}, k)."
            )
        if tensor.is_floating_point() and tolerance is None:
            raise BadArgument(
                f"The check {name!r} returns amounts ({tensor.dtype}), which need a tolerance: give "
                f"card=Card(checks={{{name!r}: Check('…', tolerance=…)}})."
            )
        if not tensor.is_floating_point() and tolerance is not None:
            raise BadArgument(
                f"The check {name!r} counts ({tensor.dtype}), so it has no tolerance; omit the tolerance, or return amounts."
            )
    return tuple(found)


def _accepted(arguments: Arguments, names: tuple[str, ...]) -> Accept:
    """The acceptance rule: the caller's; by default all checks, and without checks convergence."""
    accept = arguments.accept
    if accept is None:
        amounts = any(arguments.tolerances.get(name) is not None for name in names)
        return Accept("all", polish=int(amounts)) if names else Accept("none", converged=True)
    if accept.checks == "all" and not names:
        raise BadArgument(
            "accept requires all checks, and there are none; require convergence: Accept('none', converged=True)."
        )
    if not isinstance(accept.checks, str) and (unknown := sorted(set(accept.checks) - set(names))):
        raise BadArgument(f"accept names the checks {unknown}; the checks are {sorted(names)}.")
    return accept
