"""The energy of a figure: half the sum of the squares of its rows, with residuals and Jacobian for Levenberg–Marquardt.

The same formulas as `system`, in PyTorch and float64, over index tensors: one exported file takes any number of points, measures,
rows and edges. ONNX Runtime has no float64 sine or arctangent, so directions are cross and dot products over
lengths. A series computes the one angle that is needed as a number.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from groundstate_models.geometry.system import TINY

AXES: dict[str, tuple[str, ...]] = {
    "free": ("unknowns",),
    "fixed": ("unknowns",),
    "kind": ("measures", None),  # type: ignore[dict-item]  # an axis without a name keeps its length
    "ends": ("measures", None),  # type: ignore[dict-item]
    "first": ("edges",),
    "second": ("edges",),
    "row": ("edges",),
    "into_first": ("edges",),
    "into_second": ("edges",),
    "coefficient": ("edges",),
    "constant": ("rows",),
    "least": ("rows",),
}
"""The axes of the inputs after the batch."""

KINDS = 10
"""Kinds of measure: those of `system.MEASURES`, then the value of an unknown itself."""

_SERIES = [(-1.0) ** k / (2 * k + 1) for k in range(12)]


def angle_of(sine: Tensor, cosine: Tensor) -> Tensor:
    """The angle in [0, π] from a non-negative sine and a cosine, to 1e-15.

    Two halvings bring the tangent of a quarter of the acute angle below 0.2, where twelve terms of the series of the
    arctangent are enough.
    """
    tangent = sine / (1.0 + cosine.abs())
    for _ in range(2):
        tangent = tangent / (1.0 + (1.0 + tangent * tangent).sqrt())
    square = tangent * tangent
    value = torch.full_like(square, _SERIES[-1])
    for coefficient in reversed(_SERIES[:-1]):
        value = value * square + coefficient
    acute = 8.0 * tangent * value
    return torch.where(cosine >= 0, acute, math.pi - acute)


class GeometryEnergy(nn.Module):
    """``energy(y, **inputs) -> {"equations": …, "inequalities": …}``, ``(batch,)`` float64; the state is ``(batch, unknowns)``.

    `tensors.tensors` describes the inputs.
    """

    def forward(self, state: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        squares = 0.5 * self.residuals(state, **inputs).square()
        least = inputs["least"]
        return {"equations": (squares * (1.0 - least)).sum(1), "inequalities": (squares * least).sum(1)}

    def values(self, state: Tensor, **inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Measures ``(batch, M)``, their derivatives by u and w ``(batch, M, 4)``, and the places of both points' coordinates."""
        known = state * inputs["free"] + inputs["fixed"]
        ends, kind = inputs["ends"], inputs["kind"]
        xs = known.gather(1, ends.flatten(1)).view(ends.shape)
        ys = known.gather(1, (ends + 1).flatten(1)).view(ends.shape)
        ux, uy, wx, wy = (
            v[:, :, k + 1] - v[:, :, k] for v, k in ((xs, 0), (ys, 0), (xs, 2), (ys, 2))
        )  # fmt: skip
        u2, w2 = ux * ux + uy * uy + TINY, wx * wx + wy * wy + TINY
        u, uw = u2.sqrt(), (u2 * w2).sqrt()
        dot, cross = ux * wx + uy * wy, ux * wy - uy * wx
        cosine, sine, height = dot / uw, cross / uw, cross / u
        sign = torch.where(cross < 0, -torch.ones_like(cross), torch.ones_like(cross))
        angle = angle_of(sine.abs(), cosine)
        value = torch.stack([u, dot, cross, cosine, sine, height, angle, cross.abs(), height.abs(), ux], dim=2)
        zero, one = torch.zeros_like(u), torch.ones_like(u)
        # By (ux, uy, wx, wy): of the length, of a turn of u, of a turn of w, of the products, and of ux itself.
        d_length = torch.stack([ux / u, uy / u, zero, zero], dim=2)
        d_turn = torch.stack([uy / u2, -ux / u2, -wy / w2, wx / w2], dim=2)
        d_dot = torch.stack([wx, wy, ux, uy], dim=2)
        d_cross = torch.stack([wy, -wx, -uy, ux], dim=2)
        d_value = torch.stack([one, zero, zero, zero], dim=2)
        over_u, size = 1.0 / u, height / u
        k = [kind[:, :, n] for n in range(KINDS)]
        by_length = k[0] - (k[5] + k[8] * sign) * size
        by_cross = k[2] + k[7] * sign + (k[5] + k[8] * sign) * over_u
        by_turn = -k[3] * sine + k[4] * cosine + k[6] * sign
        slope = (
            by_length.unsqueeze(2) * d_length
            + by_turn.unsqueeze(2) * d_turn
            + k[1].unsqueeze(2) * d_dot
            + by_cross.unsqueeze(2) * d_cross
            + k[9].unsqueeze(2) * d_value
        )
        return (value * kind).sum(2), slope, ends

    def sums(self, measures: Tensor, **inputs: Tensor) -> Tensor:
        edges = inputs["coefficient"] * measures.gather(1, inputs["first"]) * measures.gather(1, inputs["second"])
        return torch.zeros_like(inputs["constant"]).scatter_add(1, inputs["row"], edges) + inputs["constant"]

    def residuals(self, state: Tensor, **inputs: Tensor) -> Tensor:
        """Residuals, ``(batch, rows)``."""
        measures, _, _ = self.values(state, **inputs)
        sums = self.sums(measures, **inputs)
        return torch.where(inputs["least"] > 0, sums.clamp_max(0.0), sums)

    def linearised(self, state: Tensor, **inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Residuals ``(batch, rows)`` and their Jacobian ``(batch, rows, unknowns)``."""
        measures, slope, ends = self.values(state, **inputs)
        sums = self.sums(measures, **inputs)
        off = (inputs["least"] > 0) & (sums >= 0)
        u, w = slope[:, :, :2], slope[:, :, 2:]
        # The slope of each coordinate of the four points: −u, u, −w, w.
        change = torch.cat([-u, u, -w, w], dim=2)
        places = torch.stack([ends, ends + 1], dim=3).flatten(2)
        blank = torch.zeros_like(measures.unsqueeze(2) * state.unsqueeze(1))
        by_unknown = blank.scatter_add(2, places, change) * inputs["free"].unsqueeze(1)
        a, b = measures.gather(1, inputs["first"]), measures.gather(1, inputs["second"])
        empty = torch.zeros_like(inputs["constant"].unsqueeze(2) * measures.unsqueeze(1)).flatten(1)
        by_measure = empty.scatter_add(1, inputs["into_first"], inputs["coefficient"] * b)
        by_measure = by_measure.scatter_add(1, inputs["into_second"], inputs["coefficient"] * a)
        by_measure = by_measure.view(measures.shape[0], sums.shape[1], measures.shape[1])
        on = 1.0 - off.to(sums.dtype)
        return sums * on, (by_measure @ by_unknown) * on.unsqueeze(2)

    def heat(self, state: Tensor, **inputs: Tensor) -> Tensor:
        """The share of each unknown in the violation: the squares of its rows, over the largest, ``(batch, unknowns)``."""
        r, jacobian = self.linearised(state, **inputs)
        touched = (jacobian.abs() > 1e-9).to(r.dtype)
        felt = (r.square().unsqueeze(1) @ touched).squeeze(1)
        return (felt + 1e-12) / (felt.amax(1, keepdim=True) + 1e-12)

    def decode(self, state: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """The unknowns and constants, ``{"values": (batch, unknowns)}``."""
        return {"values": state * inputs["free"] + inputs["fixed"]}

    def encode_answer(self, answer: dict[str, Tensor], **inputs: Tensor) -> Tensor:
        return answer["values"] * inputs["free"]

    def checks(self, answer: dict[str, Tensor], **inputs: Tensor) -> dict[str, Tensor]:
        """The violation of each row relative to its scale, ``(batch, rows)``."""
        return {"constraints": self.residuals(answer["values"], **inputs).abs()}
