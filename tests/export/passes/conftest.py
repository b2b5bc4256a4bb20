"""Graphs of small functions, and the two runs that hold a pass to what it may not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from groundstate_export._capture.capture import capture
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.program import Spec
from groundstate_export._lower.lower import lower
from groundstate_export._optimise.rewrite import Rewrite
from groundstate_export._verify.replay import session
from groundstate_export._write.model import model_of


def slope(energy: Callable[..., Tensor], y: Tensor, *inputs: Tensor) -> dict[str, Tensor]:
    """An energy and its gradient, as a step computes them."""
    leaf = y.detach().requires_grad_()
    value = energy(leaf, *inputs)
    (gradient,) = torch.autograd.grad(value, leaf, torch.ones_like(value))
    return {"energy": value.detach(), "gradient": gradient}


def run(graph: Graph, feeds: dict[str, Any]) -> dict[str, Any]:
    """A graph in ONNX Runtime."""
    model = session(model_of(graph).SerializeToString())
    wanted = {i.name: feeds[i.name] for i in model.get_inputs()}
    return dict(zip([o.name for o in model.get_outputs()], model.run(None, wanted), strict=True))


@dataclass(frozen=True)
class Passed:
    """A graph before and after a pass, both of which gave the same."""

    before: Counter[str]
    after: Counter[str]
    graph: Graph


@pytest.fixture
def passed() -> Callable[..., Passed]:
    """``passed(Pass, energy, y, x, …)``: the graph of an energy and its gradient through a pass, both graphs run and compared."""

    def apply(rewrite: type[Rewrite], energy: Callable[..., Tensor], y: Tensor, *inputs: Tensor) -> Passed:
        named = {"state.y": y} | {f"x{i}": x for i, x in enumerate(inputs)}
        program = capture(
            lambda tensors: slope(energy, *tensors.values()), {k: Spec.of(t) for k, t in named.items()}, "The energy"
        )
        before = lower(program)
        after = rewrite(before, ["state.y"]).run()
        for rows in (1, len(y)):
            feeds = {k: np.ascontiguousarray(t[:rows].numpy()) for k, t in named.items()}
            first, second = run(before, feeds), run(after, feeds)
            wanted = slope(energy, *(t[:rows] for t in named.values()))
            for name, exact in wanted.items():
                reference = exact.numpy()
                # Sums of many elements of size 1 may cancel, and leave their rounding.
                scale = max(np.abs(reference[np.isfinite(reference)]).max(initial=0.0), 1.0)
                np.testing.assert_allclose(second[name], first[name], rtol=0, atol=1e-5 * scale)
                np.testing.assert_allclose(second[name], reference, rtol=0, atol=1e-5 * scale)
        return Passed(*(Counter(n.op for n in g.needed()) for g in (before, after)), after)

    return apply


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)
