"""Draws a figure as SVG, with labels clear of lines, marked right angles and written dimensions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from groundstate_models.geometry.expressions import Sum
from groundstate_models.geometry.figure import Figure, Point
from groundstate_models.geometry.request import Read

WIDTH, HEIGHT, MARGIN = 480.0, 400.0, 44.0
FONT = 15.0
MOST_TICKS, TICK = 3, 4.0
"""Groups of equal segments that are marked, and half the length of a mark."""

_STYLE = (
    "line,circle,path{fill:none;stroke:#1f2933;stroke-width:1.6;stroke-linecap:round}.thin{stroke:#7b8794;stroke-width:1}"
    ".dot{fill:#1f2933;stroke:none}text{font:15px 'STIX Two Text','Times New Roman',serif;fill:#1f2933;text-anchor:middle}"
    ".name{font-style:italic}.size{font-size:12.5px;fill:#52606d}"
)


@dataclass
class Strokes:
    """The lines, marks and texts of a drawing.

    Attributes:
        segments: Pairs of points.
        right: Corners with a right angle: arm, vertex, arm.
        sizes: Texts beside segments.
        angles: Texts in corners.
        radii: Texts beside circles.
        equal: Segments of one length, by group.
    """

    segments: dict[tuple[str, str], None] = field(default_factory=dict)
    right: list[tuple[str, str, str]] = field(default_factory=list)
    sizes: dict[tuple[str, str], str] = field(default_factory=dict)
    angles: dict[tuple[str, str, str], str] = field(default_factory=dict)
    radii: dict[str, str] = field(default_factory=dict)
    equal: list[list[tuple[str, str]]] = field(default_factory=list)

    def alike(self, one: tuple[str, str], two: tuple[str, str]) -> None:
        """Put two segments into one group."""
        groups = [group for group in self.equal if one in group or two in group]
        merged = list(dict.fromkeys([*(pair for group in groups for pair in group), one, two]))
        self.equal = [*(group for group in self.equal if group not in groups), merged]

    def segment(self, a: str, b: str) -> None:
        if a != b and not a.startswith(" ") and not b.startswith(" "):
            self.segments[(a, b) if a < b else (b, a)] = None


def strokes(read: Read) -> Strokes:
    """The strokes for the objects in the statements."""
    found = Strokes()
    for corners in read.polygons:
        for a, b in zip(corners, [*corners[1:], corners[0]], strict=True):
            found.segment(a, b)
    for a, b in read.lines.values():
        found.segment(a, b)
    for one in read.problem.constraints:
        names = one.arguments
        if one.kind in {"parallel", "perpendicular", "not parallel", "line angle"}:
            found.segment(names[0], names[1])
            found.segment(names[2], names[3])
        elif one.kind in {"midpoint", "on segment", "on line", "between", "on ray"} or one.kind == "tangent line":
            found.segment(names[1], names[2])
        elif one.kind == "parallelogram" or one.kind == "convex":
            for a, b in zip(names, (*names[1:], names[0]), strict=True):
                found.segment(a, b)
        if one.kind == "perpendicular" and (corner := _right_angle(read, names)):
            found.right.append(corner)
        if one.kind == "midpoint":
            found.alike((names[0], names[1]), (names[0], names[2]))
        if one.kind == "equation":
            _equation(found, names[0])
    return found


def _right_angle(read: Read, names: Sequence[str]) -> tuple[str, str, str] | None:
    """Arm, vertex and arm of the right angle between two lines, if they have a named point in common."""
    of = read.problem.incidence.of
    lines = [pair if (line := of.get(frozenset(pair))) is None else line.points for pair in (names[:2], names[2:4])]
    vertex = next((name for name in lines[0] if name in lines[1] and not name.startswith(" ")), None)
    if vertex is None:
        return None
    one, two = (next((name for name in pair if name != vertex), None) for pair in (names[:2], names[2:4]))
    return None if one is None or two is None else (one, vertex, two)


def _equation(found: Strokes, value: Sum) -> None:
    products = [product for product in value.terms if product]
    single = len(products) == 1 and len(products[0]) == 1 and bool(value.constant)
    for atom in value.atoms():
        if atom[0] == "length":
            found.segment(atom[1], atom[2])
        elif atom[0] == "angle":
            found.segment(atom[1], atom[2])
            found.segment(atom[2], atom[3])
    lengths = [product[0] for product in products if len(product) == 1 and product[0][0] == "length"]
    if len(lengths) == len(products) == 2 and not value.constant and sum(map(float, value.terms.values())) == 0:
        found.alike((lengths[0][1], lengths[0][2]), (lengths[1][1], lengths[1][2]))
    if not single:
        return
    atom = products[0][0]
    size = -float(value.constant) / float(value.terms[products[0]])
    if atom[0] == "length":
        found.sizes[(atom[1], atom[2])] = f"{size:.4g}"
    elif atom[0] == "radius":
        found.radii[atom[1]] = f"r = {size:.4g}"
    elif atom[0] == "angle":
        corner = (atom[1], atom[2], atom[3])
        if abs(size - 90) < 1e-9:
            found.right.append(corner)
        else:
            found.angles[corner] = f"{size:.4g}°"


class Page:
    """Maps the figure's coordinates to the page, y downwards."""

    def __init__(self, figure: Figure, names: Sequence[str], circles: Sequence[str]) -> None:
        boxes = [(x, y, x, y) for x, y in (figure.points[name] for name in names)]
        for k in circles:
            centre, r = figure.circles[k]
            x, y = figure.points[centre]
            boxes.append((x - r, y - r, x + r, y + r))
        left, low = min(b[0] for b in boxes), min(b[1] for b in boxes)
        right, high = max(b[2] for b in boxes), max(b[3] for b in boxes)
        size = max((right - left) / (WIDTH - 2 * MARGIN), (high - low) / (HEIGHT - 2 * MARGIN), 1e-12)
        self.factor = 1.0 / size
        self.x0 = (WIDTH - (right - left) / size) / 2 - left / size
        self.height = (high - low) / size + 2 * MARGIN
        self.y0 = self.height - MARGIN + low / size

    def at(self, point: Point) -> Point:
        return self.x0 + point[0] * self.factor, self.y0 - point[1] * self.factor


