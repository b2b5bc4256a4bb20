"""The experts of a table: each conditional is the one that its formula says, and held-out cells decide the shares."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from groundstate_training.learning._experts import Experts, _shares
from groundstate_training.learning._factors import Factors
from groundstate_training.learning._features import features, sources
from groundstate_training.learning._neighbours import BINS, Neighbours
from groundstate_training.learning._network import Network, Shape

SHAPE = Shape(3, (2, 3), members=2, width=8, points=((), (-1.0, 0.0, 1.2)))


def table(rows: int = 40, seed: int = 0) -> tuple[Tensor, list[Tensor], Tensor]:
    """Numbers, levels and the mask of known cells."""
    draw = torch.Generator().manual_seed(seed)
    numbers = torch.randn(rows, SHAPE.numbers, generator=draw)
    levels = [
        torch.nn.functional.one_hot(torch.randint(many, (rows,), generator=draw), many).float() for many in SHAPE.levels
    ]
    return numbers, levels, torch.rand(rows, SHAPE.columns, generator=draw) < 0.8


def experts() -> Experts:
    """Experts with random weights."""
    numbers, levels, known = table()
    torch.manual_seed(0)
    network = Network(SHAPE).eval()
    neighbours = Neighbours(SHAPE, numbers, levels, known)
    factors = Factors(SHAPE, features(SHAPE, numbers, levels), known)
    with torch.no_grad():
        for part in (neighbours.metric, neighbours.unknown, factors.rest, factors.shift):
            part.add_(0.3 * torch.randn(part.shape))
    shares = torch.softmax(torch.randn(SHAPE.columns, 3), -1)
    return Experts(network, neighbours, factors, shares)


@given(st.lists(st.booleans(), min_size=5, max_size=5))
@settings(deadline=None, max_examples=25)
def test_factors_condition_a_normal_distribution_on_any_known_columns(shown: list[bool]) -> None:
    numbers, levels, known = table()
    rows = features(SHAPE, numbers, levels)
    factors = Factors(SHAPE, rows, known).double()
    means, variances = factors(rows[:1].double(), torch.tensor([shown]).double())
    own = factors.rest.exp() + 0.003
    scale = torch.outer(factors.spread, factors.spread)
    covariance = (factors.loadings @ factors.loadings.T + own.diag()) * scale
    middle = factors.middle + factors.shift * factors.spread
    seen = torch.tensor([shown[k] for k in sources(SHAPE)])
    for feature in torch.flatten((~seen).nonzero()).tolist():
        a, b = covariance[feature][seen], covariance[seen][:, seen]
        expected = middle[feature] + a @ torch.linalg.solve(b, (rows[0].double() - middle)[seen])
        rest = covariance[feature, feature] - a @ torch.linalg.solve(b, a)
        assert float(means[0, feature].detach()) == pytest.approx(float(expected.detach()), abs=1e-8)
        assert float(variances[0, feature].detach()) == pytest.approx(float(rest.detach()), rel=1e-8)


def test_a_remembered_row_weighs_by_its_distance_over_the_columns_that_both_know() -> None:
    numbers, levels, known = table()
    rows = features(SHAPE, numbers, levels)
    neighbours = Neighbours(SHAPE, numbers, levels, known)
    with torch.no_grad():
        neighbours.metric.copy_(torch.randn(neighbours.metric.shape))
        neighbours.unknown.copy_(torch.randn(neighbours.unknown.shape))
    query, shown = table(seed=1)[0:2], torch.tensor([1.0, 0.0, 1.0, 1.0, 0.0])
    point = features(SHAPE, *query)[0]
    found = neighbours.weights(point[None, None], shown[None, None])[0].exp()
    metric = neighbours.metric.exp() / neighbours.spread
    far = 2 * neighbours.spread * neighbours.unknown.exp()
    for column in range(SHAPE.columns):
        plain = torch.zeros(len(rows))
        for r in range(len(rows)):
            for f, source in enumerate(sources(SHAPE)):
                both = shown[source] * known[r, source].float()
                plain[r] += metric[column, f] * (both * (point[f] - rows[r, f]) ** 2 + (1 - both) * far[column, f])
        weight = torch.exp(-0.5 * (plain - plain.min())) * known[:, column]
        assert torch.allclose(found[column], weight / weight.sum(), atol=1e-5)


def test_the_components_of_a_number_keep_the_mean_and_the_variance_of_the_remembered_values() -> None:
    numbers, levels, known = table(rows=300)
    neighbours = Neighbours(SHAPE, numbers, levels, known)
    weight = torch.softmax(torch.where(known.T, torch.randn(SHAPE.columns, 300), torch.tensor(-1e4)), -1)[None]
    shares, means, widths = (part.detach() for part in neighbours.mixture(weight.log()))
    assert shares.shape[-1] == BINS
    for k in range(SHAPE.numbers):
        mean = float((weight[0, k] * numbers[:, k]).sum())
        assert float((shares[0, k] * means[k]).sum()) == pytest.approx(mean, abs=0.1)
        within = widths[k].square() - neighbours.deviation[k].detach().square()
        variance = float((shares[0, k] * (within + means[k].square())).sum()) - mean**2
        assert variance == pytest.approx(float((weight[0, k] * numbers[:, k].square()).sum()) - mean**2, rel=0.15)


def test_a_value_that_repeats_is_a_component_of_its_own() -> None:
    numbers, levels, known = table(rows=60)
    numbers[:, 0] = torch.tensor([-1.0, 0.25, 2.0]).repeat(20)
    neighbours = Neighbours(SHAPE, numbers, levels, known)
    assert sorted(set(neighbours.centres[0].tolist())) == [-1.0, 0.25, 2.0]


def test_each_column_given_all_others_is_the_same_in_one_pass_as_one_by_one() -> None:
    model = experts()
    numbers, levels, _ = table(rows=4, seed=9)
    mixture, chances = model.others(numbers, levels)
    for k in range(SHAPE.columns):
        shown = torch.ones(4, SHAPE.columns)
        shown[:, k] = 0
        alone, probable = model.given(numbers, levels, shown)
        if k < SHAPE.numbers:
            assert torch.allclose(mixture[:, k], alone[:, k], atol=1e-5)
        else:
            assert torch.allclose(chances[k - SHAPE.numbers], probable[k - SHAPE.numbers], atol=1e-5)


def test_a_remembered_row_is_no_evidence_about_itself() -> None:
    model = experts()
    numbers, levels, known = table()
    row = int(known.all(1).nonzero()[0, 0])
    one = slice(row, row + 1)
    bar = model.neighbours.same(
        features(SHAPE, numbers[one], [level[one] for level in levels])[:, None], torch.ones(1, 1, SHAPE.columns)
    )
    assert float(bar[0, 0, row]) < -1000
    assert float((bar < 0).sum()) < 5


def test_weights_of_a_distribution_add_up_to_one() -> None:
    mixture, chances = experts().given(*table(rows=7, seed=3)[:2], torch.zeros(7, SHAPE.columns))
    assert torch.allclose(mixture[:, :, 0].sum(-1), torch.ones(7, SHAPE.numbers), atol=1e-5)
    assert all(torch.allclose(part.sum(-1), torch.ones(7), atol=1e-5) for part in chances)


def test_the_expert_that_predicts_held_out_cells_gets_the_share() -> None:
    good, bad = torch.full((200, 2), -1.0), torch.full((200, 2), -4.0)
    chances = torch.stack([torch.stack([good[:, 0], bad[:, 0]], -1), torch.stack([bad[:, 1], good[:, 1]], -1)], 1)
    shares = _shares(chances, torch.ones(200, 2, dtype=torch.bool))
    assert float(shares[0, 0]) > 0.9
    assert float(shares[1, 1]) > 0.9
    assert np.allclose(shares.sum(-1), 1.0)
    assert math.isfinite(float(shares.log().sum()))
