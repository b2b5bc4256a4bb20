"""Learn the numbers of the descent: ``python -m groundstate_models.geometry.train --seconds 420 --out settings.json``.

Random search around the best numbers so far, on generated problems: it minimises the mean logarithm of the updates that a
chain needs for a solution. No benchmark problem is used.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from groundstate_models.geometry import settings as kept
from groundstate_models.geometry.families import constructions, school, sketch
from groundstate_models.geometry.learned import NOISE_EVERY, RULE, Settings
from groundstate_models.geometry.request import read
from groundstate_models.geometry.system import Tables, descended

STEPS = 192
CHAINS = 8
SOLVED = 1e-14
"""Twice the energy below which a state is a solution."""

SPREAD = {"down": 0.4, "up": 0.4}
"""Width of a move of a number, as a logarithm; 0.5 for the others."""


def problems(seed: int) -> list[Tables]:
    """Constructions, sketches and school problems."""
    draw = np.random.default_rng(seed)
    made = [constructions(draw, (4, 7)) for _ in range(10)]
    made += [sketch(draw, (5, 14)) for _ in range(6)]
    made += [school(draw) for _ in range(4)]
    return [read(one.request).problem.tables for one in made]


def first_solved(tables: Tables, numbers: Mapping[str, float], draw: np.random.Generator) -> np.ndarray:
    """The update at which each of `CHAINS` chains has a solution; infinite if not within `STEPS`."""
    y = numbers["start"] * draw.standard_normal((CHAINS, tables.unknowns))
    first = np.full(CHAINS, np.inf)
    for made in range(0, STEPS, NOISE_EVERY):
        r, jacobian = tables.linearised(y)
        stuck = (r * r).sum(1) > SOLVED
        if made and not stuck.any():
            break
        if made:
            felt = np.einsum("bk,bki->bi", r * r, (np.abs(jacobian) > 1e-9).astype(float)) + 1e-12
            heat = (felt / felt.max(1, keepdims=True)) ** numbers["sharpness"]
            y = np.where(stuck[:, None], y + numbers["throw"] * heat * draw.standard_normal(y.shape), y)
        y = descended(tables, y, NOISE_EVERY, damping=numbers["damping"], up=numbers["up"], down=numbers["down"])
        solved = (tables.residual(y) ** 2).sum(1) < SOLVED
        first = np.where(solved & ~np.isfinite(first), made + NOISE_EVERY, first)
    return first


def score(numbers: Mapping[str, float], sets: Sequence[Tables], seed: int) -> float:
    """The mean logarithm of the updates per solution; lower is better."""
    found = []
    for place, tables in enumerate(sets):
        first = first_solved(tables, numbers, np.random.default_rng(100 * seed + place))
        solved = np.isfinite(first)
        found.append(float(np.log(np.where(solved, first, STEPS).sum() / (solved.sum() + 0.25))))
    return float(np.mean(found))


def moved(numbers: Mapping[str, float], draw: np.random.Generator) -> dict[str, float]:
    """A candidate: up to three of the numbers slightly changed."""
    found = dict(numbers)
    for name in draw.choice(list(found), int(draw.integers(1, 4)), replace=False):
        factor = float(np.exp(SPREAD.get(name, 0.5) * draw.standard_normal()))
        if name == "up":
            found[name] = float(np.clip(1 + (found[name] - 1) * factor, 1.5, 20.0))
        elif name == "down":
            found[name] = float(np.clip(found[name] * factor, 0.05, 0.7))
        else:
            found[name] *= factor
    return found


def main(argv: list[str] | None = None) -> int:
    """Search and keep the best; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=420.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=kept())
    options = parser.parse_args(argv)
    sets, draw = problems(options.seed), np.random.default_rng(0)
    best: dict[str, float] = {"start": 1.0, **RULE}
    least = score(best, sets, 0)
    print(f"by hand: {least:.4f}")
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        candidate = moved(best, draw)
        found = score(candidate, sets, 0)
        if found < least:
            best, least = candidate, found
            print(f"{least:.4f} {best}", flush=True)
    others = problems(options.seed + 1)
    print(
        f"other problems: by hand {score({'start': 1.0, **RULE}, others, 1):.4f}, learned {score(best, others, 1):.4f}"
    )
    rounded = {name: float(f"{value:.4g}") for name, value in best.items()}
    Settings({name: rounded[name] for name in RULE}, rounded["start"]).keep(options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
