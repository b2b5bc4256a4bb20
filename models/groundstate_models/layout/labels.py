"""Labels of a chart: each at a place around its point, so that none overlaps another label or a point.

``place_labels(axes, texts)`` moves the texts of a matplotlib chart. Eight places are preferred (J. Christensen, J. Marks and
S. Shieber, "An empirical study of algorithms for point-feature label placement", 1995); between them a label slides along its
point (M. van Kreveld, T. Strijk and A. Wolff, "Point labeling with sliding labels", 1999). The arrangement is found by discrete
gradient descent with restarts of what clashes; `request` states the same task to the model.
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
    (0.5, 1.0), (-0.5, 1.0), (0.5, -1.0), (-0.5, -1.0),
)  # fmt: skip
"""The places in order of preference: upper right first; the last four lie between the others."""

RINGS = (1.0, 2.0, 3.5, 6.0, 9.0, 13.0)
"""Distances of the places, in multiples of the gap; further ones get a line to their point."""

RESTARTS, SHAKEN = 12, 0.5
"""Restarts while something clashes, and the part of the labels nearby that change at random."""


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
    gap: float = 2.0,
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
    for far in RINGS:
        for k, (dx, dy) in enumerate(OFFSETS):
            w, h = sizes[:, 0], sizes[:, 1]
            # At a corner the box touches the diagonal at the gap; at a side it is centred, or slides along.
            reach = far * gap / (math.sqrt(2) if abs(dx * dy) == 1 else 1.0)
            x = points[:, 0] + (dx if abs(dx) == 1 else 0.0) * reach + (dx - 1) / 2 * w
            y = points[:, 1] + dy * reach + (dy - 1) / 2 * h
            boxes.append(np.stack([x, y, x + w, y + h], axis=1))
            cost.append(np.full(len(points), 0.05 * k + 2.0 * (far - 1.0)))
    return np.stack(boxes, axis=1), np.stack(cost, axis=1)


def _overlaps(one: Floats, other: Floats) -> NDArray[np.bool_]:
    return (
        (one[:, None, 0] < other[None, :, 2])
        & (other[None, :, 0] < one[:, None, 2])
        & (one[:, None, 1] < other[None, :, 3])
        & (other[None, :, 1] < one[:, None, 3])
    )


def _search(boxes: Floats, cost: Floats, draw: np.random.Generator) -> NDArray[np.int64]:
    """The choice of lowest cost found: the move of largest gain, again and again, with restarts of what clashes."""
    count, places = cost.shape
    left, bottom, right, top = (np.ascontiguousarray(boxes[..., k]) for k in range(4))
    every = np.arange(count)

    def hit(k: int, place: int) -> Floats:
        """Which places of the others label k covers at a place, ``(count, places)``."""
        over = (left < right[k, place]) & (right > left[k, place]) & (bottom < top[k, place]) & (top > bottom[k, place])
        over[k] = False
        return np.where(over, _CLASH, 0.0)

    def descended(choice: NDArray[np.int64]) -> tuple[float, NDArray[np.bool_]]:
        """Move labels while that helps; returns the cost, and which labels clash."""
        felt = cost.copy()
        for k in range(count):
            felt += hit(k, int(choice[k]))
        for _ in range(20 * count):
            gain = felt[every, choice] - felt.min(1)
            k = int(gain.argmax())
            if gain[k] <= 1e-6:
                break
            new = int(felt[k].argmin())
            felt += hit(k, new) - hit(k, int(choice[k]))
            choice[k] = new
        now = felt[every, choice]
        alone = cost[every, choice]
        return float((now + alone).sum() / 2), now >= _CLASH

    best: NDArray[np.int64] = cost.argmin(1).astype(np.int64)
    least, clashing = descended(best)
    for _ in range(RESTARTS):
        if not clashing.any():
            break
        choice = best.copy()
        reached = np.zeros(count, bool)
        for k in np.flatnonzero(clashing):
            wide = (left[k].min(), bottom[k].min(), right[k].max(), top[k].max())
            now = boxes[every, best]
            reached |= (now[:, 0] < wide[2]) & (now[:, 2] > wide[0]) & (now[:, 1] < wide[3]) & (now[:, 3] > wide[1])
        shaken = reached & (draw.random(count) < SHAKEN)
        choice[shaken] = draw.integers(0, places, int(shaken.sum()))
        total, some = descended(choice)
        if total < least - 1e-9:
            best, least, clashing = choice, total, some
    return best


def request(
    points: Floats, sizes: Floats, names: Sequence[str], area: Sequence[float], gap: float = 2.0
) -> dict[str, Any]:
    """The same labels as a request to the model: points are fixed, labels stay near them."""
    left, bottom, right, top = (float(v) for v in area)
    items: dict[str, Any] = {}
    # Fixed items must not overlap: points that are close to each other are smaller.
    apart = np.hypot(*(np.subtract.outer(points[:, k], points[:, k]) for k in (0, 1)))
    np.fill_diagonal(apart, np.inf)
    across = np.clip(0.99 * apart.min(1, initial=np.inf), 1e-3, 2.0)
    for name, (x, y), (w, h), wide in zip(names, points, sizes, across, strict=True):
        at = [float(x) - left, float(y) - bottom]
        items[f"point {name}"] = {"diameter": float(wide), "at": at, "fixed": True}
        near = [at[0] + float(w) / 2 + gap, at[1] + float(h) / 2 + gap]
        items[f"label {name}"] = {"size": [float(w), float(h)], "near": near, "turns": "none"}
    return {"area": [right - left, top - bottom], "items": items, "origin": "bottom-left"}


def place_labels(
    axes: Any, texts: Sequence[Any], x: Any = None, y: Any = None, gap: float = 1.4, *, lines: bool = True
) -> Labels:
    """Move the texts of a matplotlib chart so that they overlap neither each other nor the points.

    Args:
        axes: The axes that hold the texts.
        texts: What ``axes.text(…)`` returned, each at its point.
        x, y: The points of the chart, if there are more than labels; each may be a sequence.
        gap: In points (1/72 inch).
        lines: Whether labels that lie further away get a line to their point.
    """
    from matplotlib.collections import LineCollection  # charts are optional

    figure = axes.figure
    canvas = figure.canvas
    renderer = canvas.get_renderer()
    # Limits, positions and aspects may be pending until the chart is drawn; labels are placed for the chart as drawn.
    axes.get_xlim(), axes.get_ylim()
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
    axes.apply_aspect()
    to_page, back = axes.transData, axes.transData.inverted()
    points = to_page.transform(np.array([text.get_position() for text in texts], np.float64).reshape(-1, 2))
    extents = [text.get_window_extent(renderer) for text in texts]
    sizes = np.array([(one.width, one.height) for one in extents]).reshape(-1, 2)
    others = None if x is None else to_page.transform(np.column_stack([np.asarray(x, float), np.asarray(y, float)]))
    frame = axes.get_window_extent(renderer)
    gap = gap * figure.dpi / 72
    placed = place(points, sizes, (frame.x0, frame.y0, frame.x1, frame.y1), gap, others)
    if not len(texts):
        return placed
    for text, at in zip(texts, back.transform(placed.boxes[:, :2]), strict=True):
        text.set_horizontalalignment("left")
        text.set_verticalalignment("bottom")
        text.set_position(tuple(at))
    away = placed.leaders > 2.5 * gap
    if lines and away.any():
        ends = np.clip(points[away], placed.boxes[away, :2], placed.boxes[away, 2:])
        segments = np.stack([back.transform(points[away]), back.transform(ends)], axis=1)
        axes.add_collection(LineCollection(list(segments), colors="0.5", linewidths=0.6, zorder=1), autolim=False)
    return placed
