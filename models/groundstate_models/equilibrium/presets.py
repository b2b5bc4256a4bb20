"""Presets: a chain, a net, an arch, a truss, a cluster or a stack from a few numbers, as nodes and members of a request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from groundstate_models.equilibrium.words import MisreadError

Request = dict[str, Any]

MOST_ATOMS = 120


def expanded(preset: Mapping[str, Any]) -> Request:
    """The request that a preset stands for: ``nodes``, ``members``, ``blocks`` and the like.

    Raises:
        MisreadError: If something is missing, unknown or out of range.
    """
    kind = str(preset.get("type", "")).lower()
    if kind not in _PRESETS:
        raise MisreadError(f"{kind!r} is not a preset; known are {', '.join(_PRESETS)}.")
    make, known = _PRESETS[kind]
    if unknown := sorted(set(preset) - known - {"type"}):
        raise MisreadError(f"A {kind} takes no {unknown[0]!r}; it takes {', '.join(sorted(known))}.")
    made: Request = make(preset)
    return made


def _need(preset: Mapping[str, Any], name: str) -> Any:
    if name not in preset:
        raise MisreadError(f"A {preset['type']} needs {name!r}.")
    return preset[name]


def _size(preset: Mapping[str, Any], name: str, default: float, *, least: float | None = None) -> float:
    """A positive number of a preset, or one that is at least ``least``."""
    found = float(preset.get(name, default))
    if not (found > 0 if least is None else found >= least):
        raise MisreadError(
            f"The {name} is {found:g}; it must be {'positive' if least is None else f'at least {least:g}'}."
        )
    return found


def _count(value: Any, name: str, least: int, most: int) -> int:
    count = int(value)
    if not least <= count <= most:
        raise MisreadError(f"{name} is {count}; it may be {least} to {most}.")
    return count


def _between(start: Sequence[float], end: Sequence[float], part: float) -> list[float]:
    return [a + part * (b - a) for a, b in zip(start, end, strict=True)]


def _chain(preset: Mapping[str, Any]) -> Request:
    start, end = _need(preset, "from"), _need(preset, "to")
    length = _size(preset, "length", _need(preset, "length"))
    links = _count(preset.get("links", 12), "links", 1, 120)
    names = ["A", *(f"n{k}" for k in range(1, links)), "B"]
    mass = _size(preset, "mass", 1.0, least=0.0)
    nodes: dict[str, Any] = {
        "A": {"at": list(start), "fixed": True},
        **{name: {"mass": mass / links} for name in names[1:-1]},
        "B": {"at": list(end), "fixed": True},
    }
    each = {"type": "cable", "length": length / links}
    if "stiffness" in preset:
        each |= {"type": "spring", "stiffness": _size(preset, "stiffness", 1.0) * links}
    return {"nodes": nodes, "members": [{**each, "between": [a, b]} for a, b in pairwise(names)]}


def _arch(preset: Mapping[str, Any]) -> Request:
    """An arch as a line of thrust: bars of equal force density, so that the joints lie on a parabola."""
    start, end = _need(preset, "from"), _need(preset, "to")
    bars = _count(preset.get("bars", 10), "bars", 2, 200)
    names = ["A", *(f"n{k}" for k in range(1, bars)), "B"]
    weight = float(preset.get("weight", 1.0))
    span = math.dist(start, end)
    rise = _size(preset, "rise", span / 2)
    each = weight / (bars - 1)
    density = -each * bars**2 / (8 * rise) if "force_density" not in preset else float(preset["force_density"])
    vertical = len(start) - 1
    load = [0.0] * len(start)
    load[vertical] = -each
    nodes: dict[str, Any] = {"A": {"at": list(start), "fixed": True}}
    nodes |= {name: {"load": list(load)} for name in names[1:-1]}
    nodes["B"] = {"at": list(end), "fixed": True}
    members = [{"type": "link", "between": [a, b], "force_density": density} for a, b in pairwise(names)]
    return {"nodes": nodes, "members": members}


def _net(preset: Mapping[str, Any]) -> Request:
    columns, rows = (_count(v, "size", 2, 16) for v in preset.get("size", [5, 5]))
    spacing = _size(preset, "spacing", 1.0)
    density = float(preset.get("force_density", 1.0))
    load = float(preset.get("load", 0.1))
    heights = preset.get("corners", [0, 0, 0, 0])
    if len(heights) != 4:
        raise MisreadError(f"corners has {len(heights)} heights; a net has 4 corners.")
    edge = preset.get("held", "corners")
    if edge not in {"corners", "edges"}:
        raise MisreadError(f"held is {edge!r}; a net is held at its corners or its edges.")
    nodes: dict[str, Any] = {}
    for i in range(columns):
        for j in range(rows):
            s, t = i / (columns - 1), j / (rows - 1)
            height = (1 - s) * ((1 - t) * heights[0] + t * heights[3]) + s * ((1 - t) * heights[1] + t * heights[2])
            corner, border = {i, j} <= {0, columns - 1, rows - 1}, i in {0, columns - 1} or j in {0, rows - 1}
            corner = i in {0, columns - 1} and j in {0, rows - 1}
            at = [i * spacing, j * spacing, float(height)]
            if corner or (border and edge == "edges"):
                nodes[f"n{i}_{j}"] = {"at": at, "fixed": True}
            else:
                nodes[f"n{i}_{j}"] = {"at": at, "load": [0, 0, -load]}
    members = []
    for i in range(columns):
        for j in range(rows):
            for a, b in ((i + 1, j), (i, j + 1)):
                if a < columns and b < rows:
                    members.append({"type": "link", "between": [f"n{i}_{j}", f"n{a}_{b}"], "force_density": density})
    return {"nodes": nodes, "members": members}


def _truss(preset: Mapping[str, Any]) -> Request:
    nodes = _need(preset, "nodes")
    bars = _need(preset, "bars")
    supports = _need(preset, "supports")
    loads = preset.get("loads", {})
    made: dict[str, Any] = {}
    for name, at in nodes.items():
        one: dict[str, Any] = {"at": list(at)}
        if name in supports:
            held = supports[name] if isinstance(supports, Mapping) else True
            one["fixed"] = held
        if name in loads:
            one["load"] = list(loads[name])
        made[name] = one
    for what, given in (("supports", supports), ("loads", loads)):
        for name in given:
            if name not in made:
                raise MisreadError(f"{what} names {name!r}, which is not a node.")
    members = [{"type": "rod", "between": list(bar) if not isinstance(bar, str) else bar} for bar in bars]
    return {"nodes": made, "members": members, "as_drawn": True}


def _cluster(preset: Mapping[str, Any]) -> Request:
    count = _count(_need(preset, "atoms"), "atoms", 2, MOST_ATOMS)
    kind = str(preset.get("potential", "lennard_jones")).lower().replace("-", "_")
    names = [f"a{k}" for k in range(1, count + 1)]
    one: dict[str, Any]
    if kind in {"thomson", "coulomb"}:
        radius = _size(preset, "radius", 1.0)
        nodes: dict[str, Any] = {name: {"sphere": [0, 0, 0, radius]} for name in names}
        one = {"type": "coulomb", "between": names}
    elif kind in {"lennard_jones", "morse"}:
        nodes = {name: {} for name in names}
        one = {"type": kind, "between": names}
    else:
        raise MisreadError(f"{kind!r} is not a potential of a cluster; known are lennard_jones, morse and thomson.")
    for name in ("depth", "distance", "width"):
        if name in preset:
            one[name] = preset[name]
    return {"nodes": nodes, "members": [one], "gravity": 0, "dimensions": int(preset.get("dimensions", 3))}


def _stack(preset: Mapping[str, Any]) -> Request:
    blocks = _need(preset, "blocks")
    made: dict[str, Any] = {}
    if isinstance(blocks, Mapping):
        made = dict(blocks)
    else:
        below = "floor"
        for k, one in enumerate(blocks):
            name = str(one.get("name", f"b{k + 1}"))
            rest = {key: value for key, value in one.items() if key != "name"}
            if "at" not in rest and "corners" not in rest:
                rest.setdefault("on", below)
            made[name] = rest
            below = name
    found: Request = {"blocks": made}
    if "friction" in preset:
        found["friction"] = preset["friction"]
    return found


_PRESETS: dict[str, tuple[Any, set[str]]] = {
    "chain": (_chain, {"from", "to", "length", "links", "mass", "stiffness"}),
    "net": (_net, {"size", "spacing", "force_density", "load", "corners", "held"}),
    "arch": (_arch, {"from", "to", "bars", "rise", "weight", "force_density"}),
    "truss": (_truss, {"nodes", "bars", "supports", "loads"}),
    "cluster": (_cluster, {"atoms", "potential", "radius", "depth", "distance", "width", "dimensions"}),
    "stack": (_stack, {"blocks", "friction"}),
}
