"""Training by gradient: AdamW with warm-up, decay, clipping and weight averaging; a run can stop and resume at any step."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from groundstate_training._checkpoint import Checkpoint
from groundstate_training._errors import TrainingError
from groundstate_training._run import resume, run

Batch = Mapping[str, Tensor]
"""Tensors of one step, the batch first."""

Loss = Callable[[nn.Module, Batch, torch.Generator], Tensor | Mapping[str, Tensor]]
"""A loss of a module and a batch: a scalar, or named scalars whose sum is minimised. The generator draws its randomness."""

Batches = Callable[[torch.Generator], Batch]
"""Draws the batch of a step."""

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class GradientPreset:
    """Settings of a training run by gradient.

    Attributes:
        iterations: Steps of the optimiser.
        learning_rate: Its largest value; a linear rise over ``warmup`` steps, then a cosine decay to ``final`` times this value.
        warmup: Steps until the largest learning rate.
        final: Final learning rate, as a share of the largest.
        weight_decay: Of AdamW (I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", 2019).
        betas: Of AdamW.
        clip: Largest norm of the gradient over all parameters; larger gradients are scaled down.
        average: Decay of the exponential moving average of the weights per step; 0 keeps the last weights.
        precision: ``float32``, or ``bfloat16`` for mixed precision on a GPU.
        validate_every: Steps between two validations.
    """

    iterations: int = 1000
    learning_rate: float = 1e-3
    warmup: int = 50
    final: float = 0.01
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.99)
    clip: float = 1.0
    average: float = 0.99
    precision: str = "float32"
    validate_every: int = 100

    def __post_init__(self) -> None:
        """Refuse settings that cannot work.

        Raises:
            TrainingError: If a number is out of its range, or the precision is unknown.
        """
        ranges: dict[str, tuple[float, float]] = {
            "iterations": (1, 10**9),
            "learning_rate": (0, 1e3),
            "warmup": (0, 10**9),
            "final": (0, 1),
            "weight_decay": (0, 1e3),
            "clip": (1e-12, math.inf),
            "average": (0, 0.999999),
            "validate_every": (1, 10**9),
        }
        for name, (low, high) in ranges.items():
            if not low <= (value := getattr(self, name)) <= high:
                raise TrainingError(f"The preset's {name} is {value}; it must be from {low} to {high}.")
        if self.precision not in PRECISIONS:
            raise TrainingError(f"The precision {self.precision!r} is unknown; known are {', '.join(PRECISIONS)}.")

    def rate(self, iteration: int) -> float:
        """The learning rate of a step, counted from 0."""
        if iteration < self.warmup:
            return self.learning_rate * (iteration + 1) / self.warmup
        part = (iteration - self.warmup) / max(self.iterations - self.warmup, 1)
        return self.learning_rate * (self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * min(part, 1.0))))


class GradientTrainer:
    """Minimises a loss over batches. Use it with `run`, or use the shorter `train`.

    Args:
        module: The module to train, in place. Parameters without ``requires_grad`` are unchanged.
        loss: See `Loss`.
        batches: See `Batches`.
        preset: The settings.
        seed: Seed of every random draw of the loss and the batches.
        device: Device of the module and the batches, such as ``cpu`` or ``cuda``. There is no fallback.

    Attributes:
        averaged: A copy of the module with the moving average of its weights. Use this copy.
    """

    format = 1

    def __init__(
        self,
        module: nn.Module,
        loss: Loss,
        batches: Batches,
        preset: GradientPreset | None = None,
        *,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        self.preset: Any = preset or GradientPreset()
        self.device = torch.device(device)
        self.module = module.to(self.device)
        self.averaged = copy.deepcopy(self.module).requires_grad_(requires_grad=False)
        self._loss, self._batches = loss, batches
        self._trained = {name: p for name, p in self.module.named_parameters() if p.requires_grad}
        if not self._trained:
            raise TrainingError("The module has no parameter that requires a gradient, so there is nothing to train.")
        self._optimizer = torch.optim.AdamW(
            self._trained.values(), self.preset.learning_rate, self.preset.betas, weight_decay=self.preset.weight_decay
        )
        self._generator = torch.Generator(self.device).manual_seed(seed)
        self._iteration, self._seen = 0, 0

    @property
    def iteration(self) -> int:
        """Steps made so far."""
        return self._iteration

    @property
    def seen(self) -> int:
        """Examples used so far."""
        return self._seen

    def step(self) -> dict[str, float]:
        """Make one step; returns the parts of the loss, the gradient's norm and the learning rate.

        Raises:
            TrainingError: If the loss is not finite. The module keeps the weights of the previous step.
        """
        batch = self._batches(self._generator)
        mixed = self.preset.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            found = self._loss(self.module, batch, self._generator)
        parts = {"loss": found} if isinstance(found, Tensor) else dict(found)
        total = torch.stack([part.float() for part in parts.values()]).sum()
        if not bool(torch.isfinite(total)):
            raise TrainingError(
                f"The loss of step {self._iteration} is {total.item()}. Lower the learning rate, or look for a division by "
                "zero or a logarithm of zero in the energy."
            )
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self._trained.values(), self.preset.clip)
        rate = self.preset.rate(self._iteration)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        if bool(torch.isfinite(norm)):
            self._optimizer.step()
        self._iteration += 1
        self._seen += len(next(iter(batch.values())))
        self._average()
        values = {name: part.item() for name, part in parts.items()}
        return {**values, **({"loss": total.item()} if len(parts) > 1 else {}), "norm": norm.item(), "rate": rate}

    @torch.no_grad()
    def _average(self) -> None:
        # The first averages are over few steps, to forget the initial random weights.
        decay = min(self.preset.average, self._iteration / (self._iteration + 9))
        for mine, theirs in zip(self.averaged.parameters(), self.module.parameters(), strict=True):
            mine.lerp_(theirs, 1 - decay if self.preset.average else 1.0)
        for kept, buffer in zip(self.averaged.buffers(), self.module.buffers(), strict=True):
            kept.copy_(buffer)

    def state(self) -> Checkpoint:
        """Weights, their average, the optimiser's moments and the generator, as arrays."""
        moments = {}
        for number, parameter in enumerate(self._trained.values()):
            for name, value in self._optimizer.state.get(parameter, {}).items():
                moments[f"{number}.{name}"] = np.asarray(value.cpu())
        return {
            "iteration": self._iteration,
            "seen": self._seen,
            "weights": _arrays(self.module),
            "average": _arrays(self.averaged),
            "moments": moments,
            "generator": np.asarray(self._generator.get_state().cpu()),
        }

    def restore(self, state: Checkpoint) -> None:
        """Resume from a result of `state`."""
        for module, stored in ((self.module, state["weights"]), (self.averaged, state["average"])):
            module.load_state_dict({name: torch.as_tensor(array) for name, array in stored.items()})
        for number, parameter in enumerate(self._trained.values()):
            found = {
                name.partition(".")[2]: torch.as_tensor(array)
                for name, array in state["moments"].items()
                if name.partition(".")[0] == str(number)
            }
            if found:
                step = found.pop("step")
                self._optimizer.state[parameter] = {"step": step, **{k: v.to(self.device) for k, v in found.items()}}
        self._generator.set_state(torch.as_tensor(state["generator"]))
        self._iteration, self._seen = int(state["iteration"]), int(state["seen"])


def _arrays(module: nn.Module) -> dict[str, Any]:
    return {name: np.asarray(value.detach().cpu()) for name, value in module.state_dict().items()}


def train(
    module: nn.Module,
    loss: Loss,
    batches: Batches,
    preset: GradientPreset | None = None,
    *,
    folder: Path | str | None = None,
    seed: int = 0,
    device: str | torch.device = "cpu",
    validate: Callable[[nn.Module], Mapping[str, float]] | None = None,
    progress: Callable[[int, Mapping[str, float]], object] | None = None,
) -> nn.Module:
    """Train a module and return it with the average of its weights, without gradients.

    Args:
        module, loss, batches, preset, seed, device: See `GradientTrainer`.
        folder: Folder for ``checkpoint.npz``, ``log.jsonl`` and ``curve.svg``; a stopped run resumes from it. None writes
            nothing.
        validate: Measures the averaged module; its numbers go into the log. It needs a folder.
        progress: Called after every step with the step's number and record. It may raise to stop.

    Raises:
        TrainingError: If the loss is not finite, or files cannot be read or written.
    """
    trainer = GradientTrainer(module, loss, batches, preset, seed=seed, device=device)
    last: int = trainer.preset.iterations
    if folder is None:
        while trainer.iteration < last:
            recorded = trainer.step()
            if progress is not None:
                progress(trainer.iteration, recorded)
        return trainer.averaged
    place = Path(folder)
    try:
        place.mkdir(parents=True, exist_ok=True)
        checkpoint = place / "checkpoint.npz"
        if checkpoint.exists():
            resume(trainer, checkpoint)
        with (place / "log.jsonl").open("a", encoding="utf-8") as log:
            check = validate or (lambda _: {})
            stopped = run(
                trainer,
                last,
                checkpoint,
                log,
                lambda: [dict(found)] if (found := check(trainer.averaged)) else [],
                progress=progress,
            )
    except OSError as error:
        raise TrainingError(f"The folder {place} cannot be used ({error}).") from None
    draw_curve(place / "log.jsonl", place / "curve.svg")
    if stopped:
        raise TrainingError(f"Stopped at step {trainer.iteration} of {last}. The same call goes on from {checkpoint}.")
    return trainer.averaged


def draw_curve(log: Path, path: Path) -> None:
    """Draw the loss of a log as an SVG picture, on a logarithmic axis where it is positive."""
    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    # A run that was killed repeats the steps after its checkpoint: the last line of a step counts.
    points = sorted({e["iteration"]: e["loss"] for e in entries if "loss" in e}.items())
    if len(points) < 2:
        return
    steps, losses = np.array(points, float).T
    heights = np.log10(losses) if (losses > 0).all() else losses
    x = 60 + 520 * (steps - steps[0]) / max(float(np.ptp(steps)), 1e-9)
    y = 20 + 240 * (heights.max() - heights) / max(float(np.ptp(heights)), 1e-9)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    label = 'font-family="sans-serif" font-size="12"'
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 300">'
        f'<polyline fill="none" stroke="#2563eb" stroke-width="2" points="{line}"/>'
        f'<text x="4" y="24" {label}>{losses.max():.3g}</text><text x="4" y="264" {label}>{losses.min():.3g}</text>'
        f'<text x="60" y="290" {label}>step {steps[0]:.0f}</text>'
        f'<text x="580" y="290" text-anchor="end" {label}>step {steps[-1]:.0f}</text></svg>\n',
        encoding="utf-8",
    )


@contextmanager
def threads(number: int) -> Iterator[None]:
    """A context with a number of PyTorch threads; small models are fastest with one."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
