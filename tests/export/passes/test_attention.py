from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from groundstate_export._optimise.attention import Attention


def _energy(y: Tensor) -> Tensor:
    heads = y.unflatten(-1, (2, 4)).transpose(1, 2)
    mixed = functional.scaled_dot_product_attention(heads.sin(), heads.cos(), heads.tanh())
    return mixed.square().sum((1, 2, 3))


def test_row_sums_of_attentions_gradient_are_taken_over_its_values(passed: Any) -> None:
    found = passed(Attention, _energy, torch.randn(3, 7, 8))
    summed = [n.inputs[0].shape[-1] for n in found.graph.needed() if n.op == "ReduceSum"]
    assert 7 not in summed, "the weights' rows are still summed"
    assert 4 in summed


def test_a_softmax_that_is_not_attention_is_left_alone(passed: Any) -> None:
    found = passed(Attention, lambda y: (y.softmax(-1) * y.sin()).sum((1, 2)), torch.randn(3, 7, 8))
    assert found.before == found.after
