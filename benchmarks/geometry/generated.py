"""Generated problems whose answers are known: ``python -m benchmarks.geometry.generated --count 100 [--only sketches …]``.

Every line is a family of the issue's table; the seeds here are none that the numbers of the descent were learned from.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import groundstate as gs
from groundstate_models.geometry import analysis
from groundstate_models.geometry.families import Made, henneberg, sketch
from groundstate_models.geometry.figure import Figure
from groundstate_models.geometry.proofs import contradiction
from groundstate_models.geometry.reading import GeometryReading, culprits
from groundstate_models.geometry.request import read
from groundstate_models.geometry.search import possible

FIRST_SEED = 1_000_000
"""The seeds of a run begin here."""

TALLY: dict[str, int] = {"wrong": 0, "falsely impossible": 0}
WORK: list[float] = []
"""Processor seconds of every call, for busy machines."""


def timed(solver: gs.Solver, request: dict[str, Any], **options: Any) -> tuple[gs.Solution, float]:
    begun, busy = time.perf_counter(), time.process_time()
    found = solver.solve(request, **options)
    seconds = time.perf_counter() - begun
    WORK.append(time.process_time() - busy)
    if found.answer is not None and max(a for _, a in _figure(request, found.answer)) > 1e-6:
        TALLY["wrong"] += 1
    return found, seconds


def _figure(request: dict[str, Any], answer: dict[str, Any]) -> list[tuple[Any, float]]:
    """How far the constraints of the request, read anew, are from the answer."""
    problem = read(request).problem
    points = {name: (at[0], at[1]) for name, at in answer["points"].items()}
    circles = {k: (centre, answer["circles"][k]["radius"]) for k, centre in problem.circles.items()}
    for k, centre in problem.circles.items():
        points.setdefault(centre, tuple(answer["circles"][k]["center"]))
    if set(problem.points) - set(points):
        return [(None, 0.0)]
    return problem.amounts(Figure(points, circles, problem.arcs, answer.get("unknowns", {}))) or [(None, 0.0)]


def sketches(solver: gs.Solver, count: int, deadline: float) -> str:
    """CAD sketches of 5 to 40 entities from random starts."""
    solved, certified, seconds, residual = 0, 0, [], []
    sizes: dict[str, list[bool]] = {"5-12": [], "13-24": [], "25-40": []}
    for k in range(count):
        draw = np.random.default_rng(FIRST_SEED + k)
        made = sketch(draw)
        found, took = timed(solver, made.request, deadline=deadline, ask=False)
        TALLY["falsely impossible"] += found.status == "infeasible"
        seconds.append(took)
        n = len(made.points)
        sizes["5-12" if n < 13 else "13-24" if n < 25 else "25-40"].append(found.answer is not None)
        if found.answer is not None:
            solved += 1
            certified += found.answer["certified"] is not None
            residual.append(max(a for one, a in _figure(made.request, found.answer) if one and one.source >= 0))
    by_size = ", ".join(f"{name} points {sum(v)}/{len(v)}" for name, v in sizes.items())
    return (
        f"sketches: {solved}/{count} solved ({by_size}); certified {certified}/{solved}; largest residual "
        f"{max(residual, default=math.nan):.1e} of the scale; median {statistics.median(seconds) * 1e3:.0f} ms"
    )


def graphs(solver: gs.Solver, count: int, deadline: float) -> str:
    """All figures of rigid graphs of 5 to 8 points at 256 chains."""
    complete, found_all, known_all, seconds = 0, 0, 0, []
    for k in range(count):
        made = henneberg(np.random.default_rng(FIRST_SEED + k))
        known = made.about["solutions"]
        found, took = timed(solver, made.request, restarts=256, alternatives=64, ask=False, deadline=deadline)
        listed = ([found.answer] if found.answer else []) + list(found.alternatives)
        seconds.append(took)
        found_all += len(listed)
        known_all += len(known)
        complete += len(listed) == len(known)
    return f"graphs: complete {complete}/{count}; {found_all} of {known_all} figures; median {statistics.median(seconds):.2f} s"


def flips(solver: gs.Solver, count: int, deadline: float) -> str:
    """Sketches with one point that can lie on either side: both found, asked, each option solved."""
    asked = 0
    for k in range(count):
        draw = np.random.default_rng(FIRST_SEED + k)
        made = henneberg(draw, (4, 4))
        found, _ = timed(solver, made.request, alternatives=4, deadline=deadline)
        if len(made.about["solutions"]) < 2:
            asked += found.status == "solved"
            continue
        if found.status != "ambiguous" or found.question is None:
            continue
        chosen = [
            solver.solve(option.apply(found.request), ask=False, deadline=deadline) for option in found.question.options
        ]
        asked += len(chosen) == 2 and all(one.status == "solved" for one in chosen)
    return f"flips: found, asked and each option solved {asked}/{count}"


def contradictions(solver: gs.Solver, count: int, deadline: float) -> str:
    """Sketches with one or two wrong statements: which are named, and whether each named set needs all its statements.

    Wrong are a second value of a dimension, a direction, or a third side that is too long; every fourth sketch gets a plausible
    but wrong distance, which only descent can judge. Where that has a figure after all, it is left out.
    """
    tally = dict.fromkeys(
        (
            "proven",
            "named",
            "injected",
            "minimal",
            "shown",
            "sets",
            "plausible proven",
            "probable",
            "under stress",
            "possible",
        ),
        0,
    )
    for k in range(count):
        draw = np.random.default_rng(FIRST_SEED + k)
        made = sketch(draw, (5, 14))
        plausible = k % 4 == 3
        wrong = [_plausible(made, draw)] if plausible else [_wrong(made, draw) for _ in range(1 + k % 2)]
        stated = list(made.request["constraints"])
        for one in wrong:
            stated.insert(int(draw.integers(len(stated) + 1)), one)
        places = [f"constraints[{j}]" for j, one in enumerate(stated) if any(one is other for other in wrong)]
        request = {**made.request, "constraints": stated}
        found, _ = timed(solver, request, ask=False, deadline=deadline, restarts=16, max_steps=128)
        if found.status == "infeasible":
            tally["proven"] += 1
            tally["plausible proven"] += plausible
            named = {place for one in found.violations for place in one.places}
            tally["injected"] += len(wrong)
            tally["named"] += sum(place in named for place in places)
            problem = read(request).problem
            for violation in found.violations:
                mine = {j for j, (_, path) in enumerate(problem.statements) if path in violation.places}
                others = set(range(len(problem.statements))) - mine
                rests = [problem.without(others | {j}) for j in mine]
                tally["sets"] += 1
                tally["minimal"] += not any(contradiction(rest) for rest in rests)
                tally["shown"] += all(possible(rest, 24, 80) for rest in rests)
        elif found.answer is None and plausible and found.closest is not None:
            tally["probable"] += 1
            problem = read(request).problem
            figure = GeometryReading(solver.header, request).figure(found.closest.answer)
            stressed = culprits(problem, problem.place(figure)) if figure is not None else []
            tally["under stress"] += places[0] in [problem.statements[j][1] for j in stressed]
        elif plausible:
            tally["possible"] += 1
        else:
            tally["injected"] += len(wrong)
            tally["wrong"] = tally.get("wrong", 0) + (found.answer is not None)
    return (
        f"contradictions: {tally['proven']} of {count} proven; wrong statements named {tally['named']}/{tally['injected']}, sets "
        f"minimal {tally['minimal']}/{tally['sets']}, by figures without each statement {tally['shown']}/{tally['sets']}; "
        f"of plausible values {tally['plausible proven']} proven, {tally['probable']} without a figure or proof, the wrong one "
        f"under stress in {tally['under stress']}, {tally['possible']} with a figure; called solved and wrong "
        f"{tally.get('wrong', 0)}"
    )


def _wrong(made: Made, draw: np.random.Generator) -> dict[str, Any]:
    """A statement that contradicts a few of a sketch's."""
    given = made.request["constraints"]
    sizes = [one for one in given if one["type"] == "distance"]
    straight = [one for one in given if one["type"] in {"perpendicular", "parallel", "horizontal", "vertical"}]
    kind = int(draw.integers(3))
    if kind == 1:
        one = straight[int(draw.integers(len(straight)))]
        other = {
            "perpendicular": "parallel",
            "parallel": "perpendicular",
            "horizontal": "vertical",
            "vertical": "horizontal",
        }
        return {"type": other[one["type"]], "of": one["of"]}
    pairs = [(one, two) for one in sizes for two in sizes if one is not two and len({*one["of"], *two["of"]}) == 3]
    if kind == 2 and pairs:
        one, two = pairs[int(draw.integers(len(pairs)))]
        ends = sorted(set(one["of"]) ^ set(two["of"]))
        return {"type": "distance", "of": ends, "is": round((one["is"] + two["is"]) * draw.uniform(1.05, 1.5), 4)}
    one = sizes[int(draw.integers(len(sizes)))]
    return {**one, "is": round(one["is"] * draw.uniform(1.05, 1.5), 4)}


