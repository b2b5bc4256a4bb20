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
from collections.abc import Callable, Mapping, Sequence
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


def summed(of: Tensor, literal: Tensor, coefficient: Tensor) -> tuple[Tensor, Tensor]:
    """``Σ a·x`` and ``Σ a²·x(1 − x)`` of every column of a table, ``(batch, columns)``; ``x`` is ``(batch, literals)``."""
    weighted = coefficient * gathered(of, literal)
    return weighted.sum(1), (weighted * (coefficient - weighted)).sum(1)


def gathered(of: Tensor, places: Tensor) -> Tensor:
    """The entries of ``(batch, n)`` at places of any shape, the batch first."""
    return of.gather(1, places.flatten(1).long()).view_as(places)


def extended(table: Tensor, more: Tensor, *others: Tensor) -> Tensor:
    """A sum of every column plus the further sum that ``more`` names: 0 for none, then the columns of ``others``."""
    return table + gathered(torch.cat([torch.zeros_like(others[0][:, :1]), *others], dim=1), more)


def over_factors(of: Tensor, power: int, **inputs: Tensor) -> Tensor:
    """For every literal ``Σ aⁿ·x`` over its factors, ``(batch, literals)``, of ``x`` by factor and ``n`` the ``power``."""
    near, far = inputs["factor_coefficient"].flatten(2), inputs["popular_coefficient"]
    table = (near.pow(power) * gathered(of, inputs["factor"]).flatten(2)).sum(1)
    rest = (far.pow(power) * gathered(of, inputs["popular_factor"])).sum(1)
    return extended(table, inputs["popular"].flatten(1), rest) + inputs["cost"].flatten(1).pow(power) * of[:, :1]


def over_literals(of: Callable[[Tensor, Tensor | None], Tensor], **inputs: Tensor) -> Tensor:
    """For every factor a sum over its literals, ``(batch, factors)``.

    Args:
        of: The summands, from coefficients and the literals' places; None for all literals in their order.
    """
    near, far = (of(inputs[f"{name}coefficient"], inputs[f"{name}literal"]).sum(1) for name in ("", "more_"))
    return extended(near, inputs["more"], of(inputs["cost"].flatten(1), None).sum(1, keepdim=True), far)


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
        chosen = log_probabilities(state, inputs["domain"]).exp().flatten(1)
        return self._beyond(chosen, shaped, **inputs)[0]

    def _beyond(self, chosen: Tensor, shaped: tuple[Tensor, Tensor], **inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The violations at probabilities of literals, and the roots in them, ``(batch, 2, factors)`` each."""
        cost, more = inputs["cost"].flatten(1), inputs["more"]
        mean, variance = summed(chosen, inputs["literal"], inputs["coefficient"])
        far_mean, far_variance = summed(chosen, inputs["more_literal"], inputs["more_coefficient"])
        priced = cost * chosen
        mean = extended(mean, more, priced.sum(1, keepdim=True), far_mean)
        variance = extended(variance, more, (priced * (cost - priced)).sum(1, keepdim=True), far_variance)
        distance = torch.stack([mean - inputs["high"], inputs["low"] - mean], dim=1)
        openness, weight = shaped
        root = (distance.square() + 2.0 * openness * variance.unsqueeze(1) + 1e-6).sqrt()
        return 0.5 * weight * (distance + root), root

    def penalty(self, state: Tensor, weights: Tensor, numbers: Tensor | None = None, **inputs: Tensor) -> Tensor:
        """``Σ w h²`` for the `violations` ``h``, ``(batch,)``, with its gradient as sums over the factors of each literal.

        Automatic differentiation would scatter. The gradient is detached, so it has no derivative of its own.
        """
        p = log_probabilities(state, inputs["domain"]).exp().flatten(1)
        chosen, shaped = p.detach(), self.shaped(numbers, **inputs)
        violations, root = self._beyond(chosen, shaped, **inputs)
        share = weights * violations / root
        sides = 2.0 * share * violations
        by_mean = sides[:, 0] - sides[:, 1]
        by_variance = (share * (shaped[0] * shaped[1])).sum(1)
        slope = over_factors(by_mean, 1, **inputs) + (1.0 - 2.0 * chosen) * over_factors(by_variance, 2, **inputs)
        return (weights * violations.square()).flatten(1).sum(1) + ((p - chosen) * slope).sum(1)

    def shaped(self, numbers: Tensor | None = None, **inputs: Tensor) -> tuple[Tensor, Tensor]:
        """``ρ`` and ``√ω`` of both sides of every factor, ``(batch, 2, factors)`` each; they do not depend on the state."""
        features = shape_of(**inputs)
        openness, weight = (
            sum((each * number[..., place] for place, each in enumerate(features)), start=torch.zeros_like(features[0]))
            for number in (self._number(f"{name}_by_shape", numbers, 4) for name in ("openness", "weight"))
        )
        return (self._number("log_openness", numbers, 3) + openness).exp(), (0.5 * weight).exp()

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


def shape_of(**inputs: Tensor) -> list[Tensor]:
    """The `FEATURES` of both sides of every factor, ``(batch, 2, factors)`` each: the upper side first."""
    low, high = inputs["low"], inputs["high"]
    literals = over_literals(lambda a, _: _there(a), **inputs).clamp_min(1.0)
    degree = _there(inputs["factor_coefficient"]).flatten(2).sum(1)
    degree = extended(degree, inputs["popular"].flatten(1), _there(inputs["popular_coefficient"]).sum(1))
    degree = degree + _there(inputs["cost"]).flatten(1)
    total = over_literals(lambda a, at: _there(a) * (degree if at is None else gathered(degree, at)), **inputs)
    crowded = (total / literals).clamp_min(1.0).log()
    least = over_literals(lambda a, _: a.clamp_max(0.0), **inputs)
    most = over_literals(lambda a, _: a.clamp_min(0.0), **inputs)
    reach = (most - least).clamp_min(1e-3)
    both = ((low > -FAR / 2) & (high < FAR / 2)).to(low.dtype)
    exact = both * (high - low < inputs["slack"]).to(low.dtype)
    beyond = (torch.stack([most - high, low - least], dim=1) / reach.unsqueeze(1)).clamp(0.0, 1.0)
    room = (beyond * reach.unsqueeze(1) + 1.0).log()
    alike = (feature.unsqueeze(1).expand_as(beyond) for feature in (literals.log(), crowded, both, exact))
    literal, crowd, *bounds = alike
    return [literal, beyond, room, crowd, *bounds]


def _there(coefficient: Tensor) -> Tensor:
    return (coefficient != 0).to(coefficient.dtype)


def log_probabilities(state: Tensor, domain: Tensor) -> Tensor:
    """Logarithms of the probabilities of every variable's values; of those outside its domain, −10,000."""
    return functional.log_softmax(state + FAR * (domain - 1.0), dim=2)


CHECKS = {"constraints": "Every constraint holds."}


def checks(answer: dict[str, Tensor], **inputs: Tensor) -> dict[str, Tensor]:
    """Number of violated factors, ``{"constraints": (batch,) int64}``; each value outside its domain counts as one."""
    domain, low, slack = inputs["domain"], inputs["low"], inputs["slack"]
    value = answer["value"].unsqueeze(2)
    holds = torch.zeros_like(domain).scatter(2, value, 1.0).flatten(1)
    total = over_literals(lambda a, at: a * (holds if at is None else gathered(holds, at)), **inputs)
    broken = ((total > inputs["high"] + slack) | (total < low - slack)).to(torch.int64).sum(1)
    return {"constraints": broken + (domain.gather(2, value) < 0.5).to(torch.int64).flatten(1).sum(1)}
