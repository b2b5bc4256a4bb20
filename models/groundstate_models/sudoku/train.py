"""Train the Sudoku energy through its own descent: ``python -m groundstate_models.sudoku.train --preset cpu``.

Evolution learns the numbers of the energy, its rule, the start of chains and their patience together. A candidate's fitness is
the logarithm of the number of answers in a thousand steps of its chains. Because of the logarithm, a puzzle that takes ten times
as long counts as much as an easy one. Some of the puzzles are adversarial, see `rivals`.

Everything is seeded. A checkpoint is written every few minutes and on interruption; the same command resumes from it. Needs
``groundstate[train]``.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from groundstate_models.sudoku.board import BOARDS, Board
from groundstate_models.sudoku.data import Boards
from groundstate_models.sudoku.energy import LEARNED, UNTRAINED, SudokuEnergy, checks
from groundstate_models.sudoku.learned import NOISE_EVERY, NOISE_PERIOD, RULE, TEMPERATURE, Settings
from groundstate_models.sudoku.rivals import Rivals
from groundstate_models.sudoku.search import hard_puzzles, hardest_puzzles, minimal_puzzles, relatives, sparse_puzzles
from groundstate_training import RULE as RULE_NUMBERS
from groundstate_training import (
    Checkpoint,
    Evolution,
    EvolutionPreset,
    Point,
    RowBreakout,
    RowSearch,
    evolve_command,
    row_file,
)

Array = NDArray[Any]

_HELD = 1_000_003
"""Added to the seed for the validation puzzles."""

ENERGY = tuple(UNTRAINED)
SCALED = ("step_size", "noise", "raises")
ODDS = ("momentum", "keep")
DIMENSIONS = len(ENERGY) + len(SCALED) + len(ODDS) + 2

LONGEST = 1_024
"""Upper bound on every candidate's patience, in steps."""

PART = 16
"""Variants that are made and tried together."""


@dataclass(frozen=True, kw_only=True)
class Preset(EvolutionPreset):
    """Sizes of the training.

    Attributes:
        kinds: Training puzzles of each kind, and their number in one generation. ``minimal``
            puzzles are random, ``sparse`` ones have few clues, ``hard`` ones many search nodes; ``loose`` ones have few or no
            clues and many answers, on boards of three sizes.
        rivals: Adversarial puzzles, and their number in one generation.
        children: Variants of adversarial puzzles tried in a generation.
        chains: Chains on each puzzle.
        held: Validation puzzles of each kind.
    """

    iterations: int = 300
    candidates: int = 20
    kinds: Mapping[str, tuple[int, int]]
    rivals: tuple[int, int] = (128, 32)
    children: int = 64
    chains: int = 16
    held: int = 32


PRESETS = {
    "smoke": Preset(
        iterations=2,
        candidates=4,
        kinds={"minimal": (4, 2), "sparse": (1, 1), "hard": (2, 1), "loose": (2, 1), "loose_4x4": (2, 1)},
        rivals=(4, 2),
        children=2,
        chains=2,
        held=1,
        validate_every=1,
    ),
    "cpu": Preset(
        kinds={
            "minimal": (64, 6),
            "sparse": (48, 10),
            "hard": (96, 10),
            "loose": (32, 6),
            "loose_4x4": (32, 4),
            "loose_6x6": (32, 4),
        }
    ),
}


def settings_of(x: Point) -> Settings:
    """Map a CMA-ES point to settings; the origin is the start of training."""
    energy = {name: UNTRAINED[name] + float(by) for name, by in zip(ENERGY, x, strict=False)}
    rest = dict(zip((*SCALED, *ODDS, "start", "patience"), map(float, x[len(ENERGY) :]), strict=True))
    rule = dict(RULE)
    for name in SCALED:
        rule[name] = RULE[name] * math.exp(rest[name])
    for name in ODDS:
        odds = math.log(RULE[name] / (1.0 - RULE[name])) + rest[name]
        rule[name] = 1.0 / (1.0 + math.exp(-odds))
    first = Settings()
    patience = min(first.patience * math.exp(rest["patience"]), LONGEST)
    return Settings(energy, rule, first.start * math.exp(rest["start"]), patience)


