"""Facility layout beside CP-SAT: ``python -m benchmarks.layout.facility FOLDER [--only O7 …] [--seconds 30]``.

FOLDER holds ``O7.areas.prn``, ``O7.flows.prn`` and so on, of https://github.com/BTHeinbach/gym-flp (MIT). Departments have an
area, and at most four for the longest side over the shortest; the cost is the sum of flow times rectilinear distance of centres.
`judged` measures answers by its own formulas.

The best known values are the optima that MINLPLib (https://www.minlplib.org) lists for fo7, fo8, fo9, o7, o8_ar4_1 and o9_ar4_1.
The stored flows of O8 lack the rows of most departments, so its optimum is another, and AB20 has no value that we could read: for
both, the best of all methods and seeds in the journal stands there.
"""

from __future__ import annotations

import argparse
import math
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.journal import Journal

import groundstate as gs

BEST = {"O7": 131.6531, "O9": 236.1385, "FO7": 20.7298, "FO8": 22.3819, "FO9": 23.4643}
TARGET = {"AB20": 1.08}
NAMES = ("O7", "O8", "O9", "FO7", "FO8", "FO9", "AB20")
ASPECT = 4.0
LACK = 0.03
"""Part of an area that may be missing in the layouts of CP-SAT, which makes its costs lower."""

Boxes = dict[int, tuple[float, float, float, float]]
"""Centre and sides of each department."""


def instance(folder: Path, name: str) -> tuple[list[float], Any, tuple[float, float]]:
    """Areas, flows ``(n, n)`` and the plant's sides."""
    lines = [line.split() for line in (folder / f"{name}.areas.prn").read_text().splitlines() if line.split()]
    sides = {line[0]: float(line[1]) for line in lines if line[0] in ("W", "H")}
    areas = [float(line[0]) for line in lines[1:] if re.fullmatch(r"[\d.]+", line[0])]
    rows = [line.split() for line in (folder / f"{name}.flows.prn").read_text().splitlines()]
    flows = np.array([[float(v) for v in row] for row in rows if len(row) == len(areas)])
    # The areas of AB20 are in squares of ten units.
    by = math.sqrt(sum(areas) / (sides["W"] * sides["H"])) if sum(areas) < 0.5 * sides["W"] * sides["H"] else 1.0
    return areas, flows, (by * sides["W"], by * sides["H"])


def judged(boxes: Boxes, areas: list[float], flows: Any, plant: tuple[float, float]) -> tuple[float, float]:
    """The cost, and the worst violation: overlap, reach out of the plant, or lack of area or of aspect."""
    worst, cost = 0.0, 0.0
    for k, (x, y, w, h) in boxes.items():
        worst = max(worst, w / 2 - x, h / 2 - y, x + w / 2 - plant[0], y + h / 2 - plant[1])
        worst = max(worst, 1 - w * h / areas[k], max(w / h, h / w) / ASPECT - 1)
        for j in range(k):
            u, v, p, q = boxes[j]
            worst = max(worst, min((w + p) / 2 - abs(x - u), (h + q) / 2 - abs(y - v)))
            cost += (flows[k, j] + flows[j, k]) * (abs(x - u) + abs(y - v))
    return cost, worst


def ours(solver: gs.Solver, areas: list[float], flows: Any, plant: tuple[float, float], seconds: float) -> Boxes:
    n = len(areas)
    links = [
        {"relation": f"d{i} connected to d{j}", "weight": float(flows[i, j])}
        for i in range(n)
        for j in range(n)
        if flows[i, j]
    ]
    request = {
        "area": list(plant),
        "items": {f"d{k}": {"area": area, "aspect": ASPECT} for k, area in enumerate(areas)},
        "prefer": links,
    }
    found = solver.solve(request, deadline=seconds, ask=False)
    if found.answer is None:
        return {}
    items = found.answer["items"]
    return {k: (items[f"d{k}"]["x"], items[f"d{k}"]["y"], *items[f"d{k}"]["box"][2:]) for k in range(n)}


