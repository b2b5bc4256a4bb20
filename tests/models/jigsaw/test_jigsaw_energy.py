import numpy as np
import pytest

torch = pytest.importorskip("torch")

from groundstate_models.jigsaw.energy import LANDSCAPES, LayoutEnergy, compound, rotated  # noqa: E402
from groundstate_models.jigsaw.export import example, state  # noqa: E402


def inputs_of(rows, columns):
    """The true seams of a grid of upright pieces, batch of one."""
    index = torch.arange(rows * columns).view(rows, columns)
    first = torch.cat([index[:, :-1].flatten(), index[:-1].flatten()])
    second = torch.cat([index[:, 1:].flatten(), index[1:].flatten()])
    across = torch.tensor([[0.0, 1.0]]).repeat(rows * (columns - 1), 1)
    down = torch.tensor([[1.0, 0.0]]).repeat((rows - 1) * columns, 1)
    pieces = rows * columns
    found = {
        "first": first,
        "second": second,
        "offset": torch.cat([across, down]),
        "turned": torch.tensor([[1.0, 0.0]]).repeat(len(first), 1),
        "weight": torch.ones(len(first)),
        "free": torch.zeros(pieces),
        "row": torch.arange(rows).float(),
        "column": torch.arange(columns).float(),
        "fill": torch.ones(1),
        "pin": torch.zeros(pieces),
        "pinned": torch.zeros(pieces, 2),
    }
    place = torch.stack([index.flatten() // columns, index.flatten() % columns], dim=1).float()
    at = {
        "place": place[None],
        "heading": torch.tensor([[1.0, 0.0]]).repeat(1, pieces, 1),
        "clock": torch.zeros(1, 1),
        "lean": torch.zeros(1, 2),
    }
    return {name: tensor[None] for name, tensor in found.items()}, at


def test_the_true_layout_costs_nothing_and_two_exchanged_pieces_cost_something():
    inputs, at = inputs_of(3, 4)
    energy = LayoutEnergy()
    last = torch.tensor([LANDSCAPES - 1])
    assert sum(energy(at, landscape=last, **inputs).values()).item() == pytest.approx(0, abs=1e-4)
    place = at["place"].clone()
    place[0, [0, 11]] = place[0, [11, 0]]
    terms = energy({**at, "place": place}, landscape=last, **inputs)
    assert terms["seams"].item() > 0.1
    assert terms["cover"].item() == pytest.approx(0, abs=1e-4)


def test_two_pieces_in_one_place_repel_each_other():
    inputs, at = inputs_of(3, 4)
    place = at["place"].clone()
    place[0, 1] = place[0, 0] + torch.tensor([0.0, 0.1])
    terms = LayoutEnergy()({**at, "place": place}, landscape=torch.tensor([LANDSCAPES - 1]), **inputs)
    assert terms["cover"].item() > 0.01


def test_a_quarter_turn_moves_the_right_neighbour_below():
    quarter = torch.tensor([0.0, 1.0])
    assert torch.allclose(rotated(torch.tensor([0.0, 1.0]), quarter), torch.tensor([1.0, 0.0]))
    assert torch.allclose(compound(quarter, quarter), torch.tensor([-1.0, 0.0]))


def test_rows_of_a_batch_do_not_touch_each_other():
    inputs, at = example(5, 3, 7, 13), state(5)
    energy, landscape = LayoutEnergy(), torch.arange(16) % LANDSCAPES
    whole = sum(energy(at, landscape=landscape, **inputs).values())
    one = sum(
        energy(
            {name: tensor[3:4] for name, tensor in at.items()},
            landscape=landscape[3:4],
            **{name: tensor[3:4] for name, tensor in inputs.items()},
        ).values()
    )
    assert np.isclose(whole[3].item(), one.item(), rtol=1e-5)
