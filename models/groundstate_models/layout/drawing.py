"""Draws a layout: SVG for people, CSS for pages, lines of text for terminals."""

from __future__ import annotations

import json
import math
from xml.sax.saxutils import escape

from groundstate_models.layout.placed import Placed
from groundstate_models.layout.plan import Item
from groundstate_models.layout.shapes import Point, direction

COLOURS = ("#dbe9f6", "#fde3cf", "#dcefdc", "#f6dbe3", "#e6e0f3", "#f4efcf", "#d6eeee", "#eadfd6")

WIDTH = 480.0


def svg(placed: Placed) -> str:
    """The area with its items, walls, doors and clear zones."""
    plan = placed.plan
    left, bottom, right, top = plan.box
    scale = WIDTH / max(right - left, top - bottom)
    pad = 12.0

    def at(p: Point) -> Point:
        return pad + (p[0] - left) * scale, pad + (top - p[1]) * scale

    def path(corners: list[Point]) -> str:
        return "M" + " L".join(f"{x:.2f} {y:.2f}" for x, y in map(at, corners)) + " Z"

    width, height = (right - left) * scale + 2 * pad, (top - bottom) * scale + 2 * pad
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.0f}" '
    lines = [
        head + f'height="{height:.0f}" font-family="sans-serif" font-size="11">',
        f'<path d="{path(list(plan.corners))}" fill="#fff" stroke="#333" stroke-width="2"/>',
    ]
    for name, shape in plan.blocked.items():
        if len(shape.corners) > 2:
            style = 'fill="#eee" stroke="#bbb" stroke-dasharray="3 3"'
            lines.append(f'<path d="{path(list(shape.corners))}" {style}><title>{escape(name)}</title></path>')
    for name, mark in plan.marks.items():
        (ax, ay), (bx, by) = (at(p) for p in mark.corners)
        ends = f'x1="{ax:.2f}" y1="{ay:.2f}" x2="{bx:.2f}" y2="{by:.2f}"'
        lines.append(f'<line {ends} stroke="#4a90d9" stroke-width="5"><title>{escape(name)}</title></line>')
    for one in plan.stated:
        if one.kind == "clear":
            zone = placed.zone(one.of[0], one.values["side"], one.values["depth"])
            lines.append(f'<path d="{path(list(zone.corners))}" fill="none" stroke="#999" stroke-dasharray="4 3"/>')
    order = sorted(plan.items.values(), key=lambda item: -item.area)
    colour = {
        base: COLOURS[k % len(COLOURS)] for k, base in enumerate(dict.fromkeys(i.base for i in plan.items.values()))
    }
    for item in order:
        x, y, turn = placed.spots[item.name]
        px, py = at((x, y))
        fill = colour[item.base]
        if item.round:
            radius = item.shapes[0].radius * scale
            lines.append(f'<circle cx="{px:.2f}" cy="{py:.2f}" r="{radius:.2f}" fill="{fill}" stroke="#555"/>')
        else:
            c, s = direction(math.radians(turn))
            corners = [(x + c * p - s * q, y + s * p + c * q) for p, q in item.outline]
            lines.append(f'<path d="{path(corners)}" fill="{fill}" stroke="#555"/>')
            if item.has_front:
                lines.append(f'<path d="{path(_arrow(placed, item))}" fill="#555"/>')
        (x0, x1), (y0, y1) = placed.extent(item.name, (1.0, 0.0)), placed.extent(item.name, (0.0, 1.0))
        lines.append(_label(item.name, (px, py), ((x1 - x0) * scale, (y1 - y0) * scale), width))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _arrow(placed: Placed, item: Item) -> list[Point]:
    """A triangle at the middle of the front, which points out."""
    x, y, _ = placed.spots[item.name]
    fx, fy = placed.front(item.name)
    w, d = item.size
    reach, wide = (w, d) if item.front[0] else (d, w)
    size = min(0.15 * min(w, d), 0.03 * placed.plan.half)
    side = min(1.5 * size, wide / 2)
    tip = (x + fx * reach / 2, y + fy * reach / 2)
    back = (tip[0] - fx * size, tip[1] - fy * size)
    return [tip, (back[0] - fy * side, back[1] + fx * side), (back[0] + fy * side, back[1] - fx * side)]


