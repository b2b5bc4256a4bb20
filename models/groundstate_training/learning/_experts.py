"""The belief about a column: four experts together, each with the share that held-out cells give it.

Network, neighbours and factors see the known values only. The forest sees the row as these three complete it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from groundstate_training.learning._factors import Factors
from groundstate_training.learning._features import features
from groundstate_training.learning._forest import Forest
from groundstate_training.learning._neighbours import BARRED, Neighbours, remembered
from groundstate_training.learning._network import Network
from groundstate_training.learning._stacking import Forms, Parts, Ruler
from groundstate_training.learning._training import Training

STEPS = 400
BATCH = 64
COMPARED = 256
"""Remembered rows that a training step compares with."""

MOST_TESTED = 2_000
"""Largest number of rows whose held-out cells judge the experts."""

AT_ONCE = 256
"""Rows that are judged at once."""

CHECK_EVERY = 50

DRAWS = 2
"""Masks of each row of a complete table for the forest; an incomplete table has its own gaps."""

MOST_COLUMNS = 60
"""Largest number of columns with forests: the time to complete rows for them rises with its square."""

MOST_GROWN = 2_000
"""Largest number of rows from which trees grow."""


class Experts(nn.Module):
    """A mixture of experts for every column.

    Args:
        network: The ensemble of networks.
        neighbours: The kernel density.
        factors: The normal distribution.
        forest: The trees.
        early: Shares of the first three where they complete a row for the trees, ``(columns, 3)``.
        shares: Share of each, ``(columns, 4)``.
    """

    early: Tensor
    shares: Tensor

    def __init__(
        self,
        network: Network,
        neighbours: Neighbours,
        factors: Factors,
        forest: Forest,
        early: Tensor,
        shares: Tensor,
    ) -> None:
        super().__init__()
        self.network, self.neighbours, self.factors, self.forest = network, neighbours, factors, forest
        self.shape = network.shape
        self.register_buffer("early", early)
        self.register_buffer("shares", shares)
        self.eval().requires_grad_(requires_grad=False)

    def given(self, numbers: Tensor, levels: Sequence[Tensor], given: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Distributions of all columns given the known ones.

        Args:
            numbers: On the normal scale, ``(batch, numbers)``.
            levels: Probabilities of the levels of each further column, ``(batch, levels)``.
            given: 1 where a column is known, ``(batch, columns)``.

        Returns:
            Weights, means and widths of numbers, ``(batch, numbers, 3, components)``; probabilities, ``(batch, levels)`` each.
        """
        return self.together(self.parts(numbers, levels, given))

    def parts(self, numbers: Tensor, levels: Sequence[Tensor], given: Tensor) -> Parts:
        """What each expert expects from the known values."""
        first = self.first(numbers, levels, given)
        return self.every(first, self.completed(first, numbers, levels, given)[:, None])

    def first(self, numbers: Tensor, levels: Sequence[Tensor], given: Tensor) -> Parts:
        """What network, neighbours and factors expect from the known values."""
        n = self.shape.numbers
        outputs = self.network(numbers, levels, given)
        rows = features(self.shape, numbers, levels)
        weights = self.neighbours.weights(rows[:, None], given[:, None])
        means, variances = self.factors(rows, given)
        return self._parts(
            self.network.mixture(outputs) if n else (),
            [log.exp().mean(0) for log in self.network.chances(outputs)],
            weights,
            (means[:, :n], variances[:, :n]),
            self.factors.chances(means, variances),
        )

    def completed(self, first: Parts, numbers: Tensor, levels: Sequence[Tensor], given: Tensor) -> Tensor:
        """Features of the rows with the values that the first experts expect in place of the missing ones."""
        n, share = self.shape.numbers, self.early
        means = [(weights * means).sum(-1) for weights, means, _ in first[0]]
        if n:
            expected = sum(mean * share[:n, place] for place, mean in enumerate(means))
            numbers = given[:, :n] * numbers + (1 - given[:, :n]) * expected
        filled = []
        for k, three in enumerate(first[1]):
            likely = sum(one * share[n + k, place] for place, one in enumerate(three))
            own = given[:, n + k, None]
            filled.append(own * levels[k] + (1 - own) * likely)
        return features(self.shape, numbers, filled)

    def every(self, first: Parts, rows: Tensor) -> Parts:
        """All experts' parts, with those of the forest for completed rows, ``(batch, 1 or columns, features)``."""
        found = self.forest.found(rows)
        numbers = first[0]
        if self.shape.numbers:
            weights, means, widths = self.forest.mixture(found)
            numbers = [*numbers, (weights, means.expand_as(weights), widths.expand_as(weights))]
        chances = self.forest.chances(found)
        return numbers, [[*three, fourth] for three, fourth in zip(first[1], chances, strict=True)]

    def others(self, numbers: Tensor, levels: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The distribution of each column given all others; remembered rows that are the same row do not count."""
        batch, columns, n = len(numbers), self.shape.columns, self.shape.numbers
        hidden = (1.0 - torch.eye(columns)).expand(batch, columns, columns)

        def each(rows: Tensor) -> Tensor:
            return rows[:, None].expand(-1, columns, -1).reshape(-1, rows.shape[-1])

        def own(part: Tensor, first: int = 0) -> Tensor:
            """Of ``(…, batch · columns, k, …)``, the k-th of the row without column first + k, ``(…, batch, k, …)``."""
            place = part.dim() - 2 if part.dim() < 4 else part.dim() - 3
            split = part.unflatten(place, (batch, columns))
            many = split.shape[place + 2]
            return torch.stack(
                [split.select(place + 1, first + k).select(place + 1, k) for k in range(many)], place + 1
            )

        given = hidden.reshape(-1, columns)
        x, hot = each(numbers), [each(level) for level in levels]
        outputs = self.network(x, hot, given)
        rows = features(self.shape, numbers, levels)
        bar = self.neighbours.same(rows[:, None], torch.ones_like(hidden[:, :1]))
        weights = self.neighbours.weights(rows[:, None], hidden, out=bar)
        means, variances = self.factors(each(rows), given)

        def chosen(parts: Sequence[Tensor]) -> list[Tensor]:
            return [part.unflatten(0, (batch, columns))[:, n + k] for k, part in enumerate(parts)]

        first = self._parts(
            [own(part) for part in self.network.mixture(outputs)] if n else (),
            chosen([log.exp().mean(0) for log in self.network.chances(outputs)]),
            weights,
            (own(means[:, :n]), own(variances[:, :n])),
            chosen(self.factors.chances(means, variances)),
        )
        return self.together(self.every(first, rows[:, None]))

    def _parts(
        self,
        mixture: Sequence[Tensor],
        chances: Sequence[Tensor],
        weights: Tensor,
        normal: tuple[Tensor, Tensor],
        normal_chances: Sequence[Tensor],
    ) -> Parts:
        numbers: list[tuple[Tensor, Tensor, Tensor]] = []
        if self.shape.numbers:
            logs, means, widths = (part.permute(1, 2, 0, 3).flatten(2) for part in mixture)
            near, centres, spreads = self.neighbours.mixture(weights)
            numbers = [
                (logs.exp() / self.shape.members, means, widths),
                (near, centres.expand_as(near), spreads.expand_as(near)),
                (torch.ones_like(normal[0])[..., None], normal[0][..., None], normal[1].sqrt()[..., None]),
            ]
        return numbers, [
            list(three) for three in zip(chances, self.neighbours.chances(weights), normal_chances, strict=True)
        ]

    def together(self, parts: Parts) -> tuple[Tensor, list[Tensor]]:
        """The mixture of all experts' parts by their shares."""
        n, share = self.shape.numbers, self.shares
        numbers = share.new_zeros(0)
        if n:
            weighted = [(weights * share[:n, place, None], *rest) for place, (weights, *rest) in enumerate(parts[0])]
            numbers = torch.stack([torch.cat([part[k] for part in weighted], -1) for k in range(3)], 2)
        found = []
        for k, every in enumerate(parts[1]):
            found.append(sum(one * share[n + k, place] for place, one in enumerate(every)))
        return numbers, found  # type: ignore[return-value]


def gather(training: Training, network: Network, rulers: Sequence[Ruler], seed: int) -> tuple[Experts, float, Tensor]:
    """Train the other experts on the same cells, and share out the columns by the held-out ones.

    Returns:
        The experts, their negative log likelihood of held-out cells in nats per cell, and the indices of the remembered rows.
    """
    shape, usable = training.shape, training.usable[0]
    rows, numbers = features(shape, training.numbers, training.hot), training.numbers
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(rows), generator=draw)
    some, tested = (order[:many].sort().values for many in (remembered(shape), MOST_TESTED))

    factors = Factors(shape, rows, usable, seed)

    def of_factors(chosen: Tensor, known: Tensor) -> Tensor:
        means, variances = factors(rows[chosen], known)
        return factors.log_likelihood(means, variances, numbers[chosen], [level[chosen] for level in training.hot])

    penalty = 2.0 / (len(rows) * rows.shape[1])
    _fit(factors, training, of_factors, tested, seed, 2e-2, lambda: penalty * factors.loadings.square().sum())

    neighbours = Neighbours(shape, numbers[some], [level[some] for level in training.hot], usable[some])
    start = neighbours.metric.detach().clone()

    def of_neighbours(chosen: Tensor, known: Tensor) -> Tensor:
        only = None
        if neighbours.training and len(some) > COMPARED:
            only = torch.randperm(len(some), generator=draw)[:COMPARED]
        # A row does not remember itself.
        itself = chosen[:, None, None] == (some if only is None else some[only])
        weights = neighbours.weights(rows[chosen][:, None], known[:, None], only, BARRED * itself.float())
        return neighbours.log_likelihood(weights, numbers[chosen], [level[chosen] for level in training.hot], only)

    def near_start() -> Tensor:
        return 1e-3 * (neighbours.metric - start).square().sum() / shape.columns

    _fit(neighbours, training, of_neighbours, tested, seed, 3e-2, near_start)

    forest = Forest(shape, rows, neighbours.centres, neighbours.widths)
    third = torch.full((shape.columns, 3), 1.0 / 3.0)
    experts = Experts(network, neighbours, factors, forest, third, torch.cat([third, third[:, :1]], 1))
    experts.early.copy_(_stacked(experts, training, tested, rulers, experts.first).shares(third))
    grow(experts, training, usable, seed)
    judged = _stacked(experts, training, tested, rulers, experts.parts)
    prior = torch.cat([0.5 * experts.early, torch.full_like(third[:, :1], 0.5)], 1)
    wide = shape.columns > MOST_COLUMNS
    experts.shares.copy_(
        torch.cat([experts.early, torch.zeros_like(third[:, :1])], 1) if wide else judged.shares(prior)
    )
    return experts, judged.likelihood(experts.shares), some


