"""Labels of charts beside adjustText: ``python -m benchmarks.layout.labels [--count 10]``; adjustText must be installed.

Charts of 6.4 × 4.8 inches with 20 to 100 random points, labels of 6 pt. Overlaps are counted on the drawn extents, shrunk by
half a pixel; a leader is the distance from a point to the nearest side of its label.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import mean, median
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from groundstate_models.layout.labels import place_labels

FIRST_SEED = 9_000_000
"""Of the charts of the record; nothing was developed on them."""


def chart(seed: int) -> tuple[Any, Any, list[Any], Any]:
    draw = np.random.default_rng(FIRST_SEED + seed)
    count = int(draw.integers(20, 101))
    figure = Figure(figsize=(6.4, 4.8))
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    at = draw.uniform(0, 1, (count, 2))
    axes.scatter(at[:, 0], at[:, 1], s=6)
    axes.set_xlim(-0.05, 1.05)
    axes.set_ylim(-0.05, 1.05)
    texts = [
        axes.text(x, y, "".join(draw.choice(list("abcdefghij"), int(draw.integers(3, 9)))), fontsize=6) for x, y in at
    ]
    canvas.draw()
    return canvas, axes, texts, at


def measured(canvas: Any, axes: Any, texts: list[Any], at: Any) -> tuple[int, float]:
    """Overlapping pairs, and the mean leader in pixels."""
    renderer = canvas.get_renderer()
    boxes = np.array([(b.x0, b.y0, b.x1, b.y1) for b in (t.get_window_extent(renderer) for t in texts)])
    inner = boxes + np.array([0.5, 0.5, -0.5, -0.5])
    a, b = inner[:, None], inner[None]
    hit = (a[..., 0] < b[..., 2]) & (b[..., 0] < a[..., 2]) & (a[..., 1] < b[..., 3]) & (b[..., 1] < a[..., 3])
    points = axes.transData.transform(at)
    away = np.maximum(np.maximum(boxes[:, :2] - points, points - boxes[:, 2:]), 0)
    return int((hit.sum() - len(boxes)) // 2), float(np.hypot(away[:, 0], away[:, 1]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--all", action="store_true", help="200 charts")
    options = parser.parse_args()

    def ours(axes: Any, texts: list[Any], at: Any) -> None:
        place_labels(axes, texts, at[:, 0], at[:, 1])

    ways: dict[str, Callable[..., None]] = {"place_labels": ours}
    try:
        from adjustText import adjust_text
    except ImportError:
        print("adjustText is not installed")
    else:

        def theirs(axes: Any, texts: list[Any], at: Any) -> None:
            adjust_text(texts, at[:, 0], at[:, 1], ax=axes)

        ways["adjustText"] = theirs
    times: dict[str, list[float]] = {}
    for name, way in ways.items():
        clean, pairs, leaders, seconds = 0, 0, [], []
        count = 200 if options.all else options.count
        for seed in range(count):
            canvas, axes, texts, at = chart(seed)
            begun = time.perf_counter()
            way(axes, texts, at)
            seconds.append(time.perf_counter() - begun)
            some, leader = measured(canvas, axes, texts, at)
            clean += some == 0
            pairs += some
            leaders.append(leader)
        times[name] = seconds
        print(
            f"{name}: {clean} of {count} charts without overlap ({pairs} pairs), mean leader {mean(leaders):.1f} px, "
            f"median {median(seconds) * 1e3:.0f} ms"
        )
    if len(times) == 2:
        one, other = times.values()
        print(f"ratio of the times, median: {median(b / a for a, b in zip(one, other, strict=True)):.1f}")


if __name__ == "__main__":
    main()
