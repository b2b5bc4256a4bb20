"""The numbers of the descent: spread of the starts, damping of the steps, noise for stuck chains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from groundstate_export import LevenbergMarquardt
from groundstate_models._settings import Settings as SettingsBase
from groundstate_models.layout.energy import LayoutEnergy
from groundstate_models.layout.moves import Moves

SEGMENT = 8
"""Updates in a segment; the host looks for answers after each segment."""

NOISE_EVERY = 8
"""Updates between two noise injections into a stuck chain."""

ITERATIONS = 10
"""Steps of conjugate gradients in an update."""

RULE = {"damping": 0.1, "down": 0.3, "up": 4.0, "throw": 0.7, "sharpness": 0.25}
"""Hand-written numbers of the descent before training."""


@dataclass(frozen=True)
class Settings(SettingsBase):
    """The numbers of the descent; training starts from the defaults.

    Attributes:
        rule: ``damping``, ``down`` and ``up`` of `LevenbergMarquardt`; the noise for the worst item of a stuck chain, relative
            to its spread; and the power of an item's share in the violation that scales the noise of the others.
        start: Standard deviation of the initial places, relative to the spread of an item.
        moves: Of the starts, as in `moves.Moves`.
    """

    FORMAT: ClassVar[int] = 2

    rule: Mapping[str, float] = field(default_factory=lambda: dict(RULE))
    start: float = 1.0
    moves: Mapping[str, float] = field(default_factory=Moves().numbers)

    def descent(self, energy: LayoutEnergy) -> LevenbergMarquardt:
        """The rule of descent with these numbers."""
        s = self.rule

        def heat(state: Tensor, **inputs: Tensor) -> Tensor:
            return s["throw"] * energy.heat(state, **inputs).pow(s["sharpness"])

        return LevenbergMarquardt(
            energy.residuals,
            linearised=energy.linearised,
            heat=heat,
            noise_every=NOISE_EVERY,
            cold=COLD,
            damping=s["damping"],
            down=s["down"],
            up=s["up"],
            iterations=ITERATIONS,
        )


COLD = 2e-3
"""The norm of the rows above which a chain counts as stuck."""
