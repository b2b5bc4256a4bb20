from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export import Constant, Probe, Rule, Slot, export


class Lion(Rule):
    """X. Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023."""

    def __init__(self, step_size: float, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        super().__init__()
        self.step_size, self.betas = step_size, betas

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        return {f"{name}.mean": Slot(torch.zeros_like(y), Constant(0.0)) for name, y in state.items()}

    def forward(
        self,
        state: dict[str, Tensor],
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> dict[str, Tensor]:
        following = dict(state)
        for name, slope in gradient.items():
            mean = state[f"{name}.mean"]
            step = self.step_size * torch.sign(torch.lerp(slope, mean, self.betas[0]))
            if step_scale is not None:  # one number a chain; at 0 the chain must not move
                step = step * step_scale.reshape(-1, *(1,) * (slope.dim() - 1))
            following[name] = state[name] - step
            following[f"{name}.mean"] = torch.lerp(slope, mean, self.betas[1])
        return following


report = export(
    lambda y, x: (y - x).square().sum(-1),
    inputs={"x": torch.randn(4, 3)},
    state=torch.zeros(4, 3),
    rule=Lion(0.01),
    unroll=8,
    path="lion.onnx",
)
print(report)
