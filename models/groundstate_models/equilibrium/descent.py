"""The rules of the descent: damped Newton steps with conjugate gradients, and hops between basins around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from groundstate_export import Constant, NoiseTimes, Probe, Rule, Slot
from groundstate_models.equilibrium.energy import EquilibriumEnergy

DAMPING = "chain.damping"
STEP = "chain.step"
BASE = "chain.base_energy"
WORST = 1e30
TINY = 1e-35

State = dict[str, Tensor]


class DampedNewton(Rule):
    """``y ← y − d`` with ``(H + λ) d = ∇``, if that lowers the energy; then ``λ ← down λ``, else ``λ ← up λ``.

    The system is solved by conjugate gradients; no matrix is formed. H is the positive part of the Hessian, and the whole of it
    while the damping is below ``exact``, near a minimum; the iterations end where it curves down. R. S. Dembo and T. Steihaug,
    "Truncated-Newton algorithms for large-scale unconstrained optimization", 1983; the damping: K. Levenberg, 1944.

    Args:
        energy: It gives the products with the Hessian.
        iterations: Of conjugate gradients.
        damping: ``λ`` at the start.
        down: In (0, 1).
        up: Above 1.
        reach: The largest move of a coordinate in a step of length 1.
        short, long: Further lengths that are tried; the lowest energy wins.
        exact: Damping below which H is the whole Hessian.
    """

    model: EquilibriumEnergy

    def __init__(
        self,
        energy: EquilibriumEnergy,
        *,
        iterations: int,
        damping: float,
        down: float,
        up: float,
        reach: float,
        short: float,
        long: float,
        exact: float,
    ) -> None:
        super().__init__()
        object.__setattr__(self, "model", energy)
        self.iterations, self.damping, self.down, self.up = iterations, damping, down, up
        self.reach, self.short, self.long, self.exact = reach, short, long, exact

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        del probe
        (y,) = state.values()
        start = y.new_full((y.shape[0],), self.damping)
        return {DAMPING: Slot(start, Constant(self.damping), later=(1e-6, self.damping, 10.0))}

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        del noise
        assert probe is not None
        (name,) = gradient
        y, damping = self.moved(state, name, state[name], state[DAMPING], step_scale, probe)
        return {**state, name: y, DAMPING: damping}

    def moved(
        self, state: State, name: str, y: Tensor, damping: Tensor, step_scale: Tensor | None, probe: Probe
    ) -> tuple[Tensor, Tensor]:
        """A step from ``y``, and the following damping."""
        scale = torch.ones_like(damping) if step_scale is None else step_scale.to(damping.dtype)
        step = self._direction(y, damping, dict(probe.inputs))
        size = step.abs().amax((1, 2), keepdim=True)
        step = step * torch.clamp(self.reach / (size + 1e-30), max=1.0)
        step = scale.reshape(-1, 1, 1) * step
        before = least = probe.at({**state, name: y}).energy
        found = y
        for length in (1.0, self.short, self.long):
            tried = y - length * step
            energy = probe.at({**state, name: tried}).energy
            lower = probe.lower(energy, least) & (scale > 0)
            found = torch.where(lower.reshape(-1, 1, 1), tried, found)
            least = torch.where(lower, energy, least)
        taken = probe.lower(least, before) & (found != y).flatten(1).any(1)
        following = torch.where(taken, damping * self.down, damping * self.up).clamp(1e-9, 1e9)
        return found, torch.where(scale > 0, following, damping)

    def _direction(self, y: Tensor, damping: Tensor, inputs: dict[str, Tensor]) -> Tensor:
        at = self.model.local(y, damping < self.exact, **inputs)
        lam = damping.reshape(-1, 1, 1)
        scale = (at.diagonal + lam).rsqrt()

        def product(p: Tensor) -> Tensor:
            return scale * (self.model.product(at, scale * p, **inputs) + lam * scale * p)

        return scale * conjugate(product, at.slope * scale, self.iterations)


def conjugate(product: Callable[[Tensor], Tensor], r: Tensor, iterations: int) -> Tensor:
    """Solve ``product(x) = r``, ``(batch, …)`` with three axes, by conjugate gradients; where they curve down, they end."""
    x = torch.zeros_like(r)
    p, rr = r, r.square().sum((1, 2), keepdim=True)
    known: list[Tensor] = []
    upward = torch.ones_like(rr, dtype=torch.bool)
    for k in range(iterations):
        q = product(p)
        curved = (p * q).sum((1, 2), keepdim=True)
        upward = upward & (curved > 0)
        length = torch.where(upward, rr / (curved.clamp_min(0.0) + TINY), torch.zeros_like(rr))
        x = x + length * p
        if k + 1 == iterations:
            break
        # Each residual is made orthogonal to the earlier ones, so that rounding does not decide the direction.
        known.append((r / (rr + TINY).sqrt()).flatten(1))
        basis = torch.stack(known, dim=1)
        r = r - length * q
        flat = r.flatten(1)
        flat = flat - ((basis @ flat.unsqueeze(2)).transpose(1, 2) @ basis).squeeze(1)
        r = flat.view_as(x)
        following = r.square().sum((1, 2), keepdim=True)
        p = r + following / (rr + TINY) * p
        rr = following
    return x


class BasinHopping(Rule):
    """Every ``every`` steps a chain goes back to the lowest basin that it found, and hops from there.

    The chain has settled after the number of hops that the problem asks for, with an input; until then its residual
    is above 1. D. J. Wales and J. P. K. Doye, "Global optimization by basin-hopping", 1997; the monotonic form: R. H. Leary,
    "Global optimization on funneling landscapes", 2000.

    Args:
        rule: What descends between the hops.
        throw: ``throw(state, noise, **inputs)``, where a hop goes.
        every: Steps from one hop to the next.
        hops: The input with the number of hops; a chain with none does not hop.
    """

    throw: Callable[..., Tensor]

    def __init__(self, rule: DampedNewton, throw: Callable[..., Tensor], every: int, hops: str = "hops") -> None:
        super().__init__()
        self.rule, self.every, self.hops = rule, every, hops
        object.__setattr__(self, "throw", throw)
        self.noise_times = NoiseTimes(every)

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        ((name, y),) = state.items()
        worst, zero = y.new_full((y.shape[0],), WORST), y.new_zeros((y.shape[0],))
        return {
            **self.rule.slots(state, probe),
            f"{name}.base": Slot(torch.zeros_like(y), Constant(0.0)),
            BASE: Slot(worst, Constant(WORST), later=(WORST, 0.0)),
            STEP: Slot(zero, Constant(0.0), later=(0.0, 1.0, 100.0)),
        }

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        assert probe is not None
        (name,) = gradient
        y, damping, found = state[name], state[DAMPING], dict(state)
        if noise is not None:
            due = (noise[name] != 0).flatten(1).any(1) & (probe.inputs["shake"] > 0).any(1)
            due = due & (probe.inputs[self.hops][:, 0] > 0)
            if step_scale is not None:
                due = due & (step_scale > 0)
            on = due.reshape(-1, 1, 1)
            lower = probe.lower(probe.energy, state[BASE]) & due
            found[f"{name}.base"] = torch.where(lower.reshape(-1, 1, 1), y, state[f"{name}.base"])
            found[BASE] = torch.where(lower, probe.energy, state[BASE])
            y = torch.where(on, self.throw(found[f"{name}.base"], noise[name], **probe.inputs), y)
            damping = torch.where(due, torch.full_like(damping, self.rule.damping), damping)
        found[name], found[DAMPING] = self.rule.moved(state, name, y, damping, step_scale, probe)
        found[STEP] = state[STEP] + 1.0
        return found

    def residuals(self, probe: Probe, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        left = (probe.inputs[self.hops][:, 0] * self.every - probe.state[STEP]).clamp_min(0.0)
        return {**gradient, "hops": left.unsqueeze(1)}

    def reported(self, state: Mapping[str, Tensor], at: Callable[[Mapping[str, Tensor]], Probe]) -> State:
        (name,) = (key.removesuffix(".base") for key in state if key.endswith(".base"))
        here = at(state)
        latest = here.lower(here.energy, state[BASE])
        return {name: torch.where(latest.reshape(-1, 1, 1), state[name], state[f"{name}.base"])}
