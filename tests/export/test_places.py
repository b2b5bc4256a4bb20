"""A refusal says where in the user's source the operator stands."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from groundstate_export import GradientDescent, UnsupportedOperator, export


def height(y: Tensor) -> Tensor:
    return torch.special.bessel_j0(y.detach()) * y


class Inner(nn.Module):
    def forward(self, y: Tensor) -> Tensor:
        return height(y).sum(-1)


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 4), Inner())

    def forward(self, state: Tensor) -> Tensor:
        result: Tensor = self.inner(state)
        return result


def refusal(energy: object, path: Path) -> UnsupportedOperator:
    with pytest.raises(UnsupportedOperator) as caught:
        export(
            energy, inputs={}, state=torch.rand(2, 4) + 1, rule=GradientDescent(0.01), unroll=1, path=path / "no.onnx"
        )  # type: ignore[arg-type]
    assert list(path.iterdir()) == []
    return caught.value


def test_the_place_is_the_innermost_line_of_the_user(tmp_path: Path) -> None:
    refused = refusal(Outer(), tmp_path)
    assert refused.operator == "aten.special_bessel_j0"
    assert refused.place.startswith("test_places.py:")
    assert refused.place.endswith("in height: `return torch.special.bessel_j0(y.detach()) * y`")


def test_an_operator_of_the_gradient_has_the_line_whose_gradient_it_is(tmp_path: Path) -> None:
    def energy(state: Tensor) -> Tensor:
        smooth = state.exp() + 1
        sharp = torch.polygamma(4, smooth)
        return (sharp * state).sum(-1)

    refused = refusal(energy, tmp_path)
    assert "order is 5" in str(refused)
    assert refused.place.endswith("in energy: `sharp = torch.polygamma(4, smooth)`")


def test_a_write_that_is_refused_has_its_line(tmp_path: Path) -> None:
    scale = torch.ones(4)

    def energy(state: Tensor) -> Tensor:
        scale.mul_(1)
        return (scale * state).square().sum(-1)

    refused = refusal(energy, tmp_path)
    assert "outlives the call" in str(refused)
    assert refused.place.endswith("in energy: `scale.mul_(1)`")


def test_what_is_refused_but_never_needed_does_not_stop_an_export(tmp_path: Path) -> None:
    def energy(state: Tensor) -> Tensor:
        torch.special.bessel_j0(state.detach())
        whole = state.square().sum()  # over the batch; its gradient treats every row alone
        (slope,) = torch.autograd.grad(whole, state, create_graph=True)
        return (slope * state).sum(-1)

    report = export(
        energy, inputs={}, state=torch.rand(2, 4), rule=GradientDescent(0.01), unroll=1, path=tmp_path / "yes.onnx",
        batches=(1, 3), seeds=(0,),
    )  # fmt: skip
    assert report.worst <= 1e-5


def test_no_folder_gets_into_a_message(tmp_path: Path) -> None:
    refused = refusal(Outer(), tmp_path)
    assert str(Path(__file__).parent) not in str(refused)
    assert "/" not in refused.place.split(":")[0]
