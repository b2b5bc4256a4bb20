"""How often the best neighbour is the right one, by worn pixels: the edge network, its loops, and the hand-made compatibility.

python benchmarks/jigsaw/neighbours.py FOLDER --count 20
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.seams import find_seams
from groundstate_models.jigsaw.strips import BOTTOM, LEFT, RIGHT, TOP, cut, expectation, mismatch, strips

SIZE = 28


def right(better: NDArray[np.floating[Any]], first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """The share of sides whose best neighbour is the true one, both ways."""
    return float(
        ((better[first].argmax(axis=1) == second).mean() + (better[:, second].argmax(axis=0) == first).mean()) / 2
    )


def measured(picture: NDArray[np.uint8], worn: int) -> dict[str, float]:
    """Shares of one photograph, the mean of both directions."""
    rows, columns = picture.shape[0] // SIZE, picture.shape[1] // SIZE
    pieces = cut(picture, SIZE, SIZE, worn)
    index = np.arange(rows * columns).reshape(rows, columns)
    pairs = ((index[:, :-1].ravel(), index[:, 1:].ravel()), (index[:-1].ravel(), index[1:].ravel()))
    sides = [expectation(strip, 0) for strip in strips(pieces)]
    by_hand = [-mismatch(sides[one], sides[other]) for one, other in ((RIGHT, LEFT), (BOTTOM, TOP))]
    for values in by_hand:
        np.fill_diagonal(values, -np.inf)
    seams = find_seams(pieces, turned=False, worn=worn)
    return {
        "MGC": float(np.mean([right(values, *pair) for values, pair in zip(by_hand, pairs, strict=True)])),
        "network": float(np.mean([right(values, *pair) for values, pair in zip(seams.odds, pairs, strict=True)])),
        "network and loops": float(
            np.mean([right(values, *pair) for values, pair in zip(seams.likely, pairs, strict=True)])
        ),
    }


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    from PIL import Image

    parser = argparse.ArgumentParser(description="Right neighbours on unseen photographs.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--worn", type=int, nargs="+", default=[0, 1, 2, 4])
    options = parser.parse_args(argv)
    files = sorted(options.folder.glob("*.jpg"))[: options.count]
    for worn in options.worn:
        rows = []
        for file in files:
            with Image.open(file) as image:
                rows.append(measured(np.asarray(image.convert("RGB")), worn))
        shares = {name: round(100 * float(np.mean([row[name] for row in rows])), 1) for name in rows[0]}
        print(json.dumps({"worn": worn, "photographs": len(rows), **shares}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