def cp_sat(areas: list[float], flows: Any, plant: tuple[float, float], seconds: float) -> Boxes:
    """The same with integers, on a grid of a twentieth of a unit.

    The departments fill the plant. Where its sides are not on the grid (O7), areas may lack `LACK`, else nothing fits.
    """
    from ortools.sat.python import cp_model

    grain, model = 20, cp_model.CpModel()
    spans = [int(side * grain + 1e-6) for side in plant]
    lack = LACK if any(side * grain - span > 1e-6 for side, span in zip(plant, spans, strict=True)) else 0.0
    low, size, intervals, cost = [], [], [[], []], []  # type: ignore[var-annotated]
    for k, area in enumerate(areas):
        least, most = math.sqrt(area / ASPECT) * grain, math.sqrt(area * ASPECT) * grain
        sides = [model.new_int_var(math.floor(least), min(math.ceil(most), span), f"s{k}") for span in spans]
        places = [model.new_int_var(0, span, f"p{k}") for span in spans]
        product = model.new_int_var(math.ceil((1 - lack) * area * grain**2 - 1e-6), spans[0] * spans[1], f"a{k}")
        model.add_multiplication_equality(product, sides)
        for a, b in (sides, sides[::-1]):
            model.add(a <= int(ASPECT) * b)
        for axis in range(2):
            end = model.new_int_var(0, spans[axis], f"e{k}")
            intervals[axis].append(model.new_interval_var(places[axis], sides[axis], end, f"i{k}"))
        low.append(places)
        size.append(sides)
    model.add_no_overlap_2d(*intervals)
    for i in range(len(areas)):
        for j in range(len(areas)):
            if flows[i, j]:
                for axis in range(2):
                    apart = model.new_int_var(0, 2 * spans[axis], f"d{i}{j}")
                    gap = 2 * low[i][axis] + size[i][axis] - 2 * low[j][axis] - size[j][axis]
                    model.add(apart >= gap)
                    model.add(apart >= -gap)
                    cost.append(int(flows[i, j]) * apart)
    model.minimize(sum(cost))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 2
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return {}
    found = {}
    for k in range(len(areas)):
        w, h = (solver.value(side) / grain for side in size[k])
        x, y = (solver.value(place) / grain for place in low[k])
        found[k] = (x + w / 2, y + h / 2, w, h)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=list(NAMES), choices=NAMES)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--no-rival", action="store_true")
    parser.add_argument("--journal", type=Path, help="keep results, and continue from them")
    options = parser.parse_args()
    journal = None if options.journal is None else Journal(options.journal)
    ways: dict[str, Any] = {}
    with gs.load("layout") as solver:
        ways["groundstate"] = lambda *given: ours(solver, *given)
        if not options.no_rival:
            ways["CP-SAT"] = cp_sat
        table: dict[tuple[str, str], dict[str, Any]] = {}
        for name in options.only:
            areas, flows, plant = instance(options.folder, name)
            for way, solve in ways.items():
                key = {"instance": name, "way": way, "seconds": options.seconds}
                value = None if journal is None else journal.get(key)
                if value is None:
                    begun = time.perf_counter()
                    boxes = solve(areas, flows, plant, options.seconds)
                    took = time.perf_counter() - begun
                    cost, off = judged(boxes, areas, flows, plant) if boxes else (math.inf, 0.0)
                    value = {"cost": cost if cost < math.inf else None, "off": off, "took": took}
                    if journal is not None:
                        journal.add(key, value)
                table[name, way] = value
    print("| instance | best known | within | " + " | ".join(f"{way} (seconds)" for way in ways) + " |")
    print("|---|---|---|" + "---|" * len(ways))
    for name in options.only:
        costs = [one["cost"] for (some, _), one in table.items() if some == name and one["cost"]]
        best = BEST.get(name) or min(costs, default=math.inf)
        cells = []
        for way in ways:
            one = table[name, way]
            if one["cost"] is None:
                cells.append("none")
            else:
                wrong = f", **off by {one['off']:.2g}**" if one["off"] > 1e-5 else ""
                cells.append(f"{one['cost']:.6g}, {one['cost'] / best - 1:+.2%} ({one['took']:.1f}){wrong}")
        known = f"{best:.6g}" if name in BEST else f"{best:.6g} (of these)"
        print(f"| {name} | {known} | {TARGET.get(name, 1.05) - 1:.0%} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
