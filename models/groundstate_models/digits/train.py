"""Train the energy through its own descent: ``python -m groundstate_models.digits.train [--side 28] [--folder FOLDER]``.

The descent of the missing pixels is unrolled, and the squared error of every state on the way counts (deep supervision). Some
rows know their digit, the others have the probabilities that the energy itself gives, which are trained by their likelihood. A
stopped run continues from its folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from groundstate_export import HeavyBall
from groundstate_models.digits import data
from groundstate_models.digits.energy import DIGITS, MEMBERS, DigitEnergy, Member, load, store, weights
from groundstate_models.digits.variation import varied
from groundstate_training import GradientPreset, TrainingError, losses, train

STEP_SIZE, MOMENTUM = 0.5, 0.25
STEPS = 4
SUPERVISED = 2
"""First of these steps whose state is compared with the true picture."""

LATE = 8
"""In every second batch the descent has made so many steps already, so that its end, a minimum, is trained as well."""

START = 0.05
"""Standard deviation of a chain's first pixels."""

BATCH = 128
POOL = 64
"""Varied copies of every digit that a run draws from."""

VARIED = {28: 1.15, 8: 1.0}
"""Strength of the variation."""

KNOWN = 0.25
"""Share of the rows that know their digit."""

PLAIN = 4
"""Of these copies so many are not varied."""

DROPPED = {28: 0.2, 8: 0.15}
"""Share of the units that a step of the optimiser leaves out."""

VALIDATED = 10
"""One of so many digits for learning is used for the curve only."""

ITERATIONS = {28: 10000, 8: 2500}
"""Steps of the optimiser."""

CHANCE = 0.03
"""Weight of the likelihood of the digit beside the squared error of a pixel."""


class Descending(nn.Module):
    """The energy of the pixels alone, with all that does not depend on them computed before: cheap to unroll."""

    def __init__(self, energy: Member | DigitEnergy) -> None:
        super().__init__()
        self.energy = energy

    def forward(self, ink: Tensor, **inputs: Tensor) -> Tensor:
        return torch.stack(list(self.energy.fitting(ink, **inputs).values())).sum(0)


def rule() -> HeavyBall:
    """The rule of the pixels."""
    return HeavyBall(step_size=STEP_SIZE, momentum=MOMENTUM)


def squared(energy: Member, ink: Tensor, picture: Tensor, given: Tensor) -> Tensor:
    """The squared error of the missing pixels of each picture, against those of half a picture, (batch,)."""
    error = energy.whole(ink, picture, given) - picture
    return error.square().sum((1, 2)) / (0.5 * energy.side**2)


