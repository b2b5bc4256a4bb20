"""The result of an examination."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from groundstate_export._arguments import Arguments
from groundstate_export._card import Accept
from groundstate_export._descent.initial import Decoded, Initial, of_example
from groundstate_export._descent.rules.rule import NoiseTimes, Slot
from groundstate_export._examine.kept import Kept
from groundstate_export._ir.program import Spec


@dataclass(frozen=True, kw_only=True)
class Examined(Arguments):
    """Arguments that can be exported, with the results of running them once.

    Attributes:
        slots: The tensors that the rule adds to the state.
        noise_times: The steps of a chain that draw noise; None without noise.
        noisy: The steps of a segment at which noise may be due: one slot of the noise for each.
        confined: Whether the rule moves a state to the nearest feasible one before a segment begins.
        terms: The names of the energy's terms.
        check_names: The names of the checks.
        answers: The tensors of the answer.
        accepted: Which chains have an answer.
        kept: The values that earlier calls computed.
    """

    slots: dict[str, Slot]
    noise_times: NoiseTimes | None
    noisy: tuple[int, ...]
    confined: bool
    terms: tuple[str, ...]
    check_names: tuple[str, ...] = ()
    answers: dict[str, Spec]
    accepted: Accept
    kept: Kept

    @classmethod
    def of(cls, arguments: Arguments, **found: Any) -> Examined:
        """Arguments with the results of the examination; ``found`` also replaces arguments that were completed."""
        return cls(**({f.name: getattr(arguments, f.name) for f in fields(Arguments)} | found))

    def state_specs(self) -> dict[str, Spec]:
        """All tensors of the state, minimised tensors first."""
        return {name: Spec.of(t) for name, t in self.state.items()} | {
            name: Spec.of(slot.tensor) for name, slot in self.slots.items()
        }

    def starts(self) -> dict[str, Initial | Decoded]:
        """How each state tensor starts."""
        return self.initial | {name: slot.initial for name, slot in self.slots.items()}

    def drawn(self) -> dict[str, Initial]:
        """As `starts`, but tensors that start from an earlier stage's answer are drawn as their example suggests."""
        return {
            name: of_example(self.state[name]) if isinstance(start, Decoded) else start
            for name, start in self.starts().items()
        }
