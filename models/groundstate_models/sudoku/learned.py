"""The numbers that are learned: those of the energy, of its descent, of where chains start, and of when they restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from groundstate_export import Breakout, HeavyBall
from groundstate_models._settings import Settings as SettingsBase
from groundstate_models.sudoku.energy import LEARNED, UNTRAINED, SudokuEnergy

SEGMENT = 16
"""Updates in a segment of the file: after each the host looks whether a chain has an answer. It changes the speed alone."""

NOISE_EVERY = 8
NOISE_PERIOD = 32
"""Updates of a chain after which its noise repeats in time; it stays away from the last `NOISE_EVERY` of them."""

TEMPERATURE = (0.0, 2.0)
"""Range of the chains' temperatures, by which their noise is multiplied."""

RULE = {"step_size": 1.25, "momentum": 0.98, "noise": 0.025, "raises": 0.04, "keep": 0.999}
"""The descent's numbers before training; round, and found as `energy.UNTRAINED` was."""


@dataclass(frozen=True)
class Settings(SettingsBase):
    """The numbers of the energy and of its descent; the defaults are those that training starts from.

    Attributes:
        energy: As in `energy.UNTRAINED`.
        rule: As in `RULE`.
        start: Standard deviation of the logits that chains start from.
        patience: Updates after which a chain without an answer restarts; `lifetime` rounds it.
    """

    FORMAT: ClassVar[int] = 2

    energy: Mapping[str, float] = field(default_factory=lambda: dict(UNTRAINED))
    rule: Mapping[str, float] = field(default_factory=lambda: dict(RULE))
    start: float = 0.5
    patience: float = 320.0

    @property
    def lifetime(self) -> int:
        """The patience in whole periods of the noise, as the artefact has it."""
        return NOISE_PERIOD * max(1, round(self.patience / NOISE_PERIOD))

    @property
    def numbers(self) -> list[float]:
        """The energy's numbers and the rule's, in the order of `energy.LEARNED` and of `RULE`."""
        return [*(self.energy[name] for name in LEARNED), *(self.rule[name] for name in RULE)]

    def descent(self, energy: SudokuEnergy, temperature: tuple[float, float] = TEMPERATURE) -> Breakout:
        """The rule that descends an energy with these numbers."""
        s = self.rule
        ball = HeavyBall(
            s["step_size"],
            s["momentum"],
            noise=s["noise"],
            noise_every=NOISE_EVERY,
            noise_period=NOISE_PERIOD,
            temperature=temperature,
        )
        return Breakout(ball, energy.violations, raises=s["raises"], keep=s["keep"], terms=("rules", "undecided"))
