"""The energy of a factor graph: the expected cost of its constraints, for undecided variables.

The state holds a logit for each value of each variable; a softmax makes them probabilities ``p``. A factor's sum ``Σ a·x`` then
has the mean ``s = Σ a·p`` and, the literals taken to be independent, the variance ``q = Σ a²·p(1−p)``. Its expected violation of
a bound is a smooth hinge ``h(d, q) = ½ (d + √(d² + 2 ρ q))`` of the distance ``d`` beyond it: 0 far inside, ``d`` far outside,
and above 0 near the bound as long as the literals are undecided, so that a fractional state is not a minimum unless an integral
one is. The energy is the sum of

* ``constraints``: ``Σ ω h²`` over the factors and their two sides;
* ``preferences``: the expected cost of the chosen values;
* ``decision``: ``−T`` times the entropy of every variable, which delays its decision (mean-field annealing:
  C. Peterson and B. Söderberg, "A new method for mapping optimization problems onto neural networks", 1989);
* ``confinement``: ``½ λ Σ y²``, which keeps the logits finite.

``ρ`` and ``ω`` of a side of a factor are log-linear in features of its shape: the number of literals, the bound's position in
the range of the sum, and the number of factors of its literals. ``T`` depends on the number of values of a variable. The energy
does not depend on the identity of factors and variables, so the names, the order and the size of a request do not matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from groundstate_models.constraints.tensors import FAR

FEATURES = ("literals", "beyond", "room", "crowded", "both", "exact")
"""Of a side of a factor: the logarithm of how many literals it has; the share of the sum's reach that lies beyond the bound, and
the logarithm of one more than that part; the logarithm of how many factors its literals stand in on average; whether the other
side is bounded too, and by the same number."""


HAND: dict[str, Any] = {
    "log_openness": math.log(0.36),
    "log_temperature": math.log(0.065),
    "log_confinement": math.log(0.012),
    "log_preference": math.log(0.3),
    "temperature_by_values": 0.0,
    "openness_by_shape": [0.0] * len(FEATURES),
    "weight_by_shape": [0.0] * len(FEATURES),
}
"""The hand-written energy: all factors have the same weight. Its few numbers are the best of a random search."""


LEARNED = tuple(HAND)
"""Order of the numbers if every row has its own; lists have the length of `FEATURES`."""

_COLUMNS = {
    name: slice(first, first + size)
    for name, first, size in zip(
        LEARNED,
        np.cumsum([0, *(np.size(HAND[name]) for name in LEARNED)]).tolist(),
        (np.size(HAND[name]) for name in LEARNED),
        strict=False,
    )
}


def summed(edges: Tensor, where: Tensor, like: Tensor) -> Tensor:
    """Sums over the edges of every factor, or of every literal: ``(batch, n)``, like ``like``."""
    return torch.zeros_like(like).scatter_add(1, where, edges)


class ConstraintsEnergy(nn.Module):
    """``energy(y, **inputs) -> named terms``, each ``(batch,)``; the state is ``(batch, variables, values)``.

    `tensors.Network.tensors` makes the inputs.

    Args:
        settings: The learned numbers, by their names in `HAND`, which has the defaults.
    """

    log_openness: Tensor
    log_temperature: Tensor
    log_confinement: Tensor
    log_preference: Tensor
    temperature_by_values: Tensor
    openness_by_shape: Tensor
    weight_by_shape: Tensor

    def __init__(self, settings: Mapping[str, Sequence[float] | float] | None = None) -> None:
        super().__init__()
        given = HAND | dict(settings or {})
        for name in HAND:
            self.register_parameter(name, nn.Parameter(torch.tensor(given[name], dtype=torch.float32)))

    def forward(self, state: Tensor, numbers: Tensor | None = None, **inputs: Tensor) -> dict[str, Tensor]:
        return self.terms(state, self.shaped(numbers, **inputs), numbers, **inputs)

    def terms(
        self, state: Tensor, shaped: tuple[Tensor, Tensor], numbers: Tensor | None = None, **inputs: Tensor
    ) -> dict[str, Tensor]:
        """The energy of a state whose `shaped` is known."""
        domain = inputs["domain"]
        logarithms = log_probabilities(state, domain)
        p = logarithms.exp()
        by_values = self._number("temperature_by_values", numbers, 2)
        spread = domain.sum(2).clamp_min(2.0).log() - 1.0
        temperature = (self._number("log_temperature", numbers, 2) + by_values * spread).exp()
        preference, confinement = (
            self._number(f"log_{name}", numbers, 1).exp() for name in ("preference", "confinement")
        )
        return {
            "constraints": self.beyond(state, shaped, **inputs).square().flatten(1).sum(1),
            "preferences": preference * (inputs["cost"] * p).flatten(1).sum(1),
            "decision": (temperature * (p * logarithms).sum(2)).sum(1),
            "confinement": 0.5 * confinement * (state * domain).square().flatten(1).sum(1),
        }

    def _number(self, name: str, numbers: Tensor | None, dimensions: int) -> Tensor:
        """A learned number, of the module or of every row, with trailing dimensions of 1 for broadcasting."""
        if numbers is None:
            own: Tensor = getattr(self, name)
            return own
        columns = numbers[:, _COLUMNS[name]]
        return columns.reshape(-1, *(1,) * (dimensions - 2), columns.shape[1]) if dimensions > 1 else columns.squeeze(1)

    def violations(self, state: Tensor, numbers: Tensor | None = None, **inputs: Tensor) -> Tensor:
        """``√ω h`` of every factor above its upper and below its lower bound, ``(batch, 2, factors)``."""
        return self.beyond(state, self.shaped(numbers, **inputs), **inputs)

    def beyond(self, state: Tensor, shaped: tuple[Tensor, Tensor], **inputs: Tensor) -> Tensor:
        """The violations of a state whose `shaped` is known."""
        low, high, factor, coefficient = (inputs[name] for name in ("low", "high", "factor", "coefficient"))
        chosen = log_probabilities(state, inputs["domain"]).exp().flatten(1).gather(1, inputs["literal"])
        weighted = coefficient * chosen
        mean = summed(weighted, factor, low)
        variance = summed(coefficient * weighted * (1.0 - chosen), factor, low)
        distance = torch.stack([mean - high, low - mean], dim=1)
        openness, weight = shaped
        return 0.5 * weight * (distance + (distance.square() + 2.0 * openness * variance.unsqueeze(1) + 1e-6).sqrt())

    def shaped(self, numbers: Tensor | None = None, **inputs: Tensor) -> tuple[Tensor, Tensor]:
        """``ρ`` and ``√ω`` of both sides of every factor, ``(batch, 2, factors)`` each; they do not depend on the state."""
        features = shape_of(**inputs)
        by_shape, heavier = (self._number(f"{name}_by_shape", numbers, 4) for name in ("openness", "weight"))
        openness = (self._number("log_openness", numbers, 3) + (features * by_shape).sum(-1)).exp()
        return openness, (0.5 * (features * heavier).sum(-1)).exp()

    def decode(self, state: Tensor, domain: Tensor, **rest: Tensor) -> dict[str, Tensor]:
        """The likeliest value of every variable, ``{"value": (batch, variables) int64}``."""
        del rest
        return {"value": log_probabilities(state, domain).argmax(2)}

    def encode_answer(self, answer: dict[str, Tensor], domain: Tensor, **rest: Tensor) -> Tensor:
        """The state of an answer: its values are as likely as confinement permits."""
        del rest
        return SURE * torch.zeros_like(domain).scatter(2, answer["value"].unsqueeze(2), 1.0)


SURE = 8.0
"""The logit of a decided value above the others'."""