def svg(read: Read, figure: Figure) -> str:
    """The drawing, 480 wide."""
    names = [name for name in figure.points if not name.startswith(" ")]
    arcs = {circle for circle, _, _ in figure.arcs.values()}
    circles = [k for k in figure.circles if k not in arcs]
    page = Page(figure, names, list(figure.circles))
    place = {name: page.at(figure.points[name]) for name in figure.points}
    drawn = strokes(read)
    parts = [*_lines(drawn, place), *_rings(figure, circles, place, page)]
    parts += [*_corners(drawn, place), *_ticks(drawn, place)]
    parts += [f'<circle class="dot" cx="{place[n][0]:.1f}" cy="{place[n][1]:.1f}" r="2.6"/>' for n in names]
    parts += _labels(drawn, figure, names, circles, place, page)
    title = escape(", ".join(names))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {page.height:.0f}" width="{WIDTH:.0f}" '
        f'height="{page.height:.0f}" role="img" aria-label="Figure with {title}"><style>{_STYLE}</style>'
        '<rect width="100%" height="100%" fill="#fff"/>' + "".join(parts) + "</svg>"
    )


def _lines(drawn: Strokes, place: dict[str, Point]) -> list[str]:
    found = []
    for a, b in drawn.segments:
        (x, y), (u, v) = place[a], place[b]
        found.append(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{u:.1f}" y2="{v:.1f}"/>')
    return found


def _rings(figure: Figure, circles: Sequence[str], place: dict[str, Point], page: Page) -> list[str]:
    found = []
    for k in circles:
        centre, r = figure.circles[k]
        x, y = place[centre]
        found.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r * page.factor:.1f}"/>')
    for k, start, end in figure.arcs.values():
        centre, r = figure.circles[k]
        (x, y), (u, v) = place[start], place[end]
        large = int(figure.turn(centre, start, centre, end) % math.tau > math.pi)
        size = r * page.factor
        found.append(f'<path d="M{x:.1f} {y:.1f}A{size:.1f} {size:.1f} 0 {large} 0 {u:.1f} {v:.1f}"/>')
    return found


def _unit(a: Point, b: Point) -> Point:
    size = math.dist(a, b) or 1.0
    return (b[0] - a[0]) / size, (b[1] - a[1]) / size


def _corners(drawn: Strokes, place: dict[str, Point]) -> Iterator[str]:
    def arms(a: str, v: str, b: str, share: float, most: float) -> tuple[Point, Point, Point, float]:
        one, two = _unit(place[v], place[a]), _unit(place[v], place[b])
        size = min(most, share * min(math.dist(place[v], place[a]), math.dist(place[v], place[b])))
        x, y = place[v]
        ends = (x + size * one[0], y + size * one[1]), (x + size * two[0], y + size * two[1])
        return *ends, (x + size * (one[0] + two[0]), y + size * (one[1] + two[1])), size

    for corner in dict.fromkeys(drawn.right):
        (px, py), (qx, qy), (mx, my), _ = arms(*corner, 0.3, 11.0)
        yield f'<path class="thin" d="M{px:.1f} {py:.1f}L{mx:.1f} {my:.1f}L{qx:.1f} {qy:.1f}"/>'
    for corner in drawn.angles:
        (px, py), (qx, qy), _, size = arms(*corner, 0.4, 20.0)
        x, y = place[corner[1]]
        sweep = int((px - x) * (qy - y) - (py - y) * (qx - x) > 0)
        yield f'<path class="thin" d="M{px:.1f} {py:.1f}A{size:.1f} {size:.1f} 0 0 {sweep} {qx:.1f} {qy:.1f}"/>'


