"""A rival that is trained end to end: a transformer reads all 25 pieces of a 5 × 5 jigsaw at once and names each piece's place.

    python benchmarks/jigsaw/end_to_end.py PACKAGES --minutes 40 --out end-to-end.pt
    python benchmarks/jigsaw/jigsaws.py FOLDER --rows 5x5 --end-to-end end-to-end.pt

Each piece goes through three convolutions to one token; the tokens have no positions, so their order says nothing; four layers
of attention follow, and each token chooses among the 25 places (cross-entropy), as in vision transformers for jigsaws such as
FCViT (2025). An assignment of highest total probability makes a layout of it. It learns from the training photographs of
`groundstate_models.jigsaw.data`, the ones that the edge network learns from.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from groundstate_models.jigsaw import data
from groundstate_models.jigsaw.matching import assign

SIDE, SIZE = 5, 28
PLACES = SIDE * SIDE
WIDTH = 192
BATCH = 32
LEARNING_RATE = 6e-4
WARM_UP = 300


class PlaceNetwork(nn.Module):
    """(batch, PLACES, 3, SIZE, SIZE) in shuffled order to the log-odds of the places, (batch, PLACES, PLACES)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 32, 4, 4),
            nn.GELU(),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.GELU(),
            nn.Flatten(1),
            nn.Linear(64 * 49, WIDTH),
        )
        layer = nn.TransformerEncoderLayer(WIDTH, 6, 3 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
        self.out = nn.Linear(WIDTH, PLACES)

    def forward(self, pieces: Tensor) -> Tensor:
        batch = len(pieces)
        tokens = self.stem(pieces.flatten(0, 1)).view(batch, PLACES, WIDTH)
        odds: Tensor = self.out(self.layers(tokens))
        return odds


def solver(path: Path) -> tuple[nn.Module, dict[str, float]]:
    """A trained network and the record of its training."""
    stored = torch.load(path, weights_only=True)
    network = PlaceNetwork()
    network.load_state_dict(stored["weights"])
    return network.eval(), stored["record"]


@torch.no_grad()
def layout(network: nn.Module, pieces: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.int64]:
    """The grid (rows, columns) of the assignment with the highest total probability."""
    if shape != (SIDE, SIDE) or pieces.shape[1:3] != (SIZE, SIZE):
        raise ValueError(f"The network takes {SIDE} × {SIDE} pieces of {SIZE} pixels.")
    odds = network(prepared(pieces)[None])[0].log_softmax(1)
    place = assign(-odds.double().numpy())
    grid = np.full(PLACES, -1)
    grid[place] = np.arange(PLACES)
    return grid.reshape(shape)


def prepared(pieces: NDArray[np.uint8]) -> Tensor:
    """(…, SIZE, SIZE, 3) to (…, 3, SIZE, SIZE), from -1 to 1."""
    return torch.from_numpy(pieces).movedim(-1, -3).float() / 127.5 - 1


def scaled(pictures: Sequence[data.Picture]) -> list[data.Picture]:
    """Every picture at four scales, from the smallest that holds a jigsaw to its own."""
    from PIL import Image

    least, found = SIDE * SIZE, []
    for picture in pictures:
        image = Image.fromarray(picture)
        most = min(picture.shape[:2]) / least
        for power in (0.0, 0.3, 0.6, 0.9):
            by = most**power / most * 1.03
            size = (max(int(image.width * by), least), max(int(image.height * by), least))
            found.append(np.asarray(image.resize(size, Image.Resampling.LANCZOS)))
    return found


def drawn(rng: np.random.Generator, pictures: Sequence[data.Picture], count: int) -> tuple[Tensor, Tensor]:
    """Shuffled jigsaws and the place of each piece."""
    pieces = np.empty((count, PLACES, SIZE, SIZE, 3), np.uint8)
    places = np.empty((count, PLACES), np.int64)
    high = SIDE * SIZE
    for row in range(count):
        picture = pictures[int(rng.integers(len(pictures)))]
        top, left = (int(rng.integers(0, have - high + 1)) for have in picture.shape[:2])
        part = picture[top : top + high, left : left + high]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        if rng.random() < 0.5:
            part = np.clip(part * np.exp(rng.normal(0, 0.15, 3)), 0, 255).astype(np.uint8)
        cells = part.reshape(SIDE, SIZE, SIDE, SIZE, 3).transpose(0, 2, 1, 3, 4).reshape(PLACES, SIZE, SIZE, 3)
        places[row] = rng.permutation(PLACES)
        pieces[row] = cells[places[row]]
    return prepared(pieces), torch.from_numpy(places)


@torch.no_grad()
def held_out(network: nn.Module, pictures: Sequence[data.Picture]) -> float:
    """The share of pieces of held-out photographs in the right place, most likely place by place."""
    network.eval()
    pieces, places = drawn(np.random.default_rng(3), pictures, 200)
    right = (network(pieces).argmax(2) == places).float().mean().item()
    network.train()
    return right


def train(folder: Path, out: Path, *, minutes: float, seed: int) -> None:
    """Train for a number of minutes of computing; the weights are kept every two minutes on the clock."""
    data.fetch(folder)
    pictures, others = (scaled(data.load(folder, training=training)) for training in (True, False))
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = PlaceNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.05)
    shown = time.monotonic()
    computed, step, smooth = time.process_time(), 0, float(np.log(PLACES))
    while (share := (time.process_time() - computed) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * min(1, (step + 1) / WARM_UP) * (0.52 + 0.48 * np.cos(np.pi * share))
        pieces, places = drawn(rng, pictures, BATCH)
        loss = functional.cross_entropy(network(pieces).flatten(0, 1), places.flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        step, smooth = step + 1, 0.98 * smooth + 0.02 * loss.item()
        if time.monotonic() - shown > 120:
            shown = time.monotonic()
            _keep(network, out, others, step, smooth, time.process_time() - computed)
    _keep(network, out, others, step, smooth, time.process_time() - computed)


def _keep(
    network: nn.Module, out: Path, others: Sequence[data.Picture], step: int, loss: float, computed: float
) -> None:
    record = {
        "step": step,
        "loss": round(loss, 4),
        "computing_minutes": round(computed / 60, 1),
        "held_out_right_place": round(held_out(network, others), 4),
        "weights": sum(weight.numel() for weight in network.parameters()),
    }
    torch.save({"weights": network.state_dict(), "record": record}, out)
    print(json.dumps(record), flush=True)


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    parser = argparse.ArgumentParser(description="Train the end-to-end rival.")
    parser.add_argument("folder", type=Path, help="where the packages with the photographs are, or will be, unpacked")
    parser.add_argument("--out", type=Path, default=Path("end-to-end.pt"))
    parser.add_argument("--minutes", type=float, default=40.0, help="of computing on one core")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    train(options.folder, options.out, minutes=options.minutes, seed=options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
