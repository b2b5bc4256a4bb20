"""Training by evolution: the few numbers of an energy and its descent, optimised together for how soon chains reach answers.

The strategy is CMA-ES (N. Hansen and A. Ostermeier, "Completely derandomized self-adaptation in evolution strategies", 2001).
Whether a chain finds an answer has no gradient; evolution needs none.
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from groundstate_training._checkpoint import Checkpoint

Point = NDArray[Any]

SAME = 1e-6
"""Tolerance between candidates of a resumed run and its checkpoint, for rounding on another machine."""


class Learned(Protocol):
    """The settings of a CMA-ES point."""

    def keep(self, path: Path) -> None:
        """Write them to a file."""
        ...


@dataclass(frozen=True, kw_only=True)
class EvolutionPreset:
    """Settings of an evolution; presets of a model add settings of its problems.

    Attributes:
        iterations: Generations.
        candidates: Candidates in a generation.
        spread: Standard deviation of the first candidates.
        validate_every: Generations between two validations.
    """

    iterations: int
    candidates: int
    spread: float = 0.25
    validate_every: int = 10


class Evolution(ABC):
    """A training run by CMA-ES; an iteration is a generation.

    A checkpoint contains the candidates of every generation and their fitness. The strategy is deterministic: a resumed run
    replays them, and continues bit for bit as without the stop.

    Args:
        preset: Settings of the run.
        seed: Seed of every random draw.
        threads: Number of candidates to evaluate in parallel.
        dimensions: Number of learned numbers.
    """

    format = 3

    def __init__(self, preset: EvolutionPreset, seed: int, threads: int, dimensions: int) -> None:
        self.preset: Any = preset
        self.seed, self._dimensions = seed, dimensions
        self._pool = ThreadPoolExecutor(threads)
        self._generations: list[tuple[Point, Point]] = []
        self._strategy = self._new_strategy()

    def _new_strategy(self) -> Any:
        with warnings.catch_warnings():
            # Without matplotlib, cma warns on import that it cannot draw.
            warnings.filterwarnings("ignore", "Could not import matplotlib", UserWarning)
            import cma
        draw = np.random.default_rng(self.seed)
        options = {
            "popsize": self.preset.candidates,
            "randn": lambda *shape: draw.standard_normal(shape),
            "seed": math.nan,
            "verbose": -9,
        }
        return cma.CMAEvolutionStrategy(np.zeros(self._dimensions), self.preset.spread, options)

    @property
    def iteration(self) -> int:
        """Generations so far."""
        return len(self._generations)

    @property
    def seen(self) -> int:
        """Candidates evaluated so far."""
        return sum(len(points) for points, _ in self._generations)

    @property
    def mean(self) -> Point:
        """The middle of the candidates, ``(dimensions,)``: the best estimate so far."""
        mean: Point = self._strategy.mean
        return mean

    @property
    @abstractmethod
    def settings(self) -> Learned:
        """The result so far: the settings of `mean`."""

    @abstractmethod
    def fitness(self, points: Sequence[Point]) -> Sequence[float]:
        """The fitness of each candidate of a generation; higher is better. All use the same problems."""

    @abstractmethod
    def validate(self) -> dict[str, Any]:
        """Quality of `settings` on validation problems, for the log."""

    def map(self, value: Callable[[Any], Any], points: Sequence[Any]) -> list[Any]:
        """``value`` of every point, in parallel over the threads."""
        return list(self._pool.map(value, points))

    def step(self) -> dict[str, float]:
        """Run one generation."""
        points = np.array(self._strategy.ask())
        values = np.asarray(self.fitness(list(points)), np.float64)
        self._record(points, values)
        return {"best": float(values.max()), "mean": float(values.mean()), "spread": float(self._strategy.sigma)}

    def _record(self, points: Point, values: Point) -> None:
        self._strategy.tell(list(points), (-values).tolist())
        self._generations.append((points, values))

    def state(self) -> Checkpoint:
        """The candidates of all generations and their fitness."""
        shape = (len(self._generations), self.preset.candidates)
        points = np.array([points for points, _ in self._generations]).reshape(*shape, self._dimensions)
        return {"points": points, "fitness": np.array([values for _, values in self._generations]).reshape(shape)}

    def restore(self, state: Checkpoint) -> None:
        """Replay a result of `state`, on an evolution of the same preset and seed.

        Raises:
            ValueError: If it comes from another seed or another version of the strategy.
        """
        strategy, generations = self._strategy, self._generations
        self._strategy, self._generations = self._new_strategy(), []
        for number, (points, values) in enumerate(zip(state["points"], state["fitness"], strict=True)):
            if not np.allclose(np.array(self._strategy.ask()), points, rtol=SAME, atol=SAME):
                self._strategy, self._generations = strategy, generations
                raise ValueError(f"the candidates of generation {number} differ: another seed or version made them")
            self._record(points, values)
