"""Inputs of the edge network for a pair of sides: pixels on both sides of the seam, and each side's expectation there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.strips import DEEP, DEPTH, Expectation, Pixels, expectation, mismatch

BANDS = ((DEPTH, 16), (16, DEEP))
"""Depths, in pixels, over which the surroundings of a strip are averaged."""

CHANNELS = 2 * DEPTH * 3 + 6 + 4 * len(BANDS)
SCALARS = 10
LEVELS = 255.0
CONTRAST = 0.2
"""Unit of lightness of the surroundings: about that of the letters on a page."""


@dataclass
class Sides:
    """Strips of one kind of side, with their expectations across a seam.

    Attributes:
        deep: (sides, length, DEEP, 3), the pixels and their surroundings.
        strip: (sides, length, DEPTH, 3), the pixels near the seam.
        worn: Estimated number of pixels that the sides have lost.
        near: Expectation from the steps between neighbouring pixels.
        far: Expectation from steps as wide as the gap.
        around: (sides, length, 2 bands), mean and deviation of lightness in each of `BANDS`, along the side.
        profile: (sides, 2, DEEP), mean and deviation of lightness over the whole side, by depth: lines of text show in it.
    """

    deep: Pixels
    worn: float
    strip: Pixels = field(init=False)
    near: Expectation = field(init=False)
    far: Expectation = field(init=False)
    spread: NDArray[np.float32] = field(init=False)
    around: Pixels = field(init=False)
    profile: Pixels = field(init=False)

    def __post_init__(self) -> None:
        self.strip = self.deep[:, :, :DEPTH]
        self.near = expectation(self.strip, 0)
        self.far = expectation(self.strip, self.worn)
        self.spread = self.strip.var(axis=(1, 2)).mean(axis=1)
        light = self.deep[..., 0]
        bands = [light[:, :, first:last] for first, last in BANDS]
        self.around = np.stack([kind(band, axis=2) for band in bands for kind in (np.mean, np.std)], axis=2)
        self.profile = np.stack([light.mean(axis=1), light.std(axis=1)], axis=1)


@dataclass(frozen=True)
class Compatibility:
    """The hand-made compatibility of all sides of one kind with all of another, as logarithms: (sides of one, sides of other)."""

    near: NDArray[np.float64]
    far: NDArray[np.float64]

    @property
    def both(self) -> NDArray[np.float64]:
        return self.near + self.far

    @property
    def back(self) -> Compatibility:
        """The same pairs the other way."""
        return Compatibility(self.near.T, self.far.T)


def compatibility(one: Sides, other: Sides) -> Compatibility:
    """MGC by near and by far steps. Within one set, the caller excludes pairs of a side with itself."""
    near = np.log(mismatch(one.near, other.near) + 1e-3)
    if one.far is one.near or round(2 * one.worn) == 0:
        return Compatibility(near, near)
    return Compatibility(near, np.log(mismatch(one.far, other.far) + 1e-3))


def features(
    one: Sides,
    other: Sides,
    known: Compatibility,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    best: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> tuple[Pixels, Pixels, Pixels]:
    """Compute the network's inputs for pairs of sides.

    Args:
        one: Sides before the seam.
        other: Sides behind it.
        known: Their hand-made compatibility.
        pairs: Indices into `one` and `other`.
        best: Twice (2, sides): lowest and second lowest `known.both` of each side of `one` and of each of `other`.

    Returns:
        Along the seam: (pairs, CHANNELS, length); across it: (pairs, 2, 2 DEEP); of the pair as a whole: (pairs, SCALARS).
    """
    i, j = pairs
    first = one.strip[i]
    second = other.strip[j][:, ::-1]
    centre = (first[:, :, 0] + second[:, :, 0]).mean(axis=1, keepdims=True)[:, :, None] / 2
    scale = np.sqrt((one.spread[i] + other.spread[j]) / 2) + 2 / LEVELS
    seam = np.concatenate([first[:, :, ::-1], second], axis=2)
    seam = (seam - centre) / scale[:, None, None, None]
    count, length = seam.shape[:2]
    ahead = np.einsum("plc,pcd->pld", second[:, :, 0] - one.far.beyond[i], one.far.whiten[i])
    back = np.einsum("plc,pcd->pld", first[:, :, 0] - other.far.beyond[j][:, ::-1], other.far.whiten[j])
    residual = np.concatenate([ahead, back], axis=2)
    residual = np.sign(residual) * np.log1p(np.abs(residual))
    light = centre[:, :, 0, :1]
    level = np.tile([1.0, 0.0], len(BANDS)).astype(np.float32) * light
    around = np.concatenate([one.around[i] - level, other.around[j][:, ::-1] - level], axis=2) / CONTRAST
    along = np.concatenate([seam.reshape(count, length, -1), residual, around], axis=2).transpose(0, 2, 1)
    across = np.concatenate([one.profile[i][:, :, ::-1], other.profile[j]], axis=2)
    across = (across - light * np.array([[1.0], [0.0]], np.float32)) / CONTRAST
    both = known.both[i, j]
    rivals = [
        np.where(both <= lowest[0, side], lowest[1, side], lowest[0, side])
        for side, lowest in zip((i, j), best, strict=True)
    ]
    worn = np.full(count, one.worn)
    whole = np.stack(
        [
            known.near[i, j],
            known.far[i, j],
            np.clip(both - rivals[0], -4, 8),
            np.log(scale),
            np.clip(worn / 4, 0, 2),
            worn == 0,
            worn == 1,
            np.abs(np.log((one.spread[i] + 1e-4) / (other.spread[j] + 1e-4))),
            np.full(count, np.log(length / 28)),
            np.clip(both - rivals[1], -4, 8),
        ],
        axis=1,
    )
    return along.astype(np.float32), across.astype(np.float32), whole.astype(np.float32)


def lowest_two(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two lowest elements of each row: (2, rows)."""
    if values.shape[1] == 1:
        return np.stack([values[:, 0], values[:, 0]])
    return np.partition(values, 1, axis=1)[:, :2].T.copy()
