"""How pictures of digits are varied for training: turned, sheared, stretched and bent, then put back into their frame.

The authors of both data sets put every digit into a frame: those of MNIST have their centre of mass in the middle and fill 20
pixels in their longer direction; those of 8 × 8 fill the whole height. A varied picture that left its frame would be one that
never occurs, and would hide what an upper half says about the lower one: where it ends, and how heavy it is.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate

COARSE = 4
"""Points along a side at which a bend is drawn."""

ZOOM = 1.25
"""Share of a side that is looked at around a picture while it is measured, so that nothing is cut off."""

FINE = 2
"""Pixels of the measured picture for a pixel."""

INK = 0.2
"""Darkness from which a pixel belongs to the digit."""

SHIFT = 0.5
"""Largest distance of the centre of mass from the middle, in pixels: the frame was moved by whole pixels."""


def varied(pictures: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """The pictures (many, side, side), each varied in its own way and put into its frame."""
    return _framed(pictures, generator, strength) if pictures.shape[1] == 28 else _high(pictures, generator, strength)


def _draw(generator: torch.Generator, *shape: int) -> Tensor:
    return 2.0 * torch.rand(*shape, generator=generator) - 1.0


def _affine(many: int, generator: torch.Generator, turn: float, shear: float, stretch: float) -> Tensor:
    """Small changes of the coordinates, (many, 2, 2)."""
    angle, lean = turn * _draw(generator, many), shear * _draw(generator, many)
    wide = (stretch * _draw(generator, many)).exp()
    cosine, sine = angle.cos(), angle.sin()
    first = torch.stack([cosine * wide, (lean - sine) / wide], 1)
    return torch.stack([first, torch.stack([sine * wide, cosine / wide], 1)], 1)


def _bend(many: int, side: int, size: float, generator: torch.Generator) -> Tensor:
    """Smooth displacements, (many, side, side, 2)."""
    field = size * torch.randn(many, 2, COARSE, COARSE, generator=generator)
    return interpolate(field, size=(side, side), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


def _grid(matrix: Tensor, move: Tensor, side: int) -> Tensor:
    return affine_grid(torch.cat([matrix, move[:, :, None]], 2), [len(matrix), 1, side, side], align_corners=False)


def _framed(pictures: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    many, side, _ = pictures.shape
    fine, here = FINE * side, torch.zeros(many, 2)
    change = ZOOM * _affine(many, generator, 0.2 * strength, 0.2 * strength, 0.12 * strength)
    grid = _grid(change, here, fine) + ZOOM * _bend(many, fine, 0.05 * strength, generator)
    plain = ZOOM * torch.eye(2).expand(many, 2, 2)
    before = grid_sample(pictures[:, None], _grid(plain, here, fine), align_corners=False)[:, 0]
    after = grid_sample(pictures[:, None], grid, align_corners=False)[:, 0]
    scale = _length(after) / _length(before) / ZOOM
    middle = _centre(pictures) + SHIFT / side * _draw(generator, many, 2)
    back = _grid(scale[:, None, None] * torch.eye(2), _centre(after) - scale[:, None] * middle, side)
    # One look at the given pixels, at the place of both changes: two looks would blur.
    both = grid_sample(grid.permute(0, 3, 1, 2), back, padding_mode="border", align_corners=False).permute(0, 2, 3, 1)
    return grid_sample(pictures[:, None], both, mode="bicubic", align_corners=False)[:, 0].clamp(0.0, 1.0)


def _length(pictures: Tensor) -> Tensor:
    """Extent of the ink in its longer direction, (many,)."""
    ink = pictures > INK
    places = torch.arange(pictures.shape[1])
    found = []
    for lines in (ink.any(2), ink.any(1)):
        last = torch.where(lines, places, -1).amax(1)
        first = torch.where(lines, places, pictures.shape[1]).amin(1)
        found.append((last - first + 1).clamp(min=1))
    return torch.maximum(*found).float()


def _centre(pictures: Tensor) -> Tensor:
    """Centre of mass as column and row, (many, 2), from −1 to 1 across a picture."""
    side = pictures.shape[1]
    places = (2.0 * torch.arange(side) + 1.0) / side - 1.0
    mass = pictures.sum((1, 2)).clamp(min=1e-6)
    return torch.stack([pictures.sum(1) @ places / mass, pictures.sum(2) @ places / mass], 1)


def _high(pictures: Tensor, generator: torch.Generator, strength: float) -> Tensor:
    """Pictures of 8 × 8 are means over 4 × 4 dots, and fill their height: the bend is 0 at its ends."""
    many, side, _ = pictures.shape
    fine = 4 * side
    dots = interpolate(pictures[:, None], size=(fine, fine), mode="bicubic", align_corners=False)
    change = _affine(many, generator, 0.08 * strength, 0.1 * strength, 0.08 * strength)
    change[:, 1] /= change[:, 1, 1:]
    move = 0.03 * strength * _draw(generator, many, 2) * torch.tensor([1.0, 0.0])
    bend = _bend(many, fine, 0.03 * strength, generator)
    bend[..., 1] *= 1.0 - torch.linspace(-1.0, 1.0, fine).square()[None, :, None]
    return avg_pool2d(grid_sample(dots, _grid(change, move, fine) + bend, align_corners=False), 4)[:, 0].clamp(0.0, 1.0)
