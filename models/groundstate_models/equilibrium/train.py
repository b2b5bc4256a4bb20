"""Searches the numbers of the descent on generated structures: ``python -m groundstate_models.equilibrium.train``.

A random search: a candidate changes up to three numbers of the best, and is kept if its chains settle in fewer steps. No
problem of a benchmark is used; the structures are those of `families` and clusters. The spread of the starts stays: it decides
which states are found, not how soon. Every candidate is a line of the log, from which an interrupted run continues; at the end
the numbers are kept only if they are better on held-out problems.
"""

from __future__ import annotations

import argparse
import json
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

TRAINING, HELD_OUT = (1, 2, 3), (101, 102, 103, 104)
"""Seeds of the problems that the search uses, and of those that decide whether its result is kept."""

RACE = 0.05
"""A candidate that is worse by this after one of the seeds is not tried on the others."""

BOUNDS = {"up": (1.5, 20.0), "down": (0.02, 0.9), "short": (0.05, 0.8), "long": (1.3, 10.0), "exact": (1e-6, 1e3)}
"""Limits of the numbers; 1e-4 to 1e4 for the others."""

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


def raced(numbers: Mapping[str, float], sets: Sequence[Sequence[Inputs]], best: Sequence[float]) -> list[float] | None:
    """The scores on each set of problems; None as soon as they are worse than the best ones by `RACE`.

    A score is the mean logarithm of the steps over the problems; lower is better.
    """
    found: list[float] = []
    for place, problems_ in enumerate(sets):
        found.append(float(np.mean([np.log(steps_to_settle(numbers, one, place)) for one in problems_])))
        if best and np.mean(found) > np.mean(best[: len(found)]) + RACE:
            return None
    return found


def moved(numbers: Mapping[str, float], width: float, draw: np.random.Generator) -> dict[str, float]:
    """A candidate: up to three numbers changed, their logarithms by ``width`` times a normal number."""
    found = dict(numbers)
    for name in draw.choice(list(found), int(draw.integers(1, 4)), replace=False):
        value = found[str(name)] * float(np.exp(width * draw.standard_normal()))
        low, high = BOUNDS.get(str(name), (1e-4, 1e4))
        found[str(name)] = float(f"{np.clip(value, low, high):.4g}")
    return found


def searched(sets: Sequence[Sequence[Inputs]], log: Path, seconds: float) -> dict[str, float]:
    """The best numbers after so many seconds, those of the log included."""
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    end = time.monotonic() + seconds
    with log.open("a") as file:

        def note(line: dict[str, Any]) -> None:
            lines.append(line)
            file.write(json.dumps(line) + "\n")
            file.flush()

        if not lines:
            by_hand = raced(RULE, sets, ())
            assert by_hand is not None
            note({"tried": 0, "scores": by_hand, "kept": True, "width": 0.5, "rule": dict(RULE)})
        while time.monotonic() < end:
            best = next(line for line in reversed(lines) if line["kept"])
            number, width = len(lines), lines[-1]["width"]
            candidate = moved(best["rule"], width, np.random.default_rng(number))
            scores = raced(candidate, sets, best["scores"])
            better = scores is not None and float(np.mean(scores)) < float(np.mean(best["scores"]))
            width = min(0.8, 1.2 * width) if better else max(0.1, 0.985 * width)
            note({"tried": number, "scores": scores, "kept": better, "width": round(width, 4), "rule": candidate})
            if better:
                print(f"{number}: {np.mean(scores or ()):.4f} {candidate}", flush=True)
    return dict(next(line for line in reversed(lines) if line["kept"])["rule"])


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
    """Search, and keep the result if it is better on held-out problems; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2400.0)
    parser.add_argument("--out", type=Path, default=kept())
    parser.add_argument("--log", type=Path, default=kept().with_name("train-log.jsonl"), help="continued if it exists")
    parser.add_argument("--compare", type=int, default=0, metavar="N", help="measure the kept numbers on N other seeds")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    if options.compare:
        compared(Settings.read(options.out).rule, range(1001, 1001 + options.compare))
        return 0
    best = searched([problems(seed) for seed in TRAINING], options.log, options.seconds)
    others = [problems(seed) for seed in HELD_OUT]
    before = Settings.read(options.out).rule if options.out.exists() else RULE
    scores = {
        name: float(np.mean(raced(rule, others, ()) or ()))
        for name, rule in {"by hand": RULE, "kept": before, "learned": best}.items()
    }
    print("held-out problems: " + ", ".join(f"{name} {value:.4f}" for name, value in scores.items()))
    if scores["learned"] < min(scores["by hand"], scores["kept"]):
        Settings(best).keep(options.out)
        print(f"Written to {options.out}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
