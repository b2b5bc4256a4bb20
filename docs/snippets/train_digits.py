"""Train an energy of about 100,000 weights through its own descent: it fills in the missing half of a digit of 8 x 8 pixels."""

import sys

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from torch import Tensor, nn

import groundstate as gs
from groundstate_export import Card, HeavyBall, Normal, export
from groundstate_training import GradientPreset, losses, train

ITERATIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
torch.set_num_threads(1)
digits = torch.tensor(load_digits().images.reshape(-1, 64) / 16, dtype=torch.float32)
order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(0))
learned, held_out = digits[order[:1400]], digits[order[1400:]]


class Energy(nn.Module):
    """Low for pictures (batch, 64) whose known pixels are those given, and whose others look like a digit's."""

    def __init__(self) -> None:
        super().__init__()
        self.context = nn.Sequential(nn.Linear(128, 256), nn.SiLU(), nn.Linear(256, 128))
        self.picture = nn.Linear(64, 128)
        self.joint = nn.Sequential(nn.SiLU(), nn.Linear(128, 192), nn.SiLU(), nn.Linear(192, 1))

    def forward(self, picture: Tensor, known: Tensor, given: Tensor) -> Tensor:
        filled = given * known + (1 - given) * picture
        h = self.picture(filled) + self.context(torch.cat([known * given, given], 1))
        return self.joint(h).squeeze(1) + 0.5 * ((1 - given) * (picture - 0.3)).square().sum(1)


def halves(rows: Tensor, generator: torch.Generator) -> Tensor:
    """Masks of known pixels, (batch, 64): one of the four halves, or the upper one."""
    down, right = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    kinds = torch.stack([down < 4, down >= 4, right < 4, right >= 4]).reshape(4, 64).float()
    return kinds[
        torch.randint(4, (len(rows),), generator=generator) * (torch.rand(len(rows), generator=generator) < 0.5)
    ]


def batches(generator: torch.Generator) -> dict[str, Tensor]:
    """Pictures, the known parts, and random starts."""
    clean = learned[torch.randint(len(learned), (96,), generator=generator)]
    given = halves(clean, generator)
    return {
        "clean": clean,
        "known": clean * given,
        "given": given,
        "start": 0.3 + 0.1 * torch.randn(96, 64, generator=generator),
    }


def loss(energy: nn.Module, batch: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    def error(picture: Tensor) -> Tensor:
        return ((picture - batch["clean"]).square() * (1 - batch["given"])).sum(1)

    inputs = {"known": batch["known"], "given": batch["given"]}
    return {"descent": losses.unrolled(energy, rule, batch["start"], inputs, error, steps=12)}


torch.manual_seed(0)
rule = HeavyBall(step_size=0.2, momentum=0.7)
preset = GradientPreset(iterations=ITERATIONS, learning_rate=2e-3, weight_decay=0.02)
energy = train(Energy(), loss, batches, preset)
upper = (torch.arange(64) < 32).float().expand(len(held_out), -1)
export(
    energy,
    inputs={"known": held_out[:4] * upper[:4], "given": upper[:4]},
    state=torch.full((4, 64), 0.3),
    initial=Normal(0.3, 0.1),
    rule=rule,
    decode=lambda picture, known, given: {"picture": given * known + (1 - given) * picture.clamp(0, 1)},
    unroll=8,
    path="digits.onnx",
    card=Card(description="Fills in missing pixels of a digit of 8 x 8 pixels."),
)
solver = gs.load("digits.onnx")
filled = [
    solver.solve({"known": (one * upper[0]).tolist(), "given": upper[0].tolist()}, alternatives=1).answer["picture"]
    for one in held_out[:100]
]
true = held_out[:100, 32:].numpy()
x, y = learned[:, :32].numpy(), learned[:, 32:].numpy()
peers = {"ridge": Ridge(1.0), "5-NN": KNeighborsRegressor(5)}
errors = {
    name: np.square(peer.fit(x, y).predict(held_out[:100, :32].numpy()) - true).mean() for name, peer in peers.items()
}
errors["energy"] = np.square(np.array(filled)[:, 32:] - true).mean()
print({name: round(float(error), 4) for name, error in errors.items()})
