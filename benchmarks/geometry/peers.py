"""The generated sketches with other solvers from the same random starts: ``python -m benchmarks.geometry.peers --count 50``.

``planegcs`` (the solver of FreeCAD) and ``slvs`` (that of SolveSpace) take part where they are installed (``pip install planegcs
slvs``; planegcs is built from source and needs Eigen and Boost). Each gets the places of a random start, the sign of every
angle as in the known figure, and no circle, since no sketch of the family depends on one. It is right if all equations hold to
1e-6 of the scale; sides are not asked of it. ``restarts`` is the same with new starts until the processor time of this
project's model is spent. Also counted: the same sketches from a good guess, the known figure moved by 1 % of its size.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import groundstate as gs
from groundstate_models.geometry.families import Made, sketch
from groundstate_models.geometry.figure import Figure
from groundstate_models.geometry.kinds import KINDS
from groundstate_models.geometry.request import read

FIRST_SEED = 1_000_000
Places = dict[str, tuple[float, float]]
Solve = Callable[[Made, Mapping[str, tuple[float, float]]], Places]


def angle_of(made: Made, a: str, v: str, b: str) -> float:
    """The directed angle from va to vb in the known figure, in degrees."""
    (ax, ay), (vx, vy), (bx, by) = (made.points[name] for name in (a, v, b))
    return math.degrees(math.remainder(math.atan2(by - vy, bx - vx) - math.atan2(ay - vy, ax - vx), math.tau))


def by_planegcs(made: Made, start: Mapping[str, tuple[float, float]]) -> Places:
    """The figure that planegcs reaches."""
    from planegcs import Sketch

    s = Sketch()
    point = {name: s.add_point(*at) for name, at in start.items()}
    lines: dict[tuple[str, str], int] = {}

    def line(a: str, b: str) -> int:
        if (a, b) not in lines:
            lines[a, b] = s.add_line(point[a], point[b])
        return lines[a, b]

    known: dict[tuple[str, int], int] = {}

    def hold(name: str, axis: int, param: int) -> None:
        (s.solver.coordinate_x, s.solver.coordinate_y)[axis](point[name], param)

    def coordinate(name: str, axis: int) -> int:
        if (name, axis) not in known:
            known[name, axis] = s.add_param(start[name][axis], fixed=False)
            hold(name, axis, known[name, axis])
        return known[name, axis]

    for one in made.request["constraints"]:
        kind, of, value = one["type"], one["of"], one.get("is")
        if kind in {"x", "y"}:
            axis = "xy".index(kind)
            if len(of) == 1:
                hold(of[0], axis, s.add_param(value))
            else:
                one_, two = (coordinate(name, axis) for name in of)
                s.solver.difference(one_, two, s.add_param(value))
        elif kind in {"horizontal", "vertical"}:
            (s.horizontal_points if kind == "horizontal" else s.vertical_points)(point[of[0]], point[of[1]])
        elif kind == "distance":
            s.p2p_distance(point[of[0]], point[of[1]], s.add_param(value))
        elif kind == "angle":
            turn = math.radians(angle_of(made, *of))
            s.l2l_angle(line(of[1], of[0]), line(of[1], of[2]), s.add_param(turn))
        elif kind in {"perpendicular", "parallel"}:
            getattr(s, kind)(line(*of[:2]), line(*of[2:]))
        elif kind == "equal_lengths":
            s.equal_length(line(*of[:2]), line(*of[2:]))
        elif kind == "midpoint":
            s.symmetric_point(point[of[1]], point[of[2]], point[of[0]])
        elif kind == "on_segment":
            s.point_on_line(point[of[0]], line(of[1], of[2]))
    s.solve()
    return {name: s.get_point(number) for name, number in point.items()}


def by_slvs(made: Made, start: Mapping[str, tuple[float, float]]) -> Places:
    """The figure that SolveSpace's solver reaches."""
    import slvs

    slvs.clear_sketch()
    plane = slvs.add_base_2d(1)
    origin, right, up = (slvs.add_point_2d(1, x, y, plane) for x, y in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    axes = {"x": slvs.add_line_2d(1, origin, right, plane), "y": slvs.add_line_2d(1, origin, up, plane)}
    point = {name: slvs.add_point_2d(2, *at, plane) for name, at in start.items()}
    lines: dict[tuple[str, str], Any] = {}
    kinds = slvs.ConstraintType

    def line(a: str, b: str) -> Any:
        if (a, b) not in lines:
            lines[a, b] = slvs.add_line_2d(2, point[a], point[b], plane)
        return lines[a, b]

    for one in made.request["constraints"]:
        kind, of, value = one["type"], one["of"], one.get("is")
        if kind in {"x", "y"}:
            first = origin if len(of) == 1 else point[of[0]]
            slvs.add_constraint(2, kinds.PROJ_PT_DISTANCE, plane, -value, first, point[of[-1]], axes[kind])
        elif kind in {"horizontal", "vertical"}:
            getattr(slvs, kind)(2, line(*of), plane)
        elif kind == "distance":
            slvs.distance(2, point[of[0]], point[of[1]], value, plane)
        elif kind == "angle":
            slvs.angle(2, line(of[1], of[0]), line(of[1], of[2]), abs(angle_of(made, *of)), plane)
        elif kind in {"perpendicular", "parallel"}:
            getattr(slvs, kind)(2, line(*of[:2]), line(*of[2:]), plane)
        elif kind == "equal_lengths":
            slvs.equal(2, line(*of[:2]), line(*of[2:]), plane)
        elif kind == "midpoint":
            slvs.midpoint(2, point[of[0]], line(of[1], of[2]), plane)
        elif kind == "on_segment":
            slvs.coincident(2, point[of[0]], line(of[1], of[2]), plane)
    slvs.solve_sketch(2, False)  # noqa: FBT003
    found = {}
    for name, entity in point.items():
        x, y = (slvs.get_param_value(param) for param in entity["param"][:2])
        found[name] = (x, y)
    return found


def right(made: Made, at: Places) -> bool:
    """Whether all equations between points hold to 1e-6 of the scale."""
    if not all(math.isfinite(v) for place in at.values() for v in place):
        return False
    problem = read(made.request).problem
    figure = Figure(at, {}, {}, {})
    equations = [one for one in problem.constraints if not KINDS[one.kind].strict and one.kind != "tangent line"]
    amounts = [KINDS[one.kind].excess(figure, *one.arguments) for one in equations if one.kind != "on segment"]
    amounts += [KINDS["on line"].excess(figure, *one.arguments) for one in equations if one.kind == "on segment"]
    return max(amounts) <= 1e-6


def main(argv: list[str] | None = None) -> int:
    """Print a line for each solver; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--deadline", type=float, default=10.0)
    options = parser.parse_args(argv)
    peers: dict[str, Solve] = {"planegcs": by_planegcs, "slvs": by_slvs}
    for name in list(peers):
        if importlib.util.find_spec(name) is None:
            print(f"{name} is not installed (pip install {name}); it is left out.")
            del peers[name]
    solver = gs.load("geometry")
    solver.solve({"constraints": ["AB = 1"]}, ask=False)
    mine, work = 0, []
    single, many, good = (dict.fromkeys(peers, 0) for _ in range(3))
    took: dict[str, list[float]] = {name: [] for name in peers}
    for k in range(options.count):
        draw = np.random.default_rng(FIRST_SEED + k)
        made = sketch(draw)
        begun = time.process_time()
        found = solver.solve(made.request, deadline=options.deadline, ask=False)
        spent = time.process_time() - begun
        work.append(spent)
        mine += found.answer is not None
        scale = max(math.dist(p, q) for p in made.points.values() for q in made.points.values())
        near = {
            n: (x + 0.01 * scale * draw.standard_normal(), y + 0.01 * scale * draw.standard_normal())
            for n, (x, y) in made.points.items()
        }
        starts = [{name: tuple(scale * draw.standard_normal(2)) for name in made.points} for _ in range(64)]
        for name, solve in peers.items():
            begun = time.process_time()
            good[name] += right(made, solve(made, near))
            took[name].append(time.process_time() - begun)
            begun = time.process_time()
            for number, start in enumerate(starts):
                if right(made, solve(made, start)):
                    single[name] += number == 0
                    many[name] += 1
                    break
                if time.process_time() - begun > spent:
                    break
    print(
        f"groundstate, no guess: {mine} of {options.count}; median processor time {statistics.median(work) * 1e3:.0f} ms"
    )
    for name in peers:
        print(
            f"{name}: from the same random start {single[name]}, with restarts for as long {many[name]}, from a good guess "
            f"{good[name]} of {options.count}; median processor time of one call {statistics.median(took[name]) * 1e3:.2f} ms"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
