"""Where a function has a kink, a tie or a hole, the file has the subgradient that PyTorch has, NaN included."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from groundstate_export import GradientDescent, export

Term = Callable[[Tensor], Tensor]

ZEROS = torch.zeros(2, 4)
SIGNS = torch.tensor([[0.0, -0.0, 1.0, -1.0], [0.0, 0.0, 2.0, -2.0]])
TIES = torch.tensor([[1.0, 1.0, 0.5, 1.0], [-2.0, -2.0, -2.0, -2.0]])
HALVES = torch.tensor([[0.5, 1.5, -0.5, -1.5], [2.5, -2.5, 0.0, 1.0]])
BOUNDS = torch.tensor([[1.0, -1.0, 0.5, -0.5], [3.0, -3.0, 0.0, 6.0]])
IMAGE = torch.tensor([[[1.0, 1.0, 0.0, 2.0], [1.0, 1.0, 2.0, 2.0], [0.0, 0.0, 3.0, 3.0], [0.0, 0.0, 3.0, 1.0]]]).repeat(
    2, 1, 1
)
ORDER = torch.tensor([0.3, -1.0, 2.0, 0.7])

KINKS: dict[str, tuple[Term, Tensor]] = {
    "abs": (torch.abs, SIGNS),
    "sign": (lambda y: y.sign() * y, SIGNS),
    "norm at 0": (lambda y: y.norm(dim=-1), ZEROS),
    "norm p = 1 at 0": (lambda y: y.norm(p=1, dim=-1), SIGNS),
    "norm p = 3 at 0": (lambda y: y.norm(p=3, dim=-1), ZEROS),
    "norm p = 1.5 at 0": (lambda y: y.norm(p=1.5, dim=-1), SIGNS),
    "norm p = inf of ties": (lambda y: y.norm(p=math.inf, dim=-1), TIES),
    "norm p = inf at 0": (lambda y: y.norm(p=math.inf, dim=-1), ZEROS),
    "norm of a difference at 0": (lambda y: (y - y.detach()).norm(dim=-1), SIGNS),
    "normalise at 0": (lambda y: F.normalize(y, dim=-1) * ORDER, ZEROS),
    "cosine similarity at 0": (lambda y: F.cosine_similarity(y, ORDER.expand_as(y), dim=-1), ZEROS),
    "cdist at 0": (lambda y: torch.cdist(y.reshape(-1, 2, 2), y.reshape(-1, 2, 2)), TIES),
    "cdist p = 1 at 0": (lambda y: torch.cdist(y.reshape(-1, 2, 2), y.reshape(-1, 2, 2), p=1), TIES),
    "cdist p = inf of ties": (lambda y: torch.cdist(y.reshape(-1, 2, 2), -y.reshape(-1, 2, 2), p=math.inf), TIES),
    "pairwise distance at 0": (lambda y: F.pairwise_distance(y, y.detach()), SIGNS),
    "hypot at 0": (lambda y: torch.hypot(y[:, :2], y[:, 2:]), ZEROS),
    "atan2 on the axes": (lambda y: torch.atan2(y, y.flip(1).detach()), SIGNS + 1e-3),
    "sqrt at 0": (torch.sqrt, ZEROS),
    "sqrt at 0 behind a where": (lambda y: torch.where(y > 0, y.sqrt(), 0.0), SIGNS),
    "log at 0 behind a where": (lambda y: torch.where(y > 0, y.log(), y), SIGNS),
    "division by 0 behind a where": (lambda y: torch.where(y != 0, 1 / y, 0.0), SIGNS),
    "a safe where": (lambda y: torch.where(y > 0, torch.where(y > 0, y, 1.0).sqrt(), 0.0), SIGNS),
    "pow 0.5 at 0": (lambda y: y**0.5, ZEROS),
    "pow 1.5 at 0": (lambda y: y.abs() ** 1.5, SIGNS),
    "pow 0 at 0": (lambda y: y**0, SIGNS),
    "pow of a tensor at 0": (lambda y: y.abs() ** ORDER.abs(), SIGNS),
    "relu": (F.relu, SIGNS),
    "relu6": (F.relu6, BOUNDS),
    "leaky relu": (F.leaky_relu, SIGNS),
    "elu": (F.elu, SIGNS),
    "celu": (F.celu, SIGNS),
    "prelu": (lambda y: F.prelu(y, torch.tensor([0.1])), SIGNS),
    "hardtanh": (F.hardtanh, BOUNDS),
    "hardsigmoid": (F.hardsigmoid, BOUNDS),
    "hardswish": (F.hardswish, BOUNDS),
    "hardshrink": (F.hardshrink, BOUNDS),
    "softshrink": (F.softshrink, BOUNDS),
    "threshold": (lambda y: F.threshold(y, 0.5, -1.0), BOUNDS),
    "softplus at its threshold": (lambda y: F.softplus(y, 1.0, 3.0), BOUNDS),
    "clamp": (lambda y: y.clamp(-1, 1), BOUNDS),
    "clamp below": (lambda y: y.clamp(min=-1), BOUNDS),
    "clamp by tensors": (lambda y: torch.clamp(y, torch.tensor(-1.0), torch.tensor(0.5)), BOUNDS),
    "hinge": (lambda y: F.relu(1 - y), BOUNDS),
    "smooth l1": (lambda y: F.smooth_l1_loss(y, torch.zeros_like(y), reduction="none"), BOUNDS),
    "huber": (lambda y: F.huber_loss(y, torch.zeros_like(y), reduction="none"), BOUNDS),
    "l1": (lambda y: F.l1_loss(y, torch.zeros_like(y), reduction="none"), SIGNS),
    "maximum of ties": (lambda y: torch.maximum(y, y.flip(1)) * ORDER, TIES),
    "minimum of ties": (lambda y: torch.minimum(y, y.flip(1)) * ORDER, TIES),
    "fmax of ties": (lambda y: torch.fmax(y, y.flip(1)) * ORDER, TIES),
    "amax of ties": (lambda y: y.amax(-1), TIES),
    "amin of ties": (lambda y: y.amin(-1), TIES),
    "max of ties": (lambda y: y.max(-1).values, TIES),
    "min of ties": (lambda y: y.min(-1).values, TIES),
    "cummax of ties": (lambda y: y.cummax(-1).values * ORDER, TIES),
    "cummin of ties": (lambda y: y.cummin(-1).values * ORDER, TIES),
    "max_pool2d of ties": (lambda y: F.max_pool2d(y.unsqueeze(1), 2), IMAGE),
    "max_pool2d of ties, overlapping": (lambda y: F.max_pool2d(y.unsqueeze(1), 3, 1, 1), IMAGE),
    "adaptive_max_pool2d of ties": (lambda y: F.adaptive_max_pool2d(y.unsqueeze(1), 3), IMAGE),
    "sort of ties": (lambda y: y.sort(dim=-1, stable=True).values * ORDER, TIES),
    "prod with one zero": (lambda y: y.prod(-1), torch.tensor([[0.0, 2.0, 3.0, 4.0], [1.0, 2.0, 0.0, 1.0]])),
    "prod with two zeros": (lambda y: y.prod(-1), torch.tensor([[0.0, 2.0, 0.0, 4.0], [0.0, 0.0, 0.0, 1.0]])),
    "cumprod with zeros": (lambda y: y.cumprod(-1) * ORDER, torch.tensor([[1.0, 2.0, 0.0, 4.0], [0.0, 2.0, 0.0, 1.0]])),
    "logsumexp of -inf": (
        lambda y: y.masked_fill(torch.tensor([True, False, True, True]), -math.inf).logsumexp(-1),
        TIES,
    ),
    "logsumexp of nothing but -inf": (lambda y: y.masked_fill(y < 0, -math.inf).logsumexp(-1).clamp(min=-9), TIES),
    "softmax of -inf": (
        lambda y: y.masked_fill(torch.tensor([True, False, True, False]), -math.inf).softmax(-1) * ORDER,
        TIES,
    ),
    "xlogy at 0": (lambda y: torch.xlogy(y.relu(), y.relu()), SIGNS),
    "entr at 0": (lambda y: torch.special.entr(y.relu()), SIGNS),
    "kl_div at 0": (lambda y: F.kl_div(y, torch.tensor([0.0, 0.5, 0.5, 0.0]).expand_as(y), reduction="none"), SIGNS),
    "sinc at 0": (torch.sinc, SIGNS),
    "round halves": (lambda y: y.round() * y, HALVES),
    "floor, ceil, trunc, frac at whole numbers": (
        lambda y: (y.floor() + 2 * y.ceil() + 3 * y.trunc()) * y + y.frac(),
        HALVES,
    ),
    "remainder at multiples": (lambda y: torch.remainder(y, 0.5) * y, HALVES),
    "remainder at multiples of what has no exact reciprocal": (lambda y: torch.remainder(y, 49.0) * y, 49.0 * HALVES),
    "floor division at such multiples": (lambda y: torch.floor_divide(y.detach(), -49.0) * y, 49.0 * HALVES),
    "expm1 near 0": (lambda y: 1e6 * torch.expm1(1e-6 * y), SIGNS),
    "fmod at multiples": (lambda y: torch.fmod(y, 0.5) * y, HALVES),
    "complex magnitude at 0": (lambda y: torch.complex(y[:, :2], y[:, 2:]).abs(), ZEROS),
    "median of ties": (lambda y: y.median(-1).values, torch.tensor([[2.0, 1.0, 3.0, 0.0], [-1.0, 5.0, 4.0, 2.0]])),
}


@pytest.mark.parametrize("name", KINKS)
def test_a_subgradient_at_a_kink_is_pytorchs(name: str, tmp_path: Path) -> None:
    term, kink = KINKS[name]

    def energy(state: Tensor) -> Tensor:
        return term(state).reshape(len(state), -1).sum(1)

    path = tmp_path / "kink.onnx"
    generator = torch.Generator().manual_seed(0)
    example = torch.rand(kink.shape, generator=generator) + 0.6
    export(energy, inputs={}, state=example, rule=GradientDescent(1.0), unroll=1, path=path, batches=(2,), seeds=(0,))
    leaf = kink.clone().requires_grad_()
    (slope,) = torch.autograd.grad(energy(leaf).sum(), leaf)
    session = ort.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    wanted = {"next.y": kink - slope, "trace": energy(kink).unsqueeze(1)}
    found = session.run(list(wanted), {"state.y": kink.numpy(), "step_scale": np.ones(len(kink), np.float32)})
    for value, reference in zip(found, wanted.values(), strict=True):
        np.testing.assert_allclose(value, reference.detach().numpy(), rtol=1e-5, atol=1e-6)
