"""The search of clusters: points that interact in pairs alone, with dense tables of the laws in place of lists of edges.

The same energy, steps and moves as `energy`, `descent` and `moves`, over ``(dense, dense)`` tables: fewer operators a step, since
nothing is gathered or scattered and the Hessian is a matrix. A structure with anything else has a table of one point
without laws, and passes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from groundstate_export import Probe
from groundstate_models.equilibrium.descent import DampedNewton, State, conjugate
from groundstate_models.equilibrium.energy import TINY, potentials
from groundstate_models.equilibrium.moves import LEAST, LOTS, RANDOM, candidates, field

AXES: dict[str, tuple[str | None, ...]] = {
    "pair_law": (None, "dense", "dense"),
    "pair_of": ("dense", "triples"),
    "pair_hops": (None,),
}
"""The axes of the further inputs: the last seven of `energy.LAW` for each pair, which triples are the points, hops of a chain."""


class Places(NamedTuple):
    """The points of a state, ``(batch, 3, dense)`` each."""

    x: Tensor
    """Places."""
    v: Tensor
    """Places from the centre, before a sphere holds them."""
    size: Tensor
    """Length of ``v``, ``(batch, 1, dense)``."""
    spread: Tensor
    """Derivative of ``v`` by the state."""
    radius: Tensor
    """Of the sphere, ``(batch, 1, dense)``."""


def placed(state: Tensor, **inputs: Tensor) -> Places:
    """The points of a state ``(batch, triples, 3)``."""
    of = inputs["pair_of"]
    spread = (of @ inputs["spread"]).transpose(1, 2)
    v = (of @ state).transpose(1, 2) * spread
    size = v.square().sum(1, keepdim=True).clamp_min(TINY).sqrt()
    radius = (of @ inputs["radius"].unsqueeze(2)).transpose(1, 2)
    return Places(_on(v, size, (of @ inputs["centre"]).transpose(1, 2), radius), v, size, spread, radius)


def _on(v: Tensor, size: Tensor, centre: Tensor, radius: Tensor) -> Tensor:
    return centre + torch.where(radius > 0, radius * v / size, v)


def laws(inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
    """The seven tables, ``(batch, dense, dense)`` each."""
    return tuple(inputs["pair_law"].unbind(1))


class ClusterEnergy(nn.Module):
    """``energy(y, **inputs)``: the potentials of `EquilibriumEnergy` as ``{"potentials": (batch,)}``."""

    def forward(self, state: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        x = placed(state, **inputs).x
        gap = x.unsqueeze(2) - x.unsqueeze(3)
        d = gap.square().sum(1).clamp_min(TINY).sqrt()
        return {"potentials": 0.5 * potentials(d, *laws(inputs))[0].sum((1, 2))}


class ClusterNewton(DampedNewton):
    """`DampedNewton` with the Hessian as a matrix, and all lengths of a step in one evaluation."""

    def moved(
        self, state: State, name: str, y: Tensor, damping: Tensor, step_scale: Tensor | None, probe: Probe
    ) -> tuple[Tensor, Tensor]:
        del state, name
        inputs = dict(probe.inputs)
        scale = torch.ones_like(damping) if step_scale is None else step_scale.to(damping.dtype)
        at = placed(y, **inputs)
        before, step = self._newton(at, damping, inputs)
        size = step.abs().amax((1, 2), keepdim=True)
        step = step * (torch.clamp(self.reach / (size + 1e-30), max=1.0) * scale.reshape(-1, 1, 1))
        lengths = (1.0, self.short, self.long)
        tried = torch.stack([at.v - (length * at.spread) * step for length in lengths], dim=1)
        energies = self._energies(tried, inputs)
        least, chosen = before, torch.zeros_like(before)
        for k, length in enumerate(lengths):
            lower = probe.lower(energies[:, k], least)
            least = torch.where(lower, energies[:, k], least)
            chosen = torch.where(lower, torch.full_like(chosen, length), chosen)
        taken = (chosen > 0) & (size.reshape(-1) > 0)
        found = y - inputs["pair_of"].transpose(1, 2) @ (chosen.reshape(-1, 1, 1) * step).transpose(1, 2)
        following = torch.where(taken, damping * self.down, damping * self.up).clamp(1e-9, 1e9)
        on = scale > 0
        return torch.where(on.reshape(-1, 1, 1), found, y), torch.where(on, following, damping)

    def _energies(self, v: Tensor, inputs: dict[str, Tensor]) -> Tensor:
        """The energies of several states, ``(batch, several)``, by ``v`` as in `Places`, ``(batch, several, 3, dense)``."""
        of = inputs["pair_of"]
        centre = (of @ inputs["centre"]).transpose(1, 2).unsqueeze(1)
        radius = (of @ inputs["radius"].unsqueeze(2)).transpose(1, 2).unsqueeze(1)
        x = _on(v, v.square().sum(2, keepdim=True).clamp_min(TINY).sqrt(), centre, radius)
        d = (x.unsqueeze(3) - x.unsqueeze(4)).square().sum(2).clamp_min(TINY).sqrt()
        return 0.5 * potentials(d, *(law.unsqueeze(1) for law in laws(inputs)))[0].sum((2, 3))

    def _newton(self, at: Places, damping: Tensor, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The energy, ``(batch,)``, and the step of length 1, ``(batch, 3, dense)``."""
        gap = at.x.unsqueeze(2) - at.x.unsqueeze(3)
        d = gap.square().sum(1).clamp_min(TINY).sqrt()
        energy, first, second = potentials(d, *laws(inputs))
        unit = gap / d.unsqueeze(1)
        slope = -(unit * first.unsqueeze(1)).sum(3)
        held = (at.radius > 0).to(d.dtype)
        normal = held * at.v / at.size
        scale = at.spread * (1.0 + held * (at.radius / at.size - 1.0))
        outward = (normal * slope).sum(1, keepdim=True)
        bent = -outward / at.radius.clamp_min(1e-9) * held
        exact = (damping < self.exact).reshape(-1, 1, 1)
        across = first / d
        least = torch.where(exact, torch.full_like(exact, -1e30, dtype=d.dtype), torch.zeros_like(bent[:, :, :1]))
        # The preconditioner has the positive part alone, as in `energy`.
        along_, across_ = second.clamp_min(0.0), across.clamp_min(0.0)
        square = unit.square()
        own = ((along_ - across_).unsqueeze(1) * square + across_.unsqueeze(1)).sum(3)
        diagonal = (own + bent.clamp_min(0.0)) * scale.square()
        along, across = torch.maximum(second, least), torch.maximum(across, least)
        inward = torch.maximum(bent, least)
        # Blocks (batch, 3, dense, 3, dense) between different points; each point's own is minus their sum.
        one = ((along - across).unsqueeze(1) * unit).unsqueeze(3)
        same = (torch.arange(3).unsqueeze(1) == torch.arange(3).unsqueeze(0)).to(d.dtype).reshape(1, 3, 1, 3, 1)
        block = one * unit.transpose(1, 2).unsqueeze(1) + across.unsqueeze(1).unsqueeze(3) * same
        count = torch.arange(d.shape[1])
        here = (count.unsqueeze(1) == count.unsqueeze(0)).to(d.dtype).unsqueeze(1)
        matrix = (block.sum(4, keepdim=True) * here - block).flatten(3).flatten(1, 2)
        lam = damping.reshape(-1, 1, 1)
        root = (diagonal + lam).rsqrt()
        both = root * scale
        firm = lam * root.square()

        def product(p: Tensor) -> Tensor:
            q = both * p
            q = q - normal * (normal * q).sum(1, keepdim=True)
            found = (matrix @ q.flatten(1).unsqueeze(2)).view_as(q) + inward * q
            found = found - normal * (normal * found).sum(1, keepdim=True)
            return both * found + firm * p

        start = (slope - outward * normal) * both
        return 0.5 * energy.sum((1, 2)), root * conjugate(product, start, self.iterations)


