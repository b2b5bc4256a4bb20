"""Train the edge network: ``python -m groundstate_models.jigsaw.train FOLDER``.

Every step cuts photographs, pages of text and maps into new jigsaws, with wear and noise. For each side the network chooses its
neighbour among the most compatible sides by hand and some others, or "none of them" (cross-entropy). The saved weights are a
running average; the curve of held-out photographs and pages is added to ``train-log.jsonl``.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from groundstate_models.jigsaw import data, pages
from groundstate_models.jigsaw.features import Compatibility, Sides, compatibility, features, lowest_two
from groundstate_models.jigsaw.network import SeamNetwork
from groundstate_models.jigsaw.seams import WEIGHTS
from groundstate_models.jigsaw.strips import BOTTOM, DEEP, LEFT, RIGHT, TOP, cut, strips

CANDIDATES = 20
OTHERS = {"photograph": 6, "page": 12, "map": 8}
"""How many of them are drawn from all sides, and not from the most compatible by hand."""

KINDS = {"photograph": 0.6, "page": 0.3, "map": 0.1}
PAGES, MAPS = 60, 20
"""Pages and maps drawn at the beginning; one page is drawn anew every `REDRAWN` steps, and one jigsaw every `RENEWED`."""

RENEWED, REDRAWN = 3, 40
PAGE = 720
ANCHORS = 12
PUZZLES = 4
"""Jigsaws in a step, each with so many sides."""

POOL = 24
LEARNING_RATE = 2e-3
WARM_UP = 100
AVERAGED = 0.998
EVERY = 150.0
"""Seconds between two points of the curve."""

LOG = Path(__file__).with_name("train-log.jsonl")


@dataclass(frozen=True)
class Sheet:
    """One kind of side of a jigsaw and its opposite kind, with the true neighbours (-1 for none)."""

    one: Sides
    other: Sides
    kind: str
    known: Compatibility
    best: tuple[NDArray[np.float64], NDArray[np.float64]]
    order: NDArray[np.int64]
    true: NDArray[np.int64]


Pictures = Mapping[str, list[data.Picture]]
"""Pictures to learn from, by `KINDS`."""


def sheets(
    rng: np.random.Generator,
    pictures: Pictures,
    *,
    kind: str | None = None,
    size: int | None = None,
    worn: int | None = None,
) -> list[Sheet]:
    """A jigsaw of a random part of a random picture, with all four kinds of sides."""
    kind = kind or str(rng.choice(list(KINDS), p=list(KINDS.values())))
    chosen = pictures[kind]
    picture = chosen[int(rng.integers(len(chosen)))]
    photograph = kind == "photograph"
    size = size or int(rng.choice([22, 25, 28, 28, 28, 28, 34, 45] if photograph else [28, 36, 44, 52, 60, 60]))
    if worn is None:
        worn = int(rng.choice([0, 1, 1, 2, 2, 3, 4, 4] if photograph else [0, 0, 0, 0, 1, 2]))
    part = _part(rng, picture, size, scaled=photograph)
    crop = _disturbed(part, rng) if photograph or rng.random() < 0.3 else part
    rows, columns = crop.shape[0] // size, crop.shape[1] // size
    assumed = float(worn) if rng.random() < 0.9 else float(np.clip(worn + rng.choice([-1, 1]), 0, 4))
    sides = [Sides(strip, assumed) for strip in strips(cut(np.ascontiguousarray(crop), size, size, worn), DEEP)]
    index = np.arange(rows * columns).reshape(rows, columns)
    right, below = (index[:, :-1].ravel(), index[:, 1:].ravel()), (index[:-1].ravel(), index[1:].ravel())
    found: list[Sheet] = []
    matrices: dict[int, Compatibility] = {}
    for one, other, (first, second) in (
        (RIGHT, LEFT, right),
        (BOTTOM, TOP, below),
        (LEFT, RIGHT, right[::-1]),
        (TOP, BOTTOM, below[::-1]),
    ):
        known = matrices[other].back if other in matrices else compatibility(sides[one], sides[other])
        matrices[one] = known
        both = known.both.copy()
        np.fill_diagonal(both, np.inf)
        true = np.full(rows * columns, -1)
        true[first] = second
        best = lowest_two(both), lowest_two(both.T)
        found.append(Sheet(sides[one], sides[other], kind, known, best, np.argsort(both, axis=1)[:, :-1], true))
    return found


def _part(rng: np.random.Generator, picture: data.Picture, size: int, *, scaled: bool) -> data.Picture:
    """A random part of whole pieces, at a random scale between the picture's own and all of the picture if it is `scaled`."""
    from PIL import Image

    rows = min(int(rng.integers(7, 13)), picture.shape[0] // size)
    columns = min(int(rng.integers(9, 15)), picture.shape[1] // size)
    high, wide = rows * size, columns * size
    most = min(picture.shape[0] / high, picture.shape[1] / wide)
    scale = float(np.exp(rng.uniform(0, np.log(max(most, 1.0))))) if scaled else 1.0
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


Drawn = tuple[Tensor, Tensor, Tensor, Tensor]


def batch(sheet: Sheet, rng: np.random.Generator, count: int) -> Drawn:
    """Sides with their candidates: the inputs of every pair, and the index of the right candidate (``CANDIDATES`` for none)."""
    side = rng.permutation(len(sheet.true))[:count]
    width = min(CANDIDATES, sheet.order.shape[1] - 1)
    candidates = sheet.order[side, :width].copy()
    target = np.full(len(side), width)
    near = max(width - OTHERS[sheet.kind], 1)
    for row, one in enumerate(side):
        others = near + rng.permutation(sheet.order.shape[1] - 1 - near)[: width - near]
        candidates[row, near:] = sheet.order[one, others]
        there = np.flatnonzero(candidates[row] == sheet.true[one])
        if sheet.true[one] < 0:
            continue
        if rng.random() < 0.05:  # as if the neighbour were lost
            candidates[row, there] = sheet.order[one, -1]
        else:
            target[row] = there[0] if len(there) else width - 1
            candidates[row, target[row]] = sheet.true[one]
    pairs = (np.repeat(side, width), candidates.ravel())
    along, across, whole = features(sheet.one, sheet.other, sheet.known, pairs, sheet.best)
    return torch.from_numpy(along), torch.from_numpy(across), torch.from_numpy(whole), torch.from_numpy(target)


def loss_of(network: SeamNetwork, drawn: Drawn) -> tuple[Tensor, float]:
    """The cross-entropy of a batch, and the share of correct choices where the neighbour is a candidate."""
    *inputs, target = drawn
    odds = network(*inputs).view(len(target), -1)
    there = target < odds.shape[1]
    right = (odds.argmax(dim=1) == target)[there].float().mean().item() if there.any() else 1.0
    with_none = torch.cat([odds, odds.new_zeros(len(odds), 1)], dim=1)
    return functional.cross_entropy(with_none, target), right


@torch.no_grad()
def held_out(network: SeamNetwork, pictures: Pictures, puzzles: int = 10) -> dict[str, dict[str, float]]:
    """Loss and share of correct choices on held-out pictures, by worn pixels and by kind; always the same jigsaws."""
    rng = np.random.default_rng(5)
    found = {}
    for name, kind, size, worn in (
        *((str(worn), "photograph", 28, worn) for worn in (0, 1, 2, 4)),
        ("page", "page", 60, 0),
        ("map", "map", 60, 0),
    ):
        drawn = [
            batch(sheets(rng, pictures, kind=kind, size=size, worn=worn)[number % 2], rng, 60)
            for number in range(puzzles)
        ]
        values = [loss_of(network, one) for one in drawn]
        found[name] = {
            "right": round(float(np.mean([right for _, right in values])), 3),
            "loss": round(float(np.mean([loss.item() for loss, _ in values])), 3),
        }
    return found


def train(folder: Path, out: Path, *, minutes: float, rate: float, seed: int, resume: Sequence[Path]) -> None:
    """Train for a number of minutes on the clock and keep the averaged weights; starts from the mean of the weights to resume."""
    data.fetch(folder)
    pages.fetch(folder)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    begun = shown = time.monotonic()
    press, other = (pages.Press(folder, training=training) for training in (True, False))
    pictures = _pictures(folder, press, rng, training=True, printed=PAGES, drawn=MAPS)
    others = _pictures(folder, other, np.random.default_rng(5), training=False, printed=10, drawn=5)
    network, average = SeamNetwork(), SeamNetwork()
    if resume:
        stored = [dict(np.load(path)) for path in resume]
        network.load_state_dict(
            {name: torch.from_numpy(np.mean([one[name] for one in stored], axis=0)) for name in stored[0]}
        )
    average.load_state_dict(network.state_dict())
    bent = [weight for name, weight in network.named_parameters() if not name.startswith("known")]
    groups = [{"params": bent, "weight_decay": 1e-3}, {"params": network.known.parameters(), "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=rate)
    pool = [sheets(rng, pictures) for _ in range(POOL)]
    step, smooth = 0, float("nan")
    while (share := (time.monotonic() - begun) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / WARM_UP) * (0.5 + 0.5 * np.cos(np.pi * share)) + 1e-5
        if step % RENEWED == 0:
            pool[int(rng.integers(POOL))] = sheets(rng, pictures)
        if step % REDRAWN == 0:
            pictures["page"][int(rng.integers(PAGES))] = press.page(rng, PAGE)
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
        if time.monotonic() - shown > EVERY:
            shown = time.monotonic()
            _keep(average, out, others, _record(share * minutes, step, smooth))
    _keep(average, out, others, {**_record(minutes, step, smooth), "photographs": len(pictures["photograph"])})


def _pictures(
    folder: Path, press: pages.Press, rng: np.random.Generator, *, training: bool, printed: int, drawn: int
) -> dict[str, list[data.Picture]]:
    """The pictures of one split: photographs from the packages, pages and maps freshly drawn."""
    return {
        "photograph": data.load(folder, training=training),
        "page": [press.page(rng, PAGE) for _ in range(printed)],
        "map": [press.map(rng, PAGE) for _ in range(drawn)],
    }


def _record(minutes: float, step: int, loss: float) -> dict[str, object]:
    computed = round(time.process_time() / 60, 2)
    return {"minutes": round(minutes, 2), "computing": computed, "step": step, "loss": round(loss, 4)}


def _keep(network: SeamNetwork, out: Path, pictures: Pictures, record: dict[str, object]) -> None:
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
    parser.add_argument("--minutes", type=float, default=30.0, help="on the clock")
    parser.add_argument("--rate", type=float, default=LEARNING_RATE, help="learning rate at the beginning")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--resume", type=Path, nargs="+", default=(), help="weights to go on from; of several runs, their mean"
    )
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(argv)
    torch.set_num_threads(options.threads)
    try:
        train(
            options.folder,
            options.out,
            minutes=options.minutes,
            rate=options.rate,
            seed=options.seed,
            resume=options.resume,
        )
    except (RuntimeError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
