"""Train the energy through its own descent: ``python -m groundstate_models.digits.train [--side 28] [--folder FOLDER]``.

The descent of the missing pixels is unrolled, and the squared error of every state on the way counts (deep supervision). Some
rows know their digit, the others have the probabilities that the energy itself gives, which are trained by their likelihood. A
stopped run continues from its folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from groundstate_export import HeavyBall
from groundstate_models.digits import data
from groundstate_models.digits.energy import DIGITS, DigitEnergy, load, weights
from groundstate_training import GradientPreset, TrainingError, losses, train

STEP_SIZE, MOMENTUM = 0.3, 0.5
STEPS = 6
SUPERVISED = 2
"""First of these steps whose state is compared with the true picture."""

LATE = 12
"""In every second batch the descent has made so many steps already, so that its end, a minimum, is trained as well."""

START = 0.05
"""Standard deviation of a chain's first pixels."""

BATCH = 96
POOL = 24
"""Varied copies of every digit that a run draws from."""

VARIED = 0.75
"""Strength of the variation."""

KNOWN = 0.25
"""Share of the rows that know their digit."""

VALIDATED = 10
"""One of so many digits for learning is used for the curve only."""

ITERATIONS = {28: 6000, 8: 4000}
"""Steps of the optimiser."""

CHANCE = 0.03
"""Weight of the likelihood of the digit beside the squared error of a pixel."""


class Descending(nn.Module):
    """The energy of the pixels alone, with all that does not depend on them computed before: cheap to unroll."""

    def __init__(self, energy: DigitEnergy) -> None:
        super().__init__()
        self.energy = energy

    def forward(self, ink: Tensor, **inputs: Tensor) -> Tensor:
        return torch.stack(list(self.energy.fitting(ink, **inputs).values())).sum(0)


def rule() -> HeavyBall:
    """The rule of the pixels."""
    return HeavyBall(step_size=STEP_SIZE, momentum=MOMENTUM)


def squared(energy: DigitEnergy, ink: Tensor, picture: Tensor, given: Tensor) -> Tensor:
    """The squared error of the missing pixels of each picture, against those of half a picture, (batch,)."""
    error = energy.whole(ink, picture, given) - picture
    return error.square().sum((1, 2)) / (0.5 * energy.side**2)


