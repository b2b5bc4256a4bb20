"""The loop of a training run: it can stop at any time, and resumes from its checkpoint."""

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

from groundstate_training._checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from groundstate_training._errors import TrainingError

REPORT_EVERY = 50
SAVE_EVERY_SECONDS = 120.0


class Trainer(Protocol):
    """A trainer: `run` calls `step` until the target ``iteration``.

    Attributes:
        preset: A dataclass with the settings of the run, including ``iterations`` and ``validate_every``.
        format: The version of `state`.
    """

    preset: Any
    format: int

    @property
    def iteration(self) -> int:
        """Steps made so far."""
        ...

    @property
    def seen(self) -> int:
        """Examples or candidates used so far."""
        ...

    def step(self) -> dict[str, float]:
        """Make one step; returns the record for the log."""
        ...

    def state(self) -> Checkpoint:
        """The complete state, to resume a run, without preset and format."""
        ...

    def restore(self, state: Checkpoint) -> None:
        """Resume from a result of `state`."""
        ...


def save(trainer: Trainer, path: Path) -> None:
    """Write a trainer's checkpoint; see `write_checkpoint`."""
    preset = asdict(trainer.preset)
    write_checkpoint({"format": trainer.format, "preset": preset, "state": trainer.state()}, path)


def resume(trainer: Trainer, path: Path) -> None:
    """Resume from a checkpoint.

    Args:
        trainer: A new trainer with the same preset, except for ``iterations``.
        path: The checkpoint.

    Raises:
        TrainingError: If the checkpoint is damaged, or has another version or preset. The file is unchanged.
    """
    stored = read_checkpoint(path)
    if stored.get("format") != trainer.format or not {"preset", "state"} <= stored.keys():
        raise TrainingError(
            f"The checkpoint {path} is of another version of this command. Move it away to start again."
        )
    mine, theirs = json.loads(json.dumps(asdict(trainer.preset))), stored["preset"]
    differing = sorted(key for key in mine | theirs if mine.get(key) != theirs.get(key) and key != "iterations")
    if differing:
        raise TrainingError(
            f"The checkpoint {path} was made with another preset; it differs in {', '.join(differing)}. "
            "Move it away, or choose another folder with --out."
        )
    try:
        trainer.restore(stored["state"])
    except (KeyError, ValueError, TypeError) as error:
        raise TrainingError(
            f"The checkpoint {path} does not fit this run ({error}). Move it away to start again."
        ) from None


def run(
    trainer: Trainer,
    last: int,
    checkpoint: Path,
    log: TextIO,
    validate: Callable[[], list[dict[str, Any]]],
    *,
    report_every: int = REPORT_EVERY,
    progress: Callable[[int, dict[str, float]], object] | None = None,
) -> bool:
    """Train until iteration ``last``, or until SIGINT or SIGTERM. Returns whether a signal stopped it.

    Args:
        trainer: The trainer.
        last: The last iteration.
        checkpoint: Written every few minutes, and at the end.
        log: Receives JSON lines.
        validate: Returns further values for the log; called every ``preset.validate_every`` iterations.
        report_every: Iterations between two lines of the log.
        progress: Called after every step with the iteration and the step's record.

    Raises:
        TrainingError: If the checkpoint cannot be written.
    """
    signals: list[int] = []
    before = {
        number: signal.signal(number, lambda n, _: signals.append(n)) for number in (signal.SIGINT, signal.SIGTERM)
    }
    begun, first, saved = time.monotonic(), trainer.iteration, time.monotonic()
    recent: list[dict[str, float]] = []

    def record(entry: dict[str, Any]) -> None:
        log.write(json.dumps(entry) + "\n")
        log.flush()
        print(json.dumps(entry), file=sys.stderr, flush=True)

    try:
        while trainer.iteration < last and not signals:
            recent.append(trainer.step())
            if progress is not None:
                progress(trainer.iteration, recent[-1])
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
                save(trainer, checkpoint)
                saved = time.monotonic()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    save(trainer, checkpoint)
    return bool(signals)
