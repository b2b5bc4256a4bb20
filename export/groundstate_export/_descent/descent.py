"""A descent in PyTorch: the caller's energy, autograd and a rule, independent of the export.

It is the reference for files, and the descent to train rules and energies with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from groundstate_export._descent.evaluate import named_terms, norm
from groundstate_export._descent.rules.rule import Probe, Rule, State, where_moving


@dataclass(frozen=True)
class Reading:
    """A host's view of a state.

    Attributes:
        point: The minimised tensors that are reported, by name.
        terms: The energy by named term, ``(batch,)`` each.
        energy: Their sum, ``(batch,)``.
        residual: Norm of the rule's residuals, ``(batch,)``; 0 at a minimum.
    """

    point: State
    terms: Mapping[str, Tensor]
    energy: Tensor
    residual: Tensor


@dataclass(frozen=True)
class Descent:
    """An energy that a rule descends.

    If gradients are enabled, every step is differentiable with respect to the energy's parameters, the rule's, and the
    start. Under `torch.no_grad` nothing is kept.

    Attributes:
        energy: As `export` takes it.
        rule: How the gradient moves the state.
        inputs: The energy's inputs by name, batch first.
        names: Names of the minimised tensors, if the energy takes them by name; None for a single tensor, named ``y``.
        compare: Compares two objectives or merits for the rule, given the size of the terms in each;
            None for ``<=``.
    """

    energy: Callable[..., Tensor | Mapping[str, Tensor]]
    rule: Rule
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    names: tuple[str, ...] | None = None
    compare: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None

    def start(self, state: Tensor | Mapping[str, Tensor], generator: torch.Generator | None = None) -> State:
        """A start: the minimised tensors, made feasible, and the rule's slots, drawn as a host draws them."""
        named = {"y": state} if isinstance(state, Tensor) else dict(state)
        slots = self.rule.slots(named, self.at(named, last=True))
        shapes = {name: tuple(slot.tensor.shape) for name, slot in slots.items()}
        drawn = {n: s.initial.draw(shapes[n], generator).to(s.tensor) for n, s in slots.items()}
        return self.begin(named | drawn)

    def begin(self, state: Mapping[str, Tensor], step_scale: Tensor | None = None) -> State:
        """The state at which a segment begins: the nearest feasible one, unless a chain's step scale is 0."""
        nearest = self.rule.feasible(state, self.inputs)
        return {
            name: where_moving(step_scale, nearest[name], y) if nearest[name] is not y else y
            for name, y in state.items()
        }

    def at(self, state: Mapping[str, Tensor], *, last: bool = False) -> Probe:
        """The landscape at a state; with ``last`` in a host's view."""
        return self._evaluate(state, last=last)[0]

    def slope(self, state: Mapping[str, Tensor], *, last: bool = False) -> tuple[Probe, dict[str, Tensor]]:
        """The landscape at a state, and the gradient of the objective for each minimised tensor."""
        kept = torch.is_grad_enabled()
        probe, inner, leaves = self._evaluate(state, last=last)
        with torch.enable_grad():
            slopes = torch.autograd.grad(inner.objective.sum(), list(leaves.values()), create_graph=kept)
        return probe, dict(zip(leaves, slopes, strict=True))

    def step(
        self, state: State, noise: Mapping[str, Tensor] | None = None, step_scale: Tensor | None = None
    ) -> tuple[State, Probe]:
        """One update: the next state, and the landscape before it.

        Args:
            state: All tensors of the state.
            noise: Standard normal tensors with the names and shapes of the minimised ones, if this step draws noise.
            step_scale: Multiplies the step size of each chain, ``(batch,)``; None for 1.
        """
        probe, gradient = self.slope(state)
        following: State = self.rule(state, gradient, noise, step_scale, probe)
        # NaN times a scale of 0 is NaN, but such a chain must only be evaluated.
        following |= {name: where_moving(step_scale, following[name], state[name]) for name in gradient}
        return following, probe

    def read(self, state: Mapping[str, Tensor]) -> Reading:
        """A host's view of a state at the end of a segment."""
        point = self.shown(state)
        probe, gradient = self.slope({**state, **point}, last=True)
        return Reading(point, probe.terms, probe.energy, norm(self.rule.residuals(probe, gradient).values()))

    def shown(self, state: Mapping[str, Tensor]) -> State:
        """The minimised tensors to report."""
        reported = self.rule.reported(state, self.at)
        return {name: reported.get(name, state[name]) for name in self.names or ("y",)}

    def _pack(self, state: Mapping[str, Tensor]) -> Tensor | dict[str, Tensor]:
        return state["y"] if self.names is None else {name: state[name] for name in self.names}

    def _evaluate(self, state: Mapping[str, Tensor], *, last: bool) -> tuple[Probe, Probe, dict[str, Tensor]]:
        """The landscape for others, the differentiable one, and the tensors to differentiate by."""
        kept = torch.is_grad_enabled()
        with torch.enable_grad():
            leaves = {name: _leaf(state[name], kept=kept) for name in self.names or ("y",)}
            inner = {**state, **leaves}
            keywords = self.rule.keywords(state, last=last)
            terms = named_terms(self.energy(self._pack(inner), **self.inputs, **keywords))
        outer = terms if kept else {name: term.detach() for name, term in terms.items()}
        return (
            Probe(self.rule, state, self._pack(state), self.inputs, outer, self.at, self.compare),
            Probe(self.rule, inner, self._pack(inner), self.inputs, terms, self.at, self.compare),
            leaves,
        )


def _leaf(tensor: Tensor, *, kept: bool) -> Tensor:
    return tensor if kept and tensor.requires_grad else tensor.detach().clone().requires_grad_()
