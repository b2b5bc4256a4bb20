"""What every training run shares: files that survive a kill or a full disk, and a loop that can be stopped and resumed."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TextIO

import numpy as np
import torch

REPORT_EVERY = 50
SAVE_EVERY_SECONDS = 120.0


class TrainingError(Exception):
    """The run cannot start or go on; nothing that was there has been changed."""


class Trained(Protocol):
    """What is trained: `run` calls `step` until ``iteration`` is where it ought to be."""

    preset: Any

    @property
    def iteration(self) -> int: ...

    @property
    def seen(self) -> int: ...

    def step(self) -> dict[str, float]: ...

    def state(self) -> dict[str, Any]: ...

    def restore(self, state: dict[str, Any]) -> None: ...


def write(path: Path, write: Callable[[Path], object]) -> None:
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
    write(path, lambda partial: torch.save(state, partial))


def resume(trainer: Trained, path: Path, form: int, device: str | torch.device = "cpu") -> None:
    """Go on from a checkpoint.

    Args:
        trainer: Goes on.
        path: The checkpoint.
        form: The format that its state must have.
        device: Where its tensors go.

    Raises:
        TrainingError: If it is damaged, or of another version or preset. It is left as it is.
    """
    try:
        state = torch.load(path, weights_only=False, map_location=device)
    except Exception as error:  # noqa: BLE001 - unpickling damaged bytes raises nearly anything
        reason = str(error).partition("\n")[0].partition(". ")[0]
        raise TrainingError(f"The checkpoint {path} cannot be read ({reason}); move it away to start anew.") from None
    if not isinstance(state, dict) or state.get("format") != form:
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


def run(
    trainer: Trained,
    last: int,
    checkpoint: Path,
    log: TextIO,
    validate: Callable[[], list[dict[str, Any]]],
    *,
    report_every: int = REPORT_EVERY,
) -> bool:
    """Train until iteration ``last`` or until asked to stop by SIGINT or SIGTERM. Returns whether it was asked to.

    Args:
        trainer: Is trained.
        last: The iteration to end with.
        checkpoint: Written every few minutes, and at the end.
        log: Gets a JSON line every so often.
        validate: What goes into the log besides, every ``preset.validate_every`` iterations.
        report_every: Iterations from one line to the next.
    """
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
            if trainer.iteration % report_every == 0:
                keys = sorted({key for one in recent for key in one})
                mean = {key: round(float(np.mean([one[key] for one in recent if key in one])), 4) for key in keys}
                pace = (time.monotonic() - begun) / (trainer.iteration - first)
                left = {"s_per_it": round(pace, 3), "minutes_left": round(pace * (last - trainer.iteration) / 60, 1)}
                record({"iteration": trainer.iteration, "seen": trainer.seen, **mean, **left})
                recent.clear()
            if trainer.iteration % trainer.preset.validate_every == 0:
                for found in validate():
                    record({"iteration": trainer.iteration, **found})
            if time.monotonic() - saved > SAVE_EVERY_SECONDS:
                save(trainer.state(), checkpoint)
                saved = time.monotonic()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    save(trainer.state(), checkpoint)
    return bool(asked)
