"""An export leaves the caller's modules, tensors, random numbers and files as they were."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from groundstate_export import (
    BadEnergy,
    GradientDescent,
    export,
)
from tests.export.attempts import Weighted, attempt, bowl

STAGES = ["examine", "capture_all", "lower_all", "optimise_all", "unroll", "verify", "header_of", "write"]


@pytest.mark.parametrize("stage", [*STAGES, "pathlib.Path.replace", "pathlib.Path.chmod"])
def test_an_export_that_is_cut_short_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "mine.onnx"
    path.write_bytes(b"precious")
    monkeypatch.setattr(stage if "." in stage else f"groundstate_export._pipeline.{stage}", stop)
    with pytest.raises(KeyboardInterrupt):
        attempt(bowl, tmp_path, path=path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


class Busy(nn.Module):
    """An energy with everything that an export must leave alone."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3))
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(3)
        self.seen: Tensor | None = None
        self.layer.bias.requires_grad_(requires_grad=False)
        self.calls: list[tuple[int, ...]] = []
        self.register_forward_hook(lambda module, args, result: None)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        self.seen = self.drop(self.norm(self.layer(state * x)))
        return self.seen.square().sum(-1)


def _inventory(module: nn.Module) -> dict[str, Any]:
    held: dict[str, Any] = {"state": {k: v.clone() for k, v in module.state_dict().items()}}
    held |= {f"{name} {key}": id(value) for name, m in module.named_modules() for key, value in vars(m).items()}
    held |= {f"{name} is training": m.training for name, m in module.named_modules()}
    held |= {f"{name} needs": (p.requires_grad, id(p), id(p.grad), p.is_leaf) for name, p in module.named_parameters()}
    held |= {f"{name} hooks": len(m._forward_hooks) for name, m in module.named_modules()}
    return held


@pytest.mark.parametrize("training", [False, True])
def test_an_export_leaves_the_module_and_the_random_numbers_as_they_were(tmp_path: Path, training: bool) -> None:
    torch.manual_seed(3)
    energy = Busy().train(training)
    next(energy.parameters()).grad = torch.ones(3)
    settings = {"inputs": {"x": torch.randn(4, 3)}, "state": torch.randn(4, 3), "path": tmp_path / "busy.onnx"}
    before, draws = _inventory(energy), (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())  # noqa: NPY002
    with pytest.raises(BadEnergy) if training else contextlib.nullcontext():
        export(energy, rule=GradientDescent(0.1), unroll=2, **settings)  # type: ignore[arg-type]
    after = _inventory(energy)
    states = before.pop("state"), after.pop("state")
    assert before == after
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert torch.equal(draws[0], torch.get_rng_state())
    assert np.array_equal(draws[1], np.random.get_state()[1])  # noqa: NPY002
    assert draws[2] == random.getstate()


TAKEN: dict[str, Callable[[], tuple[Tensor, Tensor]]] = {
    "transposed": lambda: (torch.randn(3, 4).T, torch.randn(3, 4).T),
    "expanded": lambda: (torch.randn(1, 3).expand(4, -1), torch.randn(4, 1).expand(-1, 3)),
    "that need gradients": lambda: (torch.randn(4, 3, requires_grad=True), torch.randn(4, 3, requires_grad=True)),
    "in the middle of a graph": lambda: (torch.randn(4, 3, requires_grad=True) * 2, torch.randn(4, 3).sin()),
    "strided": lambda: (torch.randn(4, 6)[:, ::2], torch.randn(8, 3)[::2]),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_examples_of_any_layout_are_taken_and_left_alone(tmp_path: Path, kind: str) -> None:
    state, x = TAKEN[kind]()
    copies = state.detach().clone(), x.detach().clone()
    attempt(bowl, tmp_path, state=state, inputs={"x": x})
    assert (tmp_path / "bad.onnx").exists()
    assert torch.equal(state, copies[0])
    assert torch.equal(x, copies[1])


@pytest.mark.parametrize("gradients", [torch.no_grad, torch.inference_mode])
def test_an_export_works_where_gradients_are_off(tmp_path: Path, gradients: Any) -> None:
    energy, state, x = Weighted(), torch.randn(4, 3), torch.randn(4, 3)
    with gradients():
        attempt(energy, tmp_path, state=state, inputs={"x": x})
    assert (tmp_path / "bad.onnx").exists()