class ClusterMoves:
    """`Moves` over dense tables: the loosest points go to the best of many places on the surface."""

    def __call__(self, state: Tensor, noise: Tensor, **inputs: Tensor) -> Tensor:
        of = inputs["pair_of"]
        shake = of @ inputs["shake"].unsqueeze(2)
        lot_noise = of @ noise
        loose = (shake > 0).to(state.dtype)
        lot = (lot_noise * loose).sum((1, 2)) / (3.0 * loose.sum((1, 2)) + LEAST).sqrt()
        lot = lot.reshape(-1, 1, 1)
        y = of @ state
        found = y + (lot <= LOTS[0]).to(state.dtype) * shake * lot_noise
        directions = lot_noise
        for least in LOTS:
            found = torch.where(lot > least, self.relocated(found, lot_noise, directions, loose, inputs), found)
            directions = torch.cat([directions[:, :, 1:], directions[:, :, :1]], dim=2)
        return state + of.transpose(1, 2) @ (found - y)

    def relocated(
        self, y: Tensor, noise: Tensor, directions: Tensor, loose: Tensor, inputs: dict[str, Tensor]
    ) -> Tensor:
        """The points with the loosest one at the place of least energy among one candidate for each direction."""
        of = inputs["pair_of"]
        spread, centre = of @ inputs["spread"], of @ inputs["centre"]
        radius = of @ inputs["radius"].unsqueeze(2)
        v = y * spread
        x = _on(v, v.square().sum(2, keepdim=True).clamp_min(TINY).sqrt(), centre, radius)
        table = inputs["pair_law"]
        d = (x.unsqueeze(2) - x.unsqueeze(1)).square().sum(3).clamp_min(TINY).sqrt()
        own = 0.5 * potentials(d, *laws(inputs))[0].sum(2)
        unit = table[:, 0].abs().amax((1, 2)) + table[:, 1].amax((1, 2)) + table[:, 3].amax((1, 2))
        own = own + RANDOM * unit.unsqueeze(1) * noise[:, :, 0]
        which = torch.where(loose[:, :, 0] > 0, own, torch.full_like(own, -1e30)).argmax(1, keepdim=True)
        here = (torch.arange(x.shape[1]).unsqueeze(0) == which).to(x.dtype).unsqueeze(1)
        law = (table @ here.transpose(1, 2).unsqueeze(1)).squeeze(3).transpose(1, 2)
        centre, spread, radius = here @ centre, here @ spread, here @ radius
        place = candidates(x, directions, law, spread, centre, radius)
        best = field(place, x, law)[0].argmin(1, keepdim=True)
        best_place = (torch.arange(x.shape[1]).unsqueeze(0) == best).to(x.dtype).unsqueeze(1) @ place
        target = (best_place - centre) / spread.clamp_min(LEAST) * (spread > 0).to(x.dtype)
        moves = here.transpose(1, 2) * loose
        return torch.where(moves > 0, target, y)
