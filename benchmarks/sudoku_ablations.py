"""What matters in the Sudoku energy and its training: short runs that differ from the preset in one thing each.

    python benchmarks/sudoku_ablations.py [--iterations 1000] [--out runs/ablations] [--only symmetry noise …]

Every run sees the same puzzles from the same seed, on 9×9 boards only, with the schedule of the learning rate shortened to its
length. The table gives the share of validation puzzles, minimal and hard ones, that one chain and that any of four chains
solves within 128 updates, with and without kicks. A run that is there already is not made again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from groundstate_models.sudoku.energy import SudokuEnergy
from groundstate_models.sudoku.train import library
from groundstate_models.sudoku.trainer import PRESETS, Preset, Trainer


class Placed(SudokuEnergy):
    """Without symmetry: every candidate has a bias of its own, so that digits, rows, columns and boxes can be told apart."""

    def __init__(self, width: int = 24, hidden: int = 32, group: int = 64, intersection: int = 32) -> None:
        super().__init__(width, hidden, group, intersection)
        self.place = nn.Parameter(torch.randn(9, 9, 9, hidden))

    def drive(self, grid: Tensor) -> Tensor:
        return super().drive(grid) + self.place


BASE = replace(PRESETS["cpu"], mix={9: 1.0}, alone=1.0)
VARIANTS: dict[str, tuple[str, Preset, type[SudokuEnergy]]] = {
    "preset": ("the preset", BASE, SudokuEnergy),
    "symmetry": ("no symmetry: a random, learned bias for each of the 729 candidates", BASE, Placed),
    "horizon 4": (
        "horizon of 4 updates instead of 16, four times the iterations",
        replace(BASE, segment=4, iterations=4 * BASE.iterations, give_up=1 / 32, leave=0.16),
        SudokuEnergy,
    ),
    "noise": ("no kicks in training", replace(BASE, temperature=0.0), SudokuEnergy),
    "rivalry": ("all four chains of a puzzle weigh the same", replace(BASE, floor=1.0), SudokuEnergy),
    "one chain": ("one chain on each of 32 puzzles", replace(BASE, puzzles=32, chains=1), SudokuEnergy),
    "mining": ("no return to what was given up", replace(BASE, mined_share=0.0), SudokuEnergy),
    "intersections": ("no term for where lines cross boxes", replace(BASE, intersection=0), SudokuEnergy),
    "small": (
        "half the width everywhere",
        replace(BASE, width=12, hidden=16, group=32, intersection=16),
        SudokuEnergy,
    ),
    "large": (
        "one and a half the width everywhere",
        replace(BASE, width=36, hidden=48, group=96, intersection=48),
        SudokuEnergy,
    ),
}


def ablate(name: str, iterations: int, out: Path, *, compiled: bool) -> dict[str, object]:
    """One run, and what it reaches."""
    _, preset, kind = VARIANTS[name]
    preset = replace(preset, iterations=iterations * preset.iterations // BASE.iterations)
    trainer = Trainer(preset, 0, library(BASE, 0, out, []), compiled=compiled, kind=kind)
    begun = time.monotonic()
    while trainer.iteration < preset.iterations:
        found = trainer.step()
        if trainer.iteration % 50 == 0:
            left = (time.monotonic() - begun) / trainer.iteration * (preset.iterations - trainer.iteration)
            print(
                f"{name}: {trainer.iteration}, loss {found['loss']:.3f}, {left:.0f} s left", file=sys.stderr, flush=True
            )
    return {
        "iterations": preset.iterations,
        "parameters": sum(weight.numel() for weight in trainer.model.parameters()),
        "seconds": time.monotonic() - begun,
        "quiet": trainer.validate(0.0),
        "kicked": trainer.validate(4.0),
    }


def row(name: str, found: dict[str, object]) -> str:
    rates = [found[heat][kind] for heat in ("quiet", "kicked") for kind in ("minimal", "hard")]  # type: ignore[index]
    cells = [f"{100 * rate['one']:.0f} / {100 * rate['any']:.0f}" for rate in rates]
    return f"| {VARIANTS[name][0]} | {found['parameters']} | {float(found['seconds']) / 60:.0f} min | {' | '.join(cells)} |"  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description="Short trainings that differ in one thing each.")
    parser.add_argument("--iterations", type=int, default=1_000)
    parser.add_argument("--out", type=Path, default=Path("runs/ablations"))
    parser.add_argument("--only", nargs="*", choices=sorted(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--no-compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    print(
        f"{options.iterations} iterations each; percent solved by one chain / by any of four, within 128 updates\n\n"
        "| variant | weights | time | minimal, no kicks | hard, no kicks | minimal, kicks | hard, kicks |\n"
        "|---|---|---|---|---|---|---|"
    )
    for name in options.only:
        path = options.out / f"{name.replace(' ', '-')}-{options.iterations}.json"
        if not path.exists():
            path.write_text(json.dumps(ablate(name, options.iterations, options.out, compiled=not options.no_compile)))
        print(row(name, json.loads(path.read_text())), flush=True)


if __name__ == "__main__":
    main()
