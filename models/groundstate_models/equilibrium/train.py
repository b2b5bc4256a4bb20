"""Searches the numbers of the descent on generated structures: ``python -m groundstate_models.equilibrium.train``.

A random search: a candidate changes up to three numbers of the best, and is kept if its chains settle in fewer steps. No
problem of a benchmark is used; the structures are those of `families` and clusters. The spread of the starts stays: it decides
which states are found, not how soon.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from groundstate_export import Descent
from groundstate_models.equilibrium import settings as kept
from groundstate_models.equilibrium.descent import DampedNewton
from groundstate_models.equilibrium.energy import EquilibriumEnergy
from groundstate_models.equilibrium.families import FAMILIES
from groundstate_models.equilibrium.learned import ITERATIONS, RULE, Settings
from groundstate_models.equilibrium.request import read
from groundstate_models.equilibrium.tensors import tensors

STEPS = 48
"""Steps of a chain; one that has not settled counts as twice as many."""

CHAINS = 8

SETTLED = 1e-3
"""Norm of the gradient below which a chain has settled."""

CLUSTERS: tuple[dict[str, Any], ...] = (
    {"atoms": 11},
    {"atoms": 9, "potential": "morse"},
    {"atoms": 14, "potential": "thomson"},
)

Inputs = dict[str, Tensor]


def problems(seed: int) -> list[Inputs]:
    """Generated structures as inputs of the energy, one row for each chain."""
    draw = np.random.default_rng(seed)
    requests = [family(draw).request for family in FAMILIES.values()]
    requests += [{"preset": {"type": "cluster", **preset}} for preset in CLUSTERS]
    found = []
    for request in requests:
        given = tensors(read(request).system)
        found.append({name: torch.as_tensor(v)[None].repeat(CHAINS, *[1] * v.ndim) for name, v in given.items()})
    return found


def steps_to_settle(numbers: Mapping[str, float], inputs: Inputs, seed: int) -> float:
    """The mean number of steps until a chain settles."""
    energy = EquilibriumEnergy()
    rule = DampedNewton(energy, iterations=ITERATIONS["search"], **{name: numbers[name] for name in RULE})
    descent = Descent(energy, rule, inputs)
    draw = torch.Generator().manual_seed(seed)
    shape = inputs["centre"].shape
    first = torch.full((CHAINS,), 2.0 * STEPS)
    with torch.no_grad():
        state = descent.start(Settings().start * torch.randn(shape, generator=draw, dtype=torch.float64))
        for step in range(STEPS):
            slope = (
                energy.local(state["y"], torch.zeros(CHAINS, dtype=torch.bool), **inputs).slope.flatten(1).norm(dim=1)
            )
            first = torch.where((slope < SETTLED) & (first > STEPS), float(step), first)
            if (first <= STEPS).all():
                break
            state, _ = descent.step(state)
    return float(first.clamp_min(1.0).mean())


def score(numbers: Mapping[str, float], sets: Sequence[Inputs], seed: int) -> float:
    """The mean logarithm of the steps over problems; lower is better."""
    return float(np.mean([np.log(steps_to_settle(numbers, one, seed)) for one in sets]))


def moved(numbers: Mapping[str, float], draw: np.random.Generator) -> dict[str, float]:
    """A candidate: up to three numbers slightly changed."""
    found = dict(numbers)
    for name in draw.choice(list(found), int(draw.integers(1, 4)), replace=False):
        value = found[str(name)] * float(np.exp(0.5 * draw.standard_normal()))
        bounds = {"up": (1.5, 20.0), "down": (0.02, 0.9), "short": (0.05, 0.8), "long": (1.3, 10.0)}
        low, high = bounds.get(str(name), (1e-4, 1e4))
        found[str(name)] = float(np.clip(value, low, high))
    return found


def compared(numbers: Mapping[str, float], seeds: Sequence[int]) -> None:
    """Print the steps by hand and learned, for each family, on problems that the search has not seen."""
    names = [*FAMILIES, *(f"{one.get('potential', 'lennard_jones')} {one['atoms']}" for one in CLUSTERS)]
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for seed in seeds:
        for name, one in zip(names, problems(seed), strict=True):
            rows[name].append((steps_to_settle(RULE, one, seed), steps_to_settle(numbers, one, seed)))
    print(f"steps to a gradient of {SETTLED:g}, geometric means over {len(seeds)} problems each")
    for name, row in rows.items():
        hand, learned = np.exp(np.log(row).mean(0))
        print(f"{name:>20}: by hand {hand:6.2f}, learned {learned:6.2f}: {learned / hand:.2f}")
    hand, learned = np.exp(np.log([pair for row in rows.values() for pair in row]).mean(0))
    print(f"{'all':>20}: by hand {hand:6.2f}, learned {learned:6.2f}: {learned / hand:.2f}")


def main(argv: list[str] | None = None) -> int:
    """Search and keep the best; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=420.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=kept())
    parser.add_argument("--compare", type=int, default=0, metavar="N", help="measure the kept numbers on N other seeds")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    if options.compare:
        compared(Settings.read(options.out).rule, range(1001, 1001 + options.compare))
        return 0
    sets, draw = problems(options.seed), np.random.default_rng(0)
    by_hand = dict(RULE)
    best, least = by_hand, score(by_hand, sets, 0)
    print(f"by hand: {least:.4f}", flush=True)
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        candidate = moved(best, draw)
        found = score(candidate, sets, 0)
        if found < least:
            best, least = candidate, found
            print(f"{least:.4f} {best}", flush=True)
    others = problems(options.seed + 1)
    print(f"other problems: by hand {score(by_hand, others, 1):.4f}, learned {score(best, others, 1):.4f}")
    rounded = {name: float(f"{value:.4g}") for name, value in best.items()}
    Settings(rounded).keep(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
