"""Train the Sudoku energy through its own descent: ``python -m groundstate_models.sudoku.train --preset cpu``.

The numbers of the energy, of the rule that descends it, and of where chains start are learned together, by evolution: a
candidate is worth how soon chains that descend with it reach answers. That is told by the logarithm of how many answers a
thousand updates bring, so that a puzzle that takes ten times as long counts as much as an easy one; and puzzles that the
generations before seldom solved come back more often.

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

from groundstate_models.evolution import Evolution, Point, Sizes, command
from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.compiled import Array, Boards, descend
from groundstate_models.sudoku.energy import UNTRAINED
from groundstate_models.sudoku.learned import RULE, Settings
from groundstate_models.sudoku.search import hard_puzzles, hardest_puzzles, minimal_puzzles

_HELD = 1_000_003
"""Added to the seed of puzzles that are validated on."""

ENERGY = tuple(UNTRAINED)
SCALED = ("step_size", "noise", "raises")
ODDS = ("momentum", "keep")
DIMENSIONS = len(ENERGY) + len(SCALED) + len(ODDS) + 1


@dataclass(frozen=True, kw_only=True)
class Preset(Sizes):
    """Sizes of the training.

    Attributes:
        minimal, hard, hardest, loose: Puzzles to train on: random minimal ones, made hard, made as hard as can be, and boards
            of few givens, from none on, which have many answers.
        children: Of each of the hardest, see `search.hardest_puzzles`.
        drawn: Of those, how many a generation is judged by.
        chains: Descended on each.
        steps: Updates of a chain.
        held: Puzzles of each kind to validate on.
    """

    iterations: int = 100
    candidates: int = 14
    minimal: int = 32
    hard: int = 96
    hardest: int = 48
    children: int = 3
    drawn: int = 64
    chains: int = 8
    steps: int = 1_024
    loose: int = 24
    held: int = 16


PRESETS = {
    "smoke": Preset(
        iterations=2,
        candidates=4,
        minimal=4,
        hard=2,
        hardest=2,
        children=1,
        loose=2,
        drawn=4,
        chains=1,
        steps=64,
        held=2,
        validate_every=1,
    ),
    "cpu": Preset(),
}


def settings_of(x: Point) -> Settings:
    """What a point of the search stands for; the origin stands for what training starts from."""
    energy = {name: UNTRAINED[name] + float(by) for name, by in zip(ENERGY, x, strict=False)}
    rest = dict(zip((*SCALED, *ODDS, "start"), map(float, x[len(ENERGY) :]), strict=True))
    rule = dict(RULE)
    for name in SCALED:
        rule[name] = RULE[name] * math.exp(rest[name])
    for name in ODDS:
        odds = math.log(RULE[name] / (1.0 - RULE[name])) + rest[name]
        rule[name] = 1.0 / (1.0 + math.exp(-odds))
    return Settings(energy, rule, Settings().start * math.exp(rest["start"]))


def soon(found: Array, steps: int) -> Array:
    """How soon the chains of each puzzle reach its answer: the binary logarithm of answers in a thousand updates, ``(puzzles,)``.

    Args:
        found: Updates after which each chain had it, 0 for none, ``(puzzles, chains)``. A tenth of an answer is added, so that
            a puzzle without any has a value too.
        steps: Updates that each chain could make.
    """
    spent = np.where(found > 0, found, steps).sum(1)
    logarithms: Array = np.log2(1000.0 * ((found > 0).sum(1) + 0.1) / spent)
    return logarithms


class SudokuEvolution(Evolution):
    """The training of the Sudoku energy.

    Attributes:
        share: Of each puzzle's chains, those that reached its answer when it was last drawn.
    """

    def __init__(self, preset: Preset, seed: int, threads: int) -> None:
        super().__init__(preset, seed, threads, DIMENSIONS)
        print("Making puzzles …", file=sys.stderr, flush=True)
        made = puzzles(seed, preset.minimal, preset.hard, preset.hardest, preset.loose, preset.children)
        self.training = _joined(list(made.values()))
        self.held = puzzles(seed + _HELD, *(4 * (preset.held,)), preset.children)
        self.share = np.ones(len(self.training))

    @property
    def settings(self) -> Settings:
        return settings_of(self.strategy.mean)

    def judged(self, points: Sequence[Point]) -> list[float]:
        preset, number = self.preset, self.iteration
        some = self._drawn(np.random.default_rng((self.seed, number)))
        rows = np.repeat(some, preset.chains)

        def found(x: Point) -> Array:
            settings = settings_of(x)
            return descend(self.training, settings, rows, steps=preset.steps, seed=number).reshape(len(some), -1)

        each = self.map(found, points)
        self.share[some] = np.mean([(one > 0).mean(1) for one in each], axis=0)
        return [float(soon(one, preset.steps).mean()) for one in each]

    def _drawn(self, draw: np.random.Generator) -> Array:
        """Half of them any, half of the quarter that was solved least."""
        least = np.argsort(self.share, kind="stable")[: len(self.share) // 4]
        hard = draw.permutation(least)[: self.preset.drawn // 2]
        others = np.setdiff1d(np.arange(len(self.share)), hard)
        found: Array = np.concatenate([hard, draw.permutation(others)[: self.preset.drawn - len(hard)]])
        return found

    def validate(self) -> dict[str, Any]:
        """For each kind how soon (`soon`), the share of chains that reach the answer, and of puzzles where one of four does."""
        told = {}
        for kind, boards in self.held.items():
            rows = np.repeat(np.arange(len(boards)), 4)
            found = descend(boards, self.settings, rows, steps=self.preset.steps, seed=0).reshape(len(boards), -1)
            worth = float(soon(found, self.preset.steps).mean())
            told[kind] = [
                round(worth, 3),
                round(float((found > 0).mean()), 3),
                round(float((found > 0).any(1).mean()), 3),
            ]
        return told

    def state(self) -> dict[str, Any]:
        return super().state() | {"share": self.share}

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore(state)
        self.share = state["share"]


def puzzles(seed: int, minimal: int, hard: int, hardest: int, loose: int, children: int) -> dict[str, Boards]:
    """Boards by what they are, so many of each; see `Preset`."""
    made = {
        "minimal": minimal_puzzles(minimal, seed),
        "hard": hard_puzzles(hard, seed, rounds=100),
        "hardest": hardest_puzzles(hardest, seed, children),
    }
    boards = {kind: Boards.of(BOARDS[9], puzzle) for kind, (puzzle, _, _) in made.items()}
    draw = np.random.default_rng((seed, 4))
    solution = minimal_puzzles(loose, seed + 1)[1]
    kept = draw.random(solution.shape) < draw.uniform(0.0, 0.25, (loose, 1))
    return boards | {"loose": Boards.of(BOARDS[9], np.where(kept, solution, 0))}


def _joined(parts: Sequence[Boards]) -> Boards:
    return Boards(parts[0].board, np.concatenate([part.grid for part in parts]))


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    return command("sudoku", PRESETS, SudokuEvolution, argv)


if __name__ == "__main__":
    sys.exit(main())
