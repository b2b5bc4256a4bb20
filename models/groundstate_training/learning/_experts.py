"""The belief about a column: network, neighbours and factors together, each with the share that held-out cells give it.

The shares maximise the likelihood of held-out cells (P. Smyth and D. Wolpert, "Linearly combining density estimators via
stacking", 1999), each column's drawn towards those of all columns.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from groundstate_training.learning._factors import Factors
from groundstate_training.learning._features import features
from groundstate_training.learning._neighbours import BARRED, Neighbours, remembered
from groundstate_training.learning._network import Network
from groundstate_training.learning._training import Training

COMMON = 10.0
"""Weight, in cells, of all columns' shares in each column's own."""

STEPS = 400
BATCH = 64
COMPARED = 256
"""Remembered rows that a training step compares with."""

MOST_TESTED = 2_000
"""Largest number of rows whose held-out cells judge the experts."""

AT_ONCE = 256
"""Rows that are judged at once."""

CHECK_EVERY = 50


class Experts(nn.Module):
    """A mixture of experts for every column.

    Args:
        network: The ensemble of networks.
        neighbours: The kernel density.
        factors: The normal distribution.
        shares: Share of each, ``(columns, 3)``.
    """

    shares: Tensor

    def __init__(self, network: Network, neighbours: Neighbours, factors: Factors, shares: Tensor) -> None:
        super().__init__()
        self.network, self.neighbours, self.factors = network, neighbours, factors
        self.shape = network.shape
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
        outputs = self.network(numbers, levels, given)
        rows = features(self.shape, numbers, levels)
        weights = self.neighbours.weights(rows[:, None], given[:, None])
        means, variances = self.factors(rows, given)
        n = self.shape.numbers
        return self._together(
            self.network.mixture(outputs) if n else (),
            [log.exp().mean(0) for log in self.network.chances(outputs)],
            weights,
            (means[:, :n], variances[:, :n]),
            self.factors.chances(means, variances),
        )

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

        return self._together(
            [own(part) for part in self.network.mixture(outputs)] if n else (),
            chosen([log.exp().mean(0) for log in self.network.chances(outputs)]),
            weights,
            (own(means[:, :n]), own(variances[:, :n])),
            chosen(self.factors.chances(means, variances)),
        )

    def _together(
        self,
        mixture: Sequence[Tensor],
        chances: Sequence[Tensor],
        weights: Tensor,
        normal: tuple[Tensor, Tensor],
        normal_chances: Sequence[Tensor],
    ) -> tuple[Tensor, list[Tensor]]:
        n = self.shape.numbers
        share = self.shares
        numbers = weights.new_zeros(0)
        if n:
            logs, means, widths = (part.permute(1, 2, 0, 3).flatten(2) for part in mixture)
            near, centres, spreads = self.neighbours.mixture(weights)
            own = share[:n]
            parts = [
                (logs.exp() * (own[:, :1] / self.shape.members), means, widths),
                (near * own[:, 1:2], centres.expand_as(near), spreads.expand_as(near)),
                (torch.ones_like(normal[0])[..., None] * own[:, 2:], normal[0][..., None], normal[1].sqrt()[..., None]),
            ]
            numbers = torch.stack([torch.cat([part[k] for part in parts], -1) for k in range(3)], 2)
        found = []
        for k, three in enumerate(zip(chances, self.neighbours.chances(weights), normal_chances, strict=True)):
            found.append(sum(one * share[n + k, place] for place, one in enumerate(three)))
        return numbers, found  # type: ignore[return-value]


def gather(training: Training, network: Network, seed: int) -> tuple[Experts, float, Tensor]:
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

    def of_network(chosen: Tensor, known: Tensor) -> Tensor:
        x, hot = numbers[chosen], [level[chosen] for level in training.hot]
        return torch.logsumexp(network.log_likelihood(network(x, hot, known), x, hot), 0) - math.log(shape.members)

    every = (of_network, of_neighbours, of_factors)
    chances = torch.stack([_tested(training, one, tested) for one in every], -1)
    held = training.held[0][tested]
    shares = _shares(chances, held)
    together = torch.logsumexp(chances + shares.log(), -1)
    worth = -float((together * held).sum() / held.sum().clamp(min=1))
    return Experts(network, neighbours, factors, shares), worth, some


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


def _shares(chances: Tensor, held: Tensor) -> Tensor:
    """Shares of the experts by expectation maximisation, ``(columns, experts)``."""
    experts = chances.shape[-1]
    many = held.sum(0)[:, None].float()
    shares = torch.full((chances.shape[1], experts), 1.0 / experts)
    for _ in range(200):
        part = torch.softmax(chances + shares.log(), -1) * held[..., None]
        common = (part.sum((0, 1)) + 1.0) / (float(held.sum()) + experts)
        shares = (part.sum(0) + COMMON * common) / (many + COMMON)
    return shares
