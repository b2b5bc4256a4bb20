"""Fit a circle to points with an energy of your own, to eleven digits."""

import math

import torch

from groundstate_export import Descent, LevenbergMarquardt


def residuals(state, points):
    """How far each point is from the circle (x, y, r): ``(batch, points)``."""
    return torch.linalg.vector_norm(points - state[:, None, :2], dim=2) - state[:, None, 2]


def energy(state, points):
    return 0.5 * residuals(state, points).square().sum(1)


turns = torch.linspace(0, 2 * math.pi, 12, dtype=torch.float64)
points = torch.stack([3 + 2 * turns.cos(), 1 + 2 * turns.sin()], dim=1)[None]
descent = Descent(energy, LevenbergMarquardt(residuals), {"points": points})
with torch.no_grad():
    state = descent.start(torch.tensor([[0.5, 0.0, 1.0]], dtype=torch.float64))
    for _ in range(12):
        state, _ = descent.step(state)
print([round(value, 9) for value in state["y"][0].tolist()])  # [3.0, 1.0, 2.0]
