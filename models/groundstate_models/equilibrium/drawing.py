"""Draws a structure at rest as SVG: tension, compression and slack members, supports, loads, contacts and blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from groundstate_models.equilibrium.structure import Structure
from groundstate_models.equilibrium.system import Floats

WIDTH, HEIGHT, MARGIN = 520.0, 420.0, 56.0
LABELLED = 24
BONDED = 1.25
"""Atoms of a cluster up to this distance are joined by a line, relative to the least distance."""

VIEW = np.array([-0.45, -0.78, 0.5])
"""The direction towards the viewer of a drawing in space."""
ACROSS, UPWARDS = np.array([0.866, -0.5, 0.0]), np.array([0.24, 0.42, 0.875])
"""Directions in space that the page shows to the right and upwards."""

_STYLE = (
    "text{font:13px 'STIX Two Text','Times New Roman',serif;fill:#1f2933}.name{font-style:italic}"
    ".size{font-size:11.5px;fill:#52606d}"
    ".pull{stroke:#1d6fb8}.push{stroke:#c0392b}.slack{stroke:#9aa5b1;stroke-dasharray:4 4}"
    ".ground{stroke:#7b8794;stroke-width:1.2}"
    ".load{stroke:#2f855a;stroke-width:1.8}.held{fill:#e4e7eb;stroke:#52606d}.block{fill:#f0e6d2;stroke:#6b5b3e;stroke-width:1.4}"
    ".fixed{fill:#d9dee4;stroke:#52606d}.force{stroke:#c0392b;stroke-width:1.6}.dot{fill:#1f2933}.disc{fill:#dbeafe;stroke:#1d4ed8}"
    ".bond{stroke:#9aa5b1;stroke-width:2.5}.sphere{fill:none;stroke:#cbd2d9}"
    "line,path{fill:none;stroke-linecap:round}"
)

_HEADS = (
    '<defs><marker id="a" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6" orient="auto">'
    '<path d="M0 0L10 5L0 10z" style="fill:#2f855a;stroke:none"/></marker><marker id="c" viewBox="0 0 10 10" refX="9" refY="5" '
    'markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0L10 5L0 10z" style="fill:#c0392b;stroke:none"/></marker></defs>'
)


class Page:
    """Maps places to the page, y downwards; space in a parallel projection from the side and above."""

    def __init__(self, points: Sequence[Floats], dimensions: int) -> None:
        self.dimensions = dimensions
        flat = np.array([self.flat(p) for p in points])
        low, high = flat.min(0), flat.max(0)
        extent = np.maximum(high - low, 1e-9)
        self.factor = float(
            min(
                (WIDTH - 2 * MARGIN) / max(extent[0], 0.15 * extent[1]),
                (HEIGHT - 2 * MARGIN) / max(extent[1], 0.15 * extent[0]),
            )
        )
        self.height = float(extent[1] * self.factor + 2 * MARGIN)
        self.left = (WIDTH - float(extent[0]) * self.factor) / 2 - float(low[0]) * self.factor
        self.base = self.height - MARGIN + float(low[1]) * self.factor

    def flat(self, at: Sequence[float] | Floats) -> tuple[float, float]:
        if self.dimensions == 2:
            return float(at[0]), float(at[1])
        x, y, z = map(float, at)
        return 0.866 * x - 0.5 * y, 0.25 * x + 0.433 * y + 0.9 * z

    def at(self, place: Sequence[float] | Floats) -> tuple[float, float]:
        x, y = self.flat(place)
        return self.left + x * self.factor, self.base - y * self.factor


def svg(structure: Structure, answer: Mapping[str, Any]) -> str:
    """The drawing, 520 wide."""
    places = {name: np.array((*map(float, at), 0.0)[:3]) for name, at in answer["positions"].items()}
    points: list[Floats] = [places[name] for name in structure.nodes]
    for node in structure.nodes.values():
        if node.radius > 0:
            points += [places[node.name] + node.radius * s * np.array([1.0, 1.0, 0.0]) for s in (-1, 1)]
        if node.sphere is not None:
            centre, radius = node.sphere
            points += [np.array(centre) + radius * sign * way for way in (ACROSS, UPWARDS) for sign in (-1.0, 1.0)]
    for block in structure.blocks.values():
        points += list(block.corners)
    page = Page(points, structure.dimensions)
    parts = [
        *_planes(structure, page),
        *_blocks(structure, page),
        *_members(structure, answer, places, page),
        *(_atoms if structure.cluster and not structure.members else _nodes)(structure, places, page),
        *_loads(structure, places, page),
        *_contacts(structure, answer, page),
    ]
    title = escape(f"A structure at rest: {', '.join([*structure.nodes, *structure.blocks][:12])}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {page.height:.0f}" width="{WIDTH:.0f}" '
        f'height="{page.height:.0f}" role="img" aria-label="{title}"><style>{_STYLE}</style>{_HEADS}'
        '<rect width="100%" height="100%" fill="#fff"/>' + "".join(parts) + "</svg>"
    )


def _line(a: tuple[float, float], b: tuple[float, float], kind: str, more: str = "") -> str:
    return f'<line class="{kind}" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"{more}/>'


def _planes(structure: Structure, page: Page) -> list[str]:
    if structure.dimensions == 3:
        return []
    found = []
    for plane in structure.planes:
        nx, ny, _ = plane.normal
        if abs(ny) > abs(nx):
            y = page.at((0.0, plane.offset / ny, 0.0))[1]
            found.append(_line((12, y), (WIDTH - 12, y), "ground"))
            found += [_line((w, y), (w - 6.0, y + 7 * np.sign(ny)), "ground") for w in range(16, int(WIDTH) - 12, 14)]
        else:
            x = page.at((plane.offset / nx, 0.0, 0.0))[0]
            found.append(_line((x, 12), (x, page.height - 12), "ground"))
            found += [
                _line((x, h), (x - 7 * np.sign(nx), h + 6.0), "ground") for h in range(16, int(page.height) - 12, 14)
            ]
    return found


def _blocks(structure: Structure, page: Page) -> list[str]:
    found = []
    for block in structure.blocks.values():
        kind = "fixed" if block.fixed else "block"
        faces = block.faces or (tuple(range(len(block.corners))),)
        # Faces in space from back to front, as seen along the projection.
        order = sorted(faces, key=lambda f: float((block.corners[list(f)].mean(0) * np.array([-1.0, -1.0, 0.6])).sum()))
        for face in order:
            path = "M" + "L".join("{:.1f} {:.1f}".format(*page.at(block.corners[k])) for k in face) + "Z"
            found.append(f'<path class="{kind}" style="fill-opacity:.85" d="{path}"/>')
        x, y = page.at(block.centre)
        found.append(f'<text class="name" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{escape(block.name)}</text>')
    return found


def _members(structure: Structure, answer: Mapping[str, Any], places: Mapping[str, Floats], page: Page) -> list[str]:
    found = []
    forces = answer.get("forces", {})
    most = max((abs(float(f)) for f in forces.values()), default=0.0) or 1.0
    for m in structure.members:
        force = float(forces.get(m.name, 0.0))
        kind = "slack" if abs(force) < 1e-9 * most else "pull" if force > 0 else "push"
        a, b = page.at(places[m.a]), page.at(places[m.b])
        width = 1.2 + 3.0 * abs(force) / most
        if m.kind == "spring":
            found.append(_spring(a, b, kind, width))
        else:
            found.append(_line(a, b, kind, f' stroke-width="{width:.1f}"'))
        if len(structure.members) <= LABELLED:
            x, y = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
            length = math.dist(a, b) or 1.0
            nx, ny = (b[1] - a[1]) / length, -(b[0] - a[0]) / length
            if ny > 0:
                nx, ny = -nx, -ny
            found.append(
                f'<text class="size" x="{x + 15 * nx:.1f}" y="{y + 11 * ny + 4:.1f}" text-anchor="middle">{abs(force):.3g}</text>'
            )
    return found


def _spring(a: tuple[float, float], b: tuple[float, float], kind: str, width: float) -> str:
    size = math.dist(a, b) or 1.0
    ux, uy = (b[0] - a[0]) / size, (b[1] - a[1]) / size
    points = [a, (a[0] + 0.15 * size * ux, a[1] + 0.15 * size * uy)]
    for k in range(8):
        part, side = 0.15 + 0.7 * (k + 0.5) / 8, 5.0 if k % 2 else -5.0
        points.append((a[0] + part * size * ux - side * uy, a[1] + part * size * uy + side * ux))
    points += [(a[0] + 0.85 * size * ux, a[1] + 0.85 * size * uy), b]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="{kind}" stroke-width="{min(width, 2.2):.1f}" d="{path}"/>'


def _nodes(structure: Structure, places: Mapping[str, Floats], page: Page) -> list[str]:
    found = []
    several = len(structure.nodes) > LABELLED
    for name, node in structure.nodes.items():
        x, y = page.at(places[name])
        if node.radius > 0:
            found.append(f'<circle class="disc" cx="{x:.1f}" cy="{y:.1f}" r="{node.radius * page.factor:.1f}"/>')
        if any(node.fixed):
            found.append(f'<path class="held" d="M{x:.1f} {y:.1f}l-7 12h14z"/>')
            if not all(node.fixed[: structure.dimensions]):  # a roller
                found.append(_line((x - 9, y + 15), (x + 9, y + 15), "ground"))
        found.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{1.8 if several else 3}"/>')
        if not several:
            found.append(f'<text class="name" x="{x + 8:.1f}" y="{y - 8:.1f}">{escape(name)}</text>')
    return found


def _atoms(structure: Structure, places: Mapping[str, Floats], page: Page) -> list[str]:
    """Atoms as balls from back to front, near ones joined, and the spheres that hold them."""
    names = list(structure.nodes)
    at = np.array([places[name] for name in names])
    space = structure.dimensions == 3
    depth = at @ VIEW if space else np.zeros(len(at))
    apart = np.linalg.norm(at[:, None] - at[None, :], axis=2)
    least = float(apart[np.triu_indices(len(at), 1)].min())
    spheres = sorted({node.sphere for node in structure.nodes.values() if node.sphere is not None})
    found = []
    for centre, radius in spheres:
        x, y = page.at(centre)
        found.append(f'<circle class="sphere" cx="{x:.1f}" cy="{y:.1f}" r="{radius * page.factor:.1f}"/>')
    items: list[tuple[float, str]] = []
    for i, j in zip(*np.triu_indices(len(at), 1), strict=True):
        if apart[i, j] < BONDED * least and len(at) <= 4 * LABELLED:
            items.append((float(depth[i] + depth[j]) / 2, _line(page.at(at[i]), page.at(at[j]), "bond")))
    ball = min(0.22 * least * page.factor, 22.0)
    span = max(float(np.ptp(depth)), 1e-9)
    for k, name in enumerate(names):
        x, y = page.at(at[k])
        light = 0.45 + 0.55 * float(depth[k] - depth.min()) / span if space else 1.0
        drawn = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{ball:.1f}" fill="#fff"/>'
        drawn += f'<circle class="disc" style="opacity:{light:.2f}" cx="{x:.1f}" cy="{y:.1f}" r="{ball:.1f}"/>'
        if len(names) <= LABELLED:
            drawn += f'<text class="name" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{escape(name)}</text>'
        items.append((float(depth[k]), drawn))
    return found + [drawn for _, drawn in sorted(items, key=lambda item: item[0])]


def _loads(structure: Structure, places: Mapping[str, Floats], page: Page) -> list[str]:
    loads = {name: structure.load(node) for name, node in structure.nodes.items() if not node.held}
    most = max((float(np.linalg.norm(f)) for f in loads.values()), default=0.0)
    if not most or (structure.funicular and len(loads) > LABELLED):
        return []
    found = []
    for name, force in loads.items():
        size = float(np.linalg.norm(force)) / most
        if size > 1e-3:
            a = page.at(places[name])
            x, y = page.flat(force / np.linalg.norm(force))
            long = (14.0 if len(loads) > LABELLED else 34.0) * max(size, 0.3)
            found.append(_line(a, (a[0] + long * x, a[1] - long * y), "load", ' marker-end="url(#a)"'))
    return found


def _contacts(structure: Structure, answer: Mapping[str, Any], page: Page) -> list[str]:
    contacts = answer.get("contacts", [])
    most = max((float(np.linalg.norm(c["force"])) for c in contacts), default=0.0)
    found = []
    for one in contacts:
        force = np.array((*map(float, one["force"]), 0.0)[:3])
        size = float(np.linalg.norm(force)) / most
        if size > 0.02:
            at = page.at((*map(float, one["at"]), 0.0)[:3])
            x, y = page.flat(force / np.linalg.norm(force))
            long = 10.0 + 22.0 * size
            found.append(_line((at[0] - long * x, at[1] + long * y), at, "force", ' marker-end="url(#c)"'))
    del structure
    return found
