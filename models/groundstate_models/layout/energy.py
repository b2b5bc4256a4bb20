"""The energy of a layout: half the sum of the squares of its rows, with residuals and Jacobian for Levenberg–Marquardt.

The state has three numbers an item: its place, relative to an anchor, and its turn. A convex part of an item has at most four
corners and a radius, so boxes, circles and triangles are one case. Two kinds of rows share a file of any size:

* **pairs** of parts: their signed distance, by separating axes (S. Gottschalk, M. C. Lin and D. Manocha, "OBBTree", 1996),
  between two bounds. Not to overlap, to keep a gap, to be near and to be far are bounds;
* **clauses**: the best of up to eight alternatives, each the worst of up to four atoms. An atom is a linear measure of
  extreme points of up to three parts along a direction of the area or of an item.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

ALTERNATIVES, ATOMS = 8, 4
"""Alternatives of a clause, and atoms of an alternative."""

AXES: dict[str, tuple[str, ...]] = {
    "anchor": ("items", None),  # type: ignore[dict-item]  # an axis without a name keeps its length
    "spread": ("items", None),  # type: ignore[dict-item]
    "turning": ("items", None),  # type: ignore[dict-item]
    "facing": ("items", None),  # type: ignore[dict-item]
    "owner": ("parts",),
    "corners": ("parts", None),  # type: ignore[dict-item]
    "normals": ("parts", None),  # type: ignore[dict-item]
    "levels": ("parts", None),  # type: ignore[dict-item]
    "radius": ("parts",),
    "first": ("pairs",),
    "second": ("pairs",),
    "pair_row": ("pairs",),
    "frame": ("atoms",),
    "toward": ("atoms", None),  # type: ignore[dict-item]
    "ends": ("atoms", None),  # type: ignore[dict-item]
    "sides": ("atoms", None),  # type: ignore[dict-item]
    "shares": ("atoms", None),  # type: ignore[dict-item]
    "level": ("atoms",),
    "clause": ("clauses", None),  # type: ignore[dict-item]
    "clause_row": ("clauses",),
    "bounds": ("rows", None),  # type: ignore[dict-item]
    "weight": ("rows", None),  # type: ignore[dict-item]
}
"""The axes of the inputs after the batch."""

QUARTILE = 0.6744897501960817
"""A standard normal number lies between −q and q with probability a half: the four quarter turns are equally likely at first."""

_TINY = 1e-12


def turned(front: Tensor, vector: Tensor) -> Tensor:
    """Rotate vectors ``(…, 2)`` by unit vectors ``(…, 2)`` of the same leading shape."""
    c, s = front[..., 0], front[..., 1]
    x, y = vector[..., 0], vector[..., 1]
    return torch.stack([c * x - s * y, s * x + c * y], dim=-1)


def dot(one: Tensor, other: Tensor) -> Tensor:
    return (one * other).sum(-1)


def crossed(one: Tensor, other: Tensor) -> Tensor:
    return one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]


def rows_of(table: Tensor, index: Tensor) -> Tensor:
    """``table[b, index[b, k], …]`` for a table ``(batch, n, …)`` of one or two further axes and an index ``(batch, m)``."""
    flat = table.flatten(2)
    found = flat.gather(1, index.unsqueeze(2).expand(-1, -1, flat.shape[2]))
    shaped: Tensor = found.unflatten(2, table.shape[2:])
    return shaped


def chosen(table: Tensor, index: Tensor) -> Tensor:
    """``table[b, m, index[b, m], …]``: one alternative of each row, for a table of three axes or four."""
    if table.dim() == 3:
        return table.gather(2, index.unsqueeze(2)).squeeze(2)
    return table.gather(2, index[..., None, None].expand(-1, -1, -1, table.shape[3])).squeeze(2)


class LayoutEnergy(nn.Module):
    """``energy(y, **inputs) -> {"required": …, "wishes": …}``, ``(batch,)`` float64; the state is ``(batch, 3 · items)``.

    `tensors.tensors` describes the inputs. Item 0 is the area itself, which does not move. The unit of length is half the longer
    side of the area, and the origin is its centre.
    """

    def forward(self, state: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        off = self.off(state, **inputs)
        squares = 0.5 * (off * inputs["weight"][..., 0]).square()
        required = inputs["weight"][..., 1]
        return {"required": (squares * required).sum(1), "wishes": (squares * (1.0 - required)).sum(1)}

    def placed(self, state: Tensor, **inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Centres ``(batch, items, 2)``, fronts as unit vectors, and the derivative of the angle by the third number."""
        anchor = inputs["anchor"]
        z = state.view(anchor.shape[0], anchor.shape[1], 3)
        centre = anchor + inputs["spread"] * z[:, :, :2]
        t = z[:, :, 2]
        over = 1.0 / (1.0 + t * t)
        free = torch.stack([(1.0 - t * t) * over, 2.0 * t * over], dim=2)
        one, zero = torch.ones_like(t), torch.zeros_like(t)
        near, ahead = t.abs() < QUARTILE, t >= 0
        quarter = torch.stack(
            [
                torch.where(near, torch.where(ahead, one, zero), torch.where(ahead, zero, -one)),
                torch.where(near, torch.where(ahead, zero, -one), torch.where(ahead, one, zero)),
            ],
            dim=2,
        )
        turning = inputs["turning"]
        front = (
            turning[..., 0:1] * inputs["facing"] + turning[..., 1:2] * quarter + turning[..., 2:3] * free
        )  # exactly one of the three is 1
        return centre, front, 2.0 * over * turning[..., 2]

    def _parts(self, centre: Tensor, front: Tensor, **inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Centres of the owners ``(batch, parts, 2)``, corners relative to them, normals ``(batch, parts, 4, 2)``."""
        owner = inputs["owner"]
        middle, ahead = rows_of(centre, owner), rows_of(front, owner)
        ahead = ahead.unsqueeze(2)
        return (
            middle,
            turned(ahead, inputs["corners"].unflatten(2, (4, 2))),
            turned(ahead, inputs["normals"].unflatten(2, (4, 2))),
        )

    def _pairs(self, parts: tuple[Tensor, Tensor, Tensor], **inputs: Tensor) -> tuple[Tensor, ...]:
        """Signed distances along each of nine axes, the axes from first to second, and the points that touch."""
        first, second = inputs["first"], inputs["second"]
        middle, corners, normals = parts
        a, b = rows_of(middle, first), rows_of(middle, second)
        qa = a.unsqueeze(2) + rows_of(corners, first)
        qb = b.unsqueeze(2) + rows_of(corners, second)
        na, nb = rows_of(normals, first), rows_of(normals, second)
        ra, rb = rows_of(inputs["radius"].unsqueeze(2), first), rows_of(inputs["radius"].unsqueeze(2), second)
        ha, hb = rows_of(inputs["levels"], first), rows_of(inputs["levels"], second)
        # By the faces of the first: the corner of the second that lies lowest over each.
        over_a, low_b = (na @ (qb - a.unsqueeze(2)).transpose(2, 3)).min(3)
        over_b, low_a = (nb @ (qa - b.unsqueeze(2)).transpose(2, 3)).min(3)
        by_a, by_b = over_a - ha - rb, over_b - hb - ra
        at_b = qb.gather(2, low_b.unsqueeze(3).expand(-1, -1, -1, 2))
        at_a = qa.gather(2, low_a.unsqueeze(3).expand(-1, -1, -1, 2))
        # By the two corners that are closest, which decides for circles and for distances.
        close_b = chosen(qb, (qb - a.unsqueeze(2)).square().sum(3).min(2)[1])
        close_a = chosen(qa, (qa - close_b.unsqueeze(2)).square().sum(3).min(2)[1])
        apart = close_b - close_a
        length = (apart.square().sum(2, keepdim=True) + _TINY * _TINY).sqrt()
        axis = apart / length
        # Extremes of both parts along it: a bound that any axis gives.
        reach_a = ((qa - close_a.unsqueeze(2)) @ axis.unsqueeze(3)).squeeze(3).amax(2)
        reach_b = ((qb - close_b.unsqueeze(2)) @ axis.unsqueeze(3)).squeeze(3).amin(2)
        by_corners = length - reach_a.unsqueeze(2) + reach_b.unsqueeze(2) - ra - rb
        value = torch.cat([by_a, by_b, by_corners], dim=2)
        axes = torch.cat([na, -nb, axis.unsqueeze(2)], dim=2)
        on_first = torch.cat([at_b, at_a, close_a.unsqueeze(2)], dim=2) - a.unsqueeze(2)
        on_second = torch.cat([at_b, at_a, close_b.unsqueeze(2)], dim=2) - b.unsqueeze(2)
        return value, axes, on_first, on_second

    def _atoms(self, parts: tuple[Tensor, Tensor, Tensor], front: Tensor, **inputs: Tensor) -> tuple[Tensor, ...]:
        """Values ``(batch, atoms)``, directions ``(batch, atoms, 2)``, and the points that each end is at ``(…, 3, 2)``."""
        middle, corners, _ = parts
        toward = turned(rows_of(front, inputs["frame"]), inputs["toward"])
        ends, sides = inputs["ends"], inputs["sides"]
        flat = ends.flatten(1)
        at = rows_of(middle, flat).unflatten(1, ends.shape[1:])
        around = rows_of(corners, flat).unflatten(1, ends.shape[1:])
        along = (around * toward[:, :, None, None]).sum(4)
        high, low = along.max(3)[1], along.min(3)[1]
        pick = torch.where(sides > 0, high, low)
        point = around.gather(3, pick[..., None, None].expand(-1, -1, -1, -1, 2)).squeeze(3)
        point = torch.where((sides == 0).unsqueeze(3), around.mean(3), point)
        radius = rows_of(inputs["radius"].unsqueeze(2), flat).squeeze(2).unflatten(1, ends.shape[1:])
        reach = ((at + point) * toward.unsqueeze(2)).sum(3) + sides * radius
        return (inputs["shares"] * reach).sum(2) - inputs["level"], toward, at, point

    def _clauses(self, atoms: Tensor, **inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Values of the clauses ``(batch, clauses)``, and the atom that decides each."""
        clause = inputs["clause"]
        values = atoms.gather(1, clause.flatten(1)).unflatten(1, clause.shape[1:]).unflatten(2, (ALTERNATIVES, ATOMS))
        worst, which = values.min(3)
        best, choice = worst.max(2)
        place = choice * ATOMS + which.gather(2, choice.unsqueeze(2)).squeeze(2)
        return best, clause.gather(2, place.unsqueeze(2)).squeeze(2)

    def off(self, state: Tensor, **inputs: Tensor) -> Tensor:
        """How far each pair and each clause is from its bounds, with a sign, ``(batch, rows)``."""
        centre, front, _ = self.placed(state, **inputs)
        return self._off(centre, front, **inputs)

    def _off(self, centre: Tensor, front: Tensor, **inputs: Tensor) -> Tensor:
        parts = self._parts(centre, front, **inputs)
        pairs = self._pairs(parts, **inputs)[0].amax(2)
        atoms = self._atoms(parts, front, **inputs)[0]
        clauses, _ = self._clauses(atoms, **inputs)
        return _off(pairs, clauses, **inputs)

    def residuals(self, state: Tensor, **inputs: Tensor) -> Tensor:
        """Weighted rows, ``(batch, rows)``."""
        return self.off(state, **inputs) * inputs["weight"][..., 0]

    def linearised(self, state: Tensor, **inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Weighted rows, and their Jacobian ``(batch, rows, 3 · items)``."""
        centre, front, by_third = self.placed(state, **inputs)
        parts = self._parts(centre, front, **inputs)
        scale = torch.cat([inputs["spread"], by_third.unsqueeze(2)], dim=2).flatten(1)
        value, axes, on_first, on_second = self._pairs(parts, **inputs)
        best, which = value.max(2)
        axis = chosen(axes, which)
        turn_first = -crossed(chosen(on_first, which), axis).unsqueeze(2)
        turn_second = crossed(chosen(on_second, which), axis).unsqueeze(2)
        slope = torch.cat([-axis, turn_first, axis, turn_second], dim=2)
        own, other = inputs["owner"].gather(1, inputs["first"]), inputs["owner"].gather(1, inputs["second"])
        place = torch.stack([3 * own, 3 * own + 1, 3 * own + 2, 3 * other, 3 * other + 1, 3 * other + 2], dim=2)
        width = state.shape[1]
        place = place + width * inputs["pair_row"].unsqueeze(2)
        blank = torch.zeros_like(inputs["bounds"][..., :1] * state.unsqueeze(1)).flatten(1)
        jacobian = blank.scatter_add(1, place.flatten(1), slope.flatten(1))

        atoms, toward, at, point = self._atoms(parts, front, **inputs)
        clauses, decides = self._clauses(atoms, **inputs)
        toward, shares = rows_of(toward, decides), rows_of(inputs["shares"], decides)
        at = rows_of(at.flatten(2), decides).unflatten(2, (3, 2))
        point = rows_of(point.flatten(2), decides).unflatten(2, (3, 2))
        n = toward.unsqueeze(2)
        moved = shares.unsqueeze(3) * n.expand(-1, -1, 3, -1)
        spun = (shares * crossed(point, n)).unsqueeze(3)
        owners = inputs["owner"].gather(1, rows_of(inputs["ends"], decides).flatten(1)).unflatten(1, shares.shape[1:])
        ends_place = torch.stack([3 * owners, 3 * owners + 1, 3 * owners + 2], dim=3).flatten(2)
        ends_slope = torch.cat([moved, spun], dim=3).flatten(2)
        # The direction turns with its item.
        swung = (shares * crossed(n, at + point)).sum(2, keepdim=True)
        frame = (3 * inputs["frame"].gather(1, decides) + 2).unsqueeze(2)
        places = torch.cat([ends_place, frame], dim=2) + width * inputs["clause_row"].unsqueeze(2)
        jacobian = jacobian.scatter_add(1, places.flatten(1), torch.cat([ends_slope, swung], dim=2).flatten(1))
        off = _off(best, clauses, **inputs)
        weight = inputs["weight"][..., 0]
        live = weight * (off != 0).to(off.dtype)
        jacobian = jacobian.view(off.shape[0], off.shape[1], width) * scale.unsqueeze(1) * live.unsqueeze(2)
        return off * weight, jacobian

    def heat(self, state: Tensor, **inputs: Tensor) -> Tensor:
        """The share of each item in the violations of what is required, over the largest share, ``(batch, 3 · items)``."""
        r, jacobian = self.linearised(state, **inputs)
        required = inputs["weight"][..., 1]
        touched = (jacobian.abs() > 1e-12).to(r.dtype)
        felt = ((r * required).square().unsqueeze(1) @ touched).squeeze(1)
        anchor = inputs["anchor"]
        share = felt.view(anchor.shape[0], anchor.shape[1], 3).amax(2, keepdim=True)
        share = (share + 1e-12) / (share.amax(1, keepdim=True) + 1e-12)
        return share.expand(-1, -1, 3).flatten(1)

    def decode(self, state: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """Centre and front of each item, ``{"place": (batch, items, 4)}``."""
        centre, front, _ = self.placed(state, **inputs)
        return {"place": torch.cat([centre, front], dim=2)}

    def encode_answer(self, answer: dict[str, Tensor], **inputs: Tensor) -> Tensor:
        place = answer["place"]
        spread = inputs["spread"]
        z = torch.where(
            spread > 0, (place[..., :2] - inputs["anchor"]) / spread.clamp_min(1e-9), torch.zeros_like(spread)
        )
        c, s = place[..., 2], place[..., 3]
        free = s / (1.0 + c).clamp_min(1e-9)
        one = torch.ones_like(c)
        quarter = torch.where(
            c.abs() >= s.abs(), torch.where(c >= 0, 0.3 * one, -one), torch.where(s >= 0, one, -0.3 * one)
        )
        third = inputs["turning"][..., 1] * quarter + inputs["turning"][..., 2] * free
        return torch.cat([z, third.unsqueeze(2)], dim=2).flatten(1)

    def checks(self, answer: dict[str, Tensor], **inputs: Tensor) -> dict[str, Tensor]:
        """How far each required row is off, in halves of the area's longer side, ``(batch, rows)``."""
        place = answer["place"]
        off = self._off(place[..., :2], place[..., 2:4], **inputs)
        return {"required": off.abs() * inputs["weight"][..., 1]}


def _off(pairs: Tensor, clauses: Tensor, **inputs: Tensor) -> Tensor:
    """Put the values of pairs and clauses into their rows, and return how far each is from its bounds."""
    bounds = inputs["bounds"]
    values = torch.zeros_like(bounds[..., 0]).scatter_add(1, inputs["pair_row"], pairs)
    values = values.scatter_add(1, inputs["clause_row"], clauses)
    return values - torch.minimum(torch.maximum(values, bounds[..., 0]), bounds[..., 1])