def _ticks(drawn: Strokes, place: dict[str, Point]) -> Iterator[str]:
    """Short strokes across segments of one length: one, two or three by group."""
    groups = [[pair for pair in group if not any(name.startswith(" ") for name in pair)] for group in drawn.equal]
    for number, group in enumerate(groups[:MOST_TICKS], start=1):
        for a, b in group:
            (x, y), (u, v) = place[a], place[b]
            ux, uy = _unit((x, y), (u, v))
            for k in range(number):
                shift = TICK * (k - (number - 1) / 2)
                mx, my = (x + u) / 2 + shift * ux, (y + v) / 2 + shift * uy
                yield (
                    f'<path class="thin" d="M{mx - TICK * uy:.1f} {my + TICK * ux:.1f}'
                    f'L{mx + TICK * uy:.1f} {my - TICK * ux:.1f}"/>'
                )


def _labels(
    drawn: Strokes, figure: Figure, names: Sequence[str], circles: Sequence[str], place: dict[str, Point], page: Page
) -> list[str]:
    """Place each text where it is farthest from lines, circles, points and earlier texts."""
    taken: list[tuple[float, ...]] = [(*place[name], 3.0) for name in names]
    for a, v, b in drawn.right:
        (x, y), one, two = place[v], _unit(place[v], place[a]), _unit(place[v], place[b])
        taken.append((x + 6 * (one[0] + two[0]), y + 6 * (one[1] + two[1]), 7.0))
    for group in drawn.equal[:MOST_TICKS]:
        for a, b in group:
            (x, y), (u, v_) = place[a], place[b]
            taken.append(((x + u) / 2, (y + v_) / 2, TICK))
    rings = [(place[figure.circles[k][0]], figure.circles[k][1] * page.factor) for k in circles]
    segments = [(place[a], place[b]) for a, b in drawn.segments]
    found = []

    def put(text: str, options: Sequence[Point], style: str, wide: float) -> None:
        def clearance(at: Point) -> float:
            gaps = [_from_segment(at, *segment) for segment in segments]
            gaps += [abs(math.dist(at, centre) - r) for centre, r in rings]
            others = [math.dist(at, (x, y)) - r - wide for x, y, r in taken]
            inside = min(at[0] - 8, WIDTH - 8 - at[0], at[1] - 8, page.height - 8 - at[1])
            return min([*(g - wide for g in gaps), *others, inside, 6.0])

        best = max(options, key=clearance)
        taken.append((*best, wide))
        found.append(f'<text class="{style}" x="{best[0]:.1f}" y="{best[1] + FONT / 3:.1f}">{escape(text)}</text>')

    for name in names:
        x, y = place[name]
        around = [
            (x + r * math.cos(k * math.pi / 8), y + r * math.sin(k * math.pi / 8)) for r in (14, 18) for k in range(16)
        ]
        put(name, around, "name", 7.0 + 2.5 * (len(name) - 1))
    for (a, b), text in drawn.sizes.items():
        (x, y), (across, down) = place[a], place[b]
        ux, uy = _unit((x, y), (across, down))
        spots = [
            (x + t * (across - x) - side * uy * 12, y + t * (down - y) + side * ux * 12)
            for t in (0.5, 0.4, 0.6, 0.3, 0.7)
            for side in (1, -1)
        ]
        put(text, spots, "size", 5.0 + 2.0 * len(text))
    for k, text in drawn.radii.items():
        if k in circles:
            (x, y), r = place[figure.circles[k][0]], figure.circles[k][1] * page.factor
            around = [
                (x + (r + far) * math.cos(t * math.pi / 8), y + (r + far) * math.sin(t * math.pi / 8))
                for far in (24, 32, -24)
                for t in range(16)
            ]
            put(text, around, "size", 5.0 + 2.0 * len(text))
    for (p, v, q), text in drawn.angles.items():
        (px, py), (qx, qy) = _unit(place[v], place[p]), _unit(place[v], place[q])
        mx, my = px + qx, py + qy
        size = math.hypot(mx, my) or 1.0
        spots = [(place[v][0] + r * mx / size, place[v][1] + r * my / size) for r in (34, 40, 46, 28)]
        put(text, spots, "size", 5.0 + 2.0 * len(text))
    return found


def _from_segment(p: Point, a: Point, b: Point) -> float:
    size = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2
    t = 0.0 if size == 0 else ((p[0] - a[0]) * (b[0] - a[0]) + (p[1] - a[1]) * (b[1] - a[1])) / size
    t = min(max(t, 0.0), 1.0)
    return math.hypot(a[0] + t * (b[0] - a[0]) - p[0], a[1] + t * (b[1] - a[1]) - p[1])
