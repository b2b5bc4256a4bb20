"""Clusters against the best known energies, and scipy's basin hopping for the same time.

``python -m benchmarks.equilibrium.clusters``. A run counts if its energy is within the last digit of the table (relative 1e-8
for charges; the table of Lennard-Jones has six decimals). The deadline is in wall-clock seconds, so a busy machine solves fewer.
The rate counts a run that misses with all of its seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np
from benchmarks.equilibrium.optima import LENNARD_JONES, THOMSON

import groundstate as gs
from groundstate_models.equilibrium.reading import EquilibriumReading


def pairs(kind: str, x: Any) -> tuple[float, Any]:
    """Energy and gradient of a cluster, ``(3 N,)``, vectorised; of charges, on the sphere."""
    y = x.reshape(-1, 3)
    if kind == "thomson":
        size = np.linalg.norm(y, axis=1, keepdims=True)
        p = y / size
    else:
        p = y
    one, other = np.triu_indices(len(p), 1)
    gap = p[one] - p[other]
    d2 = np.maximum((gap**2).sum(1), 1e-12)
    if kind == "thomson":
        inverse = 1 / np.sqrt(d2)
        energy, slope = inverse.sum(), -inverse / d2
    else:
        six = 1 / d2**3
        energy, slope = (six**2 - 2 * six).sum(), -12 * (six**2 - six) / d2
    gradient = np.zeros_like(p)
    pull = slope[:, None] * gap
    np.add.at(gradient, one, pull)
    np.add.at(gradient, other, -pull)
    if kind == "thomson":
        gradient = (gradient - p * (gradient * p).sum(1, keepdims=True)) / size
    return float(energy), gradient.ravel()


def hopped(kind: str, atoms: int, seed: int, seconds: float, target: float) -> float | None:
    """Seconds until scipy's basin hopping (L-BFGS inside, default step) reaches the target; None if it does not."""
    from scipy.optimize import basinhopping

    draw = np.random.default_rng(seed)
    begun = time.perf_counter()
    reached: list[float] = []

    def seen(_x: Any, f: float, _accepted: bool) -> bool:
        now = time.perf_counter() - begun
        if f <= target:
            reached.append(now)
        return bool(reached) or now > seconds

    while not reached and time.perf_counter() - begun < seconds:
        start = draw.standard_normal(3 * atoms) * (1.0 if kind == "thomson" else 0.6 * atoms ** (1 / 3))
        basinhopping(
            lambda x: pairs(kind, x),
            start,
            niter=100,
            callback=seen,
            rng=draw,
            minimizer_kwargs={"method": "L-BFGS-B", "jac": True},
        )
    return reached[0] if reached else None


class Enough(Exception):  # noqa: N818 - it ends a solve; nothing is wrong
    """The target is reached."""


def ours(
    solver: gs.Solver, kind: str, atoms: int, seed: int, seconds: float, target: float
) -> tuple[float | None, float]:
    """Seconds until a settled chain is at the target, finished and checked as an answer is, and the energy of the answer.

    The solve ends there; left alone it would search on for cheaper ones.
    """
    request = {"preset": {"type": "cluster", "atoms": atoms, "potential": kind}}
    reading = EquilibriumReading(solver.header, request)
    begun = time.perf_counter()
    reached: list[tuple[float, float]] = []

    def watch(segment: Any) -> None:
        if segment.stage or reached or not segment.energy.size:
            return
        best = int(np.argmin(segment.energy))
        if segment.energy[best] > target + 1e-5 * abs(target) or segment.violations[best].any():
            return
        answer = reading.decode({"places": segment.answer["places"][best]})
        if answer["energy"] <= target and not reading.check(answer):
            reached.append((time.perf_counter() - begun, answer["energy"]))

    def heartbeat() -> None:
        if reached:
            raise Enough

    try:
        found = solver.solve(request, seed=seed, deadline=seconds, ask=False, watch=watch, heartbeat=heartbeat)
    except Enough:
        return reached[0]
    energy = float("nan") if found.answer is None else float(found.answer["energy"])
    return (time.perf_counter() - begun if energy <= target else None), energy


def main(argv: list[str] | None = None) -> int:
    """Print a row for each size; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every size and 10 seeds")
    parser.add_argument("--kind", choices=("lennard_jones", "thomson"), default="lennard_jones")
    parser.add_argument("--sizes", default="", help="numbers of atoms, with commas")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rival", action="store_true", help="scipy's basin hopping beside it")
    options = parser.parse_args(argv)
    table = LENNARD_JONES if options.kind == "lennard_jones" else THOMSON
    few = [7, 13] if options.kind == "lennard_jones" else [6, 12, 24]
    sizes = list(table) if options.all else [int(n) for n in options.sizes.split(",") if n] or few
    seeds = 10 if options.all else options.seeds
    solver = gs.load("equilibrium")
    totals: dict[str, list[float | None]] = {"groundstate": [], "scipy": []}
    below = 0
    for atoms in sizes:
        best = table[atoms]
        target = best + (1e-6 if options.kind == "lennard_jones" else max(1e-8 * best, 1e-9))
        times, energies = zip(
            *(ours(solver, options.kind, atoms, s, options.seconds, target) for s in range(seeds)), strict=True
        )
        below += sum(e < best - 2e-6 for e in energies)
        row = f"{atoms:>3} best {best:.6f}: groundstate {_told(times)}"
        totals["groundstate"] += times
        if options.rival:
            rival = [hopped(options.kind, atoms, s, options.seconds, target) for s in range(seeds)]
            totals["scipy"] += rival
            row += f"; scipy {_told(rival)}"
        print(row, flush=True)
    rates = {}
    for name, every in totals.items():
        if every:
            spent = sum(options.seconds if t is None else t for t in every)
            rates[name] = sum(t is not None for t in every) / spent
            print(f"{name}: {_told(every)}; {rates[name]:.2f} a second of search")
    if len(rates) == 2:
        print(f"{rates['groundstate'] / rates['scipy']:.1f} times the rate of scipy")
    print(f"below the best known: {below}")
    return 0


def _told(times: Any) -> str:
    right = sorted(t for t in times if t is not None)
    middle = f", median {np.median(right):.2f} s" if right else ""
    return f"{len(right)} of {len(times)}{middle}"


if __name__ == "__main__":
    sys.exit(main())
