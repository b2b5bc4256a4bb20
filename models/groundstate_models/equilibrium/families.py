"""Generated structures with known answers: bistable trusses, stacks of blocks, hanging chains, springs, mechanisms."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Made:
    """A generated request, and what is known about it."""

    request: dict[str, Any]
    about: dict[str, Any] = field(default_factory=dict)


def bistable(draw: np.random.Generator) -> Made:
    """A shallow truss of two springs (R. von Mises, 1923) under less than the load that snaps it through.

    Known: the load at which it snaps, from ``F(h) = 2 k h (L₀ / L − 1)`` with ``L² = b² + h²``.
    """
    base, rise = float(draw.uniform(1.0, 5.0)), 0.0
    rise = base * float(draw.uniform(0.15, 0.6))
    stiffness = float(draw.uniform(10, 1000))
    rest = math.hypot(base, rise)
    heights = np.linspace(0.0, rise, 20001)
    resist = 2 * stiffness * heights * (rest / np.hypot(base, heights) - 1)
    snap = float(resist.max())
    load = snap * float(draw.uniform(0.0, 0.8))
    shift, level = (float(v) for v in draw.uniform(-3, 3, 2))
    return Made(
        {
            "nodes": {
                "A": {"at": [shift - base, level], "fixed": True},
                "B": {"at": [shift + base, level], "fixed": True},
                "C": {"at": [shift, level + rise], "load": [0, -load]},
            },
            "members": [
                {"type": "spring", "between": ["A", "C"], "stiffness": stiffness},
                {"type": "spring", "between": ["B", "C"], "stiffness": stiffness},
            ],
        },
        {"level": level, "snap": snap, "load": load},
    )


def stack(draw: np.random.Generator, most: int = 12) -> Made:
    """A tower of rectangles, each on the one below, with random shifts.

    Known: whether it stands, and the levels at which it does not. Above each level the centre of mass of all blocks must be over
    the common part of the two blocks. Contacts are level, so friction carries nothing.
    """
    count = int(draw.integers(2, most + 1))
    calm = float(draw.uniform(0.1, 0.9))
    widths, heights = draw.uniform(0.6, 2.5, count), draw.uniform(0.2, 1.0, count)
    xs, weights = [0.0], []
    for k in range(1, count):
        reach = calm * (widths[k] + widths[k - 1]) / 2
        xs.append(xs[-1] + float(draw.uniform(-reach, reach)))
    blocks: dict[str, Any] = {}
    level = 0.0
    for k in range(count):
        x, density = xs[k], float(draw.uniform(0.5, 3.0))
        weights.append(float(widths[k] * heights[k] * density))
        at = [x, level + float(heights[k]) / 2]
        blocks[f"b{k + 1}"] = {"size": [float(widths[k]), float(heights[k])], "at": at, "density": density}
        level += float(heights[k])
    tips, margin = [], math.inf
    for k in range(count):
        centre = float(np.dot(xs[k:], weights[k:]) / sum(weights[k:]))
        below = max(k - 1, 0)  # the floor is as wide as needed
        left = max(xs[k] - widths[k] / 2, xs[below] - widths[below] / 2)
        right = min(xs[k] + widths[k] / 2, xs[below] + widths[below] / 2)
        inside = min(centre - left, right - centre)
        margin = min(margin, abs(inside))
        if inside < 0:
            tips.append(f"b{k + 1}")
    return Made({"blocks": blocks}, {"stands": not tips, "tips": tips, "margin": margin})


def chain(draw: np.random.Generator) -> Made:
    """A hanging chain with equal links."""
    span = float(draw.uniform(1.0, 8.0))
    preset = {
        "type": "chain",
        "from": [0.0, 0.0],
        "to": [span, float(draw.uniform(-0.3, 0.3)) * span],
        "length": span * float(draw.uniform(1.15, 2.0)),
        "links": int(draw.integers(3, 16)),
        "mass": float(draw.uniform(0.5, 5.0)),
    }
    return Made({"preset": preset})


def springs(draw: np.random.Generator) -> Made:
    """A mesh of springs between supports, under loads."""
    count = int(draw.integers(3, 10))
    nodes: dict[str, Any] = {
        "A": {"at": [0.0, 0.0], "fixed": True},
        "B": {"at": [6.0, float(draw.uniform(-1, 1))], "fixed": True},
    }
    names = ["A", "B"]
    members = []
    for k in range(count):
        name = f"n{k + 1}"
        nodes[name] = {"load": [float(draw.normal()), float(-abs(draw.normal()))]}
        for other in draw.choice(names, min(len(names), int(draw.integers(2, 4))), replace=False):
            spring = {"type": "spring", "between": [str(other), name]}
            members.append(spring | {"stiffness": float(draw.uniform(2, 30)), "length": float(draw.uniform(0.2, 2.0))})
        names.append(name)
    return Made({"nodes": nodes, "members": members})


def net(draw: np.random.Generator) -> Made:
    """A net of links between four corners."""
    preset = {
        "type": "net",
        "size": [int(draw.integers(3, 7)), int(draw.integers(3, 7))],
        "corners": [float(v) for v in draw.uniform(0, 2, 4)],
        "load": float(draw.uniform(0, 0.3)),
    }
    return Made({"preset": preset})


def cable_too_short(draw: np.random.Generator) -> Made:
    """A line of cables shorter than the distance of its ends."""
    count = int(draw.integers(1, 6))
    lengths = draw.uniform(0.5, 2.0, count)
    far = float(lengths.sum()) * float(draw.uniform(1.02, 1.5))
    names = ["A", *(f"n{k}" for k in range(1, count)), "B"]
    nodes = {name: {"mass": 1.0} for name in names[1:-1]}
    turn = float(draw.uniform(-1, 1))
    nodes["A"] = {"at": [0.0, 0.0], "fixed": True}  # type: ignore[dict-item]
    nodes["B"] = {"at": [far * math.cos(turn), far * math.sin(turn)], "fixed": True}  # type: ignore[dict-item]
    members = [
        {"type": "cable", "between": [a, b], "length": float(length)}
        for a, b, length in zip(names, names[1:], lengths, strict=False)
    ]
    return Made({"nodes": nodes, "members": members})


FAMILIES = {"bistable": bistable, "chain": chain, "springs": springs, "net": net}
"""Families of structures that have a state of rest, by name."""
