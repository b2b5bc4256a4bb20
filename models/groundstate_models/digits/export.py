"""The artefacts: ``python -m groundstate_models.digits.export``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from groundstate_export import Accept, Card, ExportError, HeavyBall, Normal, export
from groundstate_models.digits import artefact, artefact_8x8
from groundstate_models.digits.energy import BANDS, DIGITS, SIDES, load
from groundstate_models.digits.schema import answer, description, request
from groundstate_models.digits.train import MOMENTUM, START, STEP_SIZE

VERSION = "0.1.0"
SEGMENT = 8
CHOICE_STEP = 0.2
"""Step size of the digit's logits."""

TERMS = {
    "digit": "Minus the expected log probability of the digit; with the entropy, each digit is a minimum or their mixture is.",
    "ink": "How far the missing pixels are from what the known ones let expect.",
    "whole": "How badly the picture fits the known pixels and the digit, by the trained layers.",
}


def example(side: int, batch: int = 8) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Inputs and a state: soft random strokes, half of them hidden."""
    draw = torch.Generator().manual_seed(side)
    rough = torch.rand(batch, 1, 6, 6, generator=draw)
    picture = torch.nn.functional.interpolate(rough, size=(side, side), mode="bilinear")[:, 0].clamp(0, 1)
    given = (torch.rand(batch, side, side, generator=draw) < 0.5).float()
    state = {
        "digit": torch.randn(batch, DIGITS, generator=draw),
        "ink": START * torch.randn(batch, BANDS[side] ** 2, generator=draw),
    }
    inputs = {
        "picture": (picture * given).round(decimals=3),
        "given": given,
        "prior": torch.zeros(batch, DIGITS),
        "sharp": (torch.arange(batch) % 2).float()[:, None],
    }
    return inputs, state


def arguments(side: int = 28, weights: Path | None = None) -> dict[str, Any]:
    """The arguments of `groundstate_export.export`, without the path.

    Args:
        side: Rows and columns of the pictures.
        weights: The trained weights, by default the bundled ones.
    """
    energy = load(side, weights)
    inputs, state = example(side)
    name = "digits" if side == 28 else f"digits_{side}x{side}"
    return {
        "energy": energy,
        "inputs": inputs,
        "state": state,
        "rule": HeavyBall({"digit": CHOICE_STEP, "ink": STEP_SIZE}, MOMENTUM),
        "unroll": SEGMENT,
        "decode": energy.decode,
        "initial": {"digit": Normal(0.0, 1.0), "ink": Normal(0.0, START)},
        "accept": Accept(checks="none", converged=True, polish=0),
        "trace_every": SEGMENT,
        "card": Card(
            name=name,
            title="Digits" if side == 28 else f"Digits {side}×{side}",
            description=description(side),
            licence="Apache-2.0",
            version=VERSION,
            task="digits",
            request={**request(side), "examples": [{"picture": _upper(side)}]},
            answer=answer(side),
            terms=TERMS,
            defaults={"restarts": 32, "max_steps": 480, "patience": 480, "residual_tolerance": 5e-2},
            limits={"restarts": 40, "max_steps": 1024, "batch": 256},
        ),
    }


def _upper(side: int) -> list[str]:
    """The upper half of a ring: a digit drawn by a formula."""
    middle, radius = (side - 1) / 2, side / 3.4
    rows = []
    for r in range(side // 2):
        levels = []
        for c in range(side):
            gap = abs(((r - middle) ** 2 + (1.4 * (c - middle)) ** 2) ** 0.5 - radius)
            levels.append(round(9 * min(max(1.4 - gap / (0.06 * side), 0.0), 1.0)))
        rows.append("".join(map(str, levels)))
    return rows


def main(argv: list[str] | None = None) -> int:
    """Export both sizes, or one; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m groundstate_models.digits.export", description="Make the artefacts."
    )
    parser.add_argument("--side", type=int, choices=SIDES, nargs="*", default=list(SIDES))
    parser.add_argument("--weights", type=Path, help="trained weights; by default the bundled ones")
    parser.add_argument("--out", type=Path, help="the file; by default the bundled one")
    options = parser.parse_args(argv)
    if len(options.side) > 1 and (options.out or options.weights):
        parser.error("--out and --weights are for one size; name it with --side")
    torch.set_num_threads(1)
    try:
        for side in options.side:
            usual = artefact() if side == 28 else artefact_8x8()
            print(export(**arguments(side, options.weights), path=options.out or usual))
    except (ExportError, ValueError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
