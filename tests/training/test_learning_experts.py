"""The experts of a table: each conditional is the one that its formula says, and held-out cells decide the shares."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from groundstate_training.learning._energy import OneByOne
from groundstate_training.learning._experts import Experts
from groundstate_training.learning._factors import Factors
from groundstate_training.learning._features import features, sources
from groundstate_training.learning._forest import CUTS, SLOTS, Forest
from groundstate_training.learning._neighbours import BINS, Neighbours
from groundstate_training.learning._network import SMALLEST, Network, Shape
from groundstate_training.learning._stacking import POINTS, Forms, Ruler, by_likelihood, lowest

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
    forest = Forest(SHAPE, features(SHAPE, numbers, levels), neighbours.centres, neighbours.widths)
    for column in range(SHAPE.columns):
        grown(forest, column, numbers, levels)
    early, shares = (torch.softmax(torch.randn(SHAPE.columns, many), -1) for many in (3, 4))
    return Experts(network, neighbours, factors, forest, early, shares)


def grown(forest: Forest, column: int, numbers: Tensor, levels: list[Tensor]) -> Tensor:
    """Grow the trees of a column from complete rows; the component or level of each row."""
    n = SHAPE.numbers
    values = numbers[:, [column]] if column < n else levels[column - n]
    marks = (values - forest.centres[column]).abs().argmin(1) if column < n else values.argmax(1)
    forest.grow(column, features(SHAPE, numbers, levels)[None].numpy(), values.numpy(), marks.numpy())
    return marks


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
    rows = features(SHAPE, numbers, levels).half().float()  # as they are remembered
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


def test_a_leaf_keeps_values_of_the_rows_that_fall_into_it() -> None:
    numbers, levels, known = table(rows=60)
    rows = features(SHAPE, numbers, levels)
    neighbours = Neighbours(SHAPE, numbers, levels, known)
    forest = Forest(SHAPE, rows, neighbours.centres, neighbours.widths)
    for column in (0, 4):
        marks = grown(forest, column, numbers, levels)
        inner = 2**forest.depth - 1
        nodes = torch.zeros(len(rows), forest.trees, dtype=torch.int64)
        for row in range(len(rows)):
            for tree in range(forest.trees):
                node = 0
                while node < inner:
                    at = (column * forest.trees + tree) * inner + node
                    feature, cut = int(forest.features[at]), int(forest.thresholds[at])
                    assert forest.source[feature] != column or cut == CUTS
                    node = 2 * node + 1 + int(rows[row, feature] > forest.cuts[feature, cut])
                nodes[row, tree] = node - inner
        found = forest.found(rows[:, None])[:, column].unflatten(-1, (forest.trees, SLOTS))
        for row, tree in [(0, 0), (7, 1), (31, forest.trees - 1)]:
            together = nodes[:, tree] == nodes[row, tree]
            assert int(together.sum()) >= 2
            assert set(found[row, tree].tolist()) <= set(marks[together].tolist())


def test_a_row_is_completed_by_the_first_experts_before_the_trees_see_it() -> None:
    model = experts()
    numbers, levels, _ = table(rows=3, seed=5)
    shown = torch.tensor([[1.0, 0, 1, 0, 1]]).expand(3, -1)
    first = model.first(numbers, levels, shown)
    rows = model.completed(first, numbers, levels, shown)
    assert torch.equal(rows[:, [0, 2]], numbers[:, [0, 2]])
    means = torch.stack([(weights * means).sum(-1)[:, 1] for weights, means, _ in first[0]], -1)
    assert torch.allclose(rows[:, 1], (means * model.early[1]).sum(-1), atol=1e-5)


def test_the_energy_is_the_networks_likelihood_of_each_column_given_all_others() -> None:
    model = experts()
    numbers, levels, _ = table(rows=4, seed=2)
    alone = OneByOne(model.network)(numbers, levels)
    for k in range(SHAPE.columns):
        shown = torch.ones(4, SHAPE.columns)
        shown[:, k] = 0
        outputs = model.network(numbers, levels, shown, 1)
        if k < SHAPE.numbers:
            weights, means, widths = (part[0, :, k] for part in model.network.mixture(outputs))
            assert float(widths.min()) > SMALLEST
            wide = (widths.square() + 0.25**2).sqrt()
            density = weights + torch.distributions.Normal(means, wide).log_prob(numbers[:, [k]])
            expected = torch.logsumexp(density, -1)
        else:
            place = k - SHAPE.numbers
            expected = (model.network.chances(outputs)[place][0] * levels[place]).sum(-1)
        assert torch.allclose(alone[:, k], expected, atol=1e-4)


def test_the_expert_with_the_best_score_of_held_out_cells_gets_the_share() -> None:
    shape = Shape(2, (), members=1)
    draw = torch.Generator().manual_seed(0)
    numbers = torch.randn(300, 2, generator=draw)

    def expert(sharp: int) -> tuple[Tensor, Tensor, Tensor]:
        """An expert that knows column ``sharp`` and guesses the other."""
        means = torch.where(torch.arange(2) == sharp, numbers, 0.0)[..., None]
        widths = torch.where(torch.arange(2) == sharp, 0.1, 1.0).expand(300, 2)[..., None]
        return torch.ones(300, 2, 1), means, widths

    forms = Forms(shape, [Ruler(POINTS.diff())] * 2, 2)
    forms.add(([expert(0), expert(1)], []), numbers, [], torch.ones(300, 2, dtype=torch.bool))
    shares = forms.shares(torch.full((2, 2), 0.5))
    assert float(shares[0, 0]) > 0.8
    assert float(shares[1, 1]) > 0.8
    assert np.allclose(shares.sum(-1), 1.0)
    likely = by_likelihood([torch.cat(one) for one in forms.logs], 2)
    assert float(likely[0, 0]) > 0.9
    assert math.isfinite(forms.likelihood(shares))


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=10)
def test_the_shares_of_a_form_are_at_its_lowest_point(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    root = torch.rand(1, 3, 3, generator=draw)
    forms, prior = root @ root.mT, torch.full((1, 3), 1.0 / 3.0)
    scale = float(forms.diagonal(dim1=1, dim2=2).mean())

    def worth(share: Tensor) -> float:
        return float(0.5 * share @ forms[0] @ share / scale + 0.05 * (share - prior[0]).square().sum())

    found = lowest(forms, prior)[0]
    others = torch.distributions.Dirichlet(torch.ones(3)).sample((50,))
    assert worth(found) <= min(map(worth, others)) + 1e-4
