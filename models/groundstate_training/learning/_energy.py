"""The energy of a table's row: the negative log pseudo-likelihood of its missing values, for the exporter."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from groundstate_training.learning._experts import Experts

SMOOTH = 0.25
"""Width, on the normal scale, that the energy adds to every component, so that descent can reach its minima."""

MEMBERS = 1
"""Members of the ensemble in the energy; beliefs are of all."""


class TableEnergy(nn.Module):
    """``energy(state, given=…, known_numbers=…, known_levels=…)`` of a row.

    The state is the deviation of the missing values from their prediction by the given ones alone: numbers in standard
    deviations, levels in log odds. A start near 0 is therefore a good guess.
    """

    def __init__(self, experts: Experts) -> None:
        super().__init__()
        self.experts = experts
        self.network = experts.network
        self.shape = experts.shape
        self.members = min(MEMBERS, self.shape.members)
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
        answer: dict[str, Tensor] = {}
        if numbers is not None:
            answer["numbers"] = numbers
        if chances:
            answer["levels"] = torch.cat(chances, -1)
        empty = inputs["given"][:, :0]
        x = empty if numbers is None else numbers
        for prefix, (mixture, probable) in {
            "given": self._believed(inputs),
            "others": self.experts.others(x, chances),
        }.items():
            if numbers is not None:
                answer[f"{prefix}_mixture"] = mixture
            if probable:
                answer[f"{prefix}_chances"] = torch.cat(probable, -1)
        return answer

    def _believed(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, list[Tensor]]:
        """What the given values alone imply."""
        given = inputs["given"]
        return self.experts.given(
            inputs.get("known_numbers", given[:, :0]), self._split(inputs.get("known_levels")), given
        )

    def _named(self, state: Mapping[str, Tensor] | Tensor) -> Mapping[str, Tensor]:
        if isinstance(state, Tensor):
            return {"numbers" if self.shape.numbers else "levels": state}
        return state

    def _filled(self, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> tuple[Tensor | None, list[Tensor]]:
        """Numbers and probabilities of levels, with the missing ones filled in from the state."""
        n, given = self.shape.numbers, inputs["given"]
        mixture, believed = self._believed(inputs)
        numbers = None
        if n:
            weights, means, widths = mixture.unbind(2)
            mean = (weights * means).sum(-1)
            variance = (weights * (widths.square() + means.square())).sum(-1) - mean.square()
            guess = mean + variance.clamp(min=1e-4).sqrt() * state["numbers"]
            numbers = given[:, :n] * inputs["known_numbers"] + (1 - given[:, :n]) * guess
        chances: list[Tensor] = []
        if self.shape.levels:
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