def soon(found: Array, steps: int | Array) -> Array:
    """Speed of the chains on each puzzle, ``(…, puzzles)``: the binary logarithm of answers in 1,000 steps.

    Args:
        found: Steps until each chain's answer, 0 for none, ``(…, puzzles, chains)``. A tenth of an answer is added, so that
            the value is finite for puzzles without answers.
        steps: Largest number of steps of each chain, a number or ``(…, puzzles)``.
    """
    spent = np.where(found > 0, found, np.asarray(steps)[..., None]).sum(-1)
    logarithms: Array = np.log2(1000.0 * ((found > 0).sum(-1) + 0.1) / spent)
    return logarithms


def row_arguments(board: Board) -> dict[str, Any]:
    """The arguments of `groundstate_export.export` for the training file, where every row has its own numbers."""
    energy = SudokuEnergy(board).requires_grad_(requires_grad=False)
    n, rows = board.size, 4
    first = torch.tensor(Settings().numbers)
    draw = torch.Generator().manual_seed(0)
    grid = torch.from_numpy(minimal_puzzles(rows, 0, board)[0].reshape(rows, n, n)).long()
    rule = RowBreakout(
        energy.violations,
        (*LEARNED, *RULE_NUMBERS),
        noise_every=NOISE_EVERY,
        noise_period=NOISE_PERIOD,
        temperature=TEMPERATURE,
        terms=("rules", "undecided"),
    )
    return {
        "energy": energy,
        "inputs": {"grid": grid, "numbers": first * (1.0 - 0.05 * torch.rand(rows, len(first), generator=draw))},
        "state": torch.randn(rows, n, n * n, generator=draw),
        "rule": rule.requires_grad_(requires_grad=False),
        "unroll": NOISE_PERIOD,
        "decode": energy.decode,
        "checks": checks,
        "trace_every": NOISE_PERIOD,
    }


@cache
def _file(size: int) -> bytes:
    """The file for a size of board; to make it takes some seconds."""
    return row_file(row_arguments(Board.of(size)))


class Trials:
    """Runs chains of candidates on puzzles, with one file for each size of board.

    Args:
        threads: Number of threads for the chains.
    """

    def __init__(self, threads: int) -> None:
        self._threads, self._searches = threads, dict[int, RowSearch]()

    def answers(self, candidates: Sequence[Settings], boards: Boards, chains: int, seed: int) -> Array:
        """Steps until each chain's answer within its patience, or 0, ``(candidates, puzzles, chains)``."""
        n, many, each = boards.board.size, len(candidates), len(boards) * chains
        if n not in self._searches:
            self._searches[n] = RowSearch(_file(n), self._threads)
        numbers = np.array([settings.numbers for settings in candidates], np.float32)
        found = self._searches[n].first_answers(
            {
                "grid": np.tile(np.repeat(boards.grid, chains, axis=0), (many, 1, 1)),
                "numbers": np.repeat(numbers, each, axis=0),
            },
            (n, n * n),
            start=np.repeat([settings.start for settings in candidates], each),
            most=np.repeat(_lifetimes(candidates), each),
            draws=np.tile(np.arange(each), many),
            temperature=TEMPERATURE,
            seed=seed,
        )
        return found.reshape(many, len(boards), chains)


def _lifetimes(candidates: Sequence[Settings]) -> Array:
    return np.array([settings.lifetime for settings in candidates])


