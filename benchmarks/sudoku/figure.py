"""The curve of rate against compute as an SVG on its own background, so that it is readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.rates import interval
from numpy.typing import NDArray

CARD, TEXT, QUIET, RULE = "#0f1524", "#c7d0e0", "#8b96ab", "#2c3650"
MANY, ONE = "#58e0a4", "#ffc65c"
"""Colours, those of the pictures that the command line draws."""

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "groundstate",
    "font.family": "monospace",
    "font.size": 10,
    "text.color": TEXT,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "axes.edgecolor": RULE,
    "axes.labelcolor": QUIET,
}
"""Of all pictures: text stays text, and the same picture is the same bytes."""

TITLES = {
    "tdoku_17_clue": "17 clues",
    "tdoku_magictour_top1465": "top 1465",
    "tdoku_forum_hardest_1106": "forum hardest",
    "norvig_easy50": "easy 50",
    "reasoning_gym_easy500": "easy 500",
    "strangers": "minimal, another generator",
}


def share(solved_at: Sequence[int], puzzles: int, updates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solved share by steps spent, from the steps until each puzzle was solved."""
    return np.searchsorted(np.sort(solved_at), updates, side="right") / puzzles


def draw(data: dict[str, Any], path: Path) -> None:
    """A panel a set: one line for chains side by side, one for chains one after another."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        across = min(2, len(data["sets"]))
        down = -(-len(data["sets"]) // across)
        figure = Figure(figsize=(5.2 * across, 0.9 + 3.4 * down), facecolor=CARD, layout="constrained")
        axes = figure.subplots(down, across, squeeze=False).ravel()
        for axis in axes[len(data["sets"]) :]:
            axis.set_visible(False)
        for axis, one in zip(axes, data["sets"], strict=False):
            _panel(axis, one, data["segment"])
        figure.suptitle(f"Solved and checked by steps spent: {data['model']}", color="#fff", fontsize=12)
        figure.supxlabel(
            "steps of all chains of a puzzle together (log); a single chain restarts", color=QUIET, fontsize=10
        )
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _panel(axis: Any, one: dict[str, Any], segment: int) -> None:
    many, single, n = one["many"], one["one"], one["puzzles"]
    axis.set_facecolor(CARD)
    axis.set_xscale("log", base=2)
    axis.grid(color=RULE, linewidth=0.6)
    axis.spines[["top", "right"]].set_visible(False)
    lines = []
    for spent, colour in ((many, MANY), (single, ONE)):
        updates = np.array(sorted({segment, *spent["solved_at"], spent["budget"]}), float)
        rate = share(spent["solved_at"], n, updates)
        low, high = np.array([interval(n * p, n) for p in rate]).T
        axis.fill_between(updates, low, high, step="post", color=colour, alpha=0.14, linewidth=0)
        axis.plot(updates, rate, drawstyle="steps-post", color=colour, linewidth=2)
        lines.append((updates, rate))
    _label(axis, lines, (f"{many['chains']} chains", "one chain"))
    axis.set_xlim(left=segment / 4)
    axis.set_ylim(0, 1.03)
    axis.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value / 1024:g}k" if value >= 1024 else f"{value:g}")
    axis.set_title(TITLES.get(one["name"], one["name"]), loc="left", color=TEXT, fontsize=11)
    note = f"exact solver (CP-SAT): {one['exact_ms']:.0f} ms, 100 %"
    axis.text(0.98, 0.04, f"{n} puzzles\n{note}", transform=axis.transAxes, ha="right", color=QUIET, fontsize=9)


def _label(axis: Any, lines: Sequence[tuple[NDArray[Any], NDArray[Any]]], names: Sequence[str]) -> None:
    """Label the lines: at the same height, the left one on its left and the right one on its right."""
    level = (max(rate[0] for _, rate in lines) + min(rate[-1] for _, rate in lines)) / 2
    crossings = [updates[min(int(np.searchsorted(rate, level)), len(rate) - 1)] for updates, rate in lines]
    order = np.argsort(crossings)
    for place, side, shift in ((order[0], "right", 0.92), (order[-1], "left", 1.09)):
        axis.text(
            crossings[place] * shift, level, names[place], color=(MANY, ONE)[place], ha=side, va="bottom", fontsize=10
        )
