from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from groundstate_export._optimise.broadcasts import Broadcasts

ROW = torch.linspace(-1.0, 2.0, 16)


def test_a_short_constant_row_is_written_out_once_for_the_descent(passed: Any) -> None:
    found = passed(Broadcasts, lambda y: (y * ROW).sin().sum((1, 2)), torch.randn(3, 200, 16))
    moving = found.graph.depending_on(["state.y"])
    expanded = [n for n in found.graph.needed() if n.op == "Expand"]
    assert expanded
    assert all(n.outputs[0] not in moving for n in expanded)


def test_a_short_column_is_written_out_by_a_product(passed: Any) -> None:
    found = passed(
        Broadcasts, lambda y: (y - y.square().sum(-1, keepdim=True)).sin().sum((1, 2)), torch.randn(3, 200, 16)
    )
    assert found.after["MatMul"] > found.before["MatMul"]


def test_short_rows_of_groups_are_written_out(passed: Any) -> None:
    def energy(y: Tensor) -> Tensor:
        groups = y.unflatten(1, (50, 4))
        return (groups + groups.square().mean(2, keepdim=True)).sin().sum((1, 2, 3))

    found = passed(Broadcasts, energy, torch.randn(3, 200, 16))
    assert found.after["Expand"] > found.before["Expand"]


def test_long_runs_are_left_alone(passed: Any) -> None:
    found = passed(
        Broadcasts, lambda y: (y - y.square().sum(-1, keepdim=True)).sin().sum((1, 2)), 0.02 * torch.randn(3, 8, 512)
    )
    assert (found.after["Expand"], found.after["MatMul"]) == (found.before["Expand"], found.before["MatMul"])


def test_a_number_beside_a_column_has_as_many_axes(passed: Any) -> None:
    found = passed(
        Broadcasts, lambda y: (y.square().sum(-1, keepdim=True) + 0.5).sin().sum((1, 2)), torch.randn(3, 8, 6)
    )
    added = [n for n in found.graph.needed() if n.op == "Add" and n.outputs[0].shape[1:] == (8, 1)]
    assert added
    assert all(len(v.shape) == 3 for n in added for v in n.inputs)
