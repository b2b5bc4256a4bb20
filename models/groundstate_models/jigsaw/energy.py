"""The energy of a layout: how well the places of all pieces agree with the likely seams.

Every piece has a place in the plane and a heading; neither is bound to a lattice. A likely seam says where its second piece
lies as
seen from its first. The energy is the sum of

* ``seams``: for each likely seam ``w σ²/2 · r²/(r² + σ²)``, where r is how far its two pieces are from where it wants them
  (S. Geman and
  D. McClure's function): a seam that is far off stops pulling. ``σ`` falls from the size of the picture to a third of a
  piece, which makes
  the energy nearly convex at first (graduated non-convexity; A. Blake and A. Zisserman, "Visual Reconstruction", 1987).
* ``cover``: the density of pieces, blurred, is compared with that of a full frame, so two pieces in one place repel each other.
* ``frame``: pieces outside the frame are pulled back, and pinned ones to their known places.
* ``heading``: headings have length 1; those of pieces whose turn is known are upright.
* ``annealing``: ``½ a²`` of a clock that runs down while ``σ`` falls. It is part of the residual, so no chain counts as
  converged before.

Nothing depends on the order of the pieces. Descent is the only search for places: pieces are never laid one by one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LANDSCAPES = 36
STEPS = 12
"""Updates in each landscape."""

SHARPEST = 0.3
"""σ at the end, in pieces."""

BLUR = (1.0, 0.45)
"""Standard deviation of the blurred density at the beginning and at the end, in pieces."""

COVER = 0.25
STEP_SIZE = 0.12
MOMENTUM = 0.95
CLOCK_STEP = 3.8e-4

AXES = {
    "first": ("seams",),
    "second": ("seams",),
    "offset": ("seams", None),
    "turned": ("seams", None),
    "weight": ("seams",),
    "free": ("pieces",),
    "row": ("rows",),
    "column": ("columns",),
    "fill": (None,),
    "pin": ("pieces",),
    "pinned": ("pieces", None),
}


class LayoutEnergy(nn.Module):
    """``energy(state, landscape=..., **inputs)`` gives named terms, each ``(batch,)``.

    The state is ``place`` (batch, pieces, 2), as row and column; ``heading`` (batch, pieces, 2), cosine and sine of a
    clockwise turn;
    ``clock`` (batch, 1); ``lean`` (batch, 2), drawn when a chain starts and never moved: chains differ in how much they
    trust likely seams
    over less likely ones, and in how strongly pieces repel each other. The inputs, without the batch:

    * ``first``, ``second`` (seams,) int64: pieces of a likely seam;
    * ``offset`` (seams, 2): position of the second relative to the first, in the first's own frame;
    * ``turned`` (seams, 2): cosine and sine of the turn from the first to the second;
    * ``weight`` (seams,): probability of the seam;
    * ``free`` (pieces,): 1 where the piece's turn is not known, else 0;
    * ``row`` (rows,), ``column`` (columns,): the lattice's coordinates;
    * ``fill`` (1,): pieces for each place of the frame;
    * ``pin`` (pieces,): strength of the pull to the place ``pinned`` (pieces, 2); 0 for none.
    """

    progress: Tensor

    def __init__(self) -> None:
        super().__init__()
        fall = torch.arange(LANDSCAPES, dtype=torch.float32) / (LANDSCAPES - 4)
        self.register_buffer("progress", fall.clamp(max=1.0), persistent=False)

    def forward(self, state: dict[str, Tensor], landscape: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        place, heading, clock = state["place"], state["heading"], state["clock"]
        trust, cover = state["lean"].detach().exp().unbind(1)
        progress = self.progress.expand(landscape.shape[0], -1).gather(1, landscape.unsqueeze(1)).squeeze(1)
        free = inputs["free"].unsqueeze(2)
        upright = torch.cat([torch.ones_like(free), torch.zeros_like(free)], dim=2)
        facing = free * heading + (1.0 - free) * upright
        return {
            "seams": self._seams(place, facing, progress, trust, **inputs),
            "cover": cover * self._cover(place, progress, **inputs),
            "frame": self._frame(place, **inputs),
            "heading": self._heading(heading, upright, **inputs),
            "annealing": 0.5 * clock.square().sum(1) + 0.0 * state["lean"].sum(1),
        }

    def _seams(self, place: Tensor, facing: Tensor, progress: Tensor, trust: Tensor, **inputs: Tensor) -> Tensor:
        widest = 0.5 * torch.maximum(_extent(inputs["row"]), _extent(inputs["column"])) + 0.5
        sigma = (SHARPEST * (widest / SHARPEST).pow(1.0 - progress)).unsqueeze(1)
        first = inputs["first"].unsqueeze(2).expand(-1, -1, 2)
        second = inputs["second"].unsqueeze(2).expand(-1, -1, 2)
        ahead = facing.gather(1, first)
        gap = place.gather(1, second) - place.gather(1, first) - rotated(inputs["offset"], ahead)
        twist = facing.gather(1, second) - compound(ahead, inputs["turned"])
        square = (gap.square() + twist.square()).sum(2)
        weight = inputs["weight"].clamp_min(1e-6).pow(trust.unsqueeze(1))
        return (0.5 * weight * sigma.square() * square / (square + sigma.square())).sum(1)

    def _cover(self, place: Tensor, progress: Tensor, **inputs: Tensor) -> Tensor:
        width = (BLUR[0] * (progress * math.log(BLUR[1] / BLUR[0])).exp()).view(-1, 1, 1)
        row, column = inputs["row"].unsqueeze(1), inputs["column"].unsqueeze(1)
        down = _bump(place[:, :, :1] - row, width)
        across = _bump(place[:, :, 1:] - column, width)
        full_down = _bump(row.transpose(1, 2) - row, width).sum(1)
        full_across = _bump(column.transpose(1, 2) - column, width).sum(1)
        wanted = inputs["fill"].unsqueeze(2) * full_down.unsqueeze(2) * full_across.unsqueeze(1)
        most = full_down.amax(1) * full_across.amax(1)
        excess = (torch.matmul(down.transpose(1, 2), across) - wanted).square().sum((1, 2))
        return 0.5 * COVER * width.view(-1).square() * excess / most

    def _frame(self, place: Tensor, **inputs: Tensor) -> Tensor:
        last = torch.stack([_extent(inputs["row"]), _extent(inputs["column"])], dim=1).unsqueeze(1)
        beyond = (-place).clamp_min(0.0) + (place - last).clamp_min(0.0)
        held = inputs["pin"].unsqueeze(2) * (place - inputs["pinned"]).square()
        return 0.5 * (beyond.square() + held).sum((1, 2))

    def _heading(self, heading: Tensor, upright: Tensor, **inputs: Tensor) -> Tensor:
        free = inputs["free"].unsqueeze(2)
        loose = 0.5 * ((heading.square().sum(2, keepdim=True) + 1e-6).sqrt() - 1.0).square()
        bound = 0.5 * (heading - upright).square().sum(2, keepdim=True)
        return (free * loose + (1.0 - free) * bound).sum((1, 2))

    def decode(self, state: dict[str, Tensor], **inputs: Tensor) -> dict[str, Tensor]:
        """Places, headings and clock, unchanged: the task finds the lattice in them."""
        del inputs
        return {"place": state["place"], "heading": state["heading"], "clock": state["clock"]}

    def encode_answer(self, answer: dict[str, Tensor], **inputs: Tensor) -> dict[str, Tensor]:
        """The state of an answer."""
        del inputs
        return {**answer, "lean": torch.zeros_like(answer["place"][:, 0])}


def rotated(offset: Tensor, facing: Tensor) -> Tensor:
    """Offsets (row, column) turned clockwise by headings (cosine, sine)."""
    down, across = offset.unbind(-1)
    cosine, sine = facing.unbind(-1)
    return torch.stack([down * cosine + across * sine, across * cosine - down * sine], dim=-1)


def compound(one: Tensor, other: Tensor) -> Tensor:
    """The composition of two turns, both as cosine and sine."""
    c, s = one.unbind(-1)
    d, t = other.unbind(-1)
    return torch.stack([c * d - s * t, s * d + c * t], dim=-1)


def _extent(coordinates: Tensor) -> Tensor:
    return coordinates.amax(1)


def _bump(distance: Tensor, width: Tensor) -> Tensor:
    return (-0.5 * (distance / width).square()).exp()