class SudokuEvolution(Evolution):
    """The training of the Sudoku energy."""

    def __init__(self, preset: Preset, seed: int, threads: int) -> None:
        super().__init__(preset, seed, threads, DIMENSIONS)
        self._trials = Trials(threads)
        print("Making puzzles, which takes some minutes …", file=sys.stderr, flush=True)
        self.training = {kind: puzzles(kind, n, seed) for kind, (n, _) in preset.kinds.items()}
        self.rivals = Rivals(hard_puzzles(preset.rivals[0], seed + 1, rounds=20)[0])
        self.held = {kind: puzzles(kind, preset.held, seed + _HELD) for kind in (*preset.kinds, "hardest")}

    @property
    def settings(self) -> Settings:
        return settings_of(self.mean)

    def fitness(self, points: Sequence[Point]) -> list[float]:
        number, draw = self.iteration, np.random.default_rng((self.seed, self.iteration))
        places = self.rivals.drawn(self.preset.rivals[1], draw)
        drawn = [
            boards.take(draw.permutation(len(boards))[: self.preset.kinds[kind][1]])
            for kind, boards in self.training.items()
        ]
        drawn.append(self.rivals.boards(places))

        candidates = [settings_of(x) for x in points]
        found = [self._trials.answers(candidates, some, self.preset.chains, number) for some in drawn]
        each = np.concatenate([soon(one, _lifetimes(candidates)[:, None]) for one in found], axis=1)
        self.rivals.judged(places, each[:, -len(places) :].mean(0))
        self.breed(draw)
        return [float(value) for value in each.mean(1)]

    def breed(self, draw: np.random.Generator) -> None:
        """Try variants of the adversarial puzzles with the mean candidate. Puzzles that no chain solves are dropped."""
        settings = self.settings
        parents = draw.integers(len(self.rivals), size=self.preset.children)
        parts = np.array_split(parents, max(1, len(parents) // PART))
        made = self.map(
            lambda part: relatives(self.rivals.puzzle[part[0]], part[1]),
            list(zip(parts, draw.spawn(len(parts)), strict=True)),
        )
        children = np.concatenate(made)
        boards = Boards.of(BOARDS[9], children)
        found = self._trials.answers([settings], boards, self.preset.chains, self.iteration)[0]
        self.rivals.challenged(parents, children, np.where(found.any(1), soon(found, settings.lifetime), np.nan))

    def validate(self) -> dict[str, Any]:
        """For each kind, the speed (`soon`), and the share of chains that reach the answer before a restart."""
        settings = self.settings
        report: dict[str, Any] = {"patience": settings.lifetime}
        for kind, boards in self.held.items():
            found = self._trials.answers([settings], boards, self.preset.chains, 0)[0]
            report[kind] = [round(float(soon(found, settings.lifetime).mean()), 3), round(float((found > 0).mean()), 3)]
        return report | {"rivals": round(float(self.rivals.worth.mean()), 3)}

    def state(self) -> Checkpoint:
        return {**super().state(), "rivals": self.rivals.state()}

    def restore(self, state: Checkpoint) -> None:
        super().restore(state)
        self.rivals.restore(state["rivals"])


def puzzles(kind: str, n: int, seed: int) -> Boards:
    """Boards of a kind, see `Preset`; ``hardest`` are from `search.hardest_puzzles`."""
    kind, _, size = kind.partition("_")
    board = Board.of(int(size.partition("x")[0] or 9))
    if kind == "loose":
        solution, draw = minimal_puzzles(n, seed + 1, board)[1], np.random.default_rng((seed, 4))
        kept = draw.random(solution.shape) < draw.uniform(0.0, 0.25, (n, 1))
        return Boards.of(board, np.where(kept, solution, 0))
    made = {
        "minimal": lambda: minimal_puzzles(n, seed),
        "sparse": lambda: sparse_puzzles(n, seed),
        "hard": lambda: hard_puzzles(n, seed, rounds=100),
        "hardest": lambda: hardest_puzzles(n, seed, children=3),
    }
    return Boards.of(board, made[kind]()[0])


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    return evolve_command("sudoku", PRESETS, SudokuEvolution, argv)


if __name__ == "__main__":
    sys.exit(main())
