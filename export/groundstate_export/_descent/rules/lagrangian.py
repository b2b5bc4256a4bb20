"""Descent under constraints, with multipliers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from groundstate_export._descent.evaluate import norm
from groundstate_export._descent.initial import Constant
from groundstate_export._descent.rules.rule import (
    Probe,
    Rule,
    Slot,
    State,
    Wrapper,
    asked,
    chain_slot,
    choose,
    merged,
    per_chain,
)
from groundstate_export._descent.rules.step_sizes import fraction, positive

Constraint = Callable[..., Tensor]

_PENALTY, _VIOLATION, _AGE = "chain.penalty", "chain.violation", "chain.since_update"
_LARGE = torch.finfo(torch.float32).max


class AugmentedLagrangian(Wrapper):
    """Minimises ``E(y)`` where ``h(y) = 0`` and ``g(y) ≤ 0``, by multipliers.

    The objective is ``E + λ·h + ρ/2 ‖h‖² + (‖max(0, μ + ρ g)‖² − ‖μ‖²) / 2ρ``.

    Every ``every`` steps of a chain its multipliers move: ``λ ← λ + ρ h``, ``μ ← max(0, μ + ρ g)``, both kept within
    ``±clip``. If the violation is not below ``enough`` times its value at the last update, ``ρ ← min(growth · ρ,
    max_penalty)``. Multipliers and ``ρ`` are slots, so each chain has its own, and a restart of the chain restarts
    them.

    M. R. Hestenes, "Multiplier and gradient methods", 1969; M. J. D. Powell, "A method for nonlinear constraints in
    minimization problems", 1969; inequalities: R. T. Rockafellar, "Augmented Lagrange multiplier functions and
    duality in nonconvex programming", 1974; the growth of ``ρ``: D. P. Bertsekas, "Constrained Optimization and
    Lagrange Multiplier Methods", 1982.

    ``energy``, ``terms`` and ``trace`` stay the energy's own. ``residual`` is the norm of the gradient above together
    with the violations ``h`` and ``max(g, −μ/ρ)``, so a chain converges only where the constraints hold. `Best`
    ranks by ``E + max_penalty/2 (‖h‖² + ‖max(0, g)‖²)``.

    The step size must suit the curvature at the largest penalty: below ``2 / (L + max_penalty ‖∇h‖²)`` for plain descent.

    Args:
        rule: The rule that moves the state.
        equality: ``h(state, **inputs)``, called like the energy, returns ``(batch, m)``.
        inequality: ``g(state, **inputs)`` returns ``(batch, p)``.
        penalty: ``ρ`` at the start.
        growth: 1 or more.
        enough: In [0, 1).
        max_penalty: The largest ``ρ``.
        every: Steps from one update of the multipliers to the next.
        clip: The largest multiplier.

    Raises:
        ValueError: No constraint is given, a number is out of range, or another `AugmentedLagrangian` is inside.
    """

    def __init__(
        self,
        rule: Rule,
        *,
        equality: Constraint | None = None,
        inequality: Constraint | None = None,
        penalty: float = 1.0,
        growth: float = 2.0,
        enough: float = 0.5,
        max_penalty: float = 100.0,
        every: int = 10,
        clip: float = 1e6,
    ) -> None:
        super().__init__(rule, once=True)
        if equality is None and inequality is None:
            raise ValueError("AugmentedLagrangian has no constraints; give it equality=…, inequality=… or both.")
        if not (growth >= 1 and math.isfinite(growth)) or every < 1:
            raise ValueError(f"growth is {growth:g} and every is {every}; both must be 1 or more.")
        if penalty > max_penalty:
            raise ValueError(f"penalty is {penalty:g}, above max_penalty, which is {max_penalty:g}.")
        self.equality, self.inequality = equality, inequality
        self.penalty, self.max_penalty = positive("penalty", penalty), positive("max_penalty", max_penalty)
        self.growth, self.enough, self.every, self.clip = (
            growth,
            fraction("enough", enough),
            every,
            positive("clip", clip),
        )

    def constraints(self, probe: Probe) -> dict[str, Tensor]:
        """The values of the constraints, ``(batch, m)`` and ``(batch, p)``, by the name of their multipliers' slot.

        Raises:
            ValueError: One has another shape.
        """
        found = {}
        given = {"chain.equality": self.equality, "chain.inequality": self.inequality}
        batch = next(iter(probe.state.values())).shape[0]
        for name, function in given.items():
            if function is not None:
                value = function(probe.point, **probe.inputs)
                if value.dim() != 2 or value.shape[0] != batch:
                    raise ValueError(
                        f"The constraint {name.removeprefix('chain.')} is {tuple(value.shape)} at batch {batch}; it must be "
                        f"({batch}, constraints)."
                    )
                found[name] = value
        return found

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        values = self.constraints(asked(probe, self))
        own = {name: Slot(torch.zeros_like(value.detach()), Constant(0.0)) for name, value in values.items()}
        own |= {_PENALTY: chain_slot(state, self.penalty), _VIOLATION: chain_slot(state, _LARGE)}
        own[_AGE] = chain_slot(state, 0.0, later=tuple(map(float, range(self.every))))
        return merged(self.rule.slots(state, probe), own)

    def objective(self, probe: Probe) -> Tensor:
        found = self.rule.objective(probe)
        penalty = probe.state[_PENALTY].unsqueeze(1)
        for name, value in self.constraints(probe).items():
            multiplier = probe.state[name]
            if name == "chain.equality":
                found = found + (multiplier * value + 0.5 * penalty * value.square()).sum(1)
            else:
                pull = torch.relu(multiplier + penalty * value)
                found = found + ((pull.square() - multiplier.square()) / (2 * penalty)).sum(1)
        return found

    def merit(self, probe: Probe) -> Tensor:
        found = self.rule.merit(probe)
        for name, value in self.constraints(probe).items():
            excess = value if name == "chain.equality" else torch.relu(value)
            found = found + 0.5 * self.max_penalty * excess.square().sum(1)
        return found

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
        penalty, age = state[_PENALTY], state[_AGE] + 1.0
        due = age >= self.every
        for name, value in self.constraints(probe).items():
            moved = state[name] + per_chain(penalty, value) * value
            least = -self.clip if name == "chain.equality" else 0.0
            following[name] = choose(due, moved.clamp(least, self.clip), state[name])
        violation = norm(self._violations(probe).values())
        slow = due & (violation > self.enough * state[_VIOLATION])
        following[_PENALTY] = torch.where(slow, (penalty * self.growth).clamp_max(self.max_penalty), penalty)
        following[_VIOLATION] = torch.where(due, violation, state[_VIOLATION])
        following[_AGE] = torch.where(due, torch.zeros_like(age), age)
        return following

    def residuals(self, probe: Probe, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self.rule.residuals(probe, gradient) | self._violations(probe)

    def _violations(self, probe: Probe) -> dict[str, Tensor]:
        """The violation of each constraint and its multiplier: ``h``, and ``max(g, −μ/ρ)``."""
        found = self.constraints(probe)
        if (value := found.get("chain.inequality")) is not None:
            slack = -probe.state["chain.inequality"] / probe.state[_PENALTY].unsqueeze(1)
            found["chain.inequality"] = torch.maximum(value, slack)
        return found
