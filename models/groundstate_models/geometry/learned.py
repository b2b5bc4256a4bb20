"""The numbers of the descent: how far chains start, how steps are damped, how far stuck chains are thrown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from groundstate_export import LevenbergMarquardt
from groundstate_models._settings import Settings as SettingsBase
from groundstate_models.geometry.energy import GeometryEnergy

SEGMENT = 8
"""Updates in a segment: after each segment the host looks whether a chain has an answer."""

NOISE_EVERY = 8
"""Updates from one throw of a stuck chain to the next."""

ITERATIONS = 16
"""Of conjugate gradients in an update."""

RULE = {"damping": 0.1, "down": 0.3, "up": 4.0, "throw": 1.0, "sharpness": 0.25}
"""The descent's numbers before training, written by hand."""


@dataclass(frozen=True)
class Settings(SettingsBase):
    """The numbers of the descent; the defaults are those that training starts from.

    Attributes:
        rule: ``damping``, ``down`` and ``up`` of `LevenbergMarquardt`; how far the worst unknown of a stuck chain is thrown, of
            the scale; and the power of an unknown's share in the violation by which it is thrown less.
        start: Standard deviation of the unknowns that chains start from, of the scale.
    """

    FORMAT: ClassVar[int] = 1

    rule: Mapping[str, float] = field(default_factory=lambda: dict(RULE))
    start: float = 1.0

    def descent(self, energy: GeometryEnergy) -> LevenbergMarquardt:
        """The rule that descends the energy with these numbers."""
        s = self.rule

        def heat(state: Tensor, **inputs: Tensor) -> Tensor:
            return s["throw"] * energy.heat(state, **inputs).pow(s["sharpness"])

        return LevenbergMarquardt(
            energy.residuals,
            linearised=energy.linearised,
            heat=heat,
            noise_every=NOISE_EVERY,
            damping=s["damping"],
            down=s["down"],
            up=s["up"],
            iterations=ITERATIONS,
        )