@torch.no_grad()
def _stacked(
    experts: Experts, training: Training, tested: Tensor, rulers: Sequence[Ruler], parts: Callable[..., Parts]
) -> Forms:
    """The scores of the experts that give parts for rows, on the held-out cells."""
    found: Forms | None = None
    for rows in tested.split(AT_ONCE):
        given = (training.usable[0] & training.check_mask[0])[rows].float()
        numbers, levels = training.numbers[rows], [level[rows] for level in training.hot]
        each = parts(numbers, levels, given)
        if found is None:
            found = Forms(experts.shape, rulers, len(each[0]) or len(each[1][0]))
        found.add(each, numbers, levels, training.held[0][rows])
    assert found is not None
    return found


@torch.no_grad()
def grow(experts: Experts, training: Training, known: Tensor, seed: int) -> None:
    """Grow the forests from known cells, ``(rows, columns)``: each row as the first experts complete it without the column."""
    shape, forest = experts.shape, experts.forest
    if shape.columns > MOST_COLUMNS:
        return
    draw = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(known), generator=draw)[:MOST_GROWN].sort().values
    known = known[rows]
    complete = bool(training.complete)
    for column in range(shape.columns):
        own = known[:, column].nonzero()[:, 0]
        if len(own) < 2:
            continue
        numbers, levels = training.numbers[rows[own]], [level[rows[own]] for level in training.hot]
        draws = []
        for _ in range(DRAWS if complete else 1):
            given = known[own].float()
            if complete:
                keep = torch.rand(len(own), 1, generator=draw)
                given = given * (torch.rand(given.shape, generator=draw) < keep).float()
            given[:, column] = 0.0
            parts = [
                experts.completed(
                    experts.first(numbers[some], [part[some] for part in levels], given[some]),
                    numbers[some],
                    [part[some] for part in levels],
                    given[some],
                )
                for some in torch.arange(len(own)).split(AT_ONCE)
            ]
            draws.append(torch.cat(parts))
        n = shape.numbers
        if column < n:
            values = numbers[:, column : column + 1]
            distance = (values - forest.centres[column]).abs()
            marks = distance.argmin(1)
        else:
            level = levels[column - n]
            marks = level.argmax(1)
            points = shape.points[column - n] if shape.points else ()
            values = (level @ torch.tensor(points))[:, None] if points else level
        forest.grow(column, torch.stack(draws).numpy(), values.numpy(), marks.numpy())


