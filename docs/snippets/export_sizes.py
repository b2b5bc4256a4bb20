"""Colour any map: one file for any number of countries, borders and colours."""

import torch

import groundstate as gs
from groundstate_export import HeavyBall, export

Tensors = dict[str, torch.Tensor]


def ends(of: torch.Tensor, border: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Values of both ends of each border, (batch, borders, n) each, from all countries (batch, countries, n)."""
    one, other = (of.gather(1, border[..., side : side + 1].expand(-1, -1, of.shape[2])) for side in (0, 1))
    return one, other


def energy(y: torch.Tensor, border: torch.Tensor, liked: torch.Tensor) -> Tensors:
    """Logits ``y`` (batch, countries, colours); pairs of neighbours in ``border`` (batch, borders, 2) should differ."""
    colour = y.softmax(2)
    one, other = ends(colour, border)
    return {
        "borders": (one * other).sum((1, 2)),
        "liked": -0.1 * (liked * colour).mean((1, 2)),
        "undecided": 0.3 * (colour * (1 - colour)).sum((1, 2)),
    }


def conflicts(answer: Tensors, border: torch.Tensor, liked: torch.Tensor) -> Tensors:
    one, other = ends(answer["colour"].unsqueeze(2), border)
    return {"borders": (one == other).sum((1, 2))}


def example(countries: int, colours: int, borders: int) -> tuple[Tensors, torch.Tensor]:
    border = torch.randint(countries, (4, borders, 2))
    return {"border": border, "liked": torch.rand(4, countries, colours)}, torch.randn(4, countries, colours)


(inputs, state), *resized = (example(*sizes) for sizes in ((5, 3, 11), (7, 2, 13), (4, 6, 8)))
report = export(
    energy,
    inputs=inputs,
    state=state,
    axes={"border": ("borders", None), "liked": ("countries", "colours")},
    resized=resized,
    rule=HeavyBall(step_size=0.5, momentum=0.8),
    unroll=16,
    path="maps.onnx",
    decode=lambda y, border, liked: {"colour": y.argmax(2)},
    checks=conflicts,
)
print(report)

solver = gs.load("maps.onnx")
ring = [[n, (n + 1) % 20] for n in range(20)]
print(solver.solve({"border": ring, "liked": [[1, 0, 0]] * 20}).status)
print(solver.solve({"border": [[0, 1], [0, 2], [0, 3]], "liked": [[1, 0]] * 4}).answer)
