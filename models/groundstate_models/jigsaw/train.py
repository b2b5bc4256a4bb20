"""Train the edge network: ``python -m groundstate_models.jigsaw.train FOLDER``.

Every step cuts photographs into new jigsaws, with wear and noise. For each side the network chooses its neighbour among the
most compatible sides by hand, or "none of them" (cross-entropy). The saved weights are a running average; the curve of held-out
photographs is added to ``train-log.jsonl``.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from groundstate_models.jigsaw import data
from groundstate_models.jigsaw.features import Compatibility, Sides, compatibility, features, lowest_two
from groundstate_models.jigsaw.network import SeamNetwork
from groundstate_models.jigsaw.seams import WEIGHTS
from groundstate_models.jigsaw.strips import BOTTOM, LEFT, RIGHT, TOP, cut, strips

CANDIDATES = 20
ANCHORS = 12
PUZZLES = 4
"""Jigsaws in a step, each with so many sides."""

POOL = 24
LEARNING_RATE = 2e-3
WARM_UP = 100
AVERAGED = 0.998
EVERY = 150.0
"""Seconds of computing time between two points of the curve."""

LOG = Path(__file__).with_name("train-log.jsonl")


@dataclass(frozen=True)
class Sheet:
    """One kind of side of a jigsaw and its opposite kind, with the true neighbours (-1 for none)."""

    one: Sides
    other: Sides
    known: Compatibility
    best: NDArray[np.float64]
    order: NDArray[np.int64]
    true: NDArray[np.int64]


def sheets(
    rng: np.random.Generator, pictures: Sequence[data.Picture], *, size: int | None = None, worn: int | None = None
) -> list[Sheet]:
    """A jigsaw of a random part of a random photograph, with all four kinds of sides."""
    picture = pictures[int(rng.integers(len(pictures)))]
    size = size or int(rng.choice([22, 25, 28, 28, 28, 28, 34, 45]))
    worn = int(rng.choice([0, 1, 1, 2, 2, 3, 4, 4])) if worn is None else worn
    crop = _disturbed(_part(rng, picture, size), rng)
    rows, columns = crop.shape[0] // size, crop.shape[1] // size
    assumed = float(worn) if rng.random() < 0.9 else float(np.clip(worn + rng.choice([-1, 1]), 0, 4))
    sides = [Sides(strip, assumed) for strip in strips(cut(np.ascontiguousarray(crop), size, size, worn))]
    index = np.arange(rows * columns).reshape(rows, columns)
    right, below = (index[:, :-1].ravel(), index[:, 1:].ravel()), (index[:-1].ravel(), index[1:].ravel())
    found = []
    for one, other, (first, second) in (
        (RIGHT, LEFT, right),
        (BOTTOM, TOP, below),
        (LEFT, RIGHT, right[::-1]),
        (TOP, BOTTOM, below[::-1]),
    ):
        known = compatibility(sides[one], sides[other])
        both = known.both.copy()
        np.fill_diagonal(both, np.inf)
        true = np.full(rows * columns, -1)
        true[first] = second
        order = np.argsort(both, axis=1)[:, : CANDIDATES + 1]
        found.append(Sheet(sides[one], sides[other], known, lowest_two(both), order, true))
    return found


def _part(rng: np.random.Generator, picture: data.Picture, size: int) -> data.Picture:
    """A random part of whole pieces, at a random scale between the picture's own and all of the picture."""
    from PIL import Image

    rows = min(int(rng.integers(7, 13)), picture.shape[0] // size)
    columns = min(int(rng.integers(9, 15)), picture.shape[1] // size)
    high, wide = rows * size, columns * size
    most = min(picture.shape[0] / high, picture.shape[1] / wide)
    scale = float(np.exp(rng.uniform(0, np.log(max(most, 1.0)))))
    height, width = int(high * scale), int(wide * scale)
    top, left = rng.integers(0, picture.shape[0] - height + 1), rng.integers(0, picture.shape[1] - width + 1)
    crop = picture[top : top + height, left : left + width]
    if scale <= 1.02:
        return crop[:high, :wide]
    kind = Image.Resampling.LANCZOS if rng.random() < 0.7 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(crop).resize((wide, high), kind))


def _disturbed(crop: data.Picture, rng: np.random.Generator) -> data.Picture:
    """Randomly compress, mirror and recolour a picture."""
    from PIL import Image

    if rng.random() < 0.35:
        compressed = io.BytesIO()
        Image.fromarray(crop).save(compressed, "JPEG", quality=int(rng.integers(60, 96)))
        crop = np.asarray(Image.open(compressed).convert("RGB"))
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    if rng.random() < 0.3:
        crop = crop[::-1]
    if rng.random() < 0.2:
        crop = crop.transpose(1, 0, 2)
    if rng.random() < 0.3:
        gamma, colour = np.exp(rng.normal(0, 0.25)), np.exp(rng.normal(0, 0.15, 3))
        crop = np.clip(255 * (crop / 255) ** gamma * colour, 0, 255).astype(np.uint8)
    if rng.random() < 0.1:
        crop = np.repeat(crop.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    return crop


def batch(sheet: Sheet, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Sides with their candidates: the inputs of every pair, and the index of the right candidate (``CANDIDATES`` for none)."""
    side = rng.permutation(len(sheet.true))[:count]
    width = min(CANDIDATES, sheet.order.shape[1] - 1)
    candidates = sheet.order[side, :width].copy()
    target = np.full(len(side), width)
    for row, one in enumerate(side):
        there = np.flatnonzero(candidates[row] == sheet.true[one])
        if sheet.true[one] < 0:
            continue
        if rng.random() < 0.05:  # as if the neighbour were lost
            candidates[row, there] = sheet.order[one, width]
        else:
            target[row] = there[0] if len(there) else width - 1
            candidates[row, target[row]] = sheet.true[one]
    pairs = (np.repeat(side, width), candidates.ravel())
    along, whole = features(sheet.one, sheet.other, sheet.known, pairs, sheet.best)
    return torch.from_numpy(along), torch.from_numpy(whole), torch.from_numpy(target)


def loss_of(network: SeamNetwork, drawn: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, float]:
    """The cross-entropy of a batch, and the share of correct choices where the neighbour is a candidate."""
    along, whole, target = drawn
    odds = network(along, whole).view(len(target), -1)
    there = target < odds.shape[1]
    right = (odds.argmax(dim=1) == target)[there].float().mean().item() if there.any() else 1.0
    with_none = torch.cat([odds, odds.new_zeros(len(odds), 1)], dim=1)
    return functional.cross_entropy(with_none, target), right


@torch.no_grad()
def held_out(network: SeamNetwork, pictures: Sequence[data.Picture], puzzles: int = 10) -> dict[str, dict[str, float]]:
    """Loss and share of correct choices on held-out photographs, by worn pixels; always the same jigsaws."""
    rng = np.random.default_rng(5)
    found = {}
    for worn in (0, 1, 2, 4):
        drawn = [batch(sheets(rng, pictures, size=28, worn=worn)[0], rng, 60) for _ in range(puzzles)]
        values = [loss_of(network, one) for one in drawn]
        found[str(worn)] = {
            "right": round(float(np.mean([right for _, right in values])), 3),
            "loss": round(float(np.mean([loss.item() for loss, _ in values])), 3),
        }
    return found


def train(folder: Path, out: Path, *, minutes: float, seed: int, resume: Path | None) -> None:
    """Train for a number of minutes of computing time and keep the averaged weights."""
    data.fetch(folder)
    pictures, others = data.load(folder, training=True), data.load(folder, training=False)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network, average = SeamNetwork(), SeamNetwork()
    if resume is not None:
        with np.load(resume) as stored:
            network.load_state_dict({name: torch.from_numpy(stored[name]) for name in stored.files})
    average.load_state_dict(network.state_dict())
    bent = [weight for name, weight in network.named_parameters() if not name.startswith("known")]
    groups = [{"params": bent, "weight_decay": 1e-3}, {"params": network.known.parameters(), "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=LEARNING_RATE)
    pool = [sheets(rng, pictures) for _ in range(POOL)]
    begun = shown = time.process_time()
    step, smooth = 0, float("nan")
    while (share := (time.process_time() - begun) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * min(1, (step + 1) / WARM_UP) * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-5
        pool[int(rng.integers(POOL))] = sheets(rng, pictures)
        optimiser.zero_grad()
        total = 0.0
        for _ in range(PUZZLES):
            chosen = pool[int(rng.integers(POOL))]
            loss, _ = loss_of(network, batch(chosen[int(rng.integers(4))], rng, ANCHORS))
            (loss / PUZZLES).backward()
            total += loss.item() / PUZZLES
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        step += 1
        smooth = total if step == 1 else 0.99 * smooth + 0.01 * total
        keep = min(AVERAGED, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, weight in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(weight, 1 - keep)
        if time.process_time() - shown > EVERY:
            shown = time.process_time()
            _keep(
                average,
                out,
                others,
                {"minutes": round(60 * share * minutes / 60, 2), "step": step, "loss": round(smooth, 4)},
            )
    _keep(
        average, out, others, {"minutes": minutes, "step": step, "loss": round(smooth, 4), "photographs": len(pictures)}
    )


def _keep(network: SeamNetwork, out: Path, pictures: Sequence[data.Picture], record: dict[str, object]) -> None:
    weights = {name: weight.detach().numpy().astype(np.float32) for name, weight in network.state_dict().items()}
    np.savez_compressed(out, **weights)
    record = {**record, "held_out": held_out(network, pictures)}
    with LOG.open("a", encoding="utf-8") as log:
        log.write(json.dumps(record) + "\n")
    print(json.dumps(record), flush=True)


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m groundstate_models.jigsaw.train", description="Train the edge network."
    )
    parser.add_argument("folder", type=Path, help="where the packages with the photographs are, or will be, unpacked")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--minutes", type=float, default=30.0, help="of computing on one core")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", type=Path, help="weights to go on from")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    try:
        train(options.folder, options.out, minutes=options.minutes, seed=options.seed, resume=options.resume)
    except (RuntimeError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
