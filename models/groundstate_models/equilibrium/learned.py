"""The numbers of the descent: damping, reach, spread of the starts, and the rhythm of the hops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from groundstate_models._settings import Settings as SettingsBase
from groundstate_models.equilibrium.clusters import ClusterMoves, ClusterNewton
from groundstate_models.equilibrium.descent import BasinHopping, DampedNewton
from groundstate_models.equilibrium.energy import EquilibriumEnergy
from groundstate_models.equilibrium.moves import Moves

EVERY = 4
"""Steps from one hop to the next, the hop included."""

SEARCH, FINISH = 2, 2
"""Steps in a segment of the search and of the finish."""

ITERATIONS = {"search": 8, "finish": 10}
"""Steps of conjugate gradients in an update."""

RULE = {"damping": 1.0, "down": 0.2, "up": 4.0, "reach": 0.3, "short": 0.3, "long": 3.0, "exact": 0.1}
"""Hand-written numbers of the descent before training."""


@dataclass(frozen=True)
class Settings(SettingsBase):
    """The numbers of the descent; training starts from the defaults.

    Attributes:
        rule: ``damping``, ``down``, ``up``, ``reach``, ``short``, ``long`` and ``exact`` of `DampedNewton`.
        start: Standard deviation of the initial state.
    """

    FORMAT: ClassVar[int] = 2

    rule: Mapping[str, float] = field(default_factory=lambda: dict(RULE))
    start: float = 0.7

    def search(self, energy: EquilibriumEnergy) -> BasinHopping:
        """The rule of the search: Newton steps between hops."""
        newton = DampedNewton(energy, iterations=ITERATIONS["search"], **self.rule)
        return BasinHopping(newton, Moves(energy), EVERY)

    def clusters(self, energy: EquilibriumEnergy) -> BasinHopping:
        """The rule of the search for clusters: the same steps and hops over dense tables."""
        newton = ClusterNewton(energy, iterations=ITERATIONS["search"], **self.rule)
        return BasinHopping(newton, ClusterMoves(), EVERY, "pair_hops")

    def finish(self, energy: EquilibriumEnergy) -> DampedNewton:
        """The rule of the finish: Newton steps with little damping."""
        return DampedNewton(energy, iterations=ITERATIONS["finish"], **{**self.rule, "damping": 1e-3})
