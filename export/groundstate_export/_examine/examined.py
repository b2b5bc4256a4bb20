"""What an examination finds out."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from groundstate_export._arguments import Arguments
from groundstate_export._descent.initial import Initial
from groundstate_export._descent.rules.rule import Slot
from groundstate_export._ir.program import Spec


@dataclass(frozen=True, kw_only=True)
class Examined(Arguments):
    """Arguments that can be exported, and what running them once showed.

    Attributes:
        slots: What the rule adds to the state.
        kicks: The steps of a segment that draw noise.
        confined: Whether the rule moves a state to the nearest that it allows before a segment begins.
        terms: The names of the energy's terms.
        rule_names: The names of the checks.
        answers: The tensors of the answer.
    """

    slots: dict[str, Slot]
    kicks: tuple[int, ...]
    confined: bool
    terms: tuple[str, ...]
    rule_names: tuple[str, ...] = ()
    answers: dict[str, Spec]

    @classmethod
    def of(cls, arguments: Arguments, **found: Any) -> Examined:
        """Arguments with what was found; ``found`` also replaces arguments that were completed."""
        return cls(**({f.name: getattr(arguments, f.name) for f in fields(Arguments)} | found))

    def state_specs(self) -> dict[str, Spec]:
        """Everything the descent carries, minimised tensors first."""
        return {name: Spec.of(t) for name, t in self.state.items()} | {
            name: Spec.of(slot.tensor) for name, slot in self.slots.items()
        }

    def starts(self) -> dict[str, Initial]:
        """How each state tensor starts."""
        return self.initial | {name: slot.initial for name, slot in self.slots.items()}
