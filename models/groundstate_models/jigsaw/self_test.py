"""A small jigsaw for `groundstate doctor`: a landscape drawn by formulas, as one image of shuffled tiles."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from groundstate_models.jigsaw.data import Picture
from groundstate_models.jigsaw.pictures import encoded
from groundstate_models.jigsaw.puzzles import make

SIZE, SHAPE = 16, (3, 4)
HILLS = ((0.35, 0.07, 9, (70, 110, 90)), (0.5, 0.05, 15, (50, 90, 40)), (0.62, 0.03, 23, (110, 80, 50)))
"""Height, amplitude, frequency and colour of each row of hills, from the back to the front."""


def self_test() -> dict[str, Any]:
    """The request and the answer of the artefact's self-test."""
    (rows, columns), rng = SHAPE, np.random.default_rng(1)
    puzzle = make(landscape(rows * SIZE, columns * SIZE), SIZE, rng)
    tiles = puzzle.pieces.reshape(rows, columns, SIZE, SIZE, 3).transpose(0, 2, 1, 3, 4)
    image = encoded(tiles.reshape(rows * SIZE, columns * SIZE, 3), "png")
    grid = np.empty(rows * columns, np.int64)
    grid[puzzle.order] = np.arange(rows * columns)
    return {
        "request": {"image": base64.b64encode(image).decode(), "rows": rows, "columns": columns},
        "answer": {"grid": grid.reshape(SHAPE).tolist(), "confidence": 1.0, "doubtful": []},
    }


def landscape(height: int, width: int) -> Picture:
    """A sky over three rows of hills: (height, width, 3)."""
    y, x = np.mgrid[0:height, 0:width] / width
    sky = (
        90 + 90 * y + 30 * np.sin(7 * x + 2),
        140 + 60 * y + 25 * np.sin(5 * x - 3 * y),
        230 - 60 * y + 20 * np.cos(9 * y + 4 * x),
    )
    picture = np.stack(sky, axis=-1)
    for number, (base, amplitude, frequency, colour) in enumerate(HILLS):
        hill = y > base + amplitude * np.sin(frequency * x + number) + 0.03 * np.sin(3.1 * frequency * x)
        shade = 18 * np.sin(31 * x + 17 * y * (number + 1)) + 12 * np.cos(53 * y - 19 * x)
        drawn = np.array(colour) + shade[..., None] * np.array([1.0, 1.3, 1.6])
        picture = np.where(hill[..., None], drawn, picture)
    levels: Picture = np.clip(picture, 0, 255).astype(np.uint8)
    return levels
