"""Make the artefact from learned numbers: ``python -m groundstate_models.constraints.export``.

The artefact ``scheduling`` has the same graph with another header; `groundstate_models.scheduling.export` makes it.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor

from groundstate_export import Card, Normal
from groundstate_models._export import export_command, export_parser
from groundstate_models.constraints import artefact
from groundstate_models.constraints import settings as kept
from groundstate_models.constraints.energy import CHECKS, ConstraintsEnergy, checks
from groundstate_models.constraints.incidence import Edges, tables
from groundstate_models.constraints.learned import SEGMENT, Settings
from groundstate_models.constraints.schema import ANSWER, REQUEST
from groundstate_models.constraints.tensors import AXES, FAR

VERSION = "0.1.1"
TRACE_EVERY = 8
SIZES = ((5, 3, 9, 60), (7, 5, 23, 200), (8, 2, 17, 80))
"""Variables, values, factors and edges of the examples for the export and the parity proof."""

TERMS = {
    "constraints": "What the constraints are expected to be broken by, squared.",
    "preferences": "What the values are expected to cost.",
    "decision": "Keeps variables open for as long as it matters.",
    "confinement": "Keeps the logits near the origin.",
}


def example(variables: int, values: int, factors: int, edges: int, batch: int = 16) -> dict[str, Tensor]:
    """Random factor graphs of one size, for the parity proof."""
    draw = torch.Generator().manual_seed(variables)

    def chance(*shape: int) -> Tensor:
        return torch.rand(batch, *shape, generator=draw)

    domain = torch.ones(batch, variables, values)
    domain[:, 0, -1] = 0.0
    cost = chance(variables, values) * (chance(variables, 1) < 0.5)
    low, high = (chance(factors) * 2).floor(), 1.0 + (chance(factors) * 2).floor()
    tables = [_tables(seed, variables, values, factors, edges) for seed in range(batch)]
    return {
        "domain": domain,
        "cost": cost,
        **{name: torch.from_numpy(np.stack([one[name] for one in tables])) for name in tables[0]},
        "low": torch.where(chance(factors) < 0.5, low, -FAR),
        "high": torch.where(chance(factors) < 0.5, high, FAR),
        "slack": torch.full((batch, factors), 0.5),
    }


def _tables(seed: int, variables: int, values: int, factors: int, edges: int) -> dict[str, Any]:
    """The tables of a random graph; all graphs of one size have tables of the same shapes, with longer columns in the second."""
    draw = np.random.default_rng((seed, variables))
    # The same numbers of edges by factor and by literal, and so the same shapes: only their places are permuted.
    fixed = np.random.default_rng(variables)
    literals = variables * values
    owner = _uneven(fixed, edges, factors - 1)
    literal = _uneven(fixed, edges, literals)
    coefficient = np.where(draw.random(edges) < 0.3, draw.uniform(0.1, 1.0, edges) * draw.choice([-1, 1], edges), 1.0)
    some = Edges(draw.permutation(literals)[literal], 1 + draw.permutation(factors - 1)[owner], coefficient)
    return tables(some, factors, variables, values, costs=True, size=int)


def _uneven(draw: np.random.Generator, edges: int, owners: int) -> Any:
    """An owner of every edge: a quarter of the owners has more edges than the others."""
    shared = edges * 3 // 4 // owners * owners
    return np.concatenate([np.arange(shared) % owners, draw.integers(0, owners // 4, edges - shared)])


def arguments(settings: Settings, card: Card, steps: int = SEGMENT) -> dict[str, Any]:
    """The arguments of `groundstate_export.export`."""
    energy = ConstraintsEnergy(settings.energy).requires_grad_(requires_grad=False)
    first, *others = (examples(sizes, settings.start) for sizes in SIZES)
    return {
        "energy": energy,
        "inputs": first[0],
        "state": first[1],
        "rule": settings.descent(energy).requires_grad_(requires_grad=False),
        "unroll": steps,
        "decode": energy.decode,
        "checks": checks,
        "encode_answer": energy.encode_answer,
        "initial": Normal(0.0, settings.start),
        "trace_every": TRACE_EVERY,
        "axes": AXES,
        "resized": others,
        "card": card,
    }


def examples(sizes: tuple[int, int, int, int], start: float) -> tuple[dict[str, Tensor], Tensor]:
    inputs = example(*sizes)
    draw = torch.Generator().manual_seed(0)
    return inputs, start * torch.randn(inputs["domain"].shape, generator=draw)


DEFAULTS = {"restarts": 64, "max_steps": 4096, "patience": 256, "residual_tolerance": 1e-5}
LIMITS = {"restarts": 1024, "max_steps": 65536, "batch": 1024}


def constraints() -> Card:
    """The header of the file for typed constraints."""
    return Card(
        name="constraints",
        title="Constraints",
        description=(
            "Finds values for variables that satisfy every constraint, and breaks as few preferences as it can. Send "
            "`variables` (each with the values it may take) and `constraints`, each with its `type`: all_different, equal, "
            "not_equal, count, implies, allowed, forbidden, linear, precedence, no_overlap, cumulative, before. You get a value "
            "for each variable, checked against every constraint; or which constraints contradict each other; or that no "
            "answer was found. Use this instead of searching for values yourself."
        ),
        licence="Apache-2.0",
        version=VERSION,
        task="constraints",
        request=REQUEST,
        answer=ANSWER,
        terms=TERMS,
        checks=CHECKS,
        defaults=DEFAULTS,
        limits=LIMITS,
        self_test={
            "request": REQUEST["examples"][0],
            "answer": {"values": {"red": "tue", "blue": "mon", "n": 2}, "cost": 0.0},
        },
    )


def main(argv: list[str] | None = None) -> int:
    """Export settings; returns the exit code."""
    options = export_parser("constraints", kept(), artefact().parent).parse_args(argv)
    return export_command(
        options, Settings, lambda: {artefact().name: lambda path: arguments(Settings.read(path), constraints())}
    )


if __name__ == "__main__":
    sys.exit(main())
