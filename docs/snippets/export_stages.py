"""Place four points so that given distances hold: a search in float32, then a finish in float64, checked to a micrometre."""

import torch

import groundstate as gs
from groundstate_export import Adam, Card, Check, Decoded, GradientDescent, Stage, Until, export


def gaps(place: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Errors of the six distances (batch, 6) in millimetres, for points (batch, 4, 2)."""
    one, other = torch.triu_indices(4, 4, 1)
    return (place[:, one] - place[:, other]).square().sum(2).add(1e-12).sqrt() - wanted


def energy(place: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return gaps(place, wanted.to(place.dtype)).square().sum(1)


search = Stage(
    energy=energy,
    state=torch.randn(3, 4, 2),
    rule=Adam(0.05),
    unroll=16,
    decode=lambda place, wanted: {"place": place},
    until=Until(residual=1e-2, max_steps=512),
)
export(
    energy,
    stages=[search],
    inputs={"wanted": torch.tensor([[3.0, 5.0, 4.0, 4.0, 5.0, 3.0]]).repeat(3, 1)},
    state=torch.randn(3, 4, 2).double(),
    initial=Decoded("place"),
    rule=GradientDescent(0.1),
    unroll=16,
    path="points.onnx",
    decode=lambda place, wanted: {"place": place},
    checks=lambda answer, wanted: {"distances": gaps(answer["place"], wanted.double()).abs()},
    card=Card(checks={"distances": Check("Every distance is as wanted.", tolerance=1e-3, unit="mm")}),
)

solution = gs.load("points.onnx").solve({"wanted": [3, 5, 4, 4, 5, 3]}, seed=0)
print(solution.status)
print(solution.answer["place"])
