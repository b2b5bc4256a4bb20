"""The command that trains a model by evolution: ``python -m groundstate_models.<name>.train``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from groundstate_training._errors import TrainingError
from groundstate_training._evolution import Evolution
from groundstate_training._files import write_file
from groundstate_training._run import resume, run


def evolve_command(
    name: str, presets: Mapping[str, Any], begin: Callable[[Any, int, int], Evolution], argv: list[str] | None
) -> int:
    """Train a model, or resume a stopped run.

    Args:
        name: Name of the model's folder.
        presets: `EvolutionPreset` by name; ``cpu`` is the default.
        begin: Makes the evolution from a preset, a seed, and a number of threads.
        argv: The arguments of the command.

    Returns:
        The exit code: 0, or 2 after an error, printed as one sentence.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m groundstate_models.{name}.train",
        description=f"Train the {name} energy through its own descent. Ctrl-C stops it; the same command goes on.",
    )
    parser.add_argument("--preset", choices=sorted(presets), default="cpu")
    parser.add_argument(
        "--out", type=Path, default=Path("runs") / name, help="folder of the run (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, help="generations; may change when a run resumes")
    parser.add_argument("--stop-after", type=int, help="stop at this generation, to resume later")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(argv)
    preset = presets[options.preset]
    if options.iterations:
        preset = replace(preset, iterations=options.iterations)
    checkpoint, settings = options.out / "checkpoint.npz", options.out / "settings.json"
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        evolution = begin(preset, options.seed, options.threads)
        if checkpoint.exists():
            resume(evolution, checkpoint)
            print(f"Going on from generation {evolution.iteration}.", file=sys.stderr, flush=True)
        last = min(preset.iterations, options.stop_after or preset.iterations)
        with (options.out / "log.jsonl").open("a", encoding="utf-8") as log:
            stopped = run(evolution, last, checkpoint, log, lambda: [evolution.validate()], report_every=1)
        write_file(settings, evolution.settings.keep)
    except (TrainingError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    state = "Stopped" if stopped else "Done"
    print(
        f"{state} at generation {evolution.iteration} of {preset.iterations}. The settings are in {settings}.",
        file=sys.stderr,
    )
    return 0
