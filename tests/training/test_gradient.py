"""Training by gradient: it lowers the loss, goes on exactly where it stopped, and refuses what cannot work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from groundstate_training import GradientPreset, GradientTrainer, TrainingError, resume, train
from groundstate_training._run import save


class Line(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(3))
        self.fixed = nn.Parameter(torch.ones(3), requires_grad=False)


def batches(generator: torch.Generator) -> Mapping[str, Tensor]:
    x = torch.randn(16, 3, generator=generator)
    return {"x": x, "y": x @ torch.tensor([1.0, -2.0, 0.5])}


def loss(module: nn.Module, batch: Mapping[str, Tensor], generator: torch.Generator) -> Mapping[str, Tensor]:
    assert isinstance(module, Line)
    jitter = 0.01 * torch.randn(batch["y"].shape, generator=generator)
    return {
        "fit": (batch["x"] @ module.slope - batch["y"] + jitter).square().mean(),
        "size": 1e-4 * module.slope.square().sum(),
    }


PRESET = GradientPreset(iterations=300, learning_rate=0.05, warmup=10, validate_every=100)


def test_the_average_of_the_weights_fits_and_needs_no_gradient() -> None:
    module = train(Line(), loss, batches, PRESET)
    assert isinstance(module, Line)
    torch.testing.assert_close(module.slope, torch.tensor([1.0, -2.0, 0.5]), atol=0.02, rtol=0)
    assert not any(p.requires_grad for p in module.parameters())
    assert torch.equal(module.fixed, torch.ones(3))


def test_a_run_that_was_stopped_goes_on_bit_by_bit(tmp_path: Path) -> None:
    whole = GradientTrainer(Line(), loss, batches, PRESET, seed=3)
    for _ in range(20):
        whole.step()
    first = GradientTrainer(Line(), loss, batches, PRESET, seed=3)
    for _ in range(11):
        first.step()
    save(first, tmp_path / "checkpoint.npz")
    second = GradientTrainer(Line(), loss, batches, PRESET, seed=99)
    resume(second, tmp_path / "checkpoint.npz")
    assert (second.iteration, second.seen) == (11, 11 * 16)
    for _ in range(9):
        second.step()
    for name, value in whole.module.state_dict().items():
        assert torch.equal(value, second.module.state_dict()[name]), name
    for name, value in whole.averaged.state_dict().items():
        assert torch.equal(value, second.averaged.state_dict()[name]), name


def test_a_folder_keeps_a_log_a_checkpoint_and_a_curve_and_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    seen: list[Mapping[str, float]] = []

    def validate(module: nn.Module) -> Mapping[str, float]:
        seen.append({"slope": float(module.slope.norm())})  # type: ignore[operator]
        return seen[-1]

    train(Line(), loss, batches, PRESET, folder=tmp_path, validate=validate)
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [e["slope"] for e in entries if "slope" in e] == [one["slope"] for one in seen]
    assert (tmp_path / "curve.svg").read_text(encoding="utf-8").startswith("<svg")
    with np.load(tmp_path / "checkpoint.npz", allow_pickle=False) as file:
        assert "json" in file
    many = len(seen)
    train(Line(), loss, batches, PRESET, folder=tmp_path, validate=validate)
    assert len(seen) == many


def test_progress_is_reported_with_and_without_a_folder(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "run"):
        steps: list[int] = []
        train(Line(), loss, batches, PRESET, folder=folder, progress=lambda step, _, into=steps: into.append(step))
        assert steps == list(range(1, PRESET.iterations + 1))


def test_a_loss_that_is_not_finite_is_refused_with_its_step() -> None:
    def bad(module: nn.Module, batch: Mapping[str, Tensor], generator: torch.Generator) -> Tensor:
        del generator
        assert isinstance(module, Line)
        return (module.slope.sum() * batch["y"].mean() * 0).log()

    with pytest.raises(TrainingError, match=r"The loss of step 0 is -inf"):
        train(Line(), bad, batches, PRESET)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"iterations": 0}, "iterations is 0"), ({"clip": 0.0}, "clip is 0.0"), ({"precision": "float8"}, "float8")],
)
def test_a_preset_that_cannot_work_is_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        GradientPreset(**changed)  # type: ignore[arg-type]


def test_a_module_without_parameters_to_train_is_refused() -> None:
    with pytest.raises(TrainingError, match="nothing to train"):
        GradientTrainer(Line().requires_grad_(requires_grad=False), loss, batches)


def test_the_learning_rate_rises_then_falls() -> None:
    rates = [PRESET.rate(k) for k in range(300)]
    assert rates[0] < rates[5] < rates[9] == pytest.approx(0.05)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[-1] < 0.001
