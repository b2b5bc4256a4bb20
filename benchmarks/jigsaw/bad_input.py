"""Bad input, line by line: what the model says to each, and how often it finds out that two pictures were mixed.

    python benchmarks/jigsaw/bad_input.py FOLDER --count 20

The first table has one sentence for each kind of bad input. The second mixes the pieces of two photographs (4 × 5 pieces of each)
and counts the mixtures that are reported as such, and the pieces of one photograph that are falsely reported.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import groundstate as gs
from groundstate_models.jigsaw.pictures import encoded
from groundstate_models.jigsaw.puzzles import make

sys.path.insert(0, str(Path(__file__).parent))
from claims import photographs

SIZE, SHAPE = 28, (4, 5)


def sent(picture: np.ndarray[Any, Any]) -> str:
    """A picture as base64."""
    return base64.b64encode(encoded(picture, "png")).decode()


def cases(picture: np.ndarray[Any, Any]) -> dict[str, dict[str, Any]]:
    """Requests with one fault each."""
    good = make(picture, SIZE, np.random.default_rng(0), shape=SHAPE).request()
    white = sent(np.full((SIZE, SIZE, 3), 255, np.uint8))
    text = base64.b64encode(b"no picture at all" * 20).decode()
    return {
        "images that are none": {"pieces": [text] * 4, "rows": 2, "columns": 2},
        "a file that is not there": {"pieces": ["one.png", "two.png"], "rows": 1, "columns": 2},
        "pieces of different sizes": {"pieces": [white, white, sent(picture[:20, :30])]},
        "one piece": {"pieces": [white]},
        "5,000 pieces": {"pieces": [white] * 5000},
        "all pieces white": {"pieces": [white] * 9, "rows": 3, "columns": 3},
        "too few places": {**good, "rows": 3},
        "two pieces in one place": {**good, "fixed": {"0": "top left", "1": [0, 0]}},
        "a turn without turned": {**good, "facing": {"3": 90}},
        "a piece that is not there": {**good, "fixed": {"99": [0, 0]}},
    }


def said(solver: gs.Solver, request: dict[str, Any]) -> str:
    """What the model says."""
    try:
        solution = solver.solve(request)
    except gs.RequestError as error:
        return " ".join(fault.message for fault in error.faults)
    return f"{solution.status}: " + " ".join(violation.message for violation in solution.violations)


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    parser = argparse.ArgumentParser(description="Bad input of jigsaws.")
    parser.add_argument("folder", type=Path, help="photographs (JPEG), at least 481 × 321 pixels")
    parser.add_argument("--count", type=int, default=20, help="mixtures of two photographs")
    options = parser.parse_args(argv)
    pictures = photographs(options.folder)
    with gs.load("jigsaw") as solver:
        for name, request in cases(pictures[0]).items():
            print(json.dumps({"input": name, "said": said(solver, request)}, ensure_ascii=False), flush=True)
        found = false = 0
        for number in range(options.count):
            rng = np.random.default_rng([19, number])
            one, other = (
                make(pictures[int(place)], SIZE, rng, shape=SHAPE).request()["pieces"]
                for place in rng.permutation(len(pictures))[:2]
            )
            mixed = {"pieces": one + other, "rows": 2 * SHAPE[0], "columns": SHAPE[1]}
            found += "groups" in said(solver, mixed)
            false += "groups" in said(solver, {"pieces": one, "rows": SHAPE[0], "columns": SHAPE[1]})
    print(json.dumps({"mixtures": options.count, "found_out": found, "of_one_picture_falsely_reported": false}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
