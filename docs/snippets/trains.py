"""Train an energy that removes noise from curves nobody described, export it, and use the file as a tool."""

import torch
from torch import Tensor, nn

import groundstate as gs
from groundstate_export import Card, HeavyBall, Normal, export
from groundstate_training import GradientPreset, losses, train


class Energy(nn.Module):
    """Low for curves (batch, 16) that are near the observed one and look like those it was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Linear(32, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))

    def forward(self, curve: Tensor, observed: Tensor) -> Tensor:
        return self.features(torch.cat([curve, observed], 1)).squeeze(1) + (curve - observed).square().sum(1)


def batches(generator: torch.Generator) -> dict[str, Tensor]:
    """Sine waves of any phase and frequency, and what a noisy instrument makes of them."""
    phase, speed = 6.3 * torch.rand(2, 64, 1, generator=generator)
    clean = torch.sin(phase + speed * torch.linspace(0, 1, 16))
    return {"clean": clean, "observed": clean + 0.3 * torch.randn(clean.shape, generator=generator)}


def loss(energy: nn.Module, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    def error(curve: Tensor) -> Tensor:
        return (curve - batch["clean"]).square().mean(1)

    inputs = {"observed": batch["observed"]}
    return {"descent": losses.unrolled(energy, rule, batch["observed"], inputs, error, steps=8)}


torch.manual_seed(0)
rule = HeavyBall(step_size=0.05, momentum=0.8)
energy = train(Energy(), loss, batches, GradientPreset(iterations=150, learning_rate=3e-3))
example = batches(torch.Generator().manual_seed(1))
export(
    energy,
    inputs={"observed": example["observed"]},
    state=example["observed"].clone(),
    initial=Normal(0.0, 0.5),
    rule=rule,
    decode=lambda curve, observed: {"curve": curve},
    unroll=16,
    path="denoise.onnx",
    card=Card(description="Removes noise from 16 samples of a curve."),
)
solution = gs.load("denoise.onnx").solve({"observed": example["observed"][0].tolist()})
noisy, clean = example["observed"][0], example["clean"][0]
cleaned = torch.tensor(solution.answer["curve"])
print(solution.status, f"error {(noisy - clean).square().mean():.3f} -> {(cleaned - clean).square().mean():.3f}")
