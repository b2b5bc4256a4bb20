"""Answers, violations and the checker of a file, against PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from groundstate_export._descent.evaluate import counts
from groundstate_export._descent.rules.rule import choose
from groundstate_export._errors import ParityError
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.starts import Case, relative
from groundstate_export._ir.graph import Array
from groundstate_export._onnxruntime import ort
from groundstate_export._verify.findings import Parity
from groundstate_export._verify.reference import Ranking


def exact(
    examined: Examined, start: Case, found: Mapping[str, Array], judge: ort.InferenceSession | None, parity: Parity
) -> None:
    """Answers and violations, against PyTorch's reading of the very state and the very answer that the file returned."""
    if examined.decode is None:
        return
    with torch.no_grad():
        answer = _answer(examined, start, found)
        for name, tensor in answer.items():
            _same(examined, parity, f"answer.{name}", found[f"answer.{name}"], tensor, start)
        given = {name: torch.from_numpy(found[f"answer.{name}"]) for name in answer}
        if examined.record:
            begun = replace(examined.descent, inputs=start.inputs).begin(start.state, start.rate)
            first = examined.decode(examined.pack(begun), **start.inputs)
            for name, tensor in first.items():
                # Where nothing moves every answer is the first one; elsewhere the rest of the path has no state to be held to.
                shown = found[f"path.{name}"] if start.scale == 0 else found[f"path.{name}"][:, :1]
                _same(examined, parity, f"path.{name}", shown, tensor.unsqueeze(1).expand(shown.shape), start)
        verdicts: dict[str, Tensor] = {}
        if examined.rules is not None:
            verdicts["violations"] = counts(examined.rules, given, start.inputs)
            _same(examined, parity, "violations", found["violations"], verdicts["violations"], start)
        if judge is None:
            return
        if examined.embed is not None:
            place = examined.embed(given, **start.inputs)
            named = {"y": place} if isinstance(place, Tensor) else dict(place)
            verdicts |= {f"state.{name}": t for name, t in named.items()}
    tensors = start.inputs | {f"answer.{name}": t for name, t in given.items()}
    wanted = {i.name for i in judge.get_inputs()}
    feeds = {name: np.ascontiguousarray(t.numpy()) for name, t in tensors.items() if name in wanted}
    outputs = dict(zip([o.name for o in judge.get_outputs()], judge.run(None, feeds), strict=True))
    for name, tensor in verdicts.items():
        _same(examined, parity, f"judge:{name}", outputs[name], tensor, start)


def _answer(examined: Examined, start: Case, found: Mapping[str, Array]) -> dict[str, Tensor]:
    """PyTorch's reading of the state that the file returned; of two equally good ones, of that which the file chose."""
    assert examined.decode is not None
    state = {name: torch.from_numpy(found[f"next.{name}"]) for name in start.state}
    ways = []
    for flipped in (False, True):
        ranking = Ranking(start.batch, flipped=flipped)
        point = replace(examined.descent, inputs=start.inputs, compare=ranking).shown(state)
        ways.append(examined.decode(examined.pack(point), **start.inputs))
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