def _plausible(made: Made, draw: np.random.Generator) -> dict[str, Any]:
    """A distance that no statement gives, some tenths too long."""
    names = list(made.points)
    given = {frozenset(one["of"]) for one in made.request["constraints"] if one["type"] == "distance"}
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if frozenset((a, b)) not in given]
    a, b = pairs[int(draw.integers(len(pairs)))]
    return {
        "type": "distance",
        "of": [a, b],
        "is": round(math.dist(made.points[a], made.points[b]) * draw.uniform(1.1, 1.4), 4),
    }


def freedom(solver: gs.Solver, count: int, deadline: float) -> str:
    """Rigid graphs with statements left out: how many ways to move there are, by the rank of the known figure."""
    right = points = false_redundant = 0
    for k in range(count):
        draw = np.random.default_rng(FIRST_SEED + k)
        made = henneberg(draw)
        drop = int(draw.integers(1, 4))
        kept = list(made.request["constraints"])
        for _ in range(drop):
            kept.pop(int(draw.integers(1, len(kept))))
        request = {**made.request, "constraints": kept}
        found, _ = timed(solver, request, ask=False, deadline=deadline)
        if found.answer is None:
            continue
        right += found.answer["freedom"]["degrees"] == drop
        false_redundant += any("follows" in one for one in found.answer.get("notices", []))
        points += set(found.answer["freedom"]["moving"]) == _moving(request, made)
    return f"freedom: degrees right {right}/{count}, moving points right {points}/{count}, called redundant {false_redundant}"


