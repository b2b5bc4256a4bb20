"""Bistable trusses, nets, arches, mechanisms and impossible cables: ``python -m benchmarks.equilibrium.structures``.

``--trusses 500 --seed 1`` tries other trusses, half of them under loads between 1e-8 and 1 of the load that snaps them.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import groundstate as gs
from groundstate_models.equilibrium import check
from groundstate_models.equilibrium.families import FAMILIES, bistable, cable_too_short
from groundstate_models.equilibrium.request import read


def trusses(solver: gs.Solver, count: int, seed: int = 0, *, lighter: bool = False) -> None:
    """Both states of a shallow truss found, and asked about; ``lighter``: every second one under a small load."""
    draw = np.random.default_rng(seed)
    both = asked = 0
    times = []
    for number in range(count):
        made = bistable(draw)
        if lighter and number % 2:
            made.request["nodes"]["C"]["load"][1] *= float(10.0 ** draw.uniform(-8.0, 0.0))
        begun = time.perf_counter()
        found = solver.solve(made.request, alternatives=2)
        times.append(time.perf_counter() - begun)
        answers = [found.answer, *(other.answer for other in found.alternatives)]
        sides = {a["positions"]["C"][1] > made.about["level"] for a in answers if a is not None}
        both += len(sides) == 2
        asked += found.question is not None and len(found.question.options) == 2
    print(f"bistable trusses: both states {both} of {count}, asked {asked}; median {1000 * np.median(times):.0f} ms")


def made(solver: gs.Solver, count: int) -> None:
    """Generated structures: solved, and balanced by the checker."""
    for name, family in FAMILIES.items():
        draw = np.random.default_rng(100)
        solved = wrong = infeasible = 0
        times, residuals = [], []
        for _ in range(count):
            request = family(draw).request
            begun = time.perf_counter()
            found = solver.solve(request, ask=False, deadline=20)
            times.append(time.perf_counter() - begun)
            infeasible += found.status == "infeasible"
            if found.answer is not None:
                solved += 1
                structure = read(request)
                wrong += bool(check.failed(structure, found.answer))
                residuals.append(found.answer["residual"] / structure.force)
        print(
            f"{name}: solved {solved} of {count}, wrong {wrong}, called infeasible {infeasible}, largest residual "
            f"{max(residuals, default=float('nan')):.1e} of the load, median {1000 * np.median(times):.0f} ms"
        )


def short(solver: gs.Solver, count: int) -> None:
    """Lines of cables that do not reach."""
    draw = np.random.default_rng(0)
    proven = sum(solver.solve(cable_too_short(draw).request, ask=False).status == "infeasible" for _ in range(count))
    print(f"cables too short: proven {proven} of {count}")


def olympia(folder: Path) -> dict[str, Any]:
    """The net of the reference: supports where they stand, force densities from its forces and lengths."""
    with (folder / "olympia-nodes.csv").open() as file:
        rows = list(csv.DictReader(file))
    at = {r["Knoten"]: [float(r[a]) + float(r[b]) for a, b in ("xu", "yv", "zw")] for r in rows}
    nodes: dict[str, Any] = {}
    for row in rows:
        name = f"n{row['Knoten']}"
        nodes[name] = {} if float(row["is_free"]) else {"at": at[row["Knoten"]], "fixed": True}
    members = []
    with (folder / "olympia-edges.csv").open() as file:
        for row in csv.DictReader(file):
            length = float(np.linalg.norm(np.array(at[row["a"]]) - np.array(at[row["b"]])))
            density = float(row["f"]) / length
            members.append({"type": "link", "between": [f"n{row['a']}", f"n{row['b']}"], "force_density": density})
    return {"nodes": nodes, "members": members, "gravity": 0}


def stored(solver: gs.Solver, folder: Path) -> None:
    """The stored net and arch, and an arch of least load path."""
    request = olympia(folder)
    with (folder / "olympia-nodes.csv").open() as file:
        at = {
            f"n{r['Knoten']}": [float(r[a]) + float(r[b]) for a, b in ("xu", "yv", "zw")] for r in csv.DictReader(file)
        }
    begun = time.perf_counter()
    found = solver.solve(request, ask=False)
    spent = time.perf_counter() - begun
    if found.answer is not None:
        off = max(float(np.linalg.norm(np.subtract(p, at[n]))) for n, p in found.answer["positions"].items())
        residual = found.answer["residual"]
        print(
            f"olympia: {found.status}, residual {residual:.1e}, largest distance from the reference {off:.1e}, {spent:.2f} s"
        )
    places = json.loads((folder / "arch_coordinates.json").read_text())
    nodes: dict[str, Any] = {f"n{k}": {"load": [0, 0, -0.2]} for k in range(11)}
    for k in (0, 10):
        nodes[f"n{k}"] = {"at": places[k], "fixed": True}
    members = [{"type": "link", "between": [f"n{k}", f"n{k + 1}"], "force_density": -1.0} for k in range(10)]
    found = solver.solve({"nodes": nodes, "members": members}, ask=False)
    if found.answer is not None:
        off = max(
            float(np.linalg.norm(np.subtract(p, places[int(n[1:])]))) for n, p in found.answer["positions"].items()
        )
        print(
            f"arch of ten bars: {found.status}, residual {found.answer['residual']:.1e}, distance from the reference {off:.1e}"
        )


def least_path(solver: gs.Solver) -> None:
    """An arch of span d: the load path Σ |force| · length at rise √3 d / 4 is ρ d² / √3."""
    span, bars = 4.0, 100
    rise = 3**0.5 * span / 4
    request = {"preset": {"type": "arch", "from": [0, 0], "to": [span, 0], "bars": bars, "rise": rise, "weight": span}}
    found = solver.solve(request, ask=False)
    if found.answer is None:
        print(f"arch of {bars} bars: {found.status}")
        return
    at = {n: np.array(p) for n, p in found.answer["positions"].items()}
    path = 0.0
    for member in read(request).members:
        path += abs(found.answer["forces"][member.name]) * float(np.linalg.norm(at[member.a] - at[member.b]))
    exact = span**2 / 3**0.5
    top = max(float(p[1]) for p in at.values())
    print(
        f"arch of {bars} bars: residual {found.answer['residual']:.1e}, load path {path:.4f} ({path / exact - 1:+.2%} of the "
        f"continuous one), rise {top:.5f} ({top / rise - 1:+.2e})"
    )


def main(argv: list[str] | None = None) -> int:
    """Print the results; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="200 of each instead of 10")
    parser.add_argument("--stored", type=Path, default=None, help="the folder with the net and the arches of jax_fdm")
    parser.add_argument("--trusses", type=int, default=0, metavar="N", help="only N other bistable trusses")
    parser.add_argument("--seed", type=int, default=1, help="of --trusses")
    options = parser.parse_args(argv)
    solver = gs.load("equilibrium")
    if options.trusses:
        trusses(solver, options.trusses, options.seed, lighter=True)
        return 0
    count = 200 if options.all else 10
    trusses(solver, count)
    short(solver, count)
    made(solver, 50 if options.all else 5)
    least_path(solver)
    if options.stored is not None:
        stored(solver, options.stored)
    return 0


if __name__ == "__main__":
    sys.exit(main())
