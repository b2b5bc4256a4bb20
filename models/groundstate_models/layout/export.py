"""Exports the artefact from the settings: ``python -m groundstate_models.layout.export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from groundstate_export import Accept, Card, Check, Normal
from groundstate_models._export import export_command, export_parser
from groundstate_models.layout import artefact
from groundstate_models.layout import settings as kept
from groundstate_models.layout.energy import AXES, LayoutEnergy
from groundstate_models.layout.families import system
from groundstate_models.layout.learned import SEGMENT, Settings
from groundstate_models.layout.schema import ANSWER, DESCRIPTION, REQUEST
from groundstate_models.layout.tensors import Sizes, tensors

VERSION = "0.1.0"

SIZES: tuple[Sizes, ...] = ((5, 7, 17, 29, 11, 37), (11, 13, 19, 31, 23, 43), (7, 8, 20, 24, 12, 34))
"""Items, parts, pairs, atoms, clauses and rows of the examples that the exporter joins and verifies."""

TOLERANCE = 0.01
"""The graph's tolerance, in halves of the area's longer side. The task finishes the places exactly, and checks them by itself."""

TERMS = {
    "required": "Half the squares of what is required is off by.",
    "wishes": "The same for wishes, with their small weights.",
}

DEFAULTS = {"restarts": 64, "max_steps": 512, "patience": 64, "luby_exponent": 0.5, "residual_tolerance": 1e-9}
LIMITS = {"restarts": 1024, "max_steps": 16384, "batch": 512}


def example(sizes: Sizes, batch: int = 12) -> tuple[dict[str, Tensor], Tensor]:
    """Generated systems of one size, a different one in each row, and a start."""
    draw = np.random.default_rng(sizes[0])
    rows = [tensors(system(draw, sizes), sizes) for _ in range(batch)]
    inputs = {name: torch.as_tensor(np.stack([row[name] for row in rows])) for name in rows[0]}
    return inputs, torch.as_tensor(draw.standard_normal((batch, 3 * sizes[0])))


def arguments(settings: Settings, card: Card, steps: int = SEGMENT) -> dict[str, Any]:
    """The arguments of `groundstate_export.export`."""
    energy = LayoutEnergy()
    first, *others = (example(sizes) for sizes in SIZES)
    return {
        "energy": energy,
        "inputs": first[0],
        "state": first[1],
        "rule": settings.descent(energy),
        "unroll": steps,
        "decode": energy.decode,
        "checks": energy.checks,
        "encode_answer": energy.encode_answer,
        "initial": Normal(0.0, settings.start),
        "trace_every": steps,
        # The task finishes what a chain reached exactly: another segment adds its time and nothing else.
        "accept": Accept(polish=0),
        "axes": AXES,
        "resized": others,
        "card": card,
    }


def layout(settings: Settings) -> Card:
    """The header of the file."""
    return Card(
        name="layout",
        title="Layout",
        description=DESCRIPTION,
        licence="Apache-2.0",
        version=VERSION,
        task="layout",
        request=REQUEST,
        answer=ANSWER,
        terms=TERMS,
        checks={"required": Check("Everything required holds.", TOLERANCE, "of half the area's longer side")},
        defaults=DEFAULTS,
        limits=LIMITS,
        self_test=SELF_TEST,
        knowledge={"moves": dict(settings.moves)},
    )


SELF_TEST: dict[str, Any] = {
    "request": {
        "area": [100, 50],
        "items": {"a": {"size": [50, 50], "turns": "none"}, "b": {"size": [50, 50], "turns": "none"}},
        "relations": ["a left of b"],
    },
    "answer": {
        "items": {"a": {"x": 25.0, "y": 25.0, "turn": 0.0}, "b": {"x": 75.0, "y": 25.0, "turn": 0.0}},
        "free": {"a": [0.0, 0.0, 0.0, 0.0], "b": [0.0, 0.0, 0.0, 0.0]},
    },
}
"""Two squares fill an area: there is one layout."""


def main(argv: list[str] | None = None) -> int:
    """Export settings; returns the exit code."""
    options = export_parser("layout", kept(), artefact().parent).parse_args(argv)

    def files() -> dict[str, Any]:
        def make(path: Path) -> dict[str, Any]:
            settings = Settings.read(path)
            return arguments(settings, layout(settings))

        return {artefact().name: make}

    return export_command(options, Settings, files)


if __name__ == "__main__":
    sys.exit(main())
