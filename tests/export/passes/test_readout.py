from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from groundstate_export._optimise.readout import Readout


def test_a_last_layer_that_only_the_energy_needs_is_not_computed_for_every_place(passed: Any) -> None:
    hidden, read = nn.Linear(6, 4), nn.Linear(4, 1)

    def energy(y: Tensor) -> Tensor:
        return read(hidden(y.sin())).sum((1, 2))

    found = passed(Readout, energy, torch.randn(3, 5, 6))
    assert found.before["MatMul"] - found.after["MatMul"] >= 1
    assert all(v.shape[1:] != (5, 4) for n in found.graph.needed() for v in n.outputs if n.op == "MatMul")


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_sums_through_branches_repeats_and_constants_keep_their_weight(passed: Any, reduce: str) -> None:
    wide, bias, row = nn.Linear(6, 4), torch.randn(5, 4), torch.randn(4)

    def energy(y: Tensor) -> Tensor:
        mixed = -wide(y.cos()) + bias - 2.0 * (y.tanh()[..., :4] * row) + y.sigmoid().mean(1, keepdim=True)[..., :1]
        return getattr(mixed, reduce)((1, 2))

    passed(Readout, energy, torch.randn(4, 5, 6))


def test_a_sum_that_is_shared_stays_where_it_is(passed: Any) -> None:
    layer = nn.Linear(6, 6)

    def energy(y: Tensor) -> Tensor:
        out = layer(y)
        return out.sum((1, 2)) + out.sin().sum((1, 2))

    found = passed(Readout, energy, torch.randn(3, 5, 6))
    assert found.after["Sin"] == found.before["Sin"] == 1


def test_a_sign_in_front_of_all_is_kept(passed: Any) -> None:
    row = torch.arange(1.0, 7.0)
    passed(Readout, lambda y: (-y.sin() * row).sum((1, 2)), torch.randn(3, 5, 6))
