"""Draws a layout: SVG for people, CSS for pages, lines of text for terminals."""

from __future__ import annotations

import json
import math
from xml.sax.saxutils import escape

from groundstate_models.layout.placed import Placed
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
                fx, fy = placed.front(item.name)
                w, d = item.size
                reach = (w if abs(item.front[0]) > 0 else d) / 2 * scale
                lines.append(
                    f'<line x1="{px:.2f}" y1="{py:.2f}" x2="{px + fx * reach:.2f}" y2="{py - fy * reach:.2f}" stroke="#555"/>'
                )
        lines.append(f'<text x="{px:.2f}" y="{py + 4:.2f}" text-anchor="middle">{escape(item.name)}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


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
