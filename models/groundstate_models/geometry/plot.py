"""Draws a figure with characters, for terminals."""

from __future__ import annotations

import math

from groundstate_models.geometry.drawing import strokes
from groundstate_models.geometry.figure import Figure, Point
from groundstate_models.geometry.request import Read

COLUMNS, ROWS = 57, 19
"""Size of the drawing; a character counts as twice as high as it is wide."""

ROUND = 72
"""Sides of the polygon that stands for a circle."""

MOST_STATED = 24
"""Statements that are listed of a request."""


def stated(read: Read) -> str:
    """The statements, one per line."""
    texts = [text for text, _ in read.problem.statements]
    more = [f"and {len(texts) - MOST_STATED} more"] if len(texts) > MOST_STATED else []
    return "\n".join([*texts[:MOST_STATED], *more]) or "no statement"


def text(read: Read, figure: Figure) -> str:
    """The drawing: lines and circles as dots, points by their names."""
    shown = [name for name in figure.points if not name.startswith(" ")]
    rings = [[_around(figure, k, step) for step in range(ROUND)] for k in figure.circles if not k.startswith(" arc ")]
    places = [figure.points[name][:2] for name in shown] + [at for ring in rings for at in ring]
    if not places or not all(math.isfinite(v) for at in places for v in at):
        return ""
    left, low = (min(at[axis] for at in places) for axis in (0, 1))
    right, high = (max(at[axis] for at in places) for axis in (0, 1))
    unit = max((right - left) / (COLUMNS - 5), (high - low) / (2 * ROWS - 2), 1e-12)
    rows = [[" "] * COLUMNS for _ in range(ROWS)]

    def cell(at: Point) -> tuple[int, int]:
        column = (at[0] - (left + right) / 2) / unit + (COLUMNS - 3) / 2
        row = (ROWS - 1) / 2 - (at[1] - (low + high) / 2) / (2 * unit)
        return min(max(round(column), 0), COLUMNS - 1), min(max(round(row), 0), ROWS - 1)

    def dots(a: Point, b: Point) -> None:
        (x, y), (u, v) = cell(a), cell(b)
        count = max(abs(u - x), abs(v - y), 1)
        for k in range(count + 1):
            rows[round(y + (v - y) * k / count)][round(x + (u - x) * k / count)] = "."

    for a, b in strokes(read).segments:
        dots(figure.points[a], figure.points[b])
    for ring in rings:
        for one, two in zip(ring, [*ring[1:], ring[0]], strict=True):
            dots(one, two)
    named = [(*cell(figure.points[name]), name) for name in shown]
    for column, row, name in sorted(named, key=lambda one: len(one[2])):
        # A longer name gives way to one that stands there already.
        for k, character in enumerate(name):
            if column + k < COLUMNS and (k == 0 or not rows[row][column + k].isalnum()):
                rows[row][column + k] = character
    return "\n".join("".join(row) for row in rows)


def _around(figure: Figure, k: str, step: int) -> Point:
    centre, radius = figure.circles[k]
    (x, y), turn = figure.points[centre][:2], math.tau * step / ROUND
    return x + radius * math.cos(turn), y + radius * math.sin(turn)
