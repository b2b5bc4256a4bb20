"""Descent with growing weights on persistent violations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from groundstate_export._descent.initial import Constant
from groundstate_export._descent.rules.rule import Probe, Rule, Slot, State, Wrapper, asked, merged
from groundstate_export._descent.rules.step_sizes import positive

Violations = Callable[..., Tensor]

_WEIGHTS = "chain.weights"


class Breakout(Wrapper):
    """Minimises an energy that contains the squares of some violations, and fills up its local minima.

    The objective is ``E + Σ (w − 1) h²``, where ``h`` are the violations and ``w`` weights of each chain, 1 at the start.
    With each step ``w ← keep · w + (1 − keep) + raises · |h|``, with the violations before the step. A persistent
    violation gains weight until the chain leaves the basin; other weights decay to 1. Where all violations are 0 nothing
    is added, so answers are minima of the energy itself.

    ``energy``, ``terms`` and ``trace`` stay the energy's own. ``residual`` is the norm of the gradient above together with
    the violations, so a chain converges only where they are 0.

    P. Morris, "The breakout method for escaping from local minima", 1993; on relaxed variables: B. W. Wah and Y. Shang,
    "A discrete Lagrangian-based global-search method for solving satisfiability problems", 1998; forgetting: F. Hutter,
    D. Tompkins and H. Hoos, "Scaling and probabilistic smoothing", 2002.

    Args:
        rule: The rule that moves the state.
        violations: ``h(state, **inputs)``, called like the energy, returns ``(batch, …)``, of either sign.
        raises: The gain in weight per step for a violation of 1; above 0.
        keep: Share of a weight beyond 1 that is kept from step to step, above 0 and at most 1.
        terms: The energy's terms that make up ``Σ h²``, if it has such terms: they are then weighted as a whole, and
            differentiated once instead of twice.
        penalty: ``Σ w h²`` itself, ``(batch,)``, called like the energy with ``weights`` after the state, where it has a
            gradient that is faster than that of ``violations``; needs ``terms``.
        learn: Whether both are trained (as a logarithm and a logit; ``keep`` of 1 stays).

    Raises:
        ValueError: A number is out of range, another `Breakout` is inside, there is a penalty without terms, or the energy
            has no such terms.
    """

    def __init__(
        self,
        rule: Rule,
        violations: Violations,
        *,
        raises: float = 0.1,
        keep: float = 1.0,
        terms: Sequence[str] = (),
        penalty: Violations | None = None,
        learn: bool = False,
    ) -> None:
        super().__init__(rule, once=True)
        if not 0 < keep <= 1:
            raise ValueError(f"keep is {keep:g}; it must be above 0 and at most 1.")
        if penalty is not None and not terms:
            raise ValueError("A penalty takes the place of terms of the energy; name them in terms.")
        self.violations, self.terms, self.penalty = violations, tuple(terms), penalty
        self.log_raises = nn.Parameter(torch.tensor(math.log(positive("raises", raises))), requires_grad=learn)
        self.forgets = keep < 1
        logit = math.log(keep / (1.0 - keep)) if self.forgets else 0.0
        self.keep_logit = nn.Parameter(torch.tensor(logit), requires_grad=learn and self.forgets)

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        found = self._violations(asked(probe, self))
        return merged(self.rule.slots(state, probe), {_WEIGHTS: Slot(torch.ones_like(found.detach()), Constant(1.0))})

    def objective(self, probe: Probe) -> Tensor:
        weights = probe.state[_WEIGHTS]
        if not self.terms:
            squares = self._violations(probe).square()
            return self.rule.objective(probe) + ((weights - 1.0) * squares).flatten(1).sum(1)
        if missing := set(self.terms) - set(probe.terms):
            raise ValueError(f"The energy has no terms {sorted(missing)}; its terms are {sorted(probe.terms)}.")
        others = {name: term for name, term in probe.terms.items() if name not in self.terms}
        rest = self.rule.objective(replace(probe, terms=others))
        if self.penalty is not None:
            return rest + self.penalty(probe.point, weights, **probe.inputs)
        return rest + (weights * self._violations(probe).square()).flatten(1).sum(1)

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        probe = asked(probe, self)
        following: State = self.rule(state, gradient, noise, step_scale, probe)
        weights = state[_WEIGHTS]
        if self.forgets:
            keep = torch.sigmoid(self.keep_logit)
            weights = keep * weights + (1.0 - keep)
        following[_WEIGHTS] = weights + self.log_raises.exp() * self._violations(probe).abs()
        return following

    def residuals(self, probe: Probe, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self.rule.residuals(probe, gradient) | {_WEIGHTS: self._violations(probe)}

    def _violations(self, probe: Probe) -> Tensor:
        found = self.violations(probe.point, **probe.inputs)
        batch = next(iter(probe.state.values())).shape[0]
        if found.dim() < 2 or found.shape[0] != batch:
            raise ValueError(f"The violations are {tuple(found.shape)} at batch {batch}; they must be ({batch}, …).")
        return found