def descending(module: nn.Module, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Squared error along the descent, and the likelihood of the digit."""
    assert isinstance(module, DigitEnergy)
    picture, given, digit = batch["picture"], batch["given"], batch["digit"]
    context = module.context(picture, given)
    scores = module.scores(context, torch.zeros(len(digit), DIGITS))
    known = (torch.rand(len(digit), 1, generator=generator) < KNOWN).float()
    chance = known * one_hot(digit, DIGITS) + (1.0 - known) * scores.exp()
    seen, missing = module.known(picture, given)
    inputs = {"expected": module.expected(context, chance), "seen": seen, "missing": missing}
    start = START * torch.randn(len(digit), module.bands**2, generator=generator)

    def error(ink: Tensor) -> Tensor:
        return squared(module, ink, picture, given)

    late = LATE * int(torch.rand((), generator=generator) < 0.5)
    found = losses.unrolled(
        Descending(module), rule(), start, inputs, error, steps=STEPS, without_gradient=late, from_step=SUPERVISED
    )
    return {"descent": found, "digit": CHANCE * cross_entropy(scores, digit)}


def filled(energy: DigitEnergy, picture: Tensor, given: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """The expected picture and the scores of the digits after some steps of the descent, without gradients of weights."""
    with torch.no_grad():
        context = energy.context(picture, given)
        scores = energy.scores(context, torch.zeros(len(picture), DIGITS))
        expected = energy.expected(context, scores.exp())
    ink = torch.zeros(len(picture), energy.bands**2)
    speed = torch.zeros_like(ink)
    seen, missing = energy.known(picture, given)
    inputs = {"expected": expected, "seen": seen, "missing": missing}
    for _ in range(steps):
        slope = losses.gradient_of(Descending(energy), ink, inputs).detach()
        speed = MOMENTUM * speed - STEP_SIZE * slope
        ink = ink + speed
    with torch.no_grad():
        return energy.whole(ink, picture, given).clamp(0.0, 1.0), scores


def lower_half(energy: DigitEnergy, digits: data.Digits) -> dict[str, float]:
    """Squared error of the lower half after some numbers of steps, and the share of right digits."""
    given = torch.zeros_like(digits.pictures)
    given[:, : energy.side // 2] = 1.0
    half = slice(energy.side // 2, None)
    found: dict[str, float] = {}
    for steps in (1, STEPS, 4 * STEPS):
        picture, scores = filled(energy, digits.pictures, given, steps)
        found[f"error after {steps}"] = float((picture[:, half] - digits.pictures[:, half]).square().mean())
    found["digit"] = float((scores.argmax(1) == digits.digits).float().mean())
    return {**found, "nats": float(cross_entropy(scores, digits.digits))}


def run(side: int, folder: Path, effort: float = 1.0) -> DigitEnergy:
    """Train the energy of one size.

    Args:
        side: Rows and columns of the pictures.
        folder: For the checkpoint, the log and the curve; a stopped run continues.
        effort: Steps of the optimiser, relative to those of the bundled weights.
    """
    torch.manual_seed(0)
    every, _ = data.read(side)
    cut = len(every.digits) - len(every.digits) // VALIDATED
    learned, kept = every.part(torch.arange(cut)), every.part(torch.arange(cut, len(every.digits)))
    draw = torch.Generator().manual_seed(1)
    copies = [learned.pictures] + [data.varied(learned.pictures, draw, VARIED) for _ in range(POOL - 1)]
    pool = (255 * torch.stack(copies)).round().to(torch.uint8)

    def batches(generator: torch.Generator) -> dict[str, Tensor]:
        which = torch.randint(cut, (BATCH,), generator=generator)
        copy = torch.randint(POOL, (BATCH,), generator=generator)
        return {
            "picture": pool[copy, which].float() / 255,
            "given": data.masks(BATCH, side, generator),
            "digit": learned.digits[which],
        }

    energy = DigitEnergy(side)
    with torch.no_grad():
        energy.usual.copy_((energy.pool @ learned.pictures.mean(0) @ energy.pool.T).flatten())
        energy.weigh.mul_(energy.weigh.numel() ** -0.5)
    preset = GradientPreset(
        iterations=max(round(effort * ITERATIONS[side]), 1),
        learning_rate=3e-3,
        warmup=100,
        weight_decay=0.02,
        average=0.998,
        validate_every=250,
    )
    found = train(energy, descending, batches, preset, folder=folder, validate=lambda one: _curve(one, kept))
    assert isinstance(found, DigitEnergy)
    return found


def _curve(module: nn.Module, kept: data.Digits) -> dict[str, float]:
    assert isinstance(module, DigitEnergy)
    return lower_half(module, kept)


def keep(energy: DigitEnergy, path: Path) -> None:
    """Write the weights in float16."""
    np.savez_compressed(path, **{name: value.numpy().astype(np.float16) for name, value in energy.state_dict().items()})


def main(argv: list[str] | None = None) -> int:
    """Train, write the weights and print the error of the held-out digits; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m groundstate_models.digits.train", description="Train the energy.")
    parser.add_argument("--side", type=int, choices=(28, 8), default=28)
    parser.add_argument("--folder", type=Path, default=Path("digits-training"), help="checkpoint, log and curve")
    parser.add_argument("--effort", type=float, default=1.0, help="steps, relative to those of the bundled weights")
    parser.add_argument("--out", type=Path, help="the weights; by default the bundled file")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    out = options.out or weights(options.side)
    try:
        keep(run(options.side, options.folder / f"{options.side}x{options.side}", options.effort), out)
        print(lower_half(load(options.side, out), data.read(options.side)[1]))
    except (TrainingError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
