"""Learn where points rest, export the energy, solve with it."""

import torch

import groundstate as gs
from groundstate_export import Accept, Card, GradientDescent, export
from groundstate_training import GradientPreset, losses, train


class Bowl(torch.nn.Module):
    """A quadratic energy around a learned linear image of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.image = torch.nn.Linear(3, 2)

    def forward(self, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * (y - self.image(x)).square().sum(-1)


TRUE = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
rule = GradientDescent(0.3)


def batch(generator: torch.Generator) -> dict[str, torch.Tensor]:
    x = torch.randn(64, 3, generator=generator)
    return {"x": x, "y": x @ TRUE}


def loss(energy: torch.nn.Module, batch: dict[str, torch.Tensor], generator: torch.Generator) -> torch.Tensor:
    start = torch.randn(batch["y"].shape, generator=generator)
    return losses.unrolled(
        energy,
        rule,
        start,
        {"x": batch["x"]},
        lambda y: (y - batch["y"]).square().sum(-1),
        steps=4,
        without_gradient=16,
    )


energy = train(Bowl(), loss, batch, GradientPreset(iterations=400, learning_rate=0.02))
export(
    energy, inputs={"x": torch.randn(4, 3)}, state=torch.zeros(4, 2), rule=rule, unroll=8, path="rests.onnx",
    accept=Accept(checks="none", converged=True), card=Card(name="rests", defaults={"residual_tolerance": 1e-2}),
)  # fmt: skip
solution = gs.load("rests.onnx").solve({"x": [1.0, 2.0, 3.0]})
print(solution.status, [round(number, 1) for number in solution.answer["y"]])
