"""The learned numbers: of the energy, of its descent, of the start of chains, and of their patience."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from groundstate_export import Breakout, HeavyBall
from groundstate_models._settings import Settings as SettingsBase
from groundstate_models.sudoku.energy import LEARNED, UNTRAINED, SudokuEnergy

SEGMENT = 16
"""Steps in a segment of the file. After each segment the host looks for answers. This only affects the speed."""

NOISE_EVERY = 8
NOISE_PERIOD = 32
"""Period of a chain's noise in steps; the last `NOISE_EVERY` steps of a period have no noise."""

TEMPERATURE = (0.0, 2.0)
"""Range of the chains' temperatures, the factors of their noise."""

RULE = {"step_size": 1.25, "momentum": 0.98, "noise": 0.025, "raises": 0.04, "keep": 0.999}
"""The descent's numbers before training: round numbers, found like `energy.UNTRAINED`."""


@dataclass(frozen=True)
class Settings(SettingsBase):
    """The numbers of the energy and of its descent; the defaults are the start of training.

    Attributes:
        energy: As in `energy.UNTRAINED`.
        rule: As in `RULE`.
        start: Standard deviation of the chains' initial logits.
        patience: Steps after which a chain without an answer restarts; `lifetime` rounds it.
    """

    FORMAT: ClassVar[int] = 2

    energy: Mapping[str, float] = field(default_factory=lambda: dict(UNTRAINED))
    rule: Mapping[str, float] = field(default_factory=lambda: dict(RULE))
    start: float = 0.5
    patience: float = 320.0

    @property
    def lifetime(self) -> int:
        """The artefact's patience: rounded to whole periods of the noise."""
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
