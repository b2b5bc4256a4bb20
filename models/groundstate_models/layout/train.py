"""Learn the numbers of the starts or of the descent: ``python -m groundstate_models.layout.train --preset cpu``, resumable.

``--numbers descent`` is `descent_training`. The rest of this file is ``--numbers starts``: CMA-ES over `moves.Moves` (N. Hansen
and A. Ostermeier, 2001). A candidate's fitness is how little work the search for starts does for each start that violates
nothing, over generated rooms and worlds. Work is the number of candidate places whose cost is computed, so the fitness does not
depend on the machine. The seeds are not those of the benchmarks, and neither are the rooms.

Needs ``groundstate[train]``. ``--report COUNT`` prints what learning bought on other problems.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.layout import descent_training
from groundstate_models.layout import settings as kept
from groundstate_models.layout.families import room, world
from groundstate_models.layout.learned import Settings
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.moves import Moves
from groundstate_models.layout.request import read
from groundstate_models.layout.starts import CLEAN, Starts
from groundstate_training import Evolution, EvolutionPreset, Point, evolve_command

_HELD = 1_000_003
"""Added to the seed for the validation problems."""

REPORTED = 3_000_017
"""Seed of the problems of `report`."""

STARTS = 8
"""Starts that are built of each problem."""

NONE = 400_000.0
"""Effort that counts where no start is clean, whatever the work: else a search that gives up early would look cheap."""

SHARES = ("wall", "corner", "backed", "beside", "along", "friend", "touch")
"""Moves that are probabilities, learned as log-odds; the logarithms of the others are learned."""

BOUNDS = {"candidates": (8.0, 120.0), "sweeps": (2.0, 30.0)}


@dataclass(frozen=True, kw_only=True)
class Preset(EvolutionPreset):
    """Sizes of the training.

    Attributes:
        made: Problems of each family to train on.
        drawn: Number of those in one generation.
        held: Validation problems of each family.
    """

    iterations: int = 40
    candidates: int = 10
    made: int = 40
    drawn: int = 5
    held: int = 12


PRESETS = {
    "smoke": Preset(iterations=2, candidates=4, made=2, drawn=1, held=1, validate_every=1),
    "cpu": Preset(validate_every=8),
}


def moves_of(x: NDArray[Any]) -> Moves:
    """Map a CMA-ES point to moves; the origin is the hand-written ones."""
    found = {}
    for (name, value), step in zip(Moves().numbers().items(), x.tolist(), strict=True):
        if name in SHARES:
            found[name] = 1.0 / (1.0 + math.exp(-math.log(value / (1.0 - value)) - step))
        else:
            low, high = BOUNDS.get(name, (0.0, math.inf))
            found[name] = min(max(value * math.exp(step), low), high)
    if found["beside"] + found["along"] > 0.98:
        found["along"] = max(0.98 - found["beside"], 0.01)
    return Moves(**found)


DIMENSIONS = len(Moves().numbers())


def problems(seed: int, each: int) -> dict[str, list[Starts]]:
    """The starts of rooms and worlds, by family."""
    draw = np.random.default_rng(seed)
    requests = {
        "rooms": [room(draw) for _ in range(each)],
        "full rooms": [room(draw, (10, 17)) for _ in range(each)],
        "worlds": [world(draw, int(draw.integers(4, 9))) for _ in range(each)],
    }
    return {family: [Starts.of(Lowering(read(one))) for one in some] for family, some in requests.items()}


def effort(starts: Starts, moves: Moves, seed: int) -> tuple[float, bool]:
    """Work for each start that violates nothing, `NONE` without one, and whether there is one."""
    starts.moves, starts.work = moves, 0
    off = starts.places(np.random.default_rng(seed), STARTS)[2]
    clean = int((off <= CLEAN).sum())
    return (starts.work / clean if clean else NONE), clean > 0


def judged(moves: Moves, sets: Mapping[str, Sequence[Starts]], seed: int) -> dict[str, tuple[float, float]]:
    """For each family, the mean logarithm of the effort, and the share of problems with a clean start."""
    found = {}
    for family, some in sets.items():
        each = [effort(one, moves, seed + k) for k, one in enumerate(some)]
        found[family] = (float(np.mean([math.log(work) for work, _ in each])), float(np.mean([ok for _, ok in each])))
    return found


class LayoutEvolution(Evolution):
    """The training of the starts."""

    def __init__(self, preset: Preset, seed: int, threads: int) -> None:
        super().__init__(preset, seed, threads, DIMENSIONS)
        self.training = problems(seed, preset.made)
        self.held = problems(seed + _HELD, preset.held)

    @property
    def settings(self) -> Settings:
        numbers = {name: float(f"{value:.4g}") for name, value in moves_of(self.mean).numbers().items()}
        return replace(Settings.read(kept()), moves=numbers)

    def fitness(self, points: Sequence[Point]) -> list[float]:
        draw = np.random.default_rng((self.seed, self.iteration))
        some = {
            family: [every[int(k)] for k in draw.permutation(len(every))[: self.preset.drawn]]
            for family, every in self.training.items()
        }
        seed = 7919 * self.iteration
        return [-float(np.mean([log for log, _ in judged(moves_of(x), some, seed).values()])) for x in points]

    def validate(self) -> dict[str, Any]:
        """Effort and clean shares on the validation problems."""
        found = judged(Moves.of(self.settings.moves), self.held, 0)
        each = {family: [round(log, 3), round(share, 3)] for family, (log, share) in found.items()}
        return {"held": round(-float(np.mean([log for log, _ in found.values()])), 4), **each}


def report(settings: Settings, seed: int, each: int) -> None:
    """Print what learning bought on problems of a seed that no training used."""
    sets = problems(seed, each)
    before, after = (judged(moves, sets, seed) for moves in (Moves(), Moves.of(settings.moves)))
    print(
        "| family | candidate places for a clean start, by hand | learned | rooms with a clean start, by hand | learned |"
    )
    print("|---|---|---|---|---|")
    for family in sets:
        (one, ok), (two, fine) = before[family], after[family]
        print(f"| {family} | {math.exp(one):,.0f} | {math.exp(two):,.0f} | {ok:.1%} | {fine:.1%} |")


def main(argv: list[str] | None = None) -> int:
    """Train, or report; returns the exit code."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--numbers", choices=("starts", "descent"), default="starts")
    parser.add_argument("--report", type=int, metavar="COUNT", help="what learning bought on COUNT problems a family")
    parser.add_argument("--settings", type=Path, default=kept())
    options, rest = parser.parse_known_args(argv)
    descent = options.numbers == "descent"
    if options.report:
        reported = descent_training.report if descent else report
        reported(Settings.read(options.settings), REPORTED, options.report)
        return 0
    if descent:
        return evolve_command("layout", descent_training.PRESETS, descent_training.DescentEvolution, rest)
    return evolve_command("layout", PRESETS, LayoutEvolution, rest)


if __name__ == "__main__":
    sys.exit(main())