FONT, SMALLEST, ADVANCE = 11.0, 5.5, 0.58
"""Font size of the labels, the smallest, and the width of a character as a part of it."""


def _label(name: str, at: Point, box: Point, page: float) -> str:
    """A name in the middle of its item: smaller, or upright, where it would not fit, and never beyond the picture."""
    wide = ADVANCE * len(name)
    x, y = at
    upright = box[1] > 1.3 * box[0] and wide * FONT > box[0]
    size = max(min(FONT, 0.94 * box[1 if upright else 0] / wide, 0.94 * box[0 if upright else 1]), SMALLEST)
    if not upright:
        half = wide * size / 2
        x = min(max(x, half + 1), max(page - half - 1, half + 1))
    turned = f' transform="rotate(-90 {x:.2f} {y:.2f})"' if upright else ""
    font = "" if size == FONT else f' font-size="{size:.1f}"'
    where = f'x="{x:.2f}" y="{y + 0.36 * size:.2f}"'
    return f'<text {where} text-anchor="middle"{font}{turned}>{escape(name)}</text>'


def css(placed: Placed) -> str:
    """Absolutely positioned boxes, one rule an item; the class is the name."""
    plan = placed.plan
    left, bottom, right, top = plan.box
    unit = plan.unit if plan.unit in ("px", "cm", "mm", "in", "pt") else "px"
    lines = [f".area {{ position: relative; width: {right - left:g}{unit}; height: {top - bottom:g}{unit}; }}"]
    for name, item in plan.items.items():
        x, y, turn = placed.spots[name]
        w, d = item.size
        rules = ["position: absolute", "box-sizing: border-box"]
        rules += [f"left: {x - w / 2 - left:.10g}{unit}", f"top: {top - y - d / 2:.10g}{unit}"]
        rules += [f"width: {w:.10g}{unit}", f"height: {d:.10g}{unit}"]
        if turn % 360:
            rules.append(f"transform: rotate({-turn % 360:g}deg)")
        if item.round:
            rules.append("border-radius: 50%")
        name_ = "".join(ch if ch.isalnum() or ch in "-_" else "-" for ch in name)
        name_ = f"_{name_}" if name_[:1].isdigit() else name_
        lines.append(f".{name_} {{ {'; '.join(rules)}; }}")
    return "\n".join(lines) + "\n"


def table(placed: Placed) -> str:
    """Boxes as JSON for other programs: centre, size along the item's own axes, turn."""
    plan = placed.plan
    found = {}
    for name, item in plan.items.items():
        x, y, turn = placed.spots[name]
        found[name] = {"centre": list(plan.page((x, y))), "size": list(item.size), "turn": plan.page_turn(turn)}
    return json.dumps({"unit": plan.unit, "items": found}, indent=1) + "\n"


def text(placed: Placed) -> str:
    """A small map in characters, with a letter for each item, and a table."""
    plan = placed.plan
    left, bottom, right, top = plan.box
    columns = 56
    rows = max(4, round(columns * (top - bottom) / (right - left) / 2.1))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    names = list(plan.items)
    grid = []
    for r in range(rows):
        line = ""
        for c in range(columns):
            p = (left + (c + 0.5) * (right - left) / columns, top - (r + 0.5) * (top - bottom) / rows)
            mark = "·"
            for k, name in enumerate(names):
                if any(_covers(shape, p) for shape in placed.shapes[name]):
                    mark = letters[k % len(letters)]
            line += mark
        grid.append(line)
    lines = [*grid, ""]
    for k, name in enumerate(names):
        x, y, turn = placed.spots[name]
        px, py = plan.page((x, y))
        lines.append(f"{letters[k % len(letters)]} {name}: ({px:.6g}, {py:.6g}), turn {plan.page_turn(turn):g}")
    return "\n".join(lines)


def _covers(shape: object, p: Point) -> bool:
    from groundstate_models.layout.shapes import Convex, distance

    assert isinstance(shape, Convex)
    return distance(shape, Convex((p,))) <= 0
