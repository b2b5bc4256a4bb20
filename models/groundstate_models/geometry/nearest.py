"""The nearest value that works: a feasible value of one dimension that contradicts the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from groundstate_models.geometry.analysis import freedom, polished, subset
from groundstate_models.geometry.expressions import Sum
from groundstate_models.geometry.problem import Problem
from groundstate_models.geometry.system import Floats, descended

MOST = 12


def dimension(problem: Problem, source: int) -> tuple[Sum, float] | None:
    """The measure and the value of a statement ``measure = value``; None for other statements."""
    mine = [one for one in problem.constraints if one.source == source]
    if len(mine) != 1 or mine[0].kind != "equation":
        return None
    value: Sum = mine[0].arguments[0]
    products = [product for product in value.terms if product]
    if len(products) != 1 or len(products[0]) != 1 or not value.constant:
        return None
    c = value.terms[products[0]]
    if products[0][0][0] in {"x", "y", "unknown"}:
        return None
    return Sum({products[0]: c}), -float(value.constant) / float(c)


def nearest_values(problem: Problem, sources: Sequence[int], start: Floats | None) -> list[tuple[int, str, float]]:
    """For each dimension: its text without the value, and the nearest value that is consistent with all others.

    The weight of the other statements increases; in the limit, the change of the value is a local minimum.
    """
    found: list[tuple[int, str, float]] = []
    for source in sources:
        given = dimension(problem, source)
        if given is None or len(found) == MOST:
            continue
        value = _nearest(problem, source, given, start)
        if value is not None:
            text = problem.statements[source][0].partition("=")[0].strip() + f" = {given[1]:.6g}"
            found.append((source, text, value))
    return found


def _nearest(problem: Problem, source: int, given: tuple[Sum, float], start: Floats | None) -> float | None:
    tables = problem.tables
    n = tables.unknowns
    draw = np.random.default_rng(source)
    y = draw.standard_normal((12, n))
    if start is not None:
        y[:4] = start + draw.standard_normal((4, n)) * np.array([0.0, 0.02, 0.1, 0.3])[:, None]
    mine = tables.source == source
    for weight in (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3):
        scale = np.where(mine, weight, 1.0)
        weighted = replace(tables, coefficient=tables.coefficient * scale[tables.row], constant=tables.constant * scale)
        y = descended(weighted, y, 40 if weight == 1.0 else 25, damping=1e-2)
    others = subset(tables, ~mine)
    rest = problem.without([source])
    best: float | None = None
    loose = False
    product = next(iter(given[0].terms))
    for row in y:
        row = polished(others, row)  # noqa: PLW2901
        figure = problem.figure(row)
        if max((amount for _, amount in rest.amounts(figure)), default=0.0) > 1e-7:
            continue
        value = figure.measure(product[0])
        if best is None or abs(value - given[1]) < abs(best - given[1]):
            best = value
            loose = _loose(rest, row)
    if best is None or abs(best - given[1]) < 1e-9 * max(abs(best), 1.0):
        return None
    return outward(best, given[1]) if loose else best


def _loose(rest: Problem, y: Floats) -> bool:
    """Whether the other statements leave freedom: the nearest value is then the end of a range, not the only one."""
    return freedom(rest, y).degrees > 0


def outward(value: float, given: float) -> float:
    """Round a value to four or five digits, away from the infeasible one.

    At the nearest value, a figure is flat or tangent; a little further, it is well-conditioned.
    """
    if not value:
        return value
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 4)
    moved = math.ceil(value / step) + 1 if value > given else math.floor(value / step) - 1
    return float(f"{moved * step:.9g}")
