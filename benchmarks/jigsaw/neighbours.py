"""How often the best neighbour is the right one, by worn pixels: the edge network, its loops, and the hand-made compatibility.

    python benchmarks/jigsaw/neighbours.py FOLDER --count 20

* `network`: the side with the highest log-odds.
* `network, weighed`: the side with the highest probability among all sides of the jigsaw, as both sides of the seam see it
  (`seams.probabilities`); `MGC, weighed` is the same of the compatibility by hand, divided by the second best of either side.
* `network and loops`: with the neighbourhoods too (`seams.around`).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.seams import find_seams, probabilities
from groundstate_models.jigsaw.strips import BOTTOM, LEFT, RIGHT, TOP, cut, expectation, mismatch, strips

sys.path.insert(0, str(Path(__file__).parent))
from rivals import ratios

SIZE = 28
TARGETS = {0: 97.5, 1: 84.0, 2: 62.0, 4: 33.0}
"""Per cent, for the network."""


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
    compared = {
        "MGC": by_hand,
        "MGC, weighed": list(-ratios(pieces)),
        "network": list(seams.odds),
        "network, weighed": [probabilities(odds) for odds in seams.odds],
        "network and loops": list(seams.likely),
    }
    return {
        name: float(np.mean([right(values, *pair) for values, pair in zip(both, pairs, strict=True)]))
        for name, both in compared.items()
    }


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit code."""
    from PIL import Image

    parser = argparse.ArgumentParser(description="Right neighbours on unseen photographs.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--worn", type=int, nargs="+", default=[0, 1, 2, 4])
    options = parser.parse_args(argv)
    files = sorted(options.folder.glob("*.jpg"))[options.skip : options.skip + options.count]
    for worn in options.worn:
        rows = []
        for file in files:
            with Image.open(file) as image:
                rows.append(measured(np.asarray(image.convert("RGB")), worn))
        shares = {name: round(100 * float(np.mean([row[name] for row in rows])), 1) for name in rows[0]}
        print(json.dumps({"worn": worn, "photographs": len(rows), "target": TARGETS.get(worn), **shares}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
