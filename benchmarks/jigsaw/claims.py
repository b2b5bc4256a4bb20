"""What the model claims, on many small jigsaws of photographs it never learned from: confidence, and exchangeable pieces.

    python benchmarks/jigsaw/claims.py FOLDER confidence --count 1000 --largest 5 6 --rows claims.jsonl
    python benchmarks/jigsaw/claims.py FOLDER confidence --count 1000 --largest 5 6 --rows claims.jsonl --part 0 2
    python benchmarks/jigsaw/claims.py FOLDER exchangeable --count 100 --rows exchangeable.jsonl

`confidence`: jigsaws as `groundstate_models.jigsaw.calibrate` draws them: worn, turned, with lost or doubled pieces. The table
has the expected calibration error over ten bins, and the number of jigsaws SOLVED and wrong. Measured ones are added to
`--rows`; a second run goes on after them, and several runs share the work (`--part 0 2` and `--part 1 2`). The table's claims
are those of the present fit of the confidence, from the evidence that was stored with each layout.

`exchangeable`: jigsaws in which two pieces are equal. The model should ask about them, and only about pieces whose exchange does
not change the picture.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import groundstate as gs
from groundstate_models.jigsaw import calibrate
from groundstate_models.jigsaw.confidence import probability
from groundstate_models.jigsaw.puzzles import Puzzle, make
from groundstate_models.jigsaw.task import SURE

SIZE = 28


def photographs(folder: Path) -> list[np.ndarray[Any, Any]]:
    """The photographs of a folder, as (height, width, 3)."""
    from PIL import Image

    found = []
    for file in sorted(folder.glob("*.jpg")):
        with Image.open(file) as image:
            found.append(np.asarray(image.convert("RGB")))
    return found


def claim(solver: gs.Solver, puzzle: Puzzle, seed: int) -> dict[str, Any]:
    """The confidence of the model's layout, and whether it is right."""
    begun = time.process_time()
    solution = solver.solve(puzzle.request(), seed=seed, restarts=2)
    answer = solution.answer if solution.closest is None else solution.closest.answer
    assert answer is not None
    evidence = solver.read(puzzle.request()).evidence(answer)  # type: ignore[attr-defined]
    return {
        "seed": seed,
        "pieces": len(puzzle.pieces),
        "worn": puzzle.worn,
        "turned": bool(puzzle.turns.any()),
        "claimed": answer["confidence"],
        "solved": solution.status in ("solved", "ambiguous"),
        "right": puzzle.perfect(answer),
        "neighbours": round(puzzle.neighbours(answer), 4),
        "evidence": [round(float(value), 5) for value in evidence],
        "seconds": round(time.process_time() - begun, 2),
    }


def resumed(one: Any, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure the jigsaws of this part that `--rows` lacks, until the time is over; returns all that are there."""
    options.rows.touch()
    there = {json.loads(line)["seed"] for line in options.rows.read_text(encoding="utf-8").splitlines()}
    part, parts = options.part
    begun = time.monotonic()
    for seed in range(part, options.count, parts):
        if seed in there:
            continue
        if time.monotonic() - begun > 60 * options.minutes:
            break
        row = one(np.random.default_rng([options.seed, seed]), seed)
        with options.rows.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    return [json.loads(line) for line in options.rows.read_text(encoding="utf-8").splitlines()]


def confidence(solver: gs.Solver, pictures: list[np.ndarray[Any, Any]], options: argparse.Namespace) -> dict[str, Any]:
    """Measure jigsaws until there are `count`, or the time is over; returns the table."""

    def one(rng: np.random.Generator, seed: int) -> dict[str, Any]:
        return claim(solver, calibrate.draw(pictures, rng, tuple(options.largest)), seed)

    rows = resumed(one, options)
    weighed = [probability(np.array(row["evidence"])) for row in rows]
    claimed, right = np.array(weighed), np.array([row["right"] for row in rows])
    solved = claimed >= SURE
    at_the_time = sum(row["solved"] and not row["right"] for row in rows)
    return {
        "puzzles": len(rows),
        "right": round(float(right.mean()), 4),
        "calibration_error": round(calibrate.calibration_error(claimed, right), 4),
        "target_calibration_error": 0.05,
        "solved": int(solved.sum()),
        "solved_and_wrong": int((solved & ~right).sum()),
        "solved_and_wrong_when_laid": at_the_time,
        "target_solved_and_wrong": 0,
        "bins": [
            {
                "claimed": round(float(claimed[b].mean()), 3),
                "right": round(float(right[b].mean()), 3),
                "puzzles": len(b),
            }
            for b in (np.flatnonzero((claimed * 10).astype(int).clip(0, 9) == place) for place in range(10))
            if len(b)
        ],
    }


def doubled(picture: np.ndarray[Any, Any], rng: np.random.Generator) -> Puzzle:
    """A jigsaw of 5 × 6 with two equal pieces: a sign of one colour covers two neighbouring pieces and a margin around them."""
    high, wide = 5 * SIZE, 6 * SIZE
    top, left = (int(rng.integers(0, have - need + 1)) for have, need in zip(picture.shape, (high, wide), strict=False))
    part = picture[top : top + high, left : left + wide].copy()
    row, column = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    down, across = (1, 2) if rng.random() < 0.5 or row == 3 else (2, 1)
    margin = 8
    sign = part[
        row * SIZE - margin : (row + down) * SIZE + margin, column * SIZE - margin : (column + across) * SIZE + margin
    ]
    sign[:] = rng.integers(0, 256, 3)
    return make(part, SIZE, rng)


def exchangeable(
    solver: gs.Solver, pictures: list[np.ndarray[Any, Any]], options: argparse.Namespace
) -> dict[str, Any]:
    """Count the jigsaws whose equal pieces are asked about, and the claims that are true."""

    def one(rng: np.random.Generator, seed: int) -> dict[str, Any]:
        puzzle = doubled(pictures[int(rng.integers(len(pictures)))], rng)
        solution = solver.solve(puzzle.request(), seed=seed, ask=True, alternatives=2)
        answer = solution.answer if solution.closest is None else solution.closest.answer
        assert answer is not None
        question = "" if solution.question is None else solution.question.text
        others = [other.answer for other in solution.alternatives if other.answer["grid"] != answer["grid"]]
        return {
            "seed": seed,
            "status": str(solution.status),
            "right": puzzle.perfect(answer),
            "asked": "exchanged" in question,
            "claims": len(others) if question else 0,
            "true_claims": sum(puzzle.perfect(other) == puzzle.perfect(answer) for other in others) if question else 0,
        }

    rows = resumed(one, options)
    found = {name: sum(row[name] for row in rows) for name in ("right", "asked", "claims", "true_claims")}
    return {"puzzles": len(rows), **found, "target": "asked in 98 of 100; 95 % of the claims true"}


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(description="What the model claims, on jigsaws whose answer is known.")
    parser.add_argument("folder", type=Path, help="photographs (JPEG), at least 481 × 321 pixels")
    parser.add_argument("what", choices=("confidence", "exchangeable"))
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=60.0, help="on the clock")
    parser.add_argument("--largest", type=int, nargs=2, default=(11, 13), help="most rows and columns")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), help="which part of the work, of how many")
    parser.add_argument("--rows", type=Path, help="measured jigsaws; added to")
    options = parser.parse_args(argv)
    options.rows = options.rows or Path(f"jigsaw-{options.what}.jsonl")
    with gs.load("jigsaw") as solver:
        measure = confidence if options.what == "confidence" else exchangeable
        print(json.dumps({"what": options.what, **measure(solver, photographs(options.folder), options)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
