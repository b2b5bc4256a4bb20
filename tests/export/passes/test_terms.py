from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from groundstate_export._optimise.terms import Terms


def test_terms_that_are_read_by_columns_are_read_at_once(passed: Any) -> None:
    reads = [nn.Linear(6, 1, bias=False) for _ in range(3)]

    def energy(y: Tensor) -> Tensor:
        first, second, third = (
            read(f(y).sum(1)).squeeze(-1) for read, f in zip(reads, (torch.sin, torch.cos, torch.tanh), strict=True)
        )
        return first + second + third + y.square().sum((1, 2))

    found = passed(Terms, energy, torch.randn(3, 5, 6))
    columns = [n for n in found.graph.needed() if n.op == "MatMul" and n.outputs[0].shape[-1] == 1]
    assert len(columns) == 1