def descending(module: nn.Module, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Squared error along the descent, and the likelihood of the digit."""
    assert isinstance(module, Member)
    picture, given, digit = batch["picture"], batch["given"], batch["digit"]
    context = module.context(picture, given, DROPPED[module.side], generator)
    scores = module.scores(context, torch.zeros(len(digit), DIGITS))
    known = (torch.rand(len(digit), 1, generator=generator) < KNOWN).float()
    chance = known * one_hot(digit, DIGITS) + (1.0 - known) * scores.exp()
    inputs = {"aim": module.aim(context), "expected": module.expected(context, chance)}
    start = START * torch.randn(len(digit), module.bands**2, generator=generator)

    def error(ink: Tensor) -> Tensor:
        return squared(module, ink, picture, given)

    late = LATE * int(torch.rand((), generator=generator) < 0.5)
    found = losses.unrolled(
        Descending(module), rule(), start, inputs, error, steps=STEPS, without_gradient=late, from_step=SUPERVISED
    )
    return {"descent": found, "digit": CHANCE * cross_entropy(scores, digit)}


def filled(energy: Member | DigitEnergy, picture: Tensor, given: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """The expected picture and the scores of the digits after some steps of the descent, without gradients of weights."""
    with torch.no_grad():
        context = energy.context(picture, given)
        scores = energy.scores(context, torch.zeros(len(picture), DIGITS))
        inputs = {"aim": energy.aim(context), "expected": energy.expected(context, scores.exp())}
    ink = torch.zeros(len(picture), energy.bands**2)
    speed = torch.zeros_like(ink)
    for _ in range(steps):
        slope = losses.gradient_of(Descending(energy), ink, inputs).detach()
        speed = MOMENTUM * speed - STEP_SIZE * slope
        ink = ink + speed
    with torch.no_grad():
        return energy.whole(ink, picture, given).clamp(0.0, 1.0), scores


def lower_half(energy: Member | DigitEnergy, digits: data.Digits) -> dict[str, float]:
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
    """Train the energy of one size: its members one after the other, then three numbers on the digits kept back.

    Args:
        side: Rows and columns of the pictures.
        folder: For the checkpoints, the logs and the curves; a stopped run continues.
        effort: Steps of the optimiser, relative to those of the bundled weights.
    """
    every, _ = data.read(side)
    cut = len(every.digits) - len(every.digits) // VALIDATED
    learned, kept = every.part(torch.arange(cut)), every.part(torch.arange(cut, len(every.digits)))
    pool = _pool(learned.pictures, folder)

    def batches(generator: torch.Generator) -> dict[str, Tensor]:
        which = torch.randint(cut, (BATCH,), generator=generator)
        copy = torch.randint(POOL, (BATCH,), generator=generator)
        return {
            "picture": pool[copy, which].float() / 255,
            "given": data.masks(BATCH, side, generator),
            "digit": learned.digits[which],
        }

    preset = GradientPreset(
        iterations=max(round(effort * ITERATIONS[side]), 1),
        learning_rate=2e-3,
        warmup=500,
        weight_decay=0.05,
        average=0.998,
        validate_every=250,
    )
    members = []
    for seed in range(MEMBERS[side]):
        torch.manual_seed(seed)
        member = Member(side)
        with torch.no_grad():
            member.usual.copy_((member.waves @ learned.pictures.mean(0) @ member.waves.T).flatten())
            member.weigh.mul_(member.weigh.numel() ** -0.5)
        place = folder / f"member {seed}" if MEMBERS[side] > 1 else folder
        found = train(
            member, descending, batches, preset, folder=place, seed=seed, validate=lambda one: _curve(one, kept)
        )
        assert isinstance(found, Member)
        members.append(found)
    return calibrated(DigitEnergy(members), kept)


def calibrated(energy: DigitEnergy, kept: data.Digits) -> DigitEnergy:
    """Set the temperature of the digits and the weight of the mean picture by the digits kept back."""

    def measured(name: str, numbers: Sequence[float], by: str) -> None:
        found = []
        for number in numbers:
            getattr(energy, name).fill_(number)
            found.append(lower_half(energy, kept)[by])
        getattr(energy, name).fill_(numbers[int(np.argmin(found))])

    measured("heat", np.geomspace(0.7, 2.5, 40).tolist(), "nats")
    measured("firm", np.arange(0.9, 1.3, 0.02).tolist(), f"error after {4 * STEPS}")
    return energy


def close(energy: DigitEnergy, kept: data.Digits, covered: float = 0.98) -> float:
    """The largest share of the likeliest digit's chance from which others are offered, such that the true digit is offered.

    Split conformal prediction (V. Vovk et al., 2005) on digits kept back.

    Args:
        energy: The calibrated energy.
        kept: Digits that it was not trained on.
        covered: Share of them whose true digit must be offered, with a correction for their number.
    """
    given = torch.zeros_like(kept.pictures)
    given[:, : energy.side // 2] = 1.0
    with torch.no_grad():
        chance = energy.scores(energy.context(kept.pictures, given), torch.zeros(len(given), DIGITS)).exp()
    shares = (chance.gather(1, kept.digits[:, None])[:, 0] / chance.amax(1)).sort().values
    return float(shares[max(int((1.0 - covered) * (len(shares) + 1)) - 1, 0)])


def _curve(module: nn.Module, kept: data.Digits) -> dict[str, float]:
    assert isinstance(module, Member)
    return lower_half(module, kept)


def _pool(pictures: Tensor, folder: Path) -> Tensor:
    """The pictures and varied copies of them, (POOL, many, side, side) in 256 levels; kept in the folder for the next run."""
    place = folder / "pool.npy"
    if place.exists():
        return torch.from_numpy(np.load(place))
    draw = torch.Generator().manual_seed(1)
    copies = [pictures] * PLAIN + [varied(pictures, draw, VARIED[pictures.shape[1]]) for _ in range(POOL - PLAIN)]
    pool = torch.stack([(255 * copy).round().to(torch.uint8) for copy in copies])
    folder.mkdir(parents=True, exist_ok=True)
    np.save(place, pool.numpy())
    return pool


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
        store(run(options.side, options.folder / f"{options.side}x{options.side}", options.effort), out)
        learned, held = data.read(options.side)
        kept = learned.part(torch.arange(len(learned.digits) - len(learned.digits) // VALIDATED, len(learned.digits)))
        energy = load(options.side, out)
        print({"close": close(energy, kept), "firm": float(energy.firm), "heat": float(energy.heat)})
        print(lower_half(energy, held))
    except (TrainingError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
