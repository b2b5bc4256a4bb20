"""The energy of a table's row: the negative log pseudo-likelihood of its missing values, for the exporter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from groundstate_training.learning._experts import Experts
from groundstate_training.learning._network import COMPONENTS, SMALLEST, Network

SMOOTH = 0.25
"""Width, on the normal scale, that the energy adds to every component, so that descent can reach its minima."""

FAR = 0.5
"""Largest change of a number, on the normal scale, for a change of its state by 1: steeper landscapes would not converge."""


class TableEnergy(nn.Module):
    """``energy(state, given=…, known_numbers=…, known_levels=…)`` of a row.

    The state is the deviation of the missing values from their prediction by the given ones alone: numbers in standard
    deviations, which count up to `FAR`, levels in log odds. A start near 0 is therefore a good guess.
    """

    def __init__(self, experts: Experts) -> None:
        super().__init__()
        self.experts = experts
        self.shape = experts.shape
        self.network = OneByOne(experts.network)
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, state: Mapping[str, Tensor] | Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """The energy's terms, ``(batch,)`` each."""
        numbers, chances = self._filled(self._named(state), inputs)
        missing = 1.0 - inputs["given"]
        # Every column's own distribution given all others; the sum is over the missing ones.
        chance = self.network(missing[:, :0] if numbers is None else numbers, chances)
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
            variance = variance.clamp(min=1e-4)
            guess = mean + (variance / (1.0 + variance / FAR**2)).sqrt() * state["numbers"]
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


class OneByOne(nn.Module):
    """The first member's distribution of each column given all others, of all columns in one pass.

    It is `Network.forward` for the masks that hide one column each, with the parts that no other column needs left out:
    descent evaluates it at every step.
    """

    enter: Tensor
    entered: Tensor
    seen: Tensor
    plain: Tensor
    straight: Tensor
    leave: Tensor
    left: Tensor

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, shape = network, network.shape
        self.shape = shape
        n, columns = shape.numbers, shape.columns
        self.scaled = [*range(n), *(n + k for k, points in enumerate(shape.points) if points)]
        of_levels = [n + k for k, many in enumerate(shape.levels) for _ in range(many)]
        hidden = 1.0 - torch.eye(columns)
        bends = [k for k in self.scaled for _ in range(len(network.knots))]
        self.register_buffer("seen", hidden[:, [*of_levels, *self.scaled, *bends]])
        self.register_buffer("enter", network.enter[0, columns:])
        self.register_buffer("entered", network.entered[0] + hidden @ network.enter[0, :columns])
        seen = hidden[self.scaled][:, [*of_levels, *self.scaled]]
        if self.scaled:
            straight = network.straight[0]
            self.register_buffer("straight", straight[columns:] * seen.T)
            self.register_buffer("plain", (hidden[self.scaled] @ straight[:columns]).diagonal())
        if n:
            first = n * 3 * COMPONENTS
            self.register_buffer("leave", network.leave[0, :, :first].unflatten(-1, (n, -1)).transpose(0, 1))
            self.register_buffer("left", network.left[0, 0, :first].unflatten(-1, (n, -1)))

    def forward(self, numbers: Tensor, levels: Sequence[Tensor]) -> Tensor:
        """Log likelihood of every column's value, of numbers smoothed, ``(batch, columns)``."""
        network, n = self.network, self.shape.numbers
        parts = list(levels)
        straight = numbers
        if self.scaled:
            scaled = [numbers] if n else []
            if len(self.scaled) > n:
                scaled.append(torch.cat(parts, -1) @ network.points.T)
            x = torch.cat(scaled, -1)
            straight = torch.cat([*parts, x], -1) @ self.straight + self.plain
            parts += [x, torch.tanh(1.5 * (x[..., None] - network.knots)).flatten(-2)]
        h = (torch.cat(parts, -1)[:, None] * self.seen) @ self.enter + self.entered
        for inner, bias, outer in zip(network.inner, network.inner_bias, network.outer, strict=True):
            h = h + functional.silu(h @ inner[0] + bias[0]) @ outer[0]
        a = functional.silu(h)
        found = []
        if n:
            raw = ((a[:, :n, :, None] * self.leave).sum(2) + self.left).unflatten(-1, (3, COMPONENTS))
            weights = torch.log_softmax(raw[:, :, 0], -1)
            variance = (SMALLEST + functional.softplus(raw[:, :, 2])).square() + SMOOTH**2
            z = (numbers[..., None] - raw[:, :, 1] - straight[:, :n, None]).square() / variance
            found.append(torch.logsumexp(weights - 0.5 * (z + variance.log()), -1) - 0.5 * math.log(2 * math.pi))
        first, rest = n * 3 * COMPONENTS, n * 3 * COMPONENTS + sum(self.shape.levels)
        place = 0
        for k, many in enumerate(self.shape.levels):
            own = a[:, n + k]
            logits = own @ network.leave[0, :, first : first + many] + network.left[0, 0, first : first + many]
            if self.shape.points and self.shape.points[k]:
                at = torch.tensor(self.shape.points[k])
                middle, sharp = (
                    own @ network.leave[0, :, [rest + j * self.shape.ordered + place]]
                    + network.left[0, 0, [rest + j * self.shape.ordered + place]]
                    for j in range(2)
                )
                middle = middle + straight[:, n + place, None]
                logits = logits - 0.5 * functional.softplus(sharp) * (at.square() - 2.0 * middle * at)
                place += 1
            first += many
            found.append((torch.log_softmax(logits, -1) * levels[k]).sum(-1, keepdim=True))
        return torch.cat(found, -1)
