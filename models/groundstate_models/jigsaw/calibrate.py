"""Calibrate the confidence: ``python -m groundstate_models.jigsaw.calibrate FOLDER``.

The solver lays jigsaws of many kinds, right or wrong. A logistic regression on `confidence.evidence` then estimates the
probability that the whole layout is right.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import groundstate as gs
from groundstate_models.jigsaw import confidence, data, puzzles
from groundstate_models.jigsaw.task import JigsawReading

RIDGE = 0.5
"""Ridge penalty of the weights, for evidence in units of its standard deviation."""

SIGNS = (-1, -1, -1, -1, -1, 1, -1, -1, -1, -1, -1)
"""How each `confidence.EVIDENCE` may count: only a gap to the next layout speaks for a layout."""


def draw(pictures: list[data.Picture], rng: np.random.Generator, largest: tuple[int, int] = (11, 13)) -> puzzles.Puzzle:
    """A jigsaw of a random kind from a random photograph at a random scale; in one of ten, a duplicate replaces a piece.

    Args:
        pictures: Photographs.
        rng: Decides everything.
        largest: Most rows and columns.
    """
    from PIL import Image

    picture = pictures[rng.integers(len(pictures))]
    size = int(rng.choice([22, 28, 28, 36]))
    shape = (int(rng.integers(2, largest[0] + 1)), int(rng.integers(3, largest[1] + 1)))
    high, wide = shape[0] * size, shape[1] * size
    fit = min(picture.shape[0] / high, picture.shape[1] / wide)
    scale = min(fit, float(np.exp(rng.uniform(0, np.log(max(fit, 1.0))))))
    crop = (int(high * scale), int(wide * scale))
    top, left = (rng.integers(0, have - need + 1) for have, need in zip(picture.shape, crop, strict=False))
    part = Image.fromarray(picture[top : top + crop[0], left : left + crop[1]]).resize(
        (wide, high), Image.Resampling.LANCZOS
    )
    kind = {
        "worn": int(rng.choice([0, 0, 1, 1, 2, 3])),
        "turned": bool(rng.random() < 0.25),
        "lost": float(rng.choice([0.0, 0.0, 0.0, 0.1])),
    }
    puzzle = puzzles.make(np.asarray(part), size, rng, **kind)  # type: ignore[arg-type]
    if rng.random() < 0.1 and len(puzzle.pieces) > 3:
        one, other = rng.permutation(len(puzzle.pieces))[:2]
        puzzle.pieces[one] = np.rot90(puzzle.pieces[other], puzzle.turns[one] - puzzle.turns[other])
    return puzzle


def measured(solver: gs.Solver, puzzle: puzzles.Puzzle, seed: int) -> dict[str, Any] | None:
    """The evidence about the solver's layout of a jigsaw, and whether the layout is right."""
    request = puzzle.request()
    solution = solver.solve(request, seed=seed, restarts=2)
    answer = solution.answer if solution.closest is None else solution.closest.answer
    if answer is None:
        return None
    reading = JigsawReading(solver.header, request)
    return {
        "evidence": reading.evidence(answer).tolist(),
        "right": puzzle.perfect(answer),
        "neighbours": puzzle.neighbours(answer),
        "pieces": len(puzzle.pieces),
        "worn": puzzle.worn,
        "told": reading.seams.worn,
        "turned": reading.turned,
    }


def fit(evidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Weights and bias of a logistic regression with a ridge.

    Evidence whose weight has the wrong sign (`SIGNS`) gets none: such a weight only follows the sample.
    """
    used = np.ones(len(SIGNS), bool)
    while True:
        some, bias = _regressed(evidence[:, used], right)
        weights = np.zeros(len(SIGNS))
        weights[used] = some
        if not (wrong := weights * np.array(SIGNS) < 0).any():
            return weights, bias
        used &= ~wrong


def _regressed(evidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Weights and bias by Newton's method."""
    mean, spread = evidence.mean(axis=0), evidence.std(axis=0) + 1e-6
    design = np.column_stack([(evidence - mean) / spread, np.ones(len(evidence))])
    penalty = np.diag([*[RIDGE] * evidence.shape[1], 1e-6])
    found = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ found))
        slope = design.T @ (chance - right) + penalty @ found
        found -= np.linalg.solve((design.T * (chance * (1 - chance) + 1e-9)) @ design + penalty, slope)
    weights = found[:-1] / spread
    return weights, float(found[-1] - weights @ mean)


def calibration_error(chance: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Expected calibration error over bins of equal width."""
    place = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = [
        abs(chance[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in set(place.tolist())
    ]
    return float(sum(gaps))


def main(argv: list[str] | None = None) -> int:
    """Measure, fit and write `confidence.json`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m groundstate_models.jigsaw.calibrate", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the packages with the photographs are unpacked")
    parser.add_argument("--puzzles", type=int, default=400)
    parser.add_argument("--largest", type=int, nargs=2, default=(11, 13), help="most rows and columns")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--rows", type=Path, default=Path("jigsaw-calibration.jsonl"), help="measured jigsaws; added to"
    )
    options = parser.parse_args(argv)
    data.fetch(options.folder)
    pictures = data.load(options.folder, training=False)
    rng = np.random.default_rng(options.seed)
    begun = time.monotonic()
    with gs.load("jigsaw") as solver, options.rows.open("a", encoding="utf-8") as file:
        for number in range(options.puzzles):
            if time.monotonic() - begun > 60 * options.minutes:
                break
            row = measured(solver, draw(pictures, rng, tuple(options.largest)), number)
            if row is not None:
                file.write(json.dumps(row) + "\n")
                file.flush()
    rows = [json.loads(line) for line in options.rows.read_text(encoding="utf-8").splitlines()]
    evidence = np.array([row["evidence"] for row in rows])
    right = np.array([row["right"] for row in rows])
    weights, bias = fit(evidence, right)
    chance = 1 / (1 + np.exp(-(evidence @ weights + bias)))
    stored = {
        "bias": bias,
        "weights": dict(zip(confidence.EVIDENCE, weights.tolist(), strict=True)),
        "puzzles": len(rows),
        "right": float(right.mean()),
        "calibration_error": calibration_error(chance, right),
        "sure": int((chance >= 0.99).sum()),
        "sure_and_wrong": int(((chance >= 0.99) & ~right).sum()),
    }
    confidence.FILE.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(stored, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