@torch.no_grad()
def _tested(training: Training, likelihood: Callable[[Tensor, Tensor], Tensor], rows: Tensor) -> Tensor:
    """Log likelihood of the values of rows from their usable cells, ``(rows, columns)``."""
    given = (training.usable[0] & training.check_mask[0]).float()
    return torch.cat([likelihood(part, given[part]).clamp(min=-30) for part in rows.split(AT_ONCE)])


def _fit(
    expert: nn.Module,
    training: Training,
    likelihood: Callable[[Tensor, Tensor], Tensor],
    tested: Tensor,
    seed: int,
    rate: float,
    penalty: Callable[[], Tensor],
) -> None:
    """Train an expert on random masks of the usable cells; it keeps the weights with the best held-out likelihood."""
    usable, held = training.usable[0], training.held[0][tested].float()
    draw = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(expert.parameters(), rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=STEPS, pct_start=0.1)
    best, kept = math.inf, {}
    for step in range(1, STEPS + 1):
        expert.train()
        chosen = torch.randint(len(usable), (min(BATCH, len(usable)),), generator=draw)
        use = usable[chosen]
        part = torch.rand(len(chosen), 1, generator=draw)
        known = (use & (torch.rand(use.shape, generator=draw) < part)).float()
        target = use.float() * (1 - known)
        loss = -(likelihood(chosen, known).clamp(min=-30) * target).sum() / target.sum().clamp(min=1) + penalty()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % CHECK_EVERY == 0:
            expert.eval()
            worth = -float((_tested(training, likelihood, tested) * held).sum() / held.sum().clamp(min=1))
            if worth < best:
                best, kept = worth, {name: value.clone() for name, value in expert.named_parameters()}
    with torch.no_grad():
        for name, value in expert.named_parameters():
            value.copy_(kept.get(name, value))
