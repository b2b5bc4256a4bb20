"""Descent within a set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from groundstate_export._descent.rules.mirror import MirrorDescent
from groundstate_export._descent.rules.rejecting import Rejecting
from groundstate_export._descent.rules.rule import Probe, Rule, Slot, State, Wrapper, asked, contains, where_moving
from groundstate_export._descent.sets.set import Set

Sets = Set | Sequence[Set]


class Projected(Wrapper):
    """``y ← P(y′)``: the inner rule's step, then the nearest point of a set.

    A. A. Goldstein, "Convex programming in Hilbert space", 1964; E. S. Levitin and B. T. Polyak, "Constrained
    minimization methods", 1966. A segment starts from ``P(y)`` too, so every evaluated state lies in the set, for any
    start. ``residual`` is then the norm of ``y − P(y − ∇E(y))``, which is 0 where no step within the set leads down. At
    step_scale 0 nothing is projected: such a chain is only evaluated.

    Rules that scale each element separately (`Adam`, `RMSProp`, step sizes by element) converge to the minimum in a `Box` or
    with fixed values. On a simplex or a sphere they stop elsewhere, because the projection uses another metric than the
    descent. ``residual`` is not 0 there, so no host counts the chain as converged.

    Args:
        rule: The rule that moves the state.
        sets: The set of each minimised tensor: by name, or one for all. Several sets for one tensor are projected to
            in turn. The result lies in all of them if the later projections do not leave the earlier sets, as for a box
            and fixed values within it.

    Raises:
        ValueError: `Rejecting` is inside, which would rank states before they are projected, or
            `MirrorDescent`, which stays on the simplex by itself.
    """

    def __init__(self, rule: Rule, sets: Sets | Mapping[str, Sets]) -> None:
        super().__init__(rule)
        if contains(rule, Rejecting):
            raise ValueError(
                "Projected contains Rejecting, which would rank a step before it is projected; put it inside: "
                "Rejecting(Projected(…))."
            )
        if contains(rule, MirrorDescent):
            raise ValueError("Projected contains MirrorDescent, which stays on the simplex by itself; use one of them.")
        named = sets if isinstance(sets, Mapping) else {"*": sets}
        self.names = list(named)
        self.sets = nn.ModuleList(nn.ModuleList([s] if isinstance(s, Set) else s) for s in named.values())

    def nearest(self, name: str, y: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """The nearest point to a minimised tensor, of its shape."""
        for key, sets in zip(self.names, self.sets, strict=True):
            if key in {name, "*"}:
                assert isinstance(sets, nn.ModuleList)
                for one in sets:
                    y = one(y, inputs)
        return y

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        if unknown := set(self.names) - {"*", *state}:
            raise KeyError(f"Projected has sets for {sorted(unknown)}; the state has {sorted(state)}.")
        return super().slots(state, probe)

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        inputs = asked(probe, self).inputs
        following: State = self.rule(state, gradient, noise, step_scale, probe)
        for name in gradient:
            projected = self.nearest(name, following[name], inputs)
            following[name] = where_moving(step_scale, projected, state[name])
        return following

    def feasible(self, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        nearest = self.rule.feasible(state, inputs)
        minimised = [name for name in nearest if "." not in name]
        return {**nearest, **{name: self.nearest(name, nearest[name], inputs) for name in minimised}}

    def residuals(self, probe: Probe, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = self.rule.residuals(probe, gradient)
        nearest = self.feasible({name: probe.state[name] - slope for name, slope in gradient.items()}, probe.inputs)
        return {**found, **{name: probe.state[name] - nearest[name] for name in gradient}}
