"""Train the constraints energy through its own descent: ``python -m groundstate_models.constraints.train --preset cpu``.

The energy's few numbers and those of the descent are learned together, by evolution (CMA-ES: N. Hansen and A. Ostermeier,
"Completely derandomized self-adaptation in evolution strategies", 2001): a candidate is worth how soon chains that descend with
it reach answers, over problems of all families. That is what is wanted of a search; a gradient through a few updates does not
tell it.

Everything is seeded; a checkpoint is written every few minutes and on interruption, and the same command goes on from it. Needs
``groundstate[train]``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundstate_models.constraints.compiled import Array, Flat, descend
from groundstate_models.constraints.energy import FEATURES, HAND
from groundstate_models.constraints.families import FAMILIES, minimal_sudoku, mixed, quasigroup, queens, sat, zebra
from groundstate_models.constraints.learned import NOISE_EVERY, RULE, TEMPERATURE, Settings
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.tensors import Network
from groundstate_training import Evolution, EvolutionPreset, Point, evolve_command

_HELD = 1_000_003
"""Added to the seed of problems that are validated on."""

MARKS = (64, 128, 256, 512)
"""A chain is worth the share of these numbers of updates within which it has an answer."""


@dataclass(frozen=True, kw_only=True)
class Preset(EvolutionPreset):
    """Sizes of the training.

    Attributes:
        made: Problems of each family to train on.
        drawn: Of those, how many a generation is judged by.
        chains: Descended on each.
        held: Problems of each family to validate on.
        largest: Edges of the largest problem to train on.
    """

    iterations: int = 150
    candidates: int = 14
    made: int = 48
    drawn: int = 8
    chains: int = 2
    held: int = 24
    largest: int = 2_500


PRESETS = {
    "smoke": Preset(iterations=2, candidates=4, made=2, drawn=1, chains=1, held=1, validate_every=1),
    "cpu": Preset(),
}


def settings_of(x: Array) -> Settings:
    """What a point of the search stands for; the origin stands for what is written by hand."""
    n = len(FEATURES)
    energy = dict(HAND)
    for place, name in enumerate(("log_openness", "log_temperature", "log_confinement")):
        energy[name] = HAND[name] + float(x[place])
    energy["temperature_by_values"] = float(x[3])
    energy["openness_by_shape"], energy["weight_by_shape"] = x[4 : 4 + n].tolist(), x[4 + n : 4 + 2 * n].tolist()
    rule, rest = dict(RULE), x[4 + 2 * n :]
    for place, name in enumerate(("step_size", "noise", "raises")):
        rule[name] = RULE[name] * math.exp(float(rest[place]))
    for place, name in enumerate(("momentum", "keep"), 3):
        odds = math.log(RULE[name] / (1.0 - RULE[name])) + float(rest[place])
        rule[name] = 1.0 / (1.0 + math.exp(-odds))
    return Settings(energy, rule, Settings().start * math.exp(float(rest[5])))


DIMENSIONS = 4 + 2 * len(FEATURES) + 6


def problems(seed: int, each: int, largest: int) -> dict[str, list[Flat]]:
    """Problems by family that propagation alone does not solve, each family ``each`` at the most."""
    draw = np.random.default_rng(seed)
    sources = {
        "minimal sudoku": (minimal_sudoku(9, draw).request for _ in range(2 * each)),
        "quasigroup at the threshold": (
            quasigroup(n, round(0.42 * n * n), draw).request for n in draw.integers(10, 15, 4 * each)
        ),
        "zebra 5x5": (zebra(5, 5, draw).request for _ in range(each)),
        "queens of all sizes": (queens(int(n), draw).request for n in draw.integers(6, 20, each)),
        "sat at the threshold": (sat(int(n), 4.26, draw).request for n in draw.integers(20, 51, each)),
    }
    sources |= {
        family: (example.request for example in mixed(seed + place, 6 * each, 0.85, [family]))
        for place, family in enumerate(FAMILIES)
    }
    found: dict[str, list[Flat]] = {}
    for family, requests in sources.items():
        kept: list[Flat] = []
        for request in requests:
            network = Network(Problem.of(request).graph)
            if network.kept and len((tensors := network.tensors(exact=True))["literal"]) <= largest:
                kept.append(Flat.of(tensors))
            if len(kept) == each:
                break
        if kept:
            found[family] = kept
    return found


def judge(
    settings: Settings, sets: Mapping[str, Sequence[Flat]], chains: int, seed: int
) -> dict[str, tuple[float, float]]:
    """For each family how soon chains reach answers, from 0 to 1, and the share of chains that do at all."""
    how: dict[str, Any] = {"chains": chains, "steps": MARKS[-1], "noise_every": NOISE_EVERY, "heat": TEMPERATURE}
    found = {}
    for family, some in sets.items():
        at = np.concatenate([descend(one, settings, seed=seed + place, **how) for place, one in enumerate(some)])
        soon = float(np.mean([((at > 0) & (at <= mark)).mean() for mark in MARKS]))
        found[family] = (soon, float((at > 0).mean()))
    return found


def worth(judged: Mapping[str, tuple[float, float]]) -> float:
    """One number for all families."""
    return float(np.mean([soon for soon, _ in judged.values()]))


class ConstraintsEvolution(Evolution):
    """The training of the constraints energy."""

    def __init__(self, preset: Preset, seed: int, threads: int) -> None:
        super().__init__(preset, seed, threads, DIMENSIONS)
        self.training = problems(seed, preset.made, preset.largest)
        self.held = problems(seed + _HELD, preset.held, preset.largest)

    @property
    def settings(self) -> Settings:
        return settings_of(self.mean)

    def fitness(self, points: Sequence[Point]) -> list[float]:
        preset, number = self.preset, self.iteration
        draw = np.random.default_rng((self.seed, number))
        some = {
            family: [every[int(i)] for i in draw.permutation(len(every))[: preset.drawn]]
            for family, every in self.training.items()
        }
        return self.map(lambda x: worth(judge(settings_of(x), some, preset.chains, 7919 * number)), points)

    def validate(self) -> dict[str, Any]:
        """How soon, and how often within the last mark, chains reach answers to problems that no candidate was judged by."""
        told = judge(self.settings, self.held, 4, 0)
        each = {family: [round(value, 3) for value in pair] for family, pair in told.items()}
        return {"held": round(worth(told), 4), **each}


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    return evolve_command("constraints", PRESETS, ConstraintsEvolution, argv)


if __name__ == "__main__":
    sys.exit(main())
