"""Exports the artefact from the settings: ``python -m groundstate_models.geometry.export``."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor

from groundstate_export import Card, Check, Normal
from groundstate_models._export import export_command, export_parser
from groundstate_models.geometry import artefact
from groundstate_models.geometry import settings as kept
from groundstate_models.geometry.energy import AXES, GeometryEnergy
from groundstate_models.geometry.families import school
from groundstate_models.geometry.learned import SEGMENT, Settings
from groundstate_models.geometry.request import read
from groundstate_models.geometry.schema import ANSWER, DESCRIPTION, REQUEST
from groundstate_models.geometry.tensors import Sizes, needed, tensors

VERSION = "0.1.0"

SIZES: tuple[Sizes, ...] = ((19, 31, 29, 23, 43), (17, 37, 41, 19, 53), (20, 32, 33, 25, 44))
"""Unknowns, places, measures, rows and edges of the examples that the exporter joins and verifies."""

TOLERANCE = 1e-6
"""The graph's tolerance, relative to a row's scale. The task polishes the digits, and checks by its own formulas."""

TERMS = {
    "equations": "Half the squares of what equations are off by.",
    "inequalities": "Half the squares of what inequalities lack.",
}

SELF_TEST = {"points": {"A": [0.0, 0.0], "B": [5.0, 0.0], "C": [3.75, 1.25 * 3**0.5], "M": [2.5, 0.0]}}
"""The figure of the schema's example: half an equilateral triangle."""

DEFAULTS = {"restarts": 64, "max_steps": 1024, "patience": 128, "luby_exponent": 0.5, "residual_tolerance": 1e-12}
LIMITS = {"restarts": 4096, "max_steps": 65536, "batch": 1024}


def example(sizes: Sizes, batch: int = 16) -> tuple[dict[str, Tensor], Tensor]:
    """Generated figures of one size, a different one in each row, and a start.

    Every second problem contradicts itself, so that no small batch has only energies that are zero but for rounding.
    """
    draw = np.random.default_rng(sizes)
    rows: list[dict[str, Any]] = []
    while len(rows) < batch:
        request = school(draw).request
        if len(rows) % 2 == 0:
            request["constraints"].append(request["constraints"][0].partition("=")[0] + "= 33")
        problem = read(request).problem
        least = needed(problem.tables, problem.reduction)
        if all(one <= size for one, size in zip(least, sizes, strict=True)):
            rows.append(tensors(problem.tables, problem.reduction, sizes))
    inputs = {name: torch.as_tensor(np.stack([row[name] for row in rows])) for name in rows[0]}
    return inputs, torch.as_tensor(draw.standard_normal((batch, sizes[0])))


def arguments(settings: Settings, card: Card, steps: int = SEGMENT) -> dict[str, Any]:
    """The arguments of `groundstate_export.export`."""
    energy = GeometryEnergy()
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
        "axes": AXES,
        "resized": others,
        "card": card,
    }


def geometry() -> Card:
    """The header of the file."""
    return Card(
        name="geometry",
        title="Geometry",
        description=DESCRIPTION,
        licence="Apache-2.0",
        version=VERSION,
        task="geometry",
        request=REQUEST,
        answer=ANSWER,
        terms=TERMS,
        checks={"constraints": Check("Every constraint holds.", TOLERANCE, "of its scale")},
        defaults=DEFAULTS,
        limits=LIMITS,
        self_test={"request": REQUEST["examples"][0], "answer": SELF_TEST},
    )


def main(argv: list[str] | None = None) -> int:
    """Export settings; returns the exit code."""
    options = export_parser("geometry", kept(), artefact().parent).parse_args(argv)
    return export_command(
        options, Settings, lambda: {artefact().name: lambda path: arguments(Settings.read(path), geometry())}
    )


if __name__ == "__main__":
    sys.exit(main())
