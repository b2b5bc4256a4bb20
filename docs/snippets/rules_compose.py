import numpy as np
import torch

import groundstate as gs
from groundstate_export import (
    Best,
    Clipped,
    Descent,
    GradientDescent,
    Projected,
    Rejecting,
    Schedule,
    Simplex,
    Uniform,
    export,
)


def energy(y: torch.Tensor, returns: torch.Tensor) -> dict[str, torch.Tensor]:
    """Shares y (batch, 4) of four assets: high return, spread over several."""
    return {"return": -(y * returns).sum(-1), "spread": y.square().sum(-1)}


moving = GradientDescent(Schedule.cosine(0.8, 0.2, steps=64))
rule = Best(Rejecting(Projected(Clipped(moving, norm=10.0), Simplex()), shrink=0.5))

# In PyTorch: autograd and the rule, step by step, differentiable.
returns = torch.tensor([[1.0, 0.8, 0.1, -0.5]])
descent = Descent(energy, rule, {"returns": returns})
state = descent.start(torch.full((1, 4), 0.25))
for _ in range(64):
    state, _ = descent.step(state)
print("PyTorch", descent.read(state).point["y"].detach().numpy().round(3))

# In a file: the same rule, unrolled.
torch.manual_seed(0)
export(
    energy,
    inputs={"returns": torch.randn(5, 4)},
    state=torch.rand(5, 4),
    initial=Uniform(0.0, 1.0),
    rule=rule,
    unroll=16,
    path="shares.onnx",
    decode=lambda y, returns: {"shares": y},
)
out = gs.load("shares.onnx").minimise({"returns": returns.numpy()}, steps=64)
print("file", np.round(out["answer.shares"], 3), "residual", out["residual"] < 1e-3)
