"""The energy: its Jacobian, the rows in PyTorch and in numpy, and the finish."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from groundstate_models.layout.energy import LayoutEnergy
from groundstate_models.layout.families import packed, room, system
from groundstate_models.layout.finish import Finisher
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.quadratic import least_move
from groundstate_models.layout.request import read
from groundstate_models.layout.rows import Body, Pair, Part, System
from groundstate_models.layout.shapes import Convex, box, distance
from groundstate_models.layout.tensors import needed, tensors

SIZES = (6, 8, 14, 20, 9, 24)


@pytest.mark.parametrize("seed", range(4))
def test_the_jacobian_is_the_derivative_of_the_residuals(seed: int) -> None:
    draw = np.random.default_rng(seed)
    inputs = {name: torch.as_tensor(v)[None] for name, v in tensors(system(draw, SIZES), SIZES).items()}
    energy = LayoutEnergy()
    y = torch.as_tensor(draw.standard_normal((1, 18)))
    rows, jacobian = energy.linearised(y, **inputs)
    assert torch.equal(rows, energy.residuals(y, **inputs))
    step = 1e-6
    for k in range(18):
        shift = torch.zeros_like(y)
        shift[0, k] = step
        slope = (energy.residuals(y + shift, **inputs) - energy.residuals(y - shift, **inputs)) / (2 * step)
        assert slope[0].numpy() == pytest.approx(jacobian[0, :, k].numpy(), abs=1e-6)


def test_padding_has_no_effect() -> None:
    draw = np.random.default_rng(3)
    made = system(draw, SIZES)
    energy = LayoutEnergy()
    small = {name: torch.as_tensor(v)[None] for name, v in tensors(made, needed(made)).items()}
    large = {name: torch.as_tensor(v)[None] for name, v in tensors(made).items()}
    y = torch.as_tensor(draw.standard_normal((1, 18)))
    padded = torch.zeros(1, 3 * large["anchor"].shape[1], dtype=torch.float64)
    padded[:, :18] = y
    for term, value in energy(y, **small).items():
        assert float(energy(padded, **large)[term][0]) == pytest.approx(float(value[0]), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_the_finish_measures_what_the_energy_measures(seed: int) -> None:
    draw = np.random.default_rng(10 + seed)
    made = system(draw, SIZES)
    energy, finisher = LayoutEnergy(), Finisher(made)
    inputs = {name: torch.as_tensor(v)[None] for name, v in tensors(made, needed(made)).items()}
    y = torch.as_tensor(draw.standard_normal((1, 18)))
    centre, front, _ = energy.placed(y, **inputs)
    violation, _ = finisher.linear(centre[0].numpy(), front[0].numpy())
    off = energy.off(y, **inputs).abs()[0].numpy()[: len(violation)]
    # Two circles apart, or corners, may be closer to the finish's best axis: its distances are exact.
    boxes = [k for k in range(len(violation)) if k >= finisher.pairs]
    assert violation[boxes] == pytest.approx(off[boxes], abs=1e-9)


def two(turning: str, one: Convex, other: Convex) -> System:
    made = System([Body((0.0, 0.0), 0.0, "none", 0.0)], [Part(0, Convex(((0.0, 0.0),)))])
    for k, shape in enumerate((one, other), start=1):
        made.bodies.append(Body((0.0, 0.0), 0.5, turning, 0.0))
        made.parts.append(Part(k, shape))
    made.pairs.append(Pair(1, 2, 0.0, source=-1))
    return made


@pytest.mark.parametrize("seed", range(5))
def test_rows_at_fixed_turns_are_the_rows_at_any_turns(seed: int) -> None:
    draw = np.random.default_rng(seed)
    shapes = {
        "a": {"diameter": 20},
        "b": {"size": [20, 30], "turn": 30},
        "c": {"polygon": [[0, 0], [20, 0], [0, 30]]},
        "d": {"polygon": [[0, 0], [20, 0], [20, 10], [10, 10], [10, 30], [0, 30]]},
    }
    mixed = {
        "area": [100, 80],
        "items": shapes,
        "relations": ["a near b", "c left of d", "a facing c", "a within 50 of d"],
    }
    for request in (room(draw), packed(draw, 7, 0.4), mixed):
        finisher = Lowering(read(request)).finisher
        n = finisher.count
        front = np.array([[math.cos(body.angle), math.sin(body.angle)] for body in finisher.system.bodies])
        centre = draw.uniform(-1, 1, (n, 2))
        forced = {int(draw.integers(finisher.pairs)): way for way in range(4)}
        finisher.forced = forced
        parts = finisher._parts(centre, front)
        fixed = finisher._fixed(front)
        places = np.arange(3 * n) % 3 < 2
        for one, other in (
            (finisher._pairs(parts, 3 * n), fixed.pairs(centre, forced)),
            (finisher._atoms(parts, front, 3 * n), fixed.atoms(centre)),
        ):
            np.testing.assert_allclose(one[0], other[0], atol=1e-12)
            np.testing.assert_allclose(one[1][:, places], other[1][:, places], atol=1e-9)
        for row, way in forced.items():
            apart = finisher.apart(centre, front, row)
            assert apart[way] == pytest.approx(fixed.pairs(centre, {row: way})[0][row])


@pytest.mark.parametrize("turning", ["none", "free"])
def test_the_finish_separates_what_overlaps_and_moves_little(turning: str) -> None:
    finisher = Finisher(two(turning, box(0.4, 0.4), box(0.4, 0.2)))
    centre = np.array([[0.0, 0.0], [0.0, 0.0], [0.3, 0.0]])
    front = np.tile([1.0, 0.0], (3, 1))
    places, fronts, worst = finisher.finished(centre, front)
    assert worst < 1e-8
    one, other = (
        shape.moved((places[k, 0], places[k, 1]), math.atan2(fronts[k, 1], fronts[k, 0]))
        for k, shape in ((1, box(0.4, 0.4)), (2, box(0.4, 0.2)))
    )
    assert distance(one, other) >= 0
    assert np.abs(places - centre).max() < 0.1


def test_the_least_move_satisfies_the_rows_and_is_the_least() -> None:
    draw = np.random.default_rng(0)
    for _ in range(20):
        slopes, point = draw.standard_normal((6, 4)), draw.standard_normal(4)
        least = slopes @ point - draw.uniform(0, 1, 6)  # the point satisfies them
        equal = np.zeros(6, bool)
        move, multiplier = least_move(slopes, least, equal, np.zeros(6))
        assert (slopes @ move >= least - 1e-7).all()
        assert (multiplier >= 0).all()
        assert np.linalg.norm(move) <= np.linalg.norm(point) + 1e-9
        assert (np.abs((slopes @ move - least) * multiplier) < 1e-6).all()
