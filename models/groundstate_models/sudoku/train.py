"""Train the Sudoku energy through its own descent: ``python -m groundstate_models.sudoku.train --preset cpu``.

A batch of puzzles descends for one segment at a time; the weights are moved by the cross-entropy of the candidates' logits
against the solution after every step. A puzzle keeps its place, its state carried over, until it is solved (and then for a
while longer, so that solutions become places of rest) or until it is given up; so the hard puzzles, and the model's own wrong
basins, get most of the training. Kicks of noise on the velocity teach the descent to use noise as search.

Everything is seeded; a checkpoint is written every few minutes and on interruption, and the same command goes on from it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch

from groundstate_models.sudoku.board import Board
from groundstate_models.sudoku.data import Puzzles, generate, read_puzzles
from groundstate_models.sudoku.search import Grid, easy_puzzles, hard_puzzles, minimal_puzzles
from groundstate_models.sudoku.trainer import FORMAT, PRESETS, Library, Preset, Trainer

REPORT_EVERY = 50
SAVE_EVERY_SECONDS = 120.0
TEMPERATURES = (4.0,)
PARTS = ("puzzle", "solution", "nodes")
EASY_GIVENS = 140
"""Of the 256 cells of a 16×16 board."""


class TrainingError(Exception):
    """The run cannot start or go on; nothing that was there has been changed."""


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that a kill or a full disk leaves what was there."""
    partial = path.with_name(f"partial-{path.name}")
    try:
        write(partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        kept = "; the last good one is kept" if path.exists() else ""
        raise TrainingError(f"The file {path} could not be written ({error}){kept}.") from None


def save(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint.

    Raises:
        TrainingError: If it cannot be written; the one before it is kept.
    """
    _write(path, lambda partial: torch.save(state, partial))


def resume(trainer: Trainer, path: Path) -> None:
    """Go on from a checkpoint.

    Raises:
        TrainingError: If it is damaged, or of another version or preset. It is left as it is.
    """
    try:
        state = torch.load(path, weights_only=False, map_location=trainer.device)
    except Exception as error:  # noqa: BLE001 - unpickling damaged bytes raises nearly anything
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise TrainingError(f"The checkpoint {path} cannot be read ({reason}); move it away to start anew.") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise TrainingError(f"The checkpoint {path} is of another version of this command; move it away to start anew.")
    mine, theirs = (
        {k: v for k, v in p.items() if k != "iterations"} for p in (asdict(trainer.preset), state["preset"])
    )
    differing = sorted(key for key in mine | theirs if mine.get(key) != theirs.get(key))
    if differing:
        raise TrainingError(
            f"The checkpoint {path} was made by another preset (it differs in {', '.join(differing)}); "
            "move it away, or choose another folder with --out."
        )
    trainer.restore(state)


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
        _write(made, lambda file: np.savez_compressed(file, **arrays))
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


def run(trainer: Trainer, last: int, checkpoint: Path, log: TextIO) -> bool:
    """Train until iteration ``last`` or until asked to stop by SIGINT or SIGTERM. Returns whether it was asked to."""
    asked: list[int] = []
    before = {number: signal.signal(number, lambda n, _: asked.append(n)) for number in (signal.SIGINT, signal.SIGTERM)}
    begun, first, saved = time.monotonic(), trainer.iteration, time.monotonic()
    recent: list[dict[str, float]] = []

    def record(entry: dict[str, Any]) -> None:
        log.write(json.dumps(entry) + "\n")
        log.flush()
        print(json.dumps(entry), file=sys.stderr, flush=True)

    try:
        while trainer.iteration < last and not asked:
            recent.append(trainer.step())
            if trainer.iteration % REPORT_EVERY == 0:
                keys = sorted({key for one in recent for key in one})
                mean = {key: round(float(np.mean([one[key] for one in recent if key in one])), 4) for key in keys}
                pace = (time.monotonic() - begun) / (trainer.iteration - first)
                left = {"s_per_it": round(pace, 3), "minutes_left": round(pace * (last - trainer.iteration) / 60, 1)}
                record({"iteration": trainer.iteration, "seen": trainer.seen, **mean, **left})
                recent.clear()
            if trainer.iteration % trainer.preset.validate_every == 0:
                for temperature in TEMPERATURES:
                    record(
                        {"iteration": trainer.iteration, "temperature": temperature, **trainer.validate(temperature)}
                    )
            if time.monotonic() - saved > SAVE_EVERY_SECONDS:
                save(trainer.state(), checkpoint)
                saved = time.monotonic()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    save(trainer.state(), checkpoint)
    return bool(asked)


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
            resume(trainer, checkpoint)
            print(f"Going on from iteration {trainer.iteration}.", file=sys.stderr, flush=True)
        with (options.out / "log.jsonl").open("a", encoding="utf-8") as log:
            stopped = run(trainer, min(preset.iterations, options.stop_after or preset.iterations), checkpoint, log)
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
