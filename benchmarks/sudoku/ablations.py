"""What matters in the Sudoku energy: the learned numbers with one part of it switched off at a time.

    python -m benchmarks.sudoku.ablations [--puzzles 24] [--chains 16]

Chains descend through the exported file until they would restart. For generated puzzles of each kind the table gives the share of
chains that reach an answer, the share of puzzles where any does, and the steps to an answer, as the geometric mean over
puzzles (a tenth of an answer is added to each, so that a puzzle without any counts). Nothing is trained again. Another part may
compensate for a missing one, so a row is a lower bound for its form. The numbers before training are not independent of training:
they are round ones near those of an earlier run.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace

from groundstate_models.sudoku import settings
from groundstate_models.sudoku.data import Boards
from groundstate_models.sudoku.learned import Settings
from groundstate_models.sudoku.train import Trials, puzzles, soon

SEED = 7_000_003
KINDS = ("minimal", "sparse", "hard", "hardest", "loose")
OFF = -30.0
"""The logarithm of what is switched off."""


def variants(learned: Settings) -> dict[str, Settings]:
    """The learned settings, and the same without one part each."""

    def energy(**changed: float) -> Settings:
        return replace(learned, energy={**learned.energy, **changed})

    def rule(**changed: float) -> Settings:
        return replace(learned, rule={**learned.rule, **changed})

    return {
        "as learned": learned,
        "without Breakout": rule(raises=1e-12),
        "Breakout without decay": rule(keep=1.0 - 1e-9),
        "without entropy": energy(log_temperature=OFF),
        "without the term for undecided cells": energy(log_undecided=OFF),
        "without noise": rule(noise=0.0),
        "excluded candidates are not lowered": energy(held_back=0.0),
        "excluded candidates are excluded": energy(held_back=20.0),
        "boxes weigh the same as lines": energy(log_box=0.0),
        "given digits weigh the same as others": energy(log_given=0.0),
        "weights do not depend on places left": energy(weight_by_places=0.0),
        "several givens lower a candidate like one": energy(held_back_again=0.0),
        "candidates with few competitors are not raised": energy(lean=0.0),
        "boxes like lines in every term": energy(log_given_in_box=0.0, weight_by_places_in_box=0.0),
        "half the patience": replace(learned, patience=learned.patience / 2),
        "twice the patience": replace(learned, patience=learned.patience * 2),
        "four times the patience": replace(learned, patience=learned.patience * 4),
        "before training": Settings(),
    }


def cell(trials: Trials, boards: Boards, learned: Settings, chains: int) -> str:
    found = trials.answers([learned], boards, chains, SEED)[0]
    updates = 1000.0 / 2.0 ** float(soon(found, learned.lifetime).mean())
    return f"{100 * (found > 0).mean():.0f} % / {100 * (found > 0).any(1).mean():.0f} % / {updates:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="The learned Sudoku energy with parts switched off.")
    parser.add_argument("--puzzles", type=int, default=24, help="of each kind (default: %(default)s)")
    parser.add_argument("--chains", type=int, default=16, help="on each (default: %(default)s)")
    options = parser.parse_args()
    kinds = {kind: puzzles(kind, options.puzzles, SEED) for kind in KINDS}
    learned, trials = Settings.read(settings()), Trials(os.cpu_count() or 1)
    print(
        f"chains right / puzzles by any of {options.chains} / updates an answer; {learned.lifetime} updates a chain\n"
    )
    print(f"| | {' | '.join(kinds)} |\n|{'---|' * (len(kinds) + 1)}")
    for name, changed in variants(learned).items():
        cells = (cell(trials, boards, changed, options.chains) for boards in kinds.values())
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
