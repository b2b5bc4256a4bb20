"""Writes a figure as files for other programs: DXF for CAD (in the request's units), TikZ for LaTeX."""

from __future__ import annotations

import math

from groundstate_models.geometry.drawing import strokes
from groundstate_models.geometry.figure import Figure
from groundstate_models.geometry.request import Read

_INSUNITS = {"in": 1, "inch": 1, "inches": 1, "ft": 2, "feet": 2, "mm": 4, "cm": 5, "m": 6, "km": 7, "yd": 10, "dm": 14}


def dxf(read: Read, figure: Figure) -> str:
    """DXF R12: lines, circles, arcs, points and their names as text."""
    pairs: list[tuple[int, str]] = [(0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1009")]
    if read.unit in _INSUNITS:
        pairs += [(9, "$INSUNITS"), (70, str(_INSUNITS[read.unit]))]
    pairs += [(0, "ENDSEC"), (0, "SECTION"), (2, "ENTITIES")]

    def number(value: float) -> str:
        return f"{value:.12g}"

    def at(code: int, point: tuple[float, ...]) -> list[tuple[int, str]]:
        return [(code, number(point[0])), (code + 10, number(point[1])), (code + 20, "0")]

    for a, b in strokes(read).segments:
        pairs += [(0, "LINE"), (8, "figure"), *at(10, figure.points[a]), *at(11, figure.points[b])]
    arcs = {circle for circle, _, _ in figure.arcs.values()}
    for name, (centre, radius) in figure.circles.items():
        if name not in arcs:
            pairs += [(0, "CIRCLE"), (8, "figure"), *at(10, figure.points[centre]), (40, number(radius))]
    for circle, start, end in figure.arcs.values():
        centre, radius = figure.circles[circle]
        first, last = (math.degrees(figure.direction(centre, name)) % 360 for name in (start, end))
        pairs += [(0, "ARC"), (8, "figure"), *at(10, figure.points[centre]), (40, number(radius))]
        pairs += [(50, number(first)), (51, number(last))]
    for name, point in figure.points.items():
        if not name.startswith(" "):
            pairs += [(0, "POINT"), (8, "points"), *at(10, point)]
            pairs += [(0, "TEXT"), (8, "names"), *at(10, point), (40, number(0.05 * figure.scale)), (1, name)]
    pairs += [(0, "ENDSEC"), (0, "EOF")]
    return "".join(f"{code}\n{value}\n" for code, value in pairs)


def tikz(read: Read, figure: Figure) -> str:
    """A ``tikzpicture``, 8 cm across."""
    size = 4.0 / figure.scale
    lines = [r"\begin{tikzpicture}[line cap=round]"]
    key = {name: f"p{k}" for k, name in enumerate(figure.points)}
    for name, (x, y) in figure.points.items():
        lines.append(rf"  \coordinate ({key[name]}) at ({x * size:.6f},{y * size:.6f});")
    drawn = strokes(read)
    lines += [rf"  \draw ({key[a]}) -- ({key[b]});" for a, b in drawn.segments]
    arcs = {circle for circle, _, _ in figure.arcs.values()}
    for name, (centre, radius) in figure.circles.items():
        if name not in arcs:
            lines.append(rf"  \draw ({key[centre]}) circle ({radius * size:.6f});")
    for circle, start, end in figure.arcs.values():
        centre, radius = figure.circles[circle]
        first = math.degrees(figure.direction(centre, start))
        last = first + math.degrees(figure.turn(centre, start, centre, end) % math.tau)
        lines.append(rf"  \draw ({key[start]}) arc ({first:.6f}:{last:.6f}:{radius * size:.6f});")
    shown = [name for name in figure.points if not name.startswith(" ")]
    middle = [sum(figure.points[name][axis] for name in shown) / len(shown) for axis in (0, 1)]
    for name in shown:
        x, y = figure.points[name]
        turn = math.degrees(math.atan2(y - middle[1], x - middle[0]))
        text = name.replace("_", r"\_").replace("′", "'")
        lines.append(rf"  \fill ({key[name]}) circle (1.2pt) node[anchor={turn + 180:.0f}] {{${text}$}};")
    lines.append(r"\end{tikzpicture}")
    return "\n".join(lines) + "\n"
