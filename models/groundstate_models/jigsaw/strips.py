"""Pieces and the strips of pixels along their sides, and the best compatibility made by hand.

The hand-made one is the Mahalanobis gradient compatibility (MGC) of Gallagher, "Jigsaw puzzles with pieces of unknown
orientation",
CVPR 2012: how unlikely the step of colour across a seam is, given the steps just inside the piece. Here the steps are taken
over as many
pixels as the seam lacks, so that it also fits worn edges.

Sides are numbered clockwise from the top: 0 top, 1 right, 2 bottom, 3 left. A strip runs clockwise along its side, so the
strip of a
neighbour across the seam runs the other way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

DEPTH = 8  # pixels of a strip, from the boundary inward
DEEP = 32  # the same of a strip with its surroundings: lines of text lie farther from the seam than the step of colour
TOP, RIGHT, BOTTOM, LEFT = range(4)

OPPONENT = np.array(
    [[1 / 3, 1 / 3, 1 / 3], [0.5, -0.5, 0.0], [-0.25, -0.25, 0.5]], np.float32
)  # lightness, red against green, blue against yellow


def cut(picture: NDArray[np.uint8], height: int, width: int, worn: int = 0) -> NDArray[np.uint8]:
    """Cut a picture into whole pieces, row by row; the remainder at the right and the bottom is dropped.

    Args:
        picture: (picture height, picture width, 3).
        height: Height of a piece before wear, in pixels.
        width: Width of a piece before wear, in pixels.
        worn: Pixels that every side of every piece loses.

    Returns:
        (rows * columns, height - 2 worn, width - 2 worn, 3).
    """
    rows, columns = picture.shape[0] // height, picture.shape[1] // width
    grid = picture[: rows * height, : columns * width].reshape(rows, height, columns, width, 3)
    pieces = grid.transpose(0, 2, 1, 3, 4).reshape(rows * columns, height, width, 3)
    return pieces[:, worn : height - worn, worn : width - worn]


def strips(pieces: NDArray[np.uint8], depth: int = DEPTH) -> list[Pixels]:
    """The strip of every side of every piece, in opponent colours from -1 to 1.

    Args:
        pieces: (pieces, height, width, 3).
        depth: Pixels of a strip, from the boundary inward. A piece smaller than this repeats its innermost pixels.

    Returns:
        For each side 0..3: (pieces, length of the side, depth, 3).
    """
    colours = (pieces.astype(np.float32) / 255) @ OPPONENT.T
    height, width = pieces.shape[1:3]
    rows = np.minimum(np.arange(depth), height - 1)
    columns = np.minimum(np.arange(depth), width - 1)
    top = colours[:, rows].transpose(0, 2, 1, 3)
    right = colours[:, :, width - 1 - columns]
    bottom = colours[:, height - 1 - rows, ::-1].transpose(0, 2, 1, 3)
    left = colours[:, ::-1, columns]
    return [np.ascontiguousarray(side) for side in (top, right, bottom, left)]


@dataclass(frozen=True)
class Expectation:
    """A side's expectation of the other side of a seam.

    Attributes:
        edge: (sides, length, 3), the outermost pixels.
        beyond: (sides, length, 3), the pixels expected across the seam.
        precision: (sides, 3, 3), inverse covariance of the step between them.
        whiten: (sides, 3, 3), with whiten @ whiten.T = precision.
    """

    edge: NDArray[np.float64]
    beyond: NDArray[np.float64]
    precision: NDArray[np.float64]
    whiten: NDArray[np.float64]


def expectation(strip: Pixels, worn: float) -> Expectation:
    """Each side's expectation across the seam, from the steps of colour inside the piece.

    Args:
        strip: (sides, length, depth, 3).
        worn: Estimated number of pixels that the sides have lost: 2 worn + 1 pixels lie from edge to edge across a seam.
    """
    wide = strip.astype(np.float64)
    lag = min(round(2 * worn) + 1, strip.shape[2] - 1)
    steps = wide[:, :, :-lag] - wide[:, :, lag:] if lag > 1 else wide[:, :, :1] - wide[:, :, 1:2]
    mean = (wide[:, :, 0] - wide[:, :, lag]).mean(axis=1)
    outer = steps[:, :, 0] - mean[:, None]
    covariance = np.einsum("slc,sld->scd", outer, outer) / max(outer.shape[1] - 1, 1)
    covariance += np.eye(3) * (0.6 / 255) ** 2  # rounding to 8 bits
    precision = np.linalg.inv(covariance)
    return Expectation(wide[:, :, 0], wide[:, :, 0] + mean[:, None], precision, np.linalg.cholesky(precision))


def mismatch(one: Expectation, other: Expectation) -> NDArray[np.float64]:
    """MGC of every side of `one` with every side of `other`, per pixel of the seam.

    Returns:
        (sides of one, sides of other): mean squared Mahalanobis distance, both ways added.
    """
    return _reach(one, other.edge[:, ::-1]) + _reach(other, one.edge[:, ::-1]).T


def _reach(one: Expectation, edge: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of `edge` from the expectation of `one`: (sides of one, sides of edge)."""
    length = edge.shape[1]
    pull = np.einsum("scd,sld->slc", one.precision, one.beyond)
    constant = np.einsum("slc,slc->s", pull, one.beyond)
    second = np.einsum("slc,sld->scd", edge, edge)
    square = one.precision.reshape(len(pull), 9) @ second.reshape(len(edge), 9).T
    cross = pull.reshape(len(pull), -1) @ edge.reshape(len(edge), -1).T
    reach: NDArray[np.float64] = np.maximum(square - 2 * cross + constant[:, None], 0) / length
    return reach
