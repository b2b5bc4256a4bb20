"""The artefact: ``python -m groundstate_models.jigsaw.export``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from groundstate_export import Accept, Card, Constant, ExportError, HeavyBall, Landscapes, Normal, Uniform, export
from groundstate_models.jigsaw import artefact
from groundstate_models.jigsaw.energy import (
    AXES,
    CLOCK_STEP,
    LANDSCAPES,
    MOMENTUM,
    STEP_SIZE,
    STEPS,
    LayoutEnergy,
    rotated,
)
from groundstate_models.jigsaw.energy_numbers import RESIDUAL_TOLERANCE
from groundstate_models.jigsaw.schema import ANSWER, DESCRIPTION, REQUEST
from groundstate_models.jigsaw.self_test import self_test

VERSION = "0.1.0"
SEGMENT = 24
TRACE_EVERY = 8
SIZES = ((5, 3, 7, 13), (17, 11, 19, 23), (9, 4, 10, 25))
"""Pieces, rows, columns and likely seams of the examples that the exporter joins and verifies."""

TERMS = {
    "seams": "How far likely seams are from closed.",
    "cover": "How unevenly the frame is covered; two pieces in one place repel each other.",
    "frame": "How far pieces are outside the frame, or away from where they are pinned.",
    "heading": "How far headings are from unit length, or from upright where no piece is turned.",
    "annealing": "A clock that runs down while the seams' reach shrinks.",
}


def example(pieces: int, rows: int, columns: int, seams: int, batch: int = 16) -> dict[str, Tensor]:
    """Random likely seams of one size."""
    draw = torch.Generator().manual_seed(seams)

    def chance(*shape: int) -> Tensor:
        return torch.rand(batch, *shape, generator=draw)

    def unit(*shape: int) -> Tensor:
        angle = torch.randint(0, 4, (batch, *shape), generator=draw) * (torch.pi / 2)
        return torch.stack([angle.cos(), angle.sin()], dim=-1)

    first = torch.randint(0, pieces, (batch, seams), generator=draw)
    step = torch.tensor([0.0, 1.0]).expand(batch, seams, 2)
    return {
        "first": first,
        "second": (first + 1 + torch.randint(0, pieces - 1, (batch, seams), generator=draw)) % pieces,
        "offset": rotated(step, unit(seams)),
        "turned": unit(seams),
        "weight": chance(seams),
        "free": (chance(pieces) < 0.5).float(),
        "row": torch.arange(rows, dtype=torch.float32).expand(batch, rows),
        "column": torch.arange(columns, dtype=torch.float32).expand(batch, columns),
        "fill": 0.5 + 0.5 * chance(1),
        "pin": 0.3 * (chance(pieces) < 0.3).float(),
        "pinned": 3.0 * chance(pieces, 2),
    }


def state(pieces: int, batch: int = 16) -> dict[str, Tensor]:
    """Random places and headings."""
    draw = torch.Generator().manual_seed(pieces)
    return {
        "place": 8.0 * torch.rand(batch, pieces, 2, generator=draw),
        "heading": torch.randn(batch, pieces, 2, generator=draw),
        "clock": torch.ones(batch, 1),
        "lean": torch.rand(batch, 2, generator=draw),
    }


def arguments() -> dict[str, Any]:
    """The arguments of `groundstate_export.export`, without the path."""
    energy = LayoutEnergy()
    first, *others = ((example(*sizes), state(sizes[0])) for sizes in SIZES)
    ball = HeavyBall({"place": STEP_SIZE, "heading": STEP_SIZE, "clock": CLOCK_STEP, "lean": STEP_SIZE}, MOMENTUM)
    return {
        "energy": energy,
        "inputs": first[0],
        "state": first[1],
        "rule": Landscapes(ball, LANDSCAPES, steps=STEPS),
        "unroll": SEGMENT,
        "decode": energy.decode,
        "encode_answer": energy.encode_answer,
        "initial": {
            "place": Uniform(0.0, 8.0),
            "heading": Normal(0.0, 1.0),
            "clock": Constant(1.0),
            "lean": Uniform(-0.7, 0.7),
        },
        "accept": Accept(checks="none", converged=True),
        "trace_every": TRACE_EVERY,
        "axes": AXES,
        "resized": others,
        "card": card(),
    }


def card() -> Card:
    """The texts and numbers of the header."""
    return Card(
        name="jigsaw",
        title="Jigsaw",
        description=DESCRIPTION,
        licence="Apache-2.0",
        version=VERSION,
        task="jigsaw",
        request=REQUEST,
        answer=ANSWER,
        self_test=self_test(),
        terms=TERMS,
        defaults={
            "restarts": 4,
            "max_steps": 480,
            "patience": 480,
            "luby_exponent": 0.0,
            "residual_tolerance": RESIDUAL_TOLERANCE,
        },
        limits={"restarts": 44, "max_steps": 4096, "batch": 256},
    )


def main(argv: list[str] | None = None) -> int:
    """Export; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m groundstate_models.jigsaw.export", description="Make the artefact."
    )
    parser.add_argument("--out", type=Path, default=artefact(), help="the file")
    options = parser.parse_args(argv)
    try:
        print(export(**arguments(), path=options.out))
    except (ExportError, ValueError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
