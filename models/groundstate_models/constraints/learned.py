"""The learned numbers: of the energy, of its descent, and of the start of chains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from groundstate_export import Breakout, HeavyBall
from groundstate_models._settings import Settings as SettingsBase
from groundstate_models.constraints.energy import HAND, LEARNED, ConstraintsEnergy

SEGMENT = 16
"""Steps in a segment. After each segment the host looks for answers."""

NOISE_EVERY = 4
NOISE_PERIOD = 16
"""Period of a chain's noise in steps; the last `NOISE_EVERY` steps of a period have no noise."""

TEMPERATURE = (0.0, 2.0)
"""Range of the chains' temperatures, the factors of their noise."""

RULE = {"step_size": 2.37, "momentum": 0.89, "noise": 0.158, "raises": 0.212, "keep": 0.995}
"""The descent's numbers before training: the best of a random search."""


@dataclass(frozen=True)
class Settings(SettingsBase):
    """The numbers of the energy and of its descent; the defaults are the start of training.

    Attributes:
        energy: As in `energy.HAND`.
        rule: As in `RULE`.
        start: Standard deviation of the chains' initial logits.
    """

    FORMAT: ClassVar[int] = 1

    energy: Mapping[str, Any] = field(default_factory=lambda: dict(HAND))
    rule: Mapping[str, float] = field(default_factory=lambda: dict(RULE))
    start: float = 1.0

    @property
    def numbers(self) -> list[float]:
        """The energy's numbers and the rule's, in the order of `energy.LEARNED` and of `RULE`."""
        energy = [self.energy[name] for name in LEARNED]
        flat = [number for one in energy for number in (one if isinstance(one, list) else [one])]
        return [*flat, *(self.rule[name] for name in RULE)]

    def descent(self, energy: ConstraintsEnergy) -> Breakout:
        """The rule that descends an energy with these numbers."""
        s = self.rule
        ball = HeavyBall(
            s["step_size"],
            s["momentum"],
            noise=s["noise"],
            noise_every=NOISE_EVERY,
            noise_period=NOISE_PERIOD,
            temperature=TEMPERATURE,
        )
        return Breakout(
            ball, energy.violations, raises=s["raises"], keep=s["keep"], terms=("constraints",), penalty=energy.penalty
        )
