"""Train the Sudoku energy through its own descent: ``python -m groundstate_models.sudoku.train --preset cpu``.

A batch of puzzles descends for one segment at a time; the weights are moved by the cross-entropy of the candidates' logits
against the solution after every step. A puzzle keeps its place, its state carried over, until it is solved (and then for a
while longer, so that solutions become places of rest) or until it is given up; so the hard puzzles, and the model's own wrong
basins, get most of the training. Kicks of noise on the velocity teach the descent to use noise as search.

Everything is seeded; a checkpoint is written every few minutes and on interruption, and the same command goes on from it.
"""

from __future__ import annotations

import argparse
import os
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from groundstate_models.sudoku.board import Board
from groundstate_models.sudoku.data import Puzzles, generate, read_puzzles
from groundstate_models.sudoku.search import Grid, easy_puzzles, hard_puzzles, minimal_puzzles
from groundstate_models.sudoku.trainer import FORMAT, PRESETS, Library, Preset, Trainer
from groundstate_models.training import TrainingError, resume, run, write

TEMPERATURES = (4.0,)
PARTS = ("puzzle", "solution", "nodes")
EASY_GIVENS = 140
"""Of the 256 cells of a 16×16 board."""


def library(preset: Preset, seed: int, out: Path, exclude: Iterable[Path]) -> Library:
    """The puzzles to train and to validate on; those to train on are made once and kept in the run's folder."""
    made = out / "puzzles.npz"
    if made.exists():
        try:
            stored = np.load(made)
            training = {n: Puzzles(*(stored[f"{n}.{part}"] for part in PARTS)) for n in preset.mix}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise TrainingError(
                f"The puzzles in {made} are damaged or of another version ({error}); move the file away, and it is made again."
            ) from None
    else:
        print(
            f"Making {preset.minimal + preset.hard + preset.other * (len(preset.mix) - 1)} puzzles …", file=sys.stderr
        )
        banned = [puzzle for path in exclude for puzzle in read_puzzles(path).puzzle]
        training = {n: _puzzles(n, preset, seed, banned) for n in preset.mix}
        arrays = {f"{n}.{part}": getattr(found, part) for n, found in training.items() for part in PARTS}
        write(made, lambda file: np.savez_compressed(file, **arrays))
    many, held = preset.validation, seed + 1_000_003
    nine = Board.of(9)
    validation = {
        "easy": Puzzles(*easy_puzzles(many, held, 36, nine)),
        "minimal": Puzzles(*minimal_puzzles(many, held)),
        "hard": Puzzles(*hard_puzzles(many, held)),
    }
    others = sorted(set(preset.mix) - {9})
    return Library(training, validation | {f"{n}x{n}": _other(n, max(2, many // 4), held) for n in others})


def _puzzles(size: int, preset: Preset, seed: int, banned: list[Grid]) -> Puzzles:
    return generate(preset.minimal, preset.hard, seed, banned) if size == 9 else _other(size, preset.other, seed)


def _other(size: int, many: int, seed: int) -> Puzzles:
    """Minimal puzzles of small boards, easy ones of large boards."""
    board = Board.of(size)
    found = minimal_puzzles(many, seed, board) if size < 9 else easy_puzzles(many, seed, EASY_GIVENS, board)
    return Puzzles(*found)


def _there(device: str) -> None:
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise TrainingError(
            f"The device {device!r} cannot be used here: {reason}. Leave out --device to train on the CPU."
        ) from None


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m groundstate_models.sudoku.train",
        description="Train the Sudoku energy through its own descent. Ctrl-C stops it; the same command goes on.",
    )
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/sudoku"), help="folder of the run (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, help="instead of the preset's; may be changed when a run goes on")
    parser.add_argument("--stop-after", type=int, help="stop at this iteration, to go on later")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="cpu", help="where to train, as PyTorch names it (default: %(default)s)")
    parser.add_argument(
        "--exclude", type=Path, nargs="*", default=[], help="CSV files of puzzles to keep out of training"
    )
    parser.add_argument("--no-compile", action="store_true", help="without torch.compile: slower, for short runs")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    options = _options(argv)
    torch.set_num_threads(options.threads)
    preset = PRESETS[options.preset]
    if options.iterations:
        preset = replace(preset, iterations=options.iterations)
    checkpoint = options.out / "checkpoint.pt"
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        _there(options.device)
        made = library(preset, options.seed, options.out, options.exclude)
        trainer = Trainer(preset, options.seed, made, compiled=not options.no_compile, device=options.device)
        if checkpoint.exists():
            resume(trainer, checkpoint, FORMAT, trainer.device)
            print(f"Going on from iteration {trainer.iteration}.", file=sys.stderr, flush=True)
        with (options.out / "log.jsonl").open("a", encoding="utf-8") as log:
            last = min(preset.iterations, options.stop_after or preset.iterations)

            def validate() -> list[dict[str, Any]]:
                return [{"temperature": heat, **trainer.validate(heat)} for heat in TEMPERATURES]

            stopped = run(trainer, last, checkpoint, log, validate)
    except (TrainingError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    print(
        f"{'Stopped' if stopped else 'Done'} at {trainer.iteration} of {preset.iterations}; {checkpoint}",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