def shape_of(**inputs: Tensor) -> Tensor:
    """The `FEATURES` of both sides of every factor, ``(batch, 2, factors, features)``: the upper one first."""
    low, high, factor, coefficient = (inputs[name] for name in ("low", "high", "factor", "coefficient"))
    literal, there = inputs["literal"], (coefficient != 0).to(low.dtype)
    literals = summed(there, factor, low).clamp_min(1.0)
    degree = summed(there, literal, inputs["domain"].flatten(1)).gather(1, literal)
    crowded = (summed(there * degree, factor, low) / literals).clamp_min(1.0).log()
    least, most = (summed(c, factor, low) for c in (coefficient.clamp_max(0.0), coefficient.clamp_min(0.0)))
    reach = (most - least).clamp_min(1e-3)
    both = ((low > -FAR / 2) & (high < FAR / 2)).to(low.dtype)
    exact = both * (high - low < inputs["slack"]).to(low.dtype)
    sides = []
    for bound in (most - high, low - least):
        beyond = (bound / reach).clamp(0.0, 1.0)
        sides.append(torch.stack([literals.log(), beyond, (beyond * reach + 1.0).log(), crowded, both, exact], dim=2))
    return torch.stack(sides, dim=1)


def log_probabilities(state: Tensor, domain: Tensor) -> Tensor:
    """Logarithms of the probabilities of every variable's values; of those outside its domain, −10,000."""
    return functional.log_softmax(state + FAR * (domain - 1.0), dim=2)


CHECKS = {"constraints": "Every constraint holds."}


def checks(answer: dict[str, Tensor], **inputs: Tensor) -> dict[str, Tensor]:
    """Number of violated factors, ``{"constraints": (batch,) int64}``; each value outside its domain counts as one."""
    domain, low, slack = inputs["domain"], inputs["low"], inputs["slack"]
    value = answer["value"].unsqueeze(2)
    holds = torch.zeros_like(domain).scatter(2, value, 1.0)
    total = summed(inputs["coefficient"] * holds.flatten(1).gather(1, inputs["literal"]), inputs["factor"], low)
    broken = ((total > inputs["high"] + slack) | (total < low - slack)).to(torch.int64).sum(1)
    return {"constraints": broken + (domain.gather(2, value) < 0.5).to(torch.int64).flatten(1).sum(1)}
