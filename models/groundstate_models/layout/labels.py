"""Labels of a chart: each at one of eight places around its point, so that none overlaps another label or a point.

``place_labels(axes, texts)`` moves the texts of a matplotlib chart. Preferred places: J. Christensen, J. Marks and S. Shieber,
"An empirical study of algorithms for point-feature label placement", 1995. The arrangement is found here by a local search over
the eight places (their Algorithm: discrete gradient descent with restarts), group by group; `request` states the same task to the
model for labels that need more room than the eight places give.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

OFFSETS: tuple[tuple[float, float], ...] = (
    (1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (0.0, 1.0), (0.0, -1.0), (1.0, 0.0), (-1.0, 0.0),
)  # fmt: skip
"""The eight places in order of preference: upper right first."""

RINGS = (1.0, 2.2, 3.6, 5.2)
"""Distances of the places, in multiples of the gap; further ones get a line to their point."""


@dataclass(frozen=True)
class Labels:
    """Placed labels.

    Attributes:
        boxes: Left, bottom, right, top of each, ``(n, 4)``.
        overlapping: Labels that still overlap something.
        leaders: The distance of each label's box from its point, ``(n,)``.
    """

    boxes: Floats
    overlapping: tuple[int, ...]
    leaders: Floats


def place(
    points: Floats,
    sizes: Floats,
    area: Sequence[float] | None = None,
    gap: float = 3.0,
    obstacles: Floats | None = None,
    seed: int = 0,
) -> Labels:
    """Place a label at every point.

    Args:
        points: ``(n, 2)``, in the unit of the sizes, such as pixels.
        sizes: Width and height of each label, ``(n, 2)``.
        area: Left, bottom, right, top, in which labels must lie; None for anywhere.
        gap: Distance of a label from its point.
        obstacles: Further points that no label may cover, ``(m, 2)``.
        seed: Of the restarts.
    """
    points, sizes = np.asarray(points, np.float64), np.asarray(sizes, np.float64)
    count = len(points)
    if not count:
        return Labels(np.zeros((0, 4)), (), np.zeros(0))
    others = points if obstacles is None else np.concatenate([points, np.asarray(obstacles, np.float64)])
    boxes, cost = _candidates(points, sizes, gap)
    c = boxes.shape[1]
    flat = boxes.reshape(-1, 4)
    covers = (
        (others[None, :, 0] > flat[:, None, 0])
        & (others[None, :, 0] < flat[:, None, 2])
        & (others[None, :, 1] > flat[:, None, 1])
        & (others[None, :, 1] < flat[:, None, 3])
    ).sum(1)
    cost = cost + _CLASH * covers.reshape(count, c)
    if area is not None:
        left, bottom, right, top = area
        out = (flat[:, 0] < left) | (flat[:, 1] < bottom) | (flat[:, 2] > right) | (flat[:, 3] > top)
        cost = cost + 4 * _CLASH * out.reshape(count, c)
    choice = _search(boxes, cost, np.random.default_rng(seed))
    chosen = boxes[np.arange(count), choice]
    clash = _overlaps(chosen, chosen)
    np.fill_diagonal(clash, val=False)
    bad = clash.any(1) | (cost[np.arange(count), choice] >= _CLASH)
    away = np.maximum(np.maximum(chosen[:, :2] - points, points - chosen[:, 2:]), 0.0)
    return Labels(chosen, tuple(int(k) for k in np.flatnonzero(bad)), np.hypot(away[:, 0], away[:, 1]))


_CLASH = 100.0
"""The cost of an overlap, beside which the preference of a place is small."""


def _candidates(points: Floats, sizes: Floats, gap: float) -> tuple[Floats, Floats]:
    """Boxes ``(n, places, 4)``, and the preference cost of each."""
    boxes, cost = [], []
    for ring, far in enumerate(RINGS):
        for k, (dx, dy) in enumerate(OFFSETS):
            w, h = sizes[:, 0], sizes[:, 1]
            # At a corner the box touches the diagonal at the gap; at a side it is centred.
            reach = far * gap / (math.sqrt(2) if dx and dy else 1.0)
            x = points[:, 0] + dx * reach + (dx - 1) / 2 * w
            y = points[:, 1] + dy * reach + (dy - 1) / 2 * h
            boxes.append(np.stack([x, y, x + w, y + h], axis=1))
            cost.append(np.full(len(points), 0.1 * k + 8.0 * ring))
    return np.stack(boxes, axis=1), np.stack(cost, axis=1)


def _overlaps(one: Floats, other: Floats) -> NDArray[np.bool_]:
    return (
        (one[:, None, 0] < other[None, :, 2])
        & (other[None, :, 0] < one[:, None, 2])
        & (one[:, None, 1] < other[None, :, 3])
        & (other[None, :, 1] < one[:, None, 3])
    )


def _search(boxes: Floats, cost: Floats, draw: np.random.Generator, restarts: int = 6) -> NDArray[np.int64]:
    """The choice of lowest cost found: min-conflicts moves with restarts of what clashes."""
    count, places = cost.shape
    owner = np.repeat(np.arange(count), places)
    flat = boxes.reshape(-1, 4)
    hit = _overlaps(flat, flat) & (owner[:, None] != owner[None, :])
    weight = hit.astype(np.float32) * np.float32(_CLASH)
    choice: NDArray[np.int64] = cost.argmin(1).astype(np.int64)
    best, least = choice.copy(), math.inf
    base = np.arange(count) * places
    for attempt in range(restarts):
        felt = weight[:, base + choice].sum(1).reshape(count, places) + cost
        for _ in range(40 * count):
            now = felt[np.arange(count), choice]
            gain = now - felt.min(1)
            k = int(gain.argmax())
            if gain[k] <= 1e-6:
                break
            new = int(felt[k].argmin())
            felt += (weight[:, base[k] + new] - weight[:, base[k] + choice[k]]).reshape(count, places)
            choice[k] = new
        pairs = weight[base + choice][:, base + choice].sum() / 2
        total = float(pairs + cost[np.arange(count), choice].sum())
        if total < least - 1e-9:
            best, least = choice.copy(), total
        clashing = (weight[base + best][:, base + best].sum(1) > 0) | (cost[np.arange(count), best] >= _CLASH)
        if not clashing.any():
            break
        choice = best.copy()
        near = clashing | (weight[(base + best)[clashing]].reshape(-1, count, places).max(2).max(0) > 0)
        shaken = near & (draw.random(count) < 0.5 + 0.1 * attempt)
        choice[shaken] = draw.integers(0, places, int(shaken.sum()))
    return best


def request(
    points: Floats, sizes: Floats, names: Sequence[str], area: Sequence[float], gap: float = 3.0
) -> dict[str, Any]:
    """The same labels as a request to the model: points are fixed, labels stay near them."""
    left, bottom, right, top = (float(v) for v in area)
    items: dict[str, Any] = {}
    for name, (x, y), (w, h) in zip(names, points, sizes, strict=True):
        at = [float(x) - left, float(y) - bottom]
        items[f"point {name}"] = {"diameter": 2.0, "at": at, "fixed": True}
        near = [at[0] + float(w) / 2 + gap, at[1] + float(h) / 2 + gap]
        items[f"label {name}"] = {"size": [float(w), float(h)], "near": near, "turns": "none"}
    return {"area": [right - left, top - bottom], "items": items, "origin": "bottom-left"}


def place_labels(
    axes: Any, texts: Sequence[Any], x: Any = None, y: Any = None, gap: float = 3.0, *, lines: bool = True
) -> Labels:
    """Move the texts of a matplotlib chart so that they overlap neither each other nor the points.

    Args:
        axes: The axes that hold the texts.
        texts: What ``axes.text(…)`` returned, each at its point.
        x, y: The points of the chart, if there are more than labels; each may be a sequence.
        gap: In points (1/72 inch).
        lines: Whether labels that lie further away get a line to their point.
    """
    figure = axes.figure
    canvas = figure.canvas
    renderer = canvas.get_renderer()
    to_page, back = axes.transData, axes.transData.inverted()
    points = np.array([to_page.transform(text.get_position()) for text in texts], np.float64).reshape(-1, 2)
    extents = [text.get_window_extent(renderer) for text in texts]
    sizes = np.array([(one.width, one.height) for one in extents]).reshape(-1, 2)
    others = None if x is None else to_page.transform(np.column_stack([np.asarray(x, float), np.asarray(y, float)]))
    frame = axes.get_window_extent(renderer)
    gap = gap * figure.dpi / 72
    placed = place(points, sizes, (frame.x0, frame.y0, frame.x1, frame.y1), gap, others)
    for text, box, at, away in zip(texts, placed.boxes, points, placed.leaders, strict=True):
        left, bottom = back.transform((box[0], box[1]))
        if lines and away > 1.6 * gap:
            end = (min(max(at[0], box[0]), box[2]), min(max(at[1], box[1]), box[3]))
            (ax, ay), (bx, by) = back.transform(at), back.transform(end)
            axes.plot([ax, bx], [ay, by], color="0.5", linewidth=0.6, zorder=1)
        text.set_horizontalalignment("left")
        text.set_verticalalignment("bottom")
        text.set_position((left, bottom))
    return placed
