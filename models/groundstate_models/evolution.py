"""Training by evolution: the few numbers of an energy and of its descent, learned together by how soon chains reach answers.

The strategy is CMA-ES (N. Hansen and A. Ostermeier, "Completely derandomized self-adaptation in evolution strategies", 2001).
A gradient through a few updates does not tell what is wanted of a search; a thousand chains that search do. Needs
``groundstate[train]``.
"""

from __future__ import annotations

import argparse
import math
import os
import pickle
import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from groundstate_models.training import TrainingError, resume, run, write

FORMAT = 2
"""Of checkpoints; 1 kept no generator."""

Point = NDArray[Any]


class Learned(Protocol):
    """The numbers that a point of the search stands for."""

    def keep(self, path: Path) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of an evolution; presets add those of their problems.

    Attributes:
        iterations: Generations.
        candidates: In each.
        spread: Standard deviation of the first candidates.
        validate_every: Generations from one validation to the next.
    """

    iterations: int
    candidates: int
    spread: float = 0.25
    validate_every: int = 10


class _Normal:
    """Standard normal numbers for CMA-ES from a generator that is kept with it, so that a run goes on as if not stopped."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def __call__(self, *shape: int) -> Point:
        return self.random.standard_normal(shape)


class Evolution(ABC):
    """The state of a training run; an iteration is a generation.

    Args:
        preset: Its sizes.
        seed: Decides every random draw.
        threads: Candidates that descend at a time.
        dimensions: Numbers that are learned.
    """

    def __init__(self, preset: Sizes, seed: int, threads: int, dimensions: int) -> None:
        with warnings.catch_warnings():
            # Where matplotlib is missing, cma says on import that it cannot draw, which is not wanted of it.
            warnings.filterwarnings("ignore", "Could not import matplotlib", UserWarning)
            import cma

        self.preset: Any = preset
        self.seed, self.seen = seed, 0
        self._pool = ThreadPoolExecutor(threads)
        options = {"popsize": preset.candidates, "randn": _Normal(seed), "seed": math.nan, "verbose": -9}
        self.strategy = cma.CMAEvolutionStrategy(np.zeros(dimensions), preset.spread, options)

    @property
    def iteration(self) -> int:
        return int(self.strategy.countiter)

    @property
    @abstractmethod
    def settings(self) -> Learned:
        """What was learned so far: that of the middle of the candidates."""

    @abstractmethod
    def judged(self, points: Sequence[Point]) -> list[float]:
        """What each candidate of a generation is worth, higher is better; all are judged by the same draw of problems."""

    @abstractmethod
    def validate(self) -> dict[str, Any]:
        """How good `settings` are on problems that no candidate was judged by."""

    def map(self, value: Callable[[Any], Any], points: Sequence[Any]) -> list[Any]:
        """``value`` of every point, or of whatever it takes, as many at a time as there are threads."""
        return list(self._pool.map(value, points))

    def step(self) -> dict[str, float]:
        """One generation."""
        points = self.strategy.ask()
        values = self.judged(points)
        self.strategy.tell(points, [-value for value in values])
        self.seen += len(points)
        return {"best": max(values), "mean": float(np.mean(values)), "spread": float(self.strategy.sigma)}

    def state(self) -> dict[str, Any]:
        """Everything that a run needs to go on."""
        return {
            "format": FORMAT,
            "preset": asdict(self.preset),
            "strategy": self.strategy.pickle_dumps(),
            "seen": self.seen,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned, on an evolution of the same preset and seed."""
        self.strategy, self.seen = pickle.loads(state["strategy"]), state["seen"]  # noqa: S301 - the user's own run


def command(
    name: str, presets: Mapping[str, Any], begin: Callable[[Any, int, int], Evolution], argv: list[str] | None
) -> int:
    """The command that trains a model: ``python -m groundstate_models.<name>.train``. Returns the exit code.

    Args:
        name: Of the model's folder.
        presets: `Sizes` by name.
        begin: Makes the evolution of a preset, a seed, and a number of threads.
        argv: What was typed after the command.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m groundstate_models.{name}.train",
        description=f"Train the {name} energy through its own descent. Ctrl-C stops it; the same command goes on.",
    )
    parser.add_argument("--preset", choices=sorted(presets), default="cpu")
    parser.add_argument(
        "--out", type=Path, default=Path("runs") / name, help="folder of the run (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, help="generations; may be changed when a run goes on")
    parser.add_argument("--stop-after", type=int, help="stop at this generation, to go on later")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(argv)
    preset = presets[options.preset]
    if options.iterations:
        preset = replace(preset, iterations=options.iterations)
    checkpoint, kept = options.out / "checkpoint.pt", options.out / "settings.json"
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        evolution = begin(preset, options.seed, options.threads)
        if checkpoint.exists():
            resume(evolution, checkpoint, FORMAT)
            print(f"Going on from generation {evolution.iteration}.", file=sys.stderr, flush=True)
        last = min(preset.iterations, options.stop_after or preset.iterations)
        with (options.out / "log.jsonl").open("a", encoding="utf-8") as log:
            stopped = run(evolution, last, checkpoint, log, lambda: [evolution.validate()], report_every=1)
        write(kept, evolution.settings.keep)
    except (TrainingError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    print(
        f"{'Stopped' if stopped else 'Done'} at {evolution.iteration} of {preset.iterations}; {kept}", file=sys.stderr
    )
    return 0
