"""Exports the artefact from the settings: ``python -m groundstate_models.equilibrium.export``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from groundstate_export import Accept, Card, Check, Decoded, Normal, Stage, Until
from groundstate_models._export import export_command, export_parser
from groundstate_models.equilibrium import artefact
from groundstate_models.equilibrium import settings as kept
from groundstate_models.equilibrium.clusters import AXES as PAIR_AXES
from groundstate_models.equilibrium.clusters import ClusterEnergy
from groundstate_models.equilibrium.energy import AXES, LAW, EquilibriumEnergy
from groundstate_models.equilibrium.learned import EVERY, FINISH, SEARCH, Settings
from groundstate_models.equilibrium.schema import ANSWER, DESCRIPTION, REQUEST

VERSION = "0.1.0"

Sizes = tuple[int, int, int, int, int, int]
"""Triples, edges, rows, entries, corners, sides."""

SIZES: tuple[Sizes, ...] = ((11, 29, 13, 17, 7, 5), (19, 41, 23, 31, 17, 11), (12, 33, 14, 18, 9, 8))
"""The examples that the exporter joins and verifies."""

TOLERANCE = 1e-3
"""The graph's tolerance, in units of the structure's forces. The task finishes the digits, and checks by its own formulas."""

TERMS = {
    "members": "Energy of springs, cables, struts and stiff members.",
    "potentials": "Coulomb, Lennard-Jones and Morse energies of pairs.",
    "contacts": "Energy of contacts with planes and between blocks.",
    "loads": "Minus the loads' work.",
    "corners": "Energy of torsion springs.",
    "pressure": "Minus the pressure times the area that it fills.",
}

DEFAULTS = {"restarts": 16, "max_steps": 16384, "patience": 64, "luby_exponent": 0.5, "residual_tolerance": 1e-12}
LIMITS = {"restarts": 4096, "max_steps": 65536, "batch": 1024}


def example(sizes: Sizes, batch: int = 16) -> tuple[dict[str, Tensor], Tensor]:
    """Random structures of one size, and a start."""
    triples, edges, rows, entries, corners, sides = sizes
    draw = torch.Generator().manual_seed(triples)

    def chance(*shape: int) -> Tensor:
        return torch.rand(batch, *shape, generator=draw, dtype=torch.float64)

    def normal(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=draw, dtype=torch.float64)

    def pick(count: int, several: int) -> Tensor:
        """Different triples."""
        return torch.stack(
            [
                torch.stack([torch.randperm(triples, generator=draw)[:several] for _ in range(count)])
                for _ in range(batch)
            ]
        )

    law = chance(edges, len(LAW))
    law[:, :, 2:4] = (law[:, :, 2:4] > 0.4).double()
    law[:, :, 5:10] *= 0.3
    law[:, :, 10] = 0.5 + 0.3 * chance(edges)
    angle = 6.0 * chance(corners)
    inputs = {
        "centre": 2.0 * normal(triples, 3),
        "spread": (chance(triples, 3) < 0.8).double() * (0.5 + chance(triples, 1)),
        "radius": (chance(triples) < 0.2).double(),
        "force": 0.3 * normal(triples, 3),
        "shake": 0.3 * (chance(triples) < 0.5).double(),
        "hops": torch.tensor([[float(k % 3)] for k in range(batch)], dtype=torch.float64),
        "end": pick(edges, 2),
        "law": law,
        "stiff": chance(rows),
        "offset": normal(rows),
        "both": (chance(rows) < 0.3).double(),
        "entry_row": torch.randint(rows, (batch, entries), generator=draw),
        "entry_triple": torch.randint(triples, (batch, entries), generator=draw),
        "entry": normal(entries, 3),
        "corner": pick(corners, 3),
        "torsion": torch.stack([chance(corners), angle.cos(), angle.sin()], dim=2),
        "side": pick(sides, 2),
        "pressure": 0.2 * normal(sides),
    }
    # A dense table among the first points, as large as a cluster of them, or of one point without laws.
    points = dense(sizes)
    pair = torch.stack([chance(points, points) for _ in range(7)], dim=1)
    pair[:, [3, 5]] *= 0.3
    pair[:, 6] = 0.5 + 0.3 * chance(points, points)
    pair = 0.5 * (pair + pair.transpose(2, 3))
    apart = 1.0 - torch.eye(points, dtype=torch.float64)
    pair[:, [0, 1, 3]] *= apart
    inputs["pair_law"] = pair
    inputs["pair_of"] = torch.eye(points, triples, dtype=torch.float64).expand(batch, -1, -1).clone()
    inputs["pair_hops"] = torch.tensor([[float(k % 3)] for k in range(batch)], dtype=torch.float64)
    return inputs, normal(triples, 3)


def dense(sizes: Sizes) -> int:
    """Points of an example's dense table."""
    return sizes[0] - 3


def arguments(settings: Settings, card: Card) -> dict[str, Any]:
    """The arguments of `groundstate_export.export`."""
    energy = EquilibriumEnergy()
    first, *others = (example(sizes) for sizes in SIZES)
    search = Stage(
        energy=energy,
        state=first[1],
        rule=settings.search(energy),
        unroll=SEARCH,
        decode=lambda state, **_: {"state": state},
        initial=Normal(0.0, settings.start),
        until=Until(residual=1e-2, max_steps=EVERY * 4096),
        resized=[state for _, state in others],
        name="search",
    )
    clusters = replace(
        search,
        energy=ClusterEnergy(),
        rule=settings.clusters(energy),
        unroll=EVERY,
        name="clusters",
    )
    search = replace(search, initial=Decoded("state"))
    return {
        "energy": energy,
        "stages": [clusters, search],
        "inputs": first[0],
        "state": first[1],
        "rule": settings.finish(energy),
        "unroll": FINISH,
        "decode": energy.decode,
        "checks": energy.checks,
        "encode_answer": energy.encode_answer,
        "initial": Decoded("state"),
        "accept": Accept(checks="all", converged=False, polish=0),  # the task finishes the digits
        "trace_every": FINISH,
        "axes": {**AXES, **PAIR_AXES},
        "resized": others,
        "card": card,
    }


def equilibrium() -> Card:
    """The header of the file."""
    return Card(
        name="equilibrium",
        title="Equilibrium",
        description=DESCRIPTION,
        licence="Apache-2.0",
        version=VERSION,
        task="equilibrium",
        request=REQUEST,
        answer=ANSWER,
        terms=TERMS,
        checks={"balance": Check("The forces on every free point balance.", TOLERANCE, "of the forces")},
        defaults=DEFAULTS,
        limits=LIMITS,
        self_test=SELF_TEST,
    )


SELF_TEST = {
    "request": {
        "nodes": {"A": {"at": [0, 0], "fixed": True}, "B": {"at": [6, 0], "fixed": True}, "m": {"mass": 1}},
        "members": ["cable A-m length 5", "cable B-m length 5"],
        "gravity": 10,
    },
    "answer": {"positions": {"A": [0, 0], "B": [6, 0], "m": [3, -4]}},
}


def main(argv: list[str] | None = None) -> int:
    """Export settings; returns the exit code."""
    options = export_parser("equilibrium", kept(), artefact().parent).parse_args(argv)
    return export_command(
        options, Settings, lambda: {artefact().name: lambda path: arguments(Settings.read(path), equilibrium())}
    )


if __name__ == "__main__":
    sys.exit(main())
