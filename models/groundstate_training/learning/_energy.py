"""The energy of a table's row: the negative log pseudo-likelihood of its missing values, for the exporter."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from groundstate_training.learning._network import COMPONENTS, Network

SMOOTH = 0.25
"""Width, on the normal scale, that the energy adds to every component, so that descent can reach its minima."""

MEMBERS = 1
"""Members of the ensemble in the energy; beliefs are of all."""


class TableEnergy(nn.Module):
    """``energy(state, given=…, known_numbers=…, known_levels=…)`` of a row.

    The state is the deviation of the missing values from their prediction by the given ones alone: numbers in standard
    deviations, levels in log odds. A start near 0 is therefore a good guess.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.shape = network.shape
        self.members = min(MEMBERS, network.shape.members)
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, state: Mapping[str, Tensor] | Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """The energy's terms, ``(batch,)`` each."""
        numbers, chances = self._filled(self._named(state), inputs)
        columns = self.shape.columns
        hidden = 1.0 - torch.eye(columns)
        batch = inputs["given"].shape[0]
        given = hidden.expand(batch, columns, columns).reshape(-1, columns)
        x = self._each(numbers) if numbers is not None else None
        p = [self._each(part) for part in chances]
        # Every column's own distribution given all others; the sum is over the missing ones.
        outputs = self._outputs(x, p, given, self.members)
        own = self._likelihood(outputs, x, p).reshape(self.members, batch, columns, columns)
        chance = (own * torch.eye(columns)).sum(-1).mean(0)
        missing = 1.0 - inputs["given"]
        near = torch.zeros_like(missing[:, 0])
        for value in self._named(state).values():
            near = near + 0.01 * value.square().sum(-1)
        return {"likelihood": -(chance * missing).sum(-1), "confinement": near}

    def decode(self, state: Mapping[str, Tensor] | Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """The completed row, the beliefs from the given values alone, and each value's belief from all others."""
        numbers, chances = self._filled(self._named(state), inputs)
        batch, columns = inputs["given"].shape
        answer: dict[str, Tensor] = {}
        if numbers is not None:
            answer["numbers"] = numbers
        if chances:
            answer["levels"] = torch.cat(chances, -1)
        outputs = self._outputs(inputs.get("known_numbers"), self._split(inputs.get("known_levels")), inputs["given"])
        answer |= self._beliefs(outputs, "given")
        hidden = (1.0 - torch.eye(columns)).expand(batch, columns, columns).reshape(-1, columns)
        x = self._each(numbers) if numbers is not None else None
        every = self._outputs(x, [self._each(part) for part in chances], hidden)
        answer |= self._own(every.unflatten(1, (batch, columns)))
        return answer

    def _named(self, state: Mapping[str, Tensor] | Tensor) -> Mapping[str, Tensor]:
        if isinstance(state, Tensor):
            return {"numbers" if self.shape.numbers else "levels": state}
        return state

    def _filled(self, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> tuple[Tensor | None, list[Tensor]]:
        """Numbers and probabilities of levels, with the missing ones filled in from the state."""
        n, given = self.shape.numbers, inputs["given"]
        outputs = self._outputs(inputs.get("known_numbers"), self._split(inputs.get("known_levels")), given)
        numbers = None
        if n:
            weights, means, widths = self.network.mixture(outputs)
            weights = weights.exp() / self.shape.members
            mean = (weights * means).sum((0, -1))
            variance = (weights * (widths.square() + means.square())).sum((0, -1)) - mean.square()
            guess = mean + variance.clamp(min=1e-4).sqrt() * state["numbers"]
            numbers = given[:, :n] * inputs["known_numbers"] + (1 - given[:, :n]) * guess
        chances: list[Tensor] = []
        if self.shape.levels:
            believed = [log.exp().mean(0) for log in self.network.chances(outputs)]
            for k, (one, moved) in enumerate(zip(believed, self._split(state["levels"]), strict=True)):
                own = given[:, n + k, None]
                guess = torch.softmax(torch.log(one + 1e-6) + moved, -1)
                chances.append(own * self._split(inputs["known_levels"])[k] + (1 - own) * guess)
        return numbers, chances

    def _split(self, levels: Tensor | None) -> list[Tensor]:
        return [] if levels is None else list(levels.split(list(self.shape.levels), -1))

    def _each(self, rows: Tensor) -> Tensor:
        """Repeat each row once for every column, ``(batch · columns, …)``."""
        return rows[:, None].expand(-1, self.shape.columns, -1).reshape(-1, rows.shape[-1])

    def _outputs(
        self, numbers: Tensor | None, levels: list[Tensor], given: Tensor, members: int | None = None
    ) -> Tensor:
        empty = given[:, :0]
        return self.network(empty if numbers is None else numbers, levels, given, members)  # type: ignore[no-any-return]

    def _likelihood(self, outputs: Tensor, numbers: Tensor | None, levels: list[Tensor]) -> Tensor:
        """Log likelihood of every column's value, smoothed, ``(members, rows, columns)``."""
        parts = []
        if numbers is not None:
            weights, means, widths = self.network.mixture(outputs)
            variance = widths.square() + SMOOTH**2
            z = (numbers[..., None] - means).square() / variance
            parts.append(torch.logsumexp(weights - 0.5 * z - 0.5 * variance.log() - 0.5 * math.log(2 * math.pi), -1))
        parts += [(log * p).sum(-1, keepdim=True) for log, p in zip(self.network.chances(outputs), levels, strict=True)]
        return torch.cat(parts, -1)

    def _beliefs(self, outputs: Tensor, prefix: str) -> dict[str, Tensor]:
        """Mixtures ``(batch, numbers, 3, components)`` and chances ``(batch, levels)`` of all members together."""
        found: dict[str, Tensor] = {}
        if self.shape.numbers:
            parts = [part.permute(1, 2, 0, 3).flatten(2) for part in self.network.mixture(outputs)]
            found[f"{prefix}_mixture"] = torch.stack([parts[0].exp() / self.shape.members, *parts[1:]], 2)
        if self.shape.levels:
            found[f"{prefix}_chances"] = torch.cat([log.exp().mean(0) for log in self.network.chances(outputs)], -1)
        return found

    def _own(self, outputs: Tensor) -> dict[str, Tensor]:
        """Of outputs ``(members, batch, columns, …)``, each column's own."""
        n, first = self.shape.numbers, 0
        found: dict[str, Tensor] = {}
        if n:
            width = 3 * COMPONENTS
            raw = torch.stack([outputs[:, :, k, k * width : (k + 1) * width] for k in range(n)], 2)
            raw = raw.unflatten(-1, (3, COMPONENTS))
            weights = torch.softmax(raw[..., 0, :], -1) / self.shape.members
            widths = 0.01 + functional.softplus(raw[..., 2, :])
            parts = [part.permute(1, 2, 0, 3).flatten(2) for part in (weights, raw[..., 1, :], widths)]
            found["others_mixture"] = torch.stack(parts, 2)
            first = n * width
        chances = []
        for k, many in enumerate(self.shape.levels):
            chances.append(torch.softmax(outputs[:, :, n + k, first : first + many], -1).mean(0))
            first += many
        if chances:
            found["others_chances"] = torch.cat(chances, -1)
        return found
