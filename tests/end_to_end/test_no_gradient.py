"""A finite energy stays finite where its gradient is not a number: `score` makes no step."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import groundstate as gs
from groundstate_export import GradientDescent, HeavyBall, export


def energy(state: Tensor, x: Tensor) -> Tensor:
    """At ``state == x`` it is 0, and the slope of the root is infinite times zero."""
    apart = state - x
    return apart.square().sum(-1) + apart.square().sqrt().sum(-1)


@pytest.mark.parametrize("rule", [GradientDescent(step_size=0.1), HeavyBall(step_size=0.05, momentum=0.9)])
def test_a_configuration_without_a_gradient_has_its_energy(tmp_path: Path, rule: GradientDescent | HeavyBall) -> None:
    point = torch.tensor([[0.5, -1.0, 2.0]])
    state = point.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(energy(state, point).sum(), state)
    assert gradient.isnan().any()
    path = tmp_path / "root.onnx"
    export(energy, inputs={"x": torch.randn(4, 3)}, state=torch.randn(4, 3), rule=rule, unroll=4, path=path)
    score = gs.load(path).score({"x": point[0].tolist()}, {"y": point[0].tolist()})
    assert score.energy == 0.0
    assert score.valid is None
