from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from groundstate_export._optimise.centre import Centre


def _means(graph: Any) -> int:
    return sum(n.op == "ReduceMean" for n in graph.needed())


def test_a_norms_gradient_is_centred_in_the_matrix_before_it(passed: Any) -> None:
    norm, layer = nn.LayerNorm(8), nn.Linear(8, 5)

    def energy(y: Tensor) -> Tensor:
        return layer(norm(y)).sin().sum((1, 2))

    found = passed(Centre, energy, torch.randn(3, 4, 8))
    assert found.before["ReduceMean"] == 2
    assert found.after["ReduceMean"] == 1


def test_a_mean_of_something_else_stays(passed: Any) -> None:
    found = passed(
        Centre, lambda y: (y.sin() - y.cos().mean(-1, keepdim=True)).square().sum((1, 2)), torch.randn(3, 4, 8)
    )
    assert found.before == found.after
