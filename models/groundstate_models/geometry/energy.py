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
    "open": ("unknowns",),
    "free": ("places",),
    "fixed": ("places",),
    "alias": ("places",),
    "kind": ("measures", None),  # type: ignore[dict-item]  # an axis without a name keeps its length
    "ends": ("measures", None),  # type: ignore[dict-item]
    "depth": ("measures", None),  # type: ignore[dict-item]
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

LEAST_SQUARE = 1e-32
"""Added to the square of a cross product, so that the gradient of its size is finite for vectors of one line."""

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

    def places(self, state: Tensor, **inputs: Tensor) -> Tensor:
        """Coordinates, scalars and constants, ``(batch, places)``: unknowns with a factor and an offset."""
        return state.gather(1, inputs["alias"]) * inputs["free"] + inputs["fixed"]

    def values(self, state: Tensor, **inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Measures ``(batch, M)``, their derivatives by u and w ``(batch, M, 6)``, places of coordinates ``(batch, M, 12)``."""
        known = self.places(state, **inputs)
        ends, depth, kind = inputs["ends"], inputs["depth"], inputs["kind"]

        def vectors(places: Tensor) -> tuple[Tensor, Tensor]:
            at = known.gather(1, places.flatten(1)).view(places.shape)
            return at[:, :, 1] - at[:, :, 0], at[:, :, 3] - at[:, :, 2]

        (ux, wx), (uy, wy), (uz, wz) = vectors(ends), vectors(ends + 1), vectors(depth)
        u2, w2 = ux * ux + uy * uy + uz * uz + TINY, wx * wx + wy * wy + wz * wz + TINY
        u, uw = u2.sqrt(), (u2 * w2).sqrt()
        dot, cross = ux * wx + uy * wy + uz * wz, ux * wy - uy * wx
        # The cross product in space, its size and its direction n; in the plane that is up or down.
        cx, cy = uy * wz - uz * wy, uz * wx - ux * wz
        across = (cx * cx + cy * cy + cross * cross + LEAST_SQUARE).sqrt()
        nx, ny, nz = cx / across, cy / across, cross / across
        cosine, sine, height, reach = dot / uw, cross / uw, cross / u, across / u
        angle = angle_of(across / uw, cosine)
        value = torch.stack([u, dot, cross, cosine, sine, height, angle, across, reach, ux], dim=2)
        zero, one = torch.zeros_like(u), torch.ones_like(u)
        # By (ux, uy, uz, wx, wy, wz): of the lengths, of the turn in the plane, of the products, and of ux itself.
        d_u = torch.stack([ux / u2, uy / u2, uz / u2, zero, zero, zero], dim=2)
        d_w = torch.stack([zero, zero, zero, wx / w2, wy / w2, wz / w2], dim=2)
        d_turn = torch.stack([uy / u2, -ux / u2, zero, -wy / w2, wx / w2, zero], dim=2)
        d_dot = torch.stack([wx, wy, wz, ux, uy, uz], dim=2)
        d_cross = torch.stack([wy, -wx, zero, -uy, ux, zero], dim=2)
        d_across = torch.stack(
            [
                wy * nz - wz * ny, wz * nx - wx * nz, wx * ny - wy * nx,
                ny * uz - nz * uy, nz * ux - nx * uz, nx * uy - ny * ux,
            ],
            dim=2,
        )  # fmt: skip
        d_value = torch.stack([one, zero, zero, zero, zero, zero], dim=2)
        k = [kind[:, :, n] for n in range(KINDS)]
        by_u = k[0] * u - k[3] * cosine - k[5] * height - k[8] * reach
        by_dot = k[1] + k[3] / uw - k[6] * across / (u2 * w2)
        by_cross = k[2] + k[5] / u
        by_across = k[7] + k[8] / u + k[6] * dot / (u2 * w2)
        slope = (
            by_u.unsqueeze(2) * d_u
            - (k[3] * cosine).unsqueeze(2) * d_w
            + (k[4] * cosine).unsqueeze(2) * d_turn
            + by_dot.unsqueeze(2) * d_dot
            + by_cross.unsqueeze(2) * d_cross
            + by_across.unsqueeze(2) * d_across
            + k[9].unsqueeze(2) * d_value
        )
        places = torch.stack([ends, ends + 1, depth], dim=3).flatten(2)
        return (value * kind).sum(2), slope, places

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
        measures, slope, places = self.values(state, **inputs)
        sums = self.sums(measures, **inputs)
        off = (inputs["least"] > 0) & (sums >= 0)
        u, w = slope[:, :, :3], slope[:, :, 3:]
        # The slope of each coordinate of the four points: −u, u, −w, w.
        change = torch.cat([-u, u, -w, w], dim=2)
        unknown = inputs["alias"].gather(1, places.flatten(1)).view(change.shape)
        factor = inputs["free"].gather(1, places.flatten(1)).view(change.shape)
        blank = torch.zeros_like(measures.unsqueeze(2) * state.unsqueeze(1))
        by_unknown = blank.scatter_add(2, unknown, change * factor)
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
        return (felt + 1e-12) / (felt.amax(1, keepdim=True) + 1e-12) * inputs["open"]

    def decode(self, state: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """The unknowns, ``{"values": (batch, unknowns)}``."""
        return {"values": state * inputs["open"]}

    def encode_answer(self, answer: dict[str, Tensor], **inputs: Tensor) -> Tensor:
        return answer["values"] * inputs["open"]

    def checks(self, answer: dict[str, Tensor], **inputs: Tensor) -> dict[str, Tensor]:
        """The violation of each row relative to its scale, ``(batch, rows)``."""
        return {"constraints": self.residuals(answer["values"], **inputs).abs()}
