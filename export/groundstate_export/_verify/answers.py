"""Compare the answers, violations and checker of a file with PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from groundstate_export._descent.checks import excess, violations
from groundstate_export._descent.rules.rule import choose
from groundstate_export._errors import ParityError
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.starts import Case, relative
from groundstate_export._ir.values import Array
from groundstate_export._onnxruntime import ort
from groundstate_export._verify.findings import Parity
from groundstate_export._verify.reference import Ranking


def exact(
    examined: Examined, start: Case, found: Mapping[str, Array], checker: ort.InferenceSession | None, parity: Parity
) -> None:
    """Compare answers and violations with PyTorch's, for exactly the state and the answer that the file returned."""
    with torch.no_grad():
        answer = _answer(examined, start, found)
        for name, tensor in answer.items():
            _same(examined, parity, f"answer.{name}", found[f"answer.{name}"], tensor, start)
        given = {name: torch.from_numpy(found[f"answer.{name}"]) for name in answer}
        if examined.record:
            begun = replace(examined.descent, inputs=start.inputs).begin(start.state, start.step_scale)
            first = examined.decoded(begun, start.inputs)
            for name, tensor in first.items():
                # Without a move every answer is the first one; otherwise the rest of the path has no state to compare with.
                shown = found[f"path.{name}"] if start.scale == 0 else found[f"path.{name}"][:, :1]
                _same(examined, parity, f"path.{name}", shown, tensor.unsqueeze(1).expand(shown.shape), start)
        _checked(examined, parity, given, found, start, "")
        if checker is None:
            return
        tensors = start.inputs | {f"answer.{name}": t for name, t in given.items()}
        wanted = {i.name for i in checker.get_inputs()}
        feeds = {name: np.ascontiguousarray(t.numpy()) for name, t in tensors.items() if name in wanted}
        outputs = dict(zip([o.name for o in checker.get_outputs()], checker.run(None, feeds), strict=True))
        _checked(examined, parity, given, outputs, start, "checker:")
        if examined.encode_answer is not None:
            for name, tensor in examined.encoded(given, start.inputs).items():
                _same(examined, parity, f"checker:state.{name}", outputs[f"state.{name}"], tensor, start)


def _checked(
    examined: Examined,
    parity: Parity,
    answer: Mapping[str, Tensor],
    found: Mapping[str, Array],
    start: Case,
    prefix: str,
) -> None:
    """Compare violations and excesses of an answer. Counts are exact; an amount may be within rounding of its tolerance."""
    if examined.checks is None:
        return
    measured = dict(examined.checks(dict(answer), **start.inputs))
    for column, (name, tensor) in enumerate(measured.items()):
        tolerance = examined.tolerances.get(name)
        counted, above = found["violations"][:, column], found["excess"][:, column]
        if tolerance is None:
            wanted = violations({name: tensor}, {})[:, 0]
            _same(examined, parity, f"{prefix}violations", counted, wanted, start)
            _same(examined, parity, f"{prefix}excess", above, excess({name: tensor}, {})[:, 0], start)
            continue
        size = float(tensor[tensor.isfinite()].abs().max()) if bool(tensor.isfinite().any()) else 0.0
        rounding = examined.tolerance * max(size, tolerance)
        least, most = (violations({name: tensor}, {name: tolerance + by})[:, 0] for by in (rounding, -rounding))
        apart = (torch.from_numpy(counted) < least) | (torch.from_numpy(counted) > most)
        if bool(apart.any()):
            error = float((torch.from_numpy(counted) - least)[apart].abs().max())
            raise ParityError(f"{prefix}violations", start.batch, start.seed, error, 0.0, f"The check is {name!r}. ")
        parity.note(f"{prefix}violations", 0.0)
        wanted = excess({name: tensor}, {name: tolerance})[:, 0]
        if not np.array_equal(np.isfinite(above), wanted.isfinite().numpy()):
            raise ParityError(f"{prefix}excess", start.batch, start.seed, float("inf"), examined.tolerance)
        error = relative(above, wanted, torch.full_like(wanted, max(size, tolerance)))
        if error > examined.tolerance:
            raise ParityError(f"{prefix}excess", start.batch, start.seed, error, examined.tolerance)
        parity.note(f"{prefix}excess", error)


def _answer(examined: Examined, start: Case, found: Mapping[str, Array]) -> dict[str, Tensor]:
    """PyTorch's answer for the file's state; of two equally good states, for the one that the file chose."""
    state = {name: torch.from_numpy(found[f"next.{name}"]) for name in start.state}
    ways = []
    for flipped in (False, True):
        ranking = Ranking(start.batch, flipped=flipped)
        point = replace(examined.descent, inputs=start.inputs, compare=ranking).shown(state)
        ways.append(examined.decoded(point, start.inputs))
        if bool(ranking.clear.all()):
            return {name: t.detach() for name, t in ways[0].items()}
    answer = {}
    for name, first in ways[0].items():
        given, other = torch.from_numpy(found[f"answer.{name}"]), ways[1][name]
        away = [(given.double() - way.double()).abs().reshape(start.batch, -1).amax(1) for way in (first, other)]
        answer[name] = choose(away[0] <= away[1], first, other)
    return answer


def _same(examined: Examined, parity: Parity, name: str, found: Array, wanted: Tensor, start: Case) -> None:
    error = relative(found, wanted)
    allowed = examined.tolerance if wanted.is_floating_point() else 0.0
    if error > allowed:
        raise ParityError(name, start.batch, start.seed, error, allowed)
    parity.note(name, error)