def _moving(request: dict[str, Any], made: Made) -> set[str]:
    """Points that move in the figure that the request was made from: distances differentiated by hand."""
    names = list(made.points)
    place = {name: 2 * i for i, name in enumerate(names)}
    rows = []
    for text in request["constraints"]:
        a, b = text[0], text[1]
        row = np.zeros(2 * len(names))
        gap = np.subtract(made.points[a], made.points[b])
        row[place[a] : place[a] + 2], row[place[b] : place[b] + 2] = gap, -gap
        rows.append(row)
    for k in (0, 1):
        row = np.zeros(2 * len(names))
        row[k] = 1.0
        rows.append(row)
    row = np.zeros(2 * len(names))
    gap = np.subtract(made.points[names[1]], made.points[names[0]])
    row[2], row[3] = -gap[1], gap[0]
    rows.append(row)
    free = analysis.null_space(np.array(rows), 2 * len(names))
    return {name for name in names if np.abs(free[:, place[name] : place[name] + 2]).max(initial=0.0) > 1e-6}


def nearest(solver: gs.Solver, count: int, deadline: float) -> str:
    """Triangles with a side that is too long: the nearest value is the sum of the others."""
    works = close = 0
    for k in range(count):
        draw = np.random.default_rng(FIRST_SEED + k)
        a, b = draw.uniform(2, 9, 2)
        wrong = (a + b) * draw.uniform(1.1, 2.0)
        request = {"constraints": [f"AB = {a:.4f}", f"BC = {b:.4f}", f"AC = {wrong:.4f}"]}
        found, _ = timed(solver, request, deadline=deadline)
        options = found.question.options if found.question else ()
        mine = next((one for one in options if one.label.startswith("AC =") and "could be" in one.label), None)
        if mine is None:
            continue
        value = float(mine.label.split("could be")[1].strip(" ."))
        works += solver.solve(mine.apply(found.request), ask=False).status == "solved"
        close += abs(value - (round(a, 4) + round(b, 4))) < 0.01 * (a + b)
    return f"nearest value: works {works}/{count}, within 1 % of the analytic one {close}/{count}"


FAMILIES: dict[str, Callable[[gs.Solver, int, float], str]] = {
    "sketches": sketches,
    "graphs": graphs,
    "flips": flips,
    "contradictions": contradictions,
    "freedom": freedom,
    "nearest": nearest,
}


def main(argv: list[str] | None = None) -> int:
    """Print a line for each family; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="number of the first problem, to run a family in parts")
    parser.add_argument("--only", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    parser.add_argument("--deadline", type=float, default=10.0)
    options = parser.parse_args(argv)
    solver = gs.load("geometry")
    global FIRST_SEED  # noqa: PLW0603
    FIRST_SEED += options.first
    for name in options.only:
        WORK.clear()
        line = FAMILIES[name](solver, options.count, options.deadline)
        print(f"{line}; median processor time of a call {statistics.median(WORK) * 1e3:.0f} ms", flush=True)
    print(f"called solved and wrong {TALLY['wrong']}; called infeasible and feasible {TALLY['falsely impossible']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
