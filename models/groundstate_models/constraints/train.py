"""Train the constraints energy through its own descent: ``python -m groundstate_models.constraints.train --preset cpu``.

The energy's few numbers and those of the descent are learned together, by evolution (CMA-ES: N. Hansen and A. Ostermeier,
"Completely derandomized self-adaptation in evolution strategies", 2001): a candidate is worth how soon chains that descend with
it reach answers, over problems of all families. That is what is wanted of a search; a gradient through a few updates does not
tell it.

Everything is seeded; a checkpoint is written after every generation, and the same command goes on from it. Needs
``groundstate[train]``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pickle
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from groundstate_models.constraints.compiled import Array, Flat, descend
from groundstate_models.constraints.energy import FEATURES, HAND
from groundstate_models.constraints.export import NOISE_EVERY, RULE, TEMPERATURE, Settings
from groundstate_models.constraints.families import FAMILIES, mixed, quasigroup, queens, sat, sudoku, zebra
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.tensors import Network
from groundstate_models.sudoku.search import hard_puzzles
from groundstate_models.training import TrainingError, write

FORMAT = 1
"""Of checkpoints."""

MARKS = (64, 128, 256, 512)
"""A chain is worth the share of these numbers of updates within which it has an answer."""


@dataclass(frozen=True)
class Preset:
    """Sizes of the training.

    Attributes:
        generations: Of the evolution.
        candidates: In each.
        spread: Standard deviation of the first candidates.
        made: Problems of each family to train on.
        drawn: Of those, how many a generation is judged by.
        chains: Descended on each.
        held: Problems of each family to validate on.
        largest: Edges of the largest problem to train on.
        validate_every: Generations from one validation to the next.
    """

    generations: int = 150
    candidates: int = 14
    spread: float = 0.25
    made: int = 48
    drawn: int = 8
    chains: int = 2
    held: int = 24
    largest: int = 2_500
    validate_every: int = 10


PRESETS = {"smoke": Preset(2, 4, made=2, drawn=1, chains=1, held=1, validate_every=1), "cpu": Preset()}


def settings_of(x: Array) -> Settings:
    """What a point of the search stands for; the origin stands for what is written by hand."""
    n = len(FEATURES)
    energy = dict(HAND)
    for place, name in enumerate(("log_openness", "log_temperature", "log_confinement")):
        energy[name] = HAND[name] + float(x[place])
    energy["temperature_by_values"] = float(x[3])
    energy["openness_by_shape"], energy["weight_by_shape"] = x[4 : 4 + n].tolist(), x[4 + n : 4 + 2 * n].tolist()
    rule, rest = dict(RULE), x[4 + 2 * n :]
    for place, name in enumerate(("step_size", "noise", "raises")):
        rule[name] = RULE[name] * math.exp(float(rest[place]))
    for place, name in enumerate(("momentum", "keep"), 3):
        odds = math.log(RULE[name] / (1.0 - RULE[name])) + float(rest[place])
        rule[name] = 1.0 / (1.0 + math.exp(-odds))
    return Settings(energy, rule, Settings().start * math.exp(float(rest[5])))


DIMENSIONS = 4 + 2 * len(FEATURES) + 6


def problems(seed: int, each: int, largest: int) -> dict[str, list[Flat]]:
    """Problems by family that propagation alone does not solve, each family ``each`` at the most."""
    draw = np.random.default_rng(seed)
    hard = hard_puzzles(each, seed)[0].reshape(-1, 9, 9)
    sources = {
        "hard sudoku": (sudoku(grid.tolist()) for grid in hard),
        "quasigroup at the threshold": (
            quasigroup(n, round(0.42 * n * n), draw).request for n in draw.integers(10, 15, 4 * each)
        ),
        "zebra 5x5": (zebra(5, 5, draw).request for _ in range(each)),
        "queens of all sizes": (queens(int(n), draw).request for n in draw.integers(6, 20, each)),
        "sat at the threshold": (sat(int(n), 4.26, draw).request for n in draw.integers(20, 51, each)),
    }
    sources |= {
        family: (example.request for example in mixed(seed + place, 6 * each, 0.85, [family]))
        for place, family in enumerate(FAMILIES)
    }
    found: dict[str, list[Flat]] = {}
    for family, requests in sources.items():
        kept: list[Flat] = []
        for request in requests:
            network = Network(Problem.of(request).graph)
            if network.kept and len((tensors := network.tensors(exact=True))["literal"]) <= largest:
                kept.append(Flat.of(tensors))
            if len(kept) == each:
                break
        if kept:
            found[family] = kept
    return found


def judge(
    settings: Settings, sets: Mapping[str, Sequence[Flat]], chains: int, seed: int
) -> dict[str, tuple[float, float]]:
    """For each family how soon chains reach answers, from 0 to 1, and the share of chains that do at all."""
    how: dict[str, Any] = {"chains": chains, "steps": MARKS[-1], "noise_every": NOISE_EVERY, "heat": TEMPERATURE}
    found = {}
    for family, some in sets.items():
        at = np.concatenate([descend(one, settings, seed=seed + place, **how) for place, one in enumerate(some)])
        soon = float(np.mean([((at > 0) & (at <= mark)).mean() for mark in MARKS]))
        found[family] = (soon, float((at > 0).mean()))
    return found


def worth(judged: Mapping[str, tuple[float, float]]) -> float:
    """One number for all families."""
    return float(np.mean([soon for soon, _ in judged.values()]))


def evolve(preset: Preset, seed: int, out: Path, threads: int) -> bool:
    """Train until done, or asked to stop. Returns whether it was asked to."""
    import cma

    checkpoint = out / "checkpoint.pickle"
    training, held = (
        problems(seed, preset.made, preset.largest),
        problems(seed + 1_000_003, preset.held, preset.largest),
    )
    strategy = _begun(checkpoint, preset) or cma.CMAEvolutionStrategy(
        np.zeros(DIMENSIONS), preset.spread, {"popsize": preset.candidates, "seed": seed + 1, "verbose": -9}
    )
    asked: list[int] = []
    before = {number: signal.signal(number, lambda n, _: asked.append(n)) for number in (signal.SIGINT, signal.SIGTERM)}
    begun, first = time.monotonic(), strategy.countiter
    try:
        with ThreadPoolExecutor(threads) as pool, (out / "log.jsonl").open("a", encoding="utf-8") as log:

            def record(entry: dict[str, Any]) -> None:
                print(json.dumps(entry), file=sys.stderr, flush=True)
                log.write(json.dumps(entry) + "\n")
                log.flush()

            while strategy.countiter < preset.generations and not asked:
                number = strategy.countiter
                draw = np.random.default_rng((seed, number))
                some = {
                    family: [all_[int(i)] for i in draw.permutation(len(all_))[: preset.drawn]]
                    for family, all_ in training.items()
                }
                points = strategy.ask()
                values = list(
                    pool.map(lambda x: worth(judge(settings_of(x), some, preset.chains, 7919 * number)), points)  # noqa: B023
                )
                strategy.tell(points, [-value for value in values])
                pace = (time.monotonic() - begun) / (strategy.countiter - first)
                record(
                    {
                        "generation": strategy.countiter,
                        "best": round(max(values), 4),
                        "mean": round(float(np.mean(values)), 4),
                        "spread": round(float(strategy.sigma), 4),
                        "minutes_left": round(pace * (preset.generations - strategy.countiter) / 60, 1),
                    }
                )
                if strategy.countiter % preset.validate_every == 0:
                    told = judge(settings_of(strategy.mean), held, 4, 0)
                    each = {family: [round(value, 3) for value in pair] for family, pair in told.items()}
                    record({"generation": strategy.countiter, "held": round(worth(told), 4), **each})
                stored = {"format": FORMAT, "preset": asdict(preset), "strategy": strategy.pickle_dumps()}
                write(checkpoint, lambda file: file.write_bytes(pickle.dumps(stored)))  # noqa: B023
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    write(out / "settings.json", settings_of(strategy.mean).keep)
    return bool(asked)


def _begun(checkpoint: Path, preset: Preset) -> Any | None:
    """The evolution of a run that goes on.

    Raises:
        TrainingError: If the checkpoint is damaged, or of another version or preset. It is left as it is.
    """
    if not checkpoint.exists():
        return None
    try:
        stored = pickle.loads(checkpoint.read_bytes())  # noqa: S301 - the user's own run
        strategy = pickle.loads(stored["strategy"])  # noqa: S301
    except Exception as error:  # noqa: BLE001 - unpickling damaged bytes raises nearly anything
        reason = str(error).partition("\n")[0]
        raise TrainingError(
            f"The checkpoint {checkpoint} cannot be read ({reason}); move it away to start anew."
        ) from None
    if stored.get("format") != FORMAT:
        raise TrainingError(
            f"The checkpoint {checkpoint} is of another version of this command; move it away to start anew."
        )
    if stored["preset"] | {"generations": 0} != asdict(preset) | {"generations": 0}:
        raise TrainingError(
            f"The checkpoint {checkpoint} was made by another preset; move it away, or choose another --out."
        )
    print(f"Going on from generation {strategy.countiter}.", file=sys.stderr, flush=True)
    return strategy


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m groundstate_models.constraints.train",
        description="Train the constraints energy through its own descent. Ctrl-C stops it; the same command goes on.",
    )
    parser.add_argument("--preset", choices=sorted(PRESETS), default="cpu")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/constraints"), help="folder of the run (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--generations", type=int, help="instead of the preset's; may be changed when a run goes on")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    options = _options(argv)
    preset = PRESETS[options.preset]
    if options.generations:
        preset = replace(preset, generations=options.generations)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        stopped = evolve(preset, options.seed, options.out, options.threads)
    except (TrainingError, OSError) as error:
        print(f"train: {error}", file=sys.stderr)
        return 2
    print(f"{'Stopped' if stopped else 'Done'}; {options.out / 'settings.json'}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
