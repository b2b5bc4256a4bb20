"""The base of every rule of descent: `Rule`, its view of the landscape (`Probe`), and rules around rules (`Wrapper`).

A rule is a small `torch.nn.Module`. The same object trains (its step sizes may be learned), runs the reference descent in
PyTorch, and is captured into the exported graph. Everything is per chain, that is per row of the batch.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from groundstate_export._descent.evaluate import total
from groundstate_export._descent.initial import Constant, Initial

State = dict[str, Tensor]

STEP = "chain.step"
"""The slot that counts a chain's updates since its start. All rules that use it write the same next count."""


class Slot(NamedTuple):
    """A tensor that a rule keeps between steps: ``<tensor>.<slot>``, or ``chain.<slot>`` for one per chain.

    Attributes:
        tensor: Its start, float32, batch first.
        initial: The distribution that a host draws it from.
        later: Values that it may have in a chain that is under way, as further starts for the comparison with PyTorch.
            Not needed if two updates from the start lead to typical values.
    """

    tensor: Tensor
    initial: Initial
    later: tuple[float, ...] = ()


class NoiseTimes(NamedTuple):
    """The steps of a chain that draw noise: step ``t``, from 0 on, if ``t mod period`` is one of the offsets.

    The steps are counted from the chain's start, so they do not depend on the length of a segment.
    """

    period: int
    offsets: tuple[int, ...] = (0,)

    def within(self, steps: int) -> tuple[int, ...]:
        """The places in a segment of ``steps`` at which noise may be due in any segment of the chain."""
        shared = math.gcd(self.period, steps)
        residues = {offset % shared for offset in self.offsets}
        return tuple(place for place in range(steps) if place % shared in residues)

    def fitting(self, steps: int) -> NoiseTimes:
        """The same times with a period that divides ``steps`` or is a multiple of it."""
        if self.period % steps == 0 or steps % self.period == 0:
            return self
        whole = math.lcm(self.period, steps)
        return NoiseTimes(whole, tuple(t for t in range(whole) if t % self.period in self.offsets))


@dataclass(frozen=True)
class Probe:
    """The landscape at a state, for rules that need more than the gradient.

    Attributes:
        rule: The whole rule that descends.
        state: All tensors of the state, slots included.
        point: The minimised tensors in the energy's form: a tensor, or several by name.
        inputs: The energy's inputs by name.
        terms: The energy by named term, ``(batch,)`` each.
        at: The landscape at another state: one more evaluation of the energy.
        compare: The comparison that `lower` uses; None for ``<=``.
    """

    rule: Rule
    state: Mapping[str, Tensor]
    point: Tensor | Mapping[str, Tensor]
    inputs: Mapping[str, Tensor]
    terms: Mapping[str, Tensor]
    at: Callable[[Mapping[str, Tensor]], Probe]
    compare: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None

    @property
    def energy(self) -> Tensor:
        """The caller's energy, ``(batch,)``."""
        return total(self.terms)

    @property
    def size(self) -> Tensor:
        """The sum of the terms' magnitudes, ``(batch,)``: the scale of the energy's rounding."""
        return total({name: term.abs() for name, term in self.terms.items()})

    @property
    def objective(self) -> Tensor:
        """The objective, ``(batch,)``: the rule gets its gradient."""
        return self.rule.objective(self)

    @property
    def merit(self) -> Tensor:
        """The merit that ranks the states of a descent, ``(batch,)``; lower is better."""
        return self.rule.merit(self)

    def lower(self, one: Tensor, other: Tensor) -> Tensor:
        """Whether the first of two objectives or merits is at most the other, bool ``(batch,)``; false for NaN.

        Rules compare with this method, so that the export can find the decisions that depend on rounding.
        """
        return one <= other if self.compare is None else self.compare(one, other, self.size)


WORST = torch.finfo(torch.float32).max
"""The merit of a state that must not be ranked."""


def per_chain(x: Tensor, like: Tensor) -> Tensor:
    """A number per chain, ``(batch,)``, shaped to broadcast against ``like``."""
    return x.reshape(-1, *(1,) * (like.dim() - 1))


