"""What every rule of descent is made of: the `Rule` itself, what it may ask (`Probe`), and rules around rules (`Wrapper`).

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
"""The slot that counts the updates of a chain since it started. Each rule that needs it writes the same next count."""


class Slot(NamedTuple):
    """A tensor that a rule keeps between steps, under the name ``<tensor>.<slot>``, or ``chain.<slot>`` for one a chain.

    Attributes:
        tensor: As it starts, float32, batch first.
        initial: How a host draws it.
        later: Values that it may have in a chain that is under way, for the comparison with PyTorch to start from as well.
            Not needed where two updates from the start lead to values as good as any.
    """

    tensor: Tensor
    initial: Initial
    later: tuple[float, ...] = ()


class NoiseTimes(NamedTuple):
    """The steps of a chain at which noise is drawn: step ``t``, from 0 on, where ``t mod period`` is one of the offsets.

    The steps are the chain's own, counted since it started, so that the length of a segment does not change them.
    """

    period: int
    offsets: tuple[int, ...] = (0,)

    def within(self, steps: int) -> tuple[int, ...]:
        """The places in a segment of ``steps`` at which noise may be due, in whichever segment of the chain."""
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
    """The landscape at a state: what a rule may ask besides the gradient.

    Attributes:
        rule: The whole rule that descends.
        state: Everything the descent carries, slots included.
        point: The minimised tensors as the energy takes them: a tensor, or several by name.
        inputs: The energy's inputs by name.
        terms: The energy by named term, ``(batch,)`` each.
        at: The landscape at another state: one more evaluation of the energy.
        compare: How `lower` compares, where somebody wants to know.
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
        """The sum of the terms' magnitudes, ``(batch,)``: what the rounding of the energy is relative to."""
        return total({name: term.abs() for name, term in self.terms.items()})

    @property
    def objective(self) -> Tensor:
        """What is descended, ``(batch,)``: the gradient that a rule is given is that of this."""
        return self.rule.objective(self)

    @property
    def merit(self) -> Tensor:
        """What the states of a descent are ranked by, ``(batch,)``; lower is better."""
        return self.rule.merit(self)

    def lower(self, one: Tensor, other: Tensor) -> Tensor:
        """Where the first of two objectives or merits is at most the other, bool ``(batch,)``; false where one is NaN.

        Rules decide by this, so that a comparison with a file can tell which decisions hang on rounding.
        """
        return one <= other if self.compare is None else self.compare(one, other, self.size)


WORST = torch.finfo(torch.float32).max
"""The merit of a state that is not to be ranked."""


def per_chain(x: Tensor, like: Tensor) -> Tensor:
    """One number a chain, ``(batch,)``, shaped to broadcast against ``like``."""
    return x.reshape(-1, *(1,) * (like.dim() - 1))


def choose(condition: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """For each chain one of two tensors; ``condition`` is ``(batch,)``."""
    return torch.where(per_chain(condition, no), yes, no)


def where_moving(step_scale: Tensor | None, moved: Tensor, before: Tensor) -> Tensor:
    """``moved``, and ``before`` for chains whose step scale is 0: those are evaluated, so nothing about them may change."""
    return moved if step_scale is None else choose(step_scale > 0, moved, before)


def chain_slot(state: Mapping[str, Tensor], start: float, later: tuple[float, ...] = ()) -> Slot:
    """A slot of one number a chain."""
    example = next(iter(state.values()))
    return Slot(example.new_full((example.shape[0],), start), Constant(start), later)


class Rule(nn.Module, ABC):
    """One update of the state.

    Only `forward` must be written. The other methods say what else a rule changes about a descent; as they stand here they
    change nothing.

    Attributes:
        noise_times: The steps of a chain at which standard normal noise is drawn; None where the rule takes none.
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
            state: Everything the descent carries, slots included.
            gradient: The gradient of what is descended, one tensor for each minimised name, of its shape.
            noise: Standard normal tensors of the same names and shapes, on the steps that draw noise; else None.
            step_scale: Multiplies the step size of each chain, ``(batch,)``; None for 1. At 0 no minimised tensor may move.
            probe: The landscape at the state. The rules that need it say so; they raise where it is None.
        """

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        """What the rule adds to a state of minimised tensors: a slot for each new name."""
        del state, probe
        return {}

    def keywords(self, state: Mapping[str, Tensor], *, last: bool = False) -> dict[str, Tensor]:
        """Keywords that the energy takes besides its inputs, batch first.

        Args:
            state: The state that is evaluated; with ``last`` it may lack the slots.
            last: Whether this is the evaluation that a host reads: its energies are to be comparable whenever a chain ends.
        """
        del state, last
        return {}

    def objective(self, probe: Probe) -> Tensor:
        """What is descended, ``(batch,)``: the energy, to which a rule may add. Reported are the caller's own terms."""
        return probe.energy

    def merit(self, probe: Probe) -> Tensor:
        """What the states of a descent are ranked by, ``(batch,)``; the same number for the same point at every step."""
        return probe.energy

    def feasible(self, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        """The nearest state that the rule allows: where a segment starts."""
        del inputs
        return dict(state)

    def residuals(self, probe: Probe, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What vanishes where the descent settles, batch first; the output ``residual`` is the norm over all of it."""
        del probe
        return dict(gradient)

    def reported(self, state: Mapping[str, Tensor], at: Callable[[Mapping[str, Tensor]], Probe]) -> State:
        """The minimised tensors that are evaluated and decoded when a segment is over, where they are not its last ones.

        Args:
            state: The last state.
            at: The landscape at a state: one evaluation of the energy.
        """
        del state, at
        return {}


def asked(probe: Probe | None, rule: Rule) -> Probe:
    """The probe of a rule that cannot do without.

    Raises:
        TypeError: It was not given.
    """
    if probe is None:
        raise TypeError(f"{type(rule).__name__} asks for the energy: call it with probe=…, or let `Descent` call it.")
    return probe


class Wrapper(Rule):
    """A rule around another one, which it leaves as it is but for what the subclass changes.

    Args:
        rule: The inner rule.
        once: Whether the same kind may not occur within it, because the two would share their slots.

    Raises:
        ValueError: The same kind occurs within.
    """

    def __init__(self, rule: Rule, *, once: bool = False) -> None:
        super().__init__()
        if once and contains(rule, type(self)):
            name = type(self).__name__
            raise ValueError(f"{name} stands inside {name}; one of them can do the work of both, so use one.")
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
    """The slot `STEP`, of which the first ``steps`` counts make a difference."""
    return {STEP: chain_slot(state, 0.0, later=tuple(map(float, range(steps + 1))))}


def ticked(state: Mapping[str, Tensor]) -> State:
    """The next count of a chain's updates."""
    return {STEP: state[STEP] + 1.0}


def merged(*slots: Mapping[str, Slot]) -> dict[str, Slot]:
    """The slots of several parts; of a count that they share the one that matters longest."""
    result: dict[str, Slot] = {}
    for some in slots:
        for name, slot in some.items():
            if name not in result or len(slot.later) > len(result[name].later):
                result[name] = slot
    return result


def looked_up(table: Tensor, step: Tensor) -> Tensor:
    """The table's row for each chain's step; after the last one, the last."""
    return table[step.clamp(0, table.shape[0] - 1).to(torch.int64)]
