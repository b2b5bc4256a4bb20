import torch
from torch import Tensor, nn

from groundstate_export import Card, HeavyBall, export
from groundstate_training import GradientPreset, losses, train
from langchain_groundstate import EnergyTool


class Energy(nn.Module):  # low for clean curves (batch, 16) that are near the noisy ones
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(32, 64), nn.SiLU(), nn.Linear(64, 1))

    def forward(self, curve: Tensor, noisy: Tensor) -> Tensor:
        return self.net(torch.cat([curve, noisy], 1)).squeeze(1) + (curve - noisy).square().sum(1)


def batches(draw: torch.Generator) -> dict[str, Tensor]:
    phase, speed = 6.3 * torch.rand(2, 64, 1, generator=draw)
    clean = torch.sin(phase + speed * torch.linspace(0, 1, 16))
    return {"clean": clean, "noisy": clean + 0.3 * torch.randn(64, 16, generator=draw)}


def loss(energy: nn.Module, batch: dict[str, Tensor], draw: torch.Generator) -> Tensor:
    noisy, clean = batch["noisy"], batch["clean"]
    return losses.unrolled(energy, rule, noisy, {"noisy": noisy}, lambda y: (y - clean).square().mean(1), steps=8)


rule = HeavyBall(step_size=0.05, momentum=0.8)
energy = train(Energy(), loss, batches, GradientPreset(iterations=150, learning_rate=3e-3))
noisy = batches(torch.Generator())["noisy"]
card = Card(description="Removes noise from 16 samples of a curve.")
export(energy, inputs={"noisy": noisy}, state=noisy.clone(), rule=rule, unroll=16, path="denoise.onnx", card=card)
tool = EnergyTool("denoise.onnx")
print(tool.name, tool.invoke({"noisy": noisy[0].tolist()}))
