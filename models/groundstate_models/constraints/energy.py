"""The energy of a factor graph: what its constraints are expected to cost while every variable is still undecided.

The state holds a logit for each value of each variable; a softmax makes them probabilities ``p``. A factor's sum ``Σ a·x`` then has
the mean ``s = Σ a·p`` and, the literals taken to be independent, the variance ``q = Σ a²·p(1−p)``. How far it is expected to be
beyond a bound is told by a smooth hinge ``h(d, q) = ½ (d + √(d² + 2 ρ q))`` of the distance ``d`` beyond it: 0 far inside,
``d`` far outside, and above 0 near the bound as long as the literals are undecided, so that a fractional state is no rest where
no integral one is. The energy is the sum of

* ``constraints``: ``Σ ω h²`` over the factors and their two sides;
* ``preferences``: the expected cost of the chosen values;
* ``decision``: ``−T`` times the entropy of every variable, which keeps it open for as long as it matters (mean-field annealing:
  C. Peterson and B. Söderberg, "A new method for mapping optimization problems onto neural networks", 1989);
* ``confinement``: ``½ λ Σ y²``, which keeps the logits finite.

``ω`` and ``ρ`` of a factor are told by a small network that sees its shape (how many literals, how its bounds lie in what the sum
can reach, in how many factors its literals stand), and ``T`` by one that sees how many values a variable has. Nothing else
knows which factor or variable it is about, so the names and the order of a request do not matter, nor its size.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from groundstate_models.constraints.tensors import FAR

FEATURES = 6
"""Of a side of a factor."""


def summed(edges: Tensor, where: Tensor, like: Tensor) -> Tensor:
    """Sums of the edges of every factor, or of every literal: ``(batch, n)`` as ``like`` is."""
    return torch.zeros_like(like).scatter_add(1, where, edges)


class ConstraintsEnergy(nn.Module):
    """``energy(y, **inputs) -> named terms``, each ``(batch,)``; the state is ``(batch, variables, values)``.

    Inputs are those of `tensors.Network.tensors`. The network's last layer starts at zero, and with it the energy is the one
    written by hand: every factor weighs the same.

    Args:
        hidden: Width of the network that reads factors; 0 for the energy written by hand.
        openness: ``ρ`` at the start.
        temperature: ``T`` at the start.
        confinement: ``λ`` at the start.
        preference: What a preference's cost is multiplied by.
    """

    def __init__(
        self,
        hidden: int = 16,
        openness: float = 0.3,
        temperature: float = 0.2,
        confinement: float = 0.003,
        preference: float = 0.3,
    ) -> None:
        super().__init__()
        self.config = {"hidden": hidden}
        self.log_openness = nn.Parameter(torch.tensor(openness).log())
        self.log_temperature = nn.Parameter(torch.tensor(temperature).log())
        self.log_confinement = nn.Parameter(torch.tensor(confinement).log())
        self.log_preference = nn.Parameter(torch.tensor(preference).log())
        self.spread = nn.Parameter(torch.zeros(()))
        self.inner: nn.Linear | None = None
        if hidden:
            self.inner, self.outer = nn.Linear(FEATURES, hidden), nn.Linear(hidden, 2)
            nn.init.zeros_(self.outer.weight)
            nn.init.zeros_(self.outer.bias)

    def forward(
        self,
        state: Tensor,
        domain: Tensor,
        cost: Tensor,
        literal: Tensor,
        factor: Tensor,
        coefficient: Tensor,
        low: Tensor,
        high: Tensor,
        slack: Tensor,
    ) -> dict[str, Tensor]:
        logits = log_probabilities(state, domain)
        p = logits.exp()
        beyond = self.violations(state, domain, cost, literal, factor, coefficient, low, high, slack)
        many = domain.sum(2).clamp_min(2.0).log()
        temperature = (self.log_temperature + self.spread * (many - 1.0)).exp()
        return {
            "constraints": beyond.square().flatten(1).sum(1),
            "preferences": self.log_preference.exp() * (cost * p).flatten(1).sum(1),
            "decision": (temperature * (p * logits).sum(2)).sum(1),
            "confinement": 0.5 * self.log_confinement.exp() * (state * domain).square().flatten(1).sum(1),
        }

    def violations(
        self,
        state: Tensor,
        domain: Tensor,
        cost: Tensor,
        literal: Tensor,
        factor: Tensor,
        coefficient: Tensor,
        low: Tensor,
        high: Tensor,
        slack: Tensor,
    ) -> Tensor:
        """``√ω h`` of every factor above its upper and below its lower bound, ``(batch, 2, factors)``."""
        del cost
        p = log_probabilities(state, domain).exp().flatten(1)
        chosen = p.gather(1, literal)
        weighted = coefficient * chosen
        mean = summed(weighted, factor, low)
        variance = summed(coefficient * weighted * (1.0 - chosen), factor, low)
        distance = torch.stack([mean - high, low - mean], dim=1)
        openness, weight = self._shaped(domain, literal, factor, coefficient, low, high, slack)
        root = (distance.square() + 2.0 * openness * variance.unsqueeze(1) + 1e-6).sqrt()
        return 0.5 * weight * (distance + root)

    def _shaped(
        self,
        domain: Tensor,
        literal: Tensor,
        factor: Tensor,
        coefficient: Tensor,
        low: Tensor,
        high: Tensor,
        slack: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """``ρ`` and ``√ω`` of both sides of every factor, from its shape; state-independent, so computed once a segment."""
        if self.inner is None:
            one = torch.ones_like(torch.stack([low, high], dim=1))
            return self.log_openness.exp() * one, one
        there = (coefficient != 0).to(low.dtype)
        literals = summed(there, factor, low).clamp_min(1.0)
        degree = summed(there, literal, domain.flatten(1)).gather(1, literal)
        crowded = (summed(there * degree, factor, low) / literals).clamp_min(1.0).log()
        least, most = (summed(c, factor, low) for c in (coefficient.clamp_max(0.0), coefficient.clamp_min(0.0)))
        reach = (most - least).clamp_min(1e-3)
        both = ((low > -FAR / 2) & (high < FAR / 2)).to(low.dtype)
        exact = both * (high - low < slack).to(low.dtype)
        sides = []
        for bound in (most - high, low - least):  # how much of the reach lies beyond the bound
            beyond = (bound / reach).clamp(0.0, 1.0)
            sides.append(torch.stack([literals.log(), beyond, (beyond * reach + 1.0).log(), crowded, both, exact], dim=2))
        told = self.outer(functional.silu(self.inner(torch.stack(sides, dim=1))))
        return (self.log_openness + told[..., 0]).exp(), (0.5 * told[..., 1]).exp()

    def decode(self, state: Tensor, domain: Tensor, **rest: Tensor) -> dict[str, Tensor]:
        """The likeliest value of every variable, ``{"value": (batch, variables) int64}``."""
        del rest
        return {"value": log_probabilities(state, domain).argmax(2)}

    def embed(self, answer: dict[str, Tensor], domain: Tensor, **rest: Tensor) -> Tensor:
        """The place of an answer in the landscape: its values as likely as confinement lets them be."""
        del rest
        return SURE * torch.zeros_like(domain).scatter(2, answer["value"].unsqueeze(2), 1.0)


SURE = 8.0
"""The logit of a decided value above the others'."""


def log_probabilities(state: Tensor, domain: Tensor) -> Tensor:
    """Logarithms of the probabilities of every variable's values; of those outside its domain, −10,000."""
    return functional.log_softmax(state + FAR * (domain - 1.0), dim=2)


RULES = {"constraints": "Every constraint holds."}


def rules(answer: dict[str, Tensor], **inputs: Tensor) -> dict[str, Tensor]:
    """How many factors an assignment breaks, ``{"constraints": (batch,) int64}``; values outside a domain break one each."""
    domain, low, slack = inputs["domain"], inputs["low"], inputs["slack"]
    value = answer["value"].unsqueeze(2)
    holds = torch.zeros_like(domain).scatter(2, value, 1.0)
    total = summed(inputs["coefficient"] * holds.flatten(1).gather(1, inputs["literal"]), inputs["factor"], low)
    broken = ((total > inputs["high"] + slack) | (total < low - slack)).to(torch.int64).sum(1)
    return {"constraints": broken + (domain.gather(2, value) < 0.5).to(torch.int64).flatten(1).sum(1)}
