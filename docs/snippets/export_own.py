import torch

import groundstate as gs
from groundstate_export import HeavyBall, export


def energy(y: torch.Tensor, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Three points (batch, 3, 2): near the anchors x, at distance one from each other."""
    apart = (y - y.roll(1, dims=1)).square().sum(-1)
    return {"anchors": (y - x).square().flatten(1).sum(1), "spacing": (apart - 1).square().sum(1)}


report = export(
    energy,
    inputs={"x": torch.randn(4, 3, 2)},
    state=torch.zeros(4, 3, 2),
    rule=HeavyBall(step_size=0.02, momentum=0.8),
    unroll=32,
    path="points.onnx",
)
print(report)
out = gs.load("points.onnx").minimise({"x": torch.randn(1, 3, 2).numpy()}, steps=128)
print(out["trace"][0, 0], "→", out["energy"][0])