def choose(condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """For each chain one of two tensors; ``condition`` is ``(batch,)``."""
    return torch.where(per_chain(condition, no), yes, no)


def where_moving(step_scale: Tensor | None, moved: Tensor, before: Tensor) -> Tensor:
    """``moved``, and ``before`` for chains with step scale 0: those are only evaluated, so they must not change."""
    return moved if step_scale is None else choose(step_scale > 0, moved, before)


def chain_slot(state: Mapping[str, Tensor], start: float, later: tuple[float, ...] = ()) -> Slot:
    """A slot with one number per chain."""
    example = next(iter(state.values()))
    return Slot(example.new_full((example.shape[0],), start), Constant(start), later)


class Rule(nn.Module, ABC):
    """One update of the state.

    Only `forward` is required. The other methods change further parts of a descent; by default they change nothing.

    Attributes:
        noise_times: The steps of a chain that draw standard normal noise; None without noise.
    """

    noise_times: NoiseTimes | None = None

    @abstractmethod
    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        """The next state.

        Args:
            state: All tensors of the state, slots included.
            gradient: The gradient of the objective, one tensor for each minimised name, of its shape.
            noise: Standard normal tensors with the same names and shapes, on the steps that draw noise; otherwise None.
            step_scale: Multiplies the step size of each chain, ``(batch,)``; None for 1. At 0 no minimised tensor may move.
            probe: The landscape at the state. A rule that needs it raises if it is None.
        """

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        """The slots that the rule adds to a state of minimised tensors, by name."""
        del state, probe
        return {}

    def keywords(self, state: Mapping[str, Tensor], *, last: bool = False) -> dict[str, Tensor]:
        """Keywords that the energy takes besides its inputs, batch first.

        Args:
            state: The state to evaluate; with ``last`` it may lack the slots.
            last: Whether this is the host's evaluation: its energies must be comparable at any end of a chain.
        """
        del state, last
        return {}

    def objective(self, probe: Probe) -> Tensor:
        """The objective, ``(batch,)``: the energy, to which a rule may add. The reported terms stay the caller's own."""
        return probe.energy

    def merit(self, probe: Probe) -> Tensor:
        """The merit that ranks the states of a descent, ``(batch,)``; the same for the same point at every step."""
        return probe.energy

    def feasible(self, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        """The nearest feasible state, where a segment starts."""
        del inputs
        return dict(state)

    def residuals(self, probe: Probe, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors that are zero at a minimum, batch first; the output ``residual`` is the norm over all of them."""
        del probe
        return dict(gradient)

    def reported(self, state: Mapping[str, Tensor], at: Callable[[Mapping[str, Tensor]], Probe]) -> State:
        """The minimised tensors to evaluate and decode at the end of a segment, if they are not the last ones.

        Args:
            state: The last state.
            at: The landscape at a state: one evaluation of the energy.
        """
        del state, at
        return {}


def asked(probe: Probe | None, rule: Rule) -> Probe:
    """The probe, for a rule that needs it.

    Raises:
        TypeError: It is missing.
    """
    if probe is None:
        raise TypeError(f"{type(rule).__name__} needs the energy: call it with probe=…, or let `Descent` call it.")
    return probe


class Wrapper(Rule):
    """A rule around another one. By default it leaves the inner rule unchanged.

    Args:
        rule: The inner rule.
        once: Whether to refuse the same kind inside, because the two would share their slots.

    Raises:
        ValueError: The same kind occurs inside.
    """

    def __init__(self, rule: Rule, *, once: bool = False) -> None:
        super().__init__()
        if once and contains(rule, type(self)):
            name = type(self).__name__
            raise ValueError(f"{name} contains another {name}; one of them can do the work of both, so use one.")
        self.rule = rule
        self.noise_times = rule.noise_times

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        return self.rule.slots(state, probe)

    def keywords(self, state: Mapping[str, Tensor], *, last: bool = False) -> dict[str, Tensor]:
        return self.rule.keywords(state, last=last)

    def objective(self, probe: Probe) -> Tensor:
        return self.rule.objective(probe)

    def merit(self, probe: Probe) -> Tensor:
        return self.rule.merit(probe)

    def feasible(self, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        return self.rule.feasible(state, inputs)

    def residuals(self, probe: Probe, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self.rule.residuals(probe, gradient)

    def reported(self, state: Mapping[str, Tensor], at: Callable[[Mapping[str, Tensor]], Probe]) -> State:
        return self.rule.reported(state, at)


def contains(rule: Rule, kind: type[Rule]) -> bool:
    """Whether a rule, or one inside it, is of a kind."""
    return any(isinstance(module, kind) for module in rule.modules())


def step_slot(state: Mapping[str, Tensor], steps: int) -> dict[str, Slot]:
    """The slot `STEP`; only its first ``steps`` counts matter."""
    return {STEP: chain_slot(state, 0.0, later=tuple(map(float, range(steps + 1))))}


def ticked(state: Mapping[str, Tensor]) -> State:
    """The next count of a chain's updates."""
    return {STEP: state[STEP] + 1.0}


def merged(*slots: Mapping[str, Slot]) -> dict[str, Slot]:
    """The slots of several parts; of a shared count the one that matters longest."""
    result: dict[str, Slot] = {}
    for some in slots:
        for name, slot in some.items():
            if name not in result or len(slot.later) > len(result[name].later):
                result[name] = slot
    return result


def looked_up(table: Tensor, step: Tensor) -> Tensor:
    """The table's row for each chain's step; the last row after the end."""
    return table[step.clamp(0, table.shape[0] - 1).to(torch.int64)]
