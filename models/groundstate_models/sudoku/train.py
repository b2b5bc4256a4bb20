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
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch

from groundstate_models.sudoku.data import Puzzles, generate, read_puzzles
from groundstate_models.sudoku.trainer import PRESETS, Preset, Trainer

REPORT_EVERY = 50
SAVE_EVERY_SECONDS = 120.0
TEMPERATURES = (0.0, 0.6)


class TrainingError(Exception):
    """The run cannot start or go on; nothing that was there has been changed."""


def save(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint so that a kill or a full disk leaves the last good one."""
    partial = path.with_suffix(".partial")
    try:
        torch.save(state, partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        raise TrainingError(
            f"The checkpoint {path} could not be written ({error}); the last good one is kept."
        ) from None


def resume(trainer: Trainer, path: Path) -> None:
    """Go on from a checkpoint.

    Raises:
        TrainingError: If it is damaged, or of another version or preset. It is left as it is.
    """
    try:
        state = torch.load(path, weights_only=False)
    except Exception as error:  # noqa: BLE001 - unpickling damaged bytes raises nearly anything
        raise TrainingError(f"The checkpoint {path} cannot be read ({error}); move it away to start anew.") from None
    if not isinstance(state, dict) or state.get("format") != 1:
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


def puzzles(preset: Preset, seed: int, out: Path, exclude: Iterable[Path]) -> Puzzles:
    """The training puzzles, made once and kept in the run's folder."""
    cache = out / "data.npz"
    if cache.exists():
        stored = np.load(cache)
        return Puzzles(stored["puzzle"], stored["solution"], stored["nodes"])
    print(f"Making {preset.minimal + preset.hard} puzzles …", file=sys.stderr, flush=True)
    banned = [puzzle for path in exclude for puzzle in read_puzzles(path).puzzle]
    data = generate(preset.minimal, preset.hard, seed, banned)
    np.savez_compressed(cache, puzzle=data.puzzle, solution=data.solution, nodes=data.nodes)
    return data


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
                mean = {key: round(float(np.mean([one[key] for one in recent])), 4) for key in recent[0]}
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
        data = puzzles(preset, options.seed, options.out, options.exclude)
        held = generate(preset.validation, preset.validation, options.seed + 1_000_003)
        trainer = Trainer(preset, options.seed, data, held, compiled=not options.no_compile)
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
