"""Colour a map: an energy in plain PyTorch becomes a tool for a language model."""

import torch

from groundstate_export import Card, HeavyBall, export
from langchain_groundstate import EnergyTool


def energy(y: torch.Tensor, borders: torch.Tensor) -> dict[str, torch.Tensor]:
    """Six countries, three colours (batch, 6, 3): neighbours in ``borders`` (batch, 6, 6) should differ."""
    colour = y.softmax(-1)
    clash = torch.einsum("bic,bjc,bij->b", colour, colour, borders.float())
    return {"borders": clash, "undecided": 0.3 * (colour * (1 - colour)).sum((1, 2))}


def conflicts(answer: dict[str, torch.Tensor], borders: torch.Tensor) -> dict[str, torch.Tensor]:
    same = answer["colour"].unsqueeze(1) == answer["colour"].unsqueeze(2)
    return {"borders": (same & (borders > 0)).sum((1, 2)) // 2}


ring = torch.roll(torch.eye(6, dtype=torch.int64), 1, dims=0)
export(
    energy,
    inputs={"borders": (ring + ring.T).repeat(4, 1, 1)},
    state=torch.randn(4, 6, 3),
    rule=HeavyBall(step_size=0.5, momentum=0.8),
    unroll=16,
    path="colours.onnx",
    decode=lambda y, borders: {"colour": y.argmax(-1)},
    checks=conflicts,
    card=Card(description="Colours six countries so that neighbours differ. `borders[i][j]` is 1 where two share one."),
)

tool = EnergyTool.from_model("colours.onnx", alternatives=1)  # any colouring will do
print(tool.invoke({"borders": (ring + ring.T).tolist()}))
