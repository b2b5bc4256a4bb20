"""A figure of a landscape with two minima and its question: chains of one board, coloured by their answer.

    python -m benchmarks.two_bottoms [--out docs/images/two-bottoms.svg]

The board comes from the project's generator; every chain is a single chain of the model with its own seed.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.sudoku.figure import CARD, MANY, ONE, QUIET, RULE, STYLE, TEXT

import groundstate as gs

BOARD = "000000007050020094800059000094001003000030020060000809000700030008000060007018000"
CHAINS = 24
COLOURS = (MANY, ONE, QUIET)


def descents(solver: gs.Solver, request: dict[str, Any], answers: list[Any]) -> list[tuple[int, np.ndarray]]:
    """For each chain the index of its answer (the number of answers if none), and its energies."""
    found, one_life = [], int(solver.header.defaults["patience"])
    for seed in range(CHAINS):
        segments = list[gs.Segment]()
        solution = solver.solve(request, restarts=1, max_steps=one_life, seed=seed, watch=segments.append)
        came = answers.index(solution.answer) if solution.solved and solution.answer in answers else len(answers)
        found.append((came, np.concatenate([segment.trace[0] for segment in segments])))
    return found


def drawn(solver: gs.Solver, path: Path) -> None:
    """Write the picture."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    request = solver.parse(BOARD)
    solution = solver.solve(request, alternatives=2)
    if solution.question is None:
        raise SystemExit("The board has not been found to have two answers; there is nothing to draw.")
    answers = [solution.answer, *(other.answer for other in solution.alternatives)]
    every = solver.header.trace_every
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10.5, 4.4), facecolor=CARD, layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(3, 2))
        left.set_facecolor(CARD)
        for came, energies in sorted(descents(solver, request, answers), key=lambda pair: -pair[0]):
            left.plot(every * np.arange(len(energies)), energies, color=COLOURS[min(came, 2)], lw=1, alpha=0.8)
        for colour, label in zip(COLOURS, ("came to one answer", "came to the other", "came to none yet"), strict=True):
            left.plot([], [], color=colour, label=label)
        left.set(xlabel="updates", ylabel="energy (log)", yscale="log")
        left.set_title(f"{CHAINS} chains of one board", fontsize=11)
        left.legend(frameon=False)
        _board(right, request["grid"], answers, solution.question)
        figure.savefig(path, metadata={"Date": None})


def _board(axes: Any, grid: list[list[int]], answers: list[Any], question: gs.Question) -> None:
    for line in range(10):
        width = 1.6 if line % 3 == 0 else 0.5
        axes.plot([0, 9], [line, line], color=QUIET if line % 3 == 0 else RULE, lw=width)
        axes.plot([line, line], [0, 9], color=QUIET if line % 3 == 0 else RULE, lw=width)
    for row in range(9):
        for column in range(9):
            one, other = (answer["grid"][row][column] for answer in answers[:2])
            x, y = column + 0.5, 8.5 - row
            if question.about == f"grid[{row}][{column}]":
                axes.add_patch(_square(column, 8 - row))
            if one != other:
                axes.text(x - 0.22, y, one, color=COLOURS[0], ha="center", va="center", weight="bold")
                axes.text(x + 0.22, y, other, color=COLOURS[1], ha="center", va="center", weight="bold")
            elif grid[row][column]:
                axes.text(x, y, one, color=TEXT, ha="center", va="center")
            else:
                axes.text(x, y, one, color=QUIET, ha="center", va="center", fontsize=8)
    options = " or ".join(option.id for option in question.options)
    axes.set_title(f"{question.text}\n{options}", fontsize=10)
    axes.set_aspect("equal")
    axes.axis("off")


def _square(x: float, y: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), 1, 1, color=RULE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="sudoku")
    parser.add_argument("--out", type=Path, default=Path("docs/images/two-bottoms.svg"))
    options = parser.parse_args()
    drawn(gs.load(options.model), options.out)


if __name__ == "__main__":
    main()
