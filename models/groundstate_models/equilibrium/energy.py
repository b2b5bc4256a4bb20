"""The potential energy of a structure over typed factors, with forces and products with the Hessian, in PyTorch and float64.

The same formulas as `system`, over index tensors: one exported file takes any number of points, edges, rows and corners. All
unknowns are triples: places of nodes, or small translations and turns of blocks. ONNX Runtime has no float64 sine, so angles
appear as cross and dot products over lengths.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

AXES: dict[str, tuple[str | None, ...]] = {
    "centre": ("triples", None),
    "spread": ("triples", None),
    "radius": ("triples",),
    "force": ("triples", None),
    "shake": ("triples",),
    "hops": (None,),
    "end": ("edges", None),
    "law": ("edges", None),
    "stiff": ("rows",),
    "offset": ("rows",),
    "both": ("rows",),
    "entry_row": ("entries",),
    "entry_triple": ("entries",),
    "entry": ("entries", None),
    "corner": ("corners", None),
    "torsion": ("corners", None),
    "side": ("sides", None),
    "pressure": ("sides",),
}
"""The axes of the inputs after the batch; those without a name keep their length."""

LAW = ("stiffness", "rest", "pull", "push", "charge", "depth", "distance", "well", "width", "bottom", "core")
"""The columns of ``law``: a spring (stiffness, length at rest, whether it pulls, whether it pushes), Coulomb's law (product of
the charges), Lennard-Jones (depth, distance of the minimum), Morse (depth, width, distance of the minimum), and the
distance below which the potentials continue as parabolas."""

TINY = 1e-24
"""The least square of a length."""


class Local(NamedTuple):
    """What a product with the Hessian needs at a state, batch first."""

    unit: Tensor
    """Directions of the edges, ``(batch, edges, 3)``."""
    along: Tensor
    """Second derivative of each edge's energy by its length, if positive or exact, ``(batch, edges, 1)``."""
    across: Tensor
    """First derivative over the length, if positive or exact, ``(batch, edges, 1)``."""
    firm: Tensor
    """Stiffness of the rows that act, ``(batch, rows)``."""
    turn: Tensor
    """Gradient of each corner's angle by its three points, ``(batch, corners, 9)``."""
    twist: Tensor
    """Stiffness of each corner, ``(batch, corners, 1)``."""
    normal: Tensor
    """Unit vectors of points that are held on spheres, 0 for others, ``(batch, triples, 3)``."""
    scale: Tensor
    """Derivative of the places by the state, ``(batch, triples, 3)``."""
    inward: Tensor
    """Curvature that a sphere adds, ``(batch, triples, 1)``."""
    slope: Tensor
    """The gradient by the state, ``(batch, triples, 3)``."""
    diagonal: Tensor
    """The diagonal of the positive part, nearly: without a sphere's projection, ``(batch, triples, 3)``."""


def pick(x: Tensor, index: Tensor) -> Tensor:
    """Rows of ``(batch, n, 3)`` by ``(batch, m)``."""
    return x.gather(1, index.unsqueeze(2).expand(-1, -1, 3))


def put(where: Tensor, index: Tensor, values: Tensor) -> Tensor:
    """Add ``values`` ``(batch, m, 3)`` to the rows of ``where`` ``(batch, n, 3)``."""
    return where.scatter_add(1, index.unsqueeze(2).expand(-1, -1, 3), values)


