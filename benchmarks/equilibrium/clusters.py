"""Clusters against the best known energies, and scipy's basin hopping for the same time.

``python -m benchmarks.equilibrium.clusters``. A run counts if its energy is within 1e-6 of the table (relative), which has six
to nine digits. The deadline is in wall-clock seconds, so a busy machine solves fewer.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np
from benchmarks.equilibrium.optima import LENNARD_JONES, THOMSON

import groundstate as gs


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


def ours(
    solver: gs.Solver, kind: str, atoms: int, seed: int, seconds: float, target: float
) -> tuple[float | None, float]:
    """Seconds until a chain is at the target (its energy is seen after each segment), and the answer's energy."""
    begun = time.perf_counter()
    reached: list[float] = []

    def watch(segment: Any) -> None:
        if segment.energy.size and float(np.min(segment.energy)) <= target + 1e-5 * abs(target) and not reached:
            reached.append(time.perf_counter() - begun)

    request = {"preset": {"type": "cluster", "atoms": atoms, "potential": kind}}
    found = solver.solve(request, seed=seed, deadline=seconds, ask=False, watch=watch)
    energy = float("nan") if found.answer is None else float(found.answer["energy"])
    right = energy <= target
    return (reached[0] if reached and right else None), energy


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
        target = best + 1e-6 * abs(best)
        times, energies = zip(
            *(ours(solver, options.kind, atoms, s, options.seconds, target) for s in range(seeds)), strict=True
        )
        below += sum(e < best - 2e-6 * abs(best) for e in energies)
        row = f"{atoms:>3} best {best:.6f}: groundstate {_told(times)}"
        totals["groundstate"] += times
        if options.rival:
            rival = [hopped(options.kind, atoms, s, options.seconds, target) for s in range(seeds)]
            totals["scipy"] += rival
            row += f"; scipy {_told(rival)}"
        print(row, flush=True)
    for name, every in totals.items():
        if every:
            print(f"{name}: {_told(every)}")
    print(f"below the best known: {below}")
    return 0


def _told(times: Any) -> str:
    right = sorted(t for t in times if t is not None)
    middle = f", median {np.median(right):.2f} s" if right else ""
    return f"{len(right)} of {len(times)}{middle}"


if __name__ == "__main__":
    sys.exit(main())
