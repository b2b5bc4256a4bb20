"""Moves of clusters between basins: the loosest points go to the best of many places on the surface.

Moving the loosest atom: D. J. Wales and J. P. K. Doye, "Global optimization by basin-hopping", 1997. Candidates on the surface,
judged before anything descends: X. Shao, L. Cheng and W. Cai, "A dynamic lattice searching method", 2004.
"""

from __future__ import annotations

import torch
from torch import Tensor

from groundstate_models.equilibrium.energy import EquilibriumEnergy, pick, potentials

LOTS = (-1.0, 0.3)
"""A hop's lot is standard normal: below the first every point moves a little; above each, one more point moves to the surface."""

STEPS = 2
"""Steps by which each candidate comes to rest on the surface, the other points held."""

FAR = 0.2
"""The largest move of a candidate in a step, in units of length."""

RANDOM = 0.5
"""Deviation of the random part of a point's looseness, in units of the energy of one pair."""

LEAST = 1e-9


class Moves:
    """``moves(state, noise, **inputs)``: where a hop goes from a state ``(batch, triples, 3)``.

    The sum of a chain's noise is its lot; the noise of each point is the direction of a candidate place. Points with ``shake`` 0
    stay.
    """

    def __init__(self, energy: EquilibriumEnergy) -> None:
        self.energy = energy

    def __call__(self, state: Tensor, noise: Tensor, **inputs: Tensor) -> Tensor:
        shake = inputs["shake"].unsqueeze(2)
        loose = (shake > 0).to(state.dtype)
        lot = (noise * loose).sum((1, 2)) / (3.0 * loose.sum((1, 2)) + LEAST).sqrt()
        lot = lot.reshape(-1, 1, 1)
        found = state + (lot <= LOTS[0]).to(state.dtype) * shake * noise
        directions = noise
        for least in LOTS:
            found = torch.where(lot > least, self.relocated(found, noise, directions, **inputs), found)
            directions = torch.cat([directions[:, :, 1:], directions[:, :, :1]], dim=2)
        return found

    def relocated(self, state: Tensor, noise: Tensor, directions: Tensor, **inputs: Tensor) -> Tensor:
        """The state with the loosest point at the place of least energy among one candidate for each direction."""
        x = self.energy.places(state, **inputs)
        loose = inputs["shake"] > 0
        end, law = inputs["end"], inputs["law"][:, :, 4:]
        half = 0.5 * self.energy.edges(x, **inputs)[3]
        own = torch.zeros_like(inputs["shake"]).scatter_add(1, end[:, :, 0], half).scatter_add(1, end[:, :, 1], half)
        unit = law[:, :, 0].abs().amax(1, keepdim=True) + law[:, :, 1].amax(1, keepdim=True)
        unit = unit + law[:, :, 3].amax(1, keepdim=True)
        own = own + RANDOM * unit * noise[:, :, 0]
        which = torch.where(loose, own, torch.full_like(own, -1e30)).argmax(1, keepdim=True)
        # The laws between this point and each other one, (batch, triples, 7); zero for itself and where no edge is.
        one, other = end[:, :, 0] == which, end[:, :, 1] == which
        partner = torch.where(one, end[:, :, 1], end[:, :, 0]).unsqueeze(2).expand(-1, -1, law.shape[2])
        laws = torch.zeros_like(x[:, :, :1]).expand(-1, -1, law.shape[2])
        laws = laws.scatter_add(1, partner, law * (one | other).to(law.dtype).unsqueeze(2))
        centre, spread = pick(inputs["centre"], which), pick(inputs["spread"], which)
        radius = inputs["radius"].gather(1, which).unsqueeze(2)
        place = candidates(x, directions, laws, spread, centre, radius)
        best = field(place, x, laws)[0].argmin(1, keepdim=True)
        target = (pick(place, best) - centre) / spread.clamp_min(LEAST) * (spread > 0).to(x.dtype)
        here = (torch.arange(x.shape[1]).unsqueeze(0) == which) & loose
        return torch.where(here.unsqueeze(2), target, state)


def candidates(x: Tensor, directions: Tensor, laws: Tensor, spread: Tensor, centre: Tensor, radius: Tensor) -> Tensor:
    """Places of a point on the surface, one along each direction from the middle, ``(batch, triples, 3)``.

    ``laws`` are those between the point and each other one; ``spread``, ``centre`` and ``radius`` are the point's.
    """
    free = (spread > 0).to(x.dtype)
    bond = (laws[:, :, 1:2] > 0).to(x.dtype) * laws[:, :, 2:3]
    bond = torch.maximum(bond, (laws[:, :, 3:4] > 0).to(x.dtype) * laws[:, :, 5:6]).transpose(1, 2)
    near = (laws.abs().amax(2, keepdim=True) > 0).to(x.dtype)
    middle = (x * near).sum(1, keepdim=True) / (near.sum(1, keepdim=True) + LEAST)
    u = directions * free
    u = u / (u.square().sum(2, keepdim=True) + LEAST).sqrt()
    out = x - middle
    along = u @ out.transpose(1, 2)
    deep = bond.square() - (out.square().sum(2).unsqueeze(1) - along.square())
    reach = torch.where((deep > 0) & (bond > 0), along + deep.clamp_min(0.0).sqrt(), torch.zeros_like(along))
    place = middle + reach.amax(2, keepdim=True) * u
    for step in range(STEPS + 1):
        on = place - centre
        round_ = centre + radius * (u if step == 0 else on / (on.square().sum(2, keepdim=True) + LEAST).sqrt())
        place = torch.where(radius > 0, round_, place)
        if step < STEPS:
            _, slope, firm = field(place, x, laws)
            move = -1.5 * free * slope / (firm + LEAST).unsqueeze(2)
            size = move.abs().amax(2, keepdim=True)
            place = place + move * torch.clamp(FAR / (size + LEAST), max=1.0)
    return place


def field(place: Tensor, x: Tensor, laws: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The energy of a point at each place ``(batch, places)``, its gradient ``(…, 3)``, and the sum of the stiffnesses."""
    gap = place.unsqueeze(2) - x.unsqueeze(1)
    d = gap.square().sum(3).clamp_min(LEAST).sqrt()
    charge, depth, sigma, well, width, bottom, core = (part.unsqueeze(1) for part in laws.unbind(2))
    energy, first, second = potentials(d, charge, depth, sigma, well, width, bottom, core.clamp_min(0.01))
    slope = ((first / d).unsqueeze(3) * gap).sum(2)
    return energy.sum(2), slope, second.clamp_min(0.0).sum(2)