def potentials(
    d: Tensor, charge: Tensor, depth: Tensor, sigma: Tensor, well: Tensor, width: Tensor, bottom: Tensor, core: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Energies of pairs at distances ``d``, and their first and second derivatives by it; below ``core``, a parabola."""
    c = torch.maximum(d, core)
    inside = d - c
    inverse = 1.0 / c
    p0 = charge * inverse
    p1 = -p0 * inverse
    p2 = -2.0 * p1 * inverse
    six = (sigma * inverse).square()
    six = six * six * six
    p0 = p0 + depth * (six * six - 2.0 * six)
    p1 = p1 - 12.0 * depth * (six * six - six) * inverse
    p2 = p2 + depth * (156.0 * six * six - 84.0 * six) * inverse * inverse
    decay = torch.exp(-width * (c - bottom))
    p0 = p0 + well * (decay * decay - 2.0 * decay)
    p1 = p1 - 2.0 * width * well * (decay * decay - decay)
    p2 = p2 + 2.0 * width * width * well * (2.0 * decay * decay - decay)
    return p0 + p1 * inside + 0.5 * p2 * inside * inside, p1 + p2 * inside, p2


class EquilibriumEnergy(nn.Module):
    """``energy(y, **inputs)`` returns named terms, ``(batch,)`` float64 each; the state is ``(batch, triples, 3)``.

    `tensors.tensors` describes the inputs.
    """

    def places(self, state: Tensor, **inputs: Tensor) -> Tensor:
        """The places ``(batch, triples, 3)`` of a state: ``centre + spread · state``, or on a sphere around ``centre``."""
        v = state * inputs["spread"]
        size = v.square().sum(2, keepdim=True).clamp_min(TINY).sqrt()
        radius = inputs["radius"].unsqueeze(2)
        return inputs["centre"] + torch.where(radius > 0, radius * v / size, v)

    def forward(self, state: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        x = self.places(state, **inputs)
        _, _, springs, potentials = self.edges(x, **inputs)[:4]
        gap = self.gaps(x, **inputs)
        acting = torch.where(gap > 0, inputs["both"] * gap, gap)
        sine, cosine = self.corners(x, **inputs)[:2]
        torsion = inputs["torsion"]
        turned = torsion[:, :, 0] * (1.0 - torsion[:, :, 1] * cosine - torsion[:, :, 2] * sine)
        one, other = pick(x, inputs["side"][:, :, 0]), pick(x, inputs["side"][:, :, 1])
        area = 0.5 * (one[:, :, 0] * other[:, :, 1] - one[:, :, 1] * other[:, :, 0])
        return {
            "members": springs.sum(1),
            "potentials": potentials.sum(1),
            "contacts": (0.5 * inputs["stiff"] * acting * gap).sum(1),
            "loads": -(inputs["force"] * x).sum((1, 2)),
            "corners": turned.sum(1),
            "pressure": -(inputs["pressure"] * area).sum(1),
        }

    def edges(self, x: Tensor, **inputs: Tensor) -> tuple[Tensor, ...]:
        """Directions ``(batch, edges, 3)``, lengths, energies of springs and of potentials, first and second derivatives."""
        end, law = inputs["end"], inputs["law"]
        k, rest, pull, push, charge, depth, sigma, well, width, bottom, core = law.unbind(2)
        gap = pick(x, end[:, :, 1]) - pick(x, end[:, :, 0])
        d = gap.square().sum(2).clamp_min(TINY).sqrt()
        stretch = d - rest
        firm = k * torch.where(stretch > 0, pull, push)
        potential, p1, p2 = potentials(d, charge, depth, sigma, well, width, bottom, core)
        first = firm * stretch + p1
        return gap / d.unsqueeze(2), d, 0.5 * firm * stretch * stretch, potential, first, firm + p2

    def gaps(self, x: Tensor, **inputs: Tensor) -> Tensor:
        """The linear forms of the rows, ``(batch, rows)``."""
        parts = (pick(x, inputs["entry_triple"]) * inputs["entry"]).sum(2)
        return inputs["offset"] + torch.zeros_like(inputs["offset"]).scatter_add(1, inputs["entry_row"], parts)

    def corners(self, x: Tensor, **inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Sine and cosine of the angle from a–b to b–c at each corner, ``(batch, corners)``, and its gradient ``(…, 9)``."""
        a, b, c = (pick(x, inputs["corner"][:, :, side]) for side in range(3))
        u, w = a - b, c - b
        u2, w2 = u[:, :, :2].square().sum(2).clamp_min(TINY), w[:, :, :2].square().sum(2).clamp_min(TINY)
        over = (u2 * w2).rsqrt()
        sine = (u[:, :, 0] * w[:, :, 1] - u[:, :, 1] * w[:, :, 0]) * over
        cosine = (u[:, :, 0] * w[:, :, 0] + u[:, :, 1] * w[:, :, 1]) * over
        zero = torch.zeros_like(u2)
        du = torch.stack([u[:, :, 1] / u2, -u[:, :, 0] / u2, zero], dim=2)
        dw = torch.stack([-w[:, :, 1] / w2, w[:, :, 0] / w2, zero], dim=2)
        return sine, cosine, torch.cat([du, -du - dw, dw], dim=2)

    def slope(self, x: Tensor, **inputs: Tensor) -> Tensor:
        """The gradient by the places, ``(batch, triples, 3)``: minus the force that is left on each point."""
        unit, _, _, _, first, _ = self.edges(x, **inputs)
        pull = unit * first.unsqueeze(2)
        end = inputs["end"]
        found = put(put(-inputs["force"], end[:, :, 1], pull), end[:, :, 0], -pull)
        gap = self.gaps(x, **inputs)
        push = inputs["stiff"] * torch.where(gap > 0, inputs["both"] * gap, gap)
        entry = inputs["entry"] * push.gather(1, inputs["entry_row"]).unsqueeze(2)
        found = put(found, inputs["entry_triple"], entry)
        sine, cosine, turn = self.corners(x, **inputs)
        torsion = inputs["torsion"]
        moment = torsion[:, :, 0] * (torsion[:, :, 1] * sine - torsion[:, :, 2] * cosine)
        for side in range(3):
            found = put(found, inputs["corner"][:, :, side], moment.unsqueeze(2) * turn[:, :, 3 * side : 3 * side + 3])
        one, other = pick(x, inputs["side"][:, :, 0]), pick(x, inputs["side"][:, :, 1])
        half = 0.5 * inputs["pressure"]
        return put(
            put(found, inputs["side"][:, :, 0], -_across(half, other)), inputs["side"][:, :, 1], _across(half, one)
        )

    def local(self, state: Tensor, exact: Tensor, **inputs: Tensor) -> Local:
        """What `product` needs at a state, with negative curvature of edges and spheres where ``exact``, ``(batch,)`` bool."""
        x = self.places(state, **inputs)
        unit, d, _, _, first, second = self.edges(x, **inputs)
        gap = self.gaps(x, **inputs)
        firm = inputs["stiff"] * torch.where(gap > 0, inputs["both"], torch.ones_like(gap))
        sine, cosine, turn = self.corners(x, **inputs)
        torsion = inputs["torsion"]
        # The square of the moment's change, without the change of the lever: it keeps the product positive.
        twist = torsion[:, :, 0] * (torsion[:, :, 1] * cosine + torsion[:, :, 2] * sine).abs()
        v = state * inputs["spread"]
        size = v.square().sum(2, keepdim=True).clamp_min(TINY).sqrt()
        radius = inputs["radius"].unsqueeze(2)
        held = (radius > 0).to(x.dtype)
        normal = held * v / size
        scale = inputs["spread"] * (1.0 + held * (radius / size - 1.0))
        slope = self.slope(x, **inputs)
        outward = (normal * slope).sum(2, keepdim=True)
        bent = -outward / radius.clamp_min(1e-9) * held
        # Without negative curvature products are positive, and steps fall short rather than go too far.
        along, across = second.clamp_min(0.0).unsqueeze(2), (first / d).clamp_min(0.0).unsqueeze(2)
        own = along * unit.square() + across * (1.0 - unit.square())
        end = inputs["end"]
        diagonal = put(put(bent.clamp_min(0.0) + torch.zeros_like(x), end[:, :, 0], own), end[:, :, 1], own)
        exact = exact.reshape(-1, 1, 1)
        along = torch.where(exact, second.unsqueeze(2), along)
        across = torch.where(exact, (first / d).unsqueeze(2), across)
        inward = torch.where(exact, bent, bent.clamp_min(0.0))
        own = inputs["entry"].square() * firm.gather(1, inputs["entry_row"]).unsqueeze(2)
        diagonal = put(diagonal, inputs["entry_triple"], own)
        own = twist.unsqueeze(2) * turn.square()
        for side in range(3):
            diagonal = put(diagonal, inputs["corner"][:, :, side], own[:, :, 3 * side : 3 * side + 3])
        return Local(
            unit,
            along,
            across,
            firm,
            turn,
            twist.unsqueeze(2),
            normal,
            scale,
            inward,
            (slope - outward * normal) * scale,
            diagonal * scale.square(),
        )

    def product(self, at: Local, p: Tensor, **inputs: Tensor) -> Tensor:
        """The Hessian by the state or its positive part, times ``p``, ``(batch, triples, 3)``; on a sphere, of its surface."""
        p = p * at.scale
        p = p - at.normal * (at.normal * p).sum(2, keepdim=True)
        end = inputs["end"]
        gap = pick(p, end[:, :, 1]) - pick(p, end[:, :, 0])
        along = (at.unit * gap).sum(2, keepdim=True) * at.unit
        pull = at.along * along + at.across * (gap - along)
        found = put(put(at.inward * p, end[:, :, 1], pull), end[:, :, 0], -pull)
        parts = (pick(p, inputs["entry_triple"]) * inputs["entry"]).sum(2)
        push = at.firm * torch.zeros_like(at.firm).scatter_add(1, inputs["entry_row"], parts)
        found = put(found, inputs["entry_triple"], inputs["entry"] * push.gather(1, inputs["entry_row"]).unsqueeze(2))
        corner = inputs["corner"]
        turns = torch.cat([pick(p, corner[:, :, side]) for side in range(3)], dim=2)
        moment = at.twist * (at.turn * turns).sum(2, keepdim=True)
        for side in range(3):
            found = put(found, corner[:, :, side], moment * at.turn[:, :, 3 * side : 3 * side + 3])
        found = found - at.normal * (at.normal * found).sum(2, keepdim=True)
        return found * at.scale

    def decode(self, state: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """The places, ``{"places": (batch, triples, 3)}``."""
        return {"places": self.places(state, **inputs)}

    def encode_answer(self, answer: dict[str, Tensor], **inputs: Tensor) -> Tensor:
        spread = inputs["spread"]
        fixed = spread <= 0
        return torch.where(
            fixed, torch.zeros_like(spread), (answer["places"] - inputs["centre"]) / torch.where(fixed, 1.0, spread)
        )

    def checks(self, answer: dict[str, Tensor], **inputs: Tensor) -> dict[str, Tensor]:
        """The force that is left on each free point, in units of the structure's forces, ``(batch, 3 triples)``."""
        x = answer["places"]
        left = self.slope(x, **inputs)
        radius = inputs["radius"].unsqueeze(2)
        out = x - inputs["centre"]
        normal = out / out.square().sum(2, keepdim=True).clamp_min(TINY).sqrt() * (radius > 0).to(x.dtype)
        left = left - normal * (normal * left).sum(2, keepdim=True)
        return {"balance": torch.where(inputs["spread"] > 0, left, torch.zeros_like(left)).abs().flatten(1)}


def _across(half: Tensor, x: Tensor) -> Tensor:
    """``half · (y, −x, 0)``: what a point turned by a quarter adds."""
    return torch.stack([half * x[:, :, 1], -half * x[:, :, 0], torch.zeros_like(half)], dim=2)
