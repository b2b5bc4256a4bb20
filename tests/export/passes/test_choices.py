from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from groundstate_export._optimise.choices import Choices


def test_a_choice_between_finite_tensors_is_arithmetic(passed: Any) -> None:
    found = passed(Choices, lambda y: torch.where(y > 0, y.sin(), y * y).sum((1, 2)), torch.randn(3, 5, 6))
    assert found.before["Where"] >= 1
    assert found.after["Where"] == 0


def test_a_side_that_may_be_infinite_keeps_its_guard(passed: Any) -> None:
    found = passed(Choices, lambda y: torch.where(y > 0.1, y.clamp(min=0.1).log(), y).sum((1, 2)), torch.randn(3, 5, 6))
    assert found.after["Where"] >= 1


def test_an_input_may_be_infinite_where_it_is_not_chosen(passed: Any) -> None:
    x = torch.where(torch.rand(3, 5, 6) > 0.5, torch.inf, 1.0)
    passed(Choices, lambda y, x: torch.where(x < 2, y * y * x, y).sum((1, 2)), torch.randn(3, 5, 6), x)


def test_a_mask_of_attention_is_added(passed: Any) -> None:
    def energy(y: Tensor, closed: Tensor) -> Tensor:
        return (y @ y.transpose(1, 2)).masked_fill(closed.unsqueeze(1), -torch.inf).logsumexp(-1).sum(1)

    closed = torch.zeros(3, 5, dtype=torch.bool)
    closed[:, 3:] = True
    found = passed(Choices, energy, torch.randn(3, 5, 6), closed)
    moving = found.graph.depending_on(["state.y"])
    assert not any(
        n.op == "Where" and n.inputs[1].scalar == -torch.inf and n.outputs[0] in moving for n in found.graph.needed()
    )


def test_attention_gives_nothing_where_all_is_masked(passed: Any) -> None:
    mask = torch.rand(7, 7) > 0.4
    mask[2] = False

    def energy(y: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(y.sin(), y, y, attn_mask=mask).square().sum((1, 2))

    passed(Choices, energy, torch.randn(3, 7, 4))
