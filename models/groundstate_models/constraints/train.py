"""Train the constraints energy through its own descent: ``python -m groundstate_models.constraints.train --preset cpu``.

The energy's few numbers and those of the descent are learned together, by evolution (CMA-ES: N. Hansen and A. Ostermeier,
"Completely derandomized self-adaptation in evolution strategies", 2001): a candidate's fitness is how soon its chains
reach answers, over problems of all families. This measures the goal of a search; a gradient through a few steps does not.

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

from groundstate_models.constraints.energy import FEATURES, HAND, LEARNED, ConstraintsEnergy, checks
from groundstate_models.constraints.export import SIZES, examples
from groundstate_models.constraints.families import FAMILIES, minimal_sudoku, mixed, quasigroup, queens, sat, zebra
from groundstate_models.constraints.incidence import edges_of
from groundstate_models.constraints.learned import NOISE_EVERY, NOISE_PERIOD, RULE, TEMPERATURE, Settings
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.tensors import AXES, FAR, Network
from groundstate_training import RULE as RULE_NUMBERS
from groundstate_training import Evolution, EvolutionPreset, Point, RowBreakout, RowSearch, evolve_command, row_file

Array = NDArray[Any]
Tensors = dict[str, Array]
"""One problem in the energy's format, without the batch; or several, batch first."""

_HELD = 1_000_003
"""Added to the seed for the validation problems."""

MARKS = (64, 128, 256, 512)
"""A chain's worth is the share of these step counts within which it has an answer."""


@dataclass(frozen=True, kw_only=True)
class Preset(EvolutionPreset):
    """Sizes of the training.

    Attributes:
        made: Problems of each family to train on.
        drawn: Number of those in one generation.
        chains: Chains on each problem.
        held: Validation problems of each family.
        largest: Edges of the largest problem to train on.
    """

    iterations: int = 150
    candidates: int = 14
    made: int = 48
    drawn: int = 8
    chains: int = 2
    held: int = 24
    largest: int = 2_500


PRESETS = {
    "smoke": Preset(iterations=2, candidates=4, made=2, drawn=1, chains=1, held=1, validate_every=1),
    "cpu": Preset(),
}


def settings_of(x: Array) -> Settings:
    """Map a CMA-ES point to settings; the origin is the hand-written energy."""
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


def problems(seed: int, each: int, largest: int) -> dict[str, list[Tensors]]:
    """Problems by family that propagation alone does not solve, at most ``each`` of each family."""
    draw = np.random.default_rng(seed)
    sources = {
        "minimal sudoku": (minimal_sudoku(9, draw).request for _ in range(2 * each)),
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
    found: dict[str, list[Tensors]] = {}
    for family, requests in sources.items():
        kept: list[Tensors] = []
        for request in requests:
            network = Network(Problem.of(request).graph)
            if network.kept and len(edges_of(tensors := network.tensors(exact=True)).literal) <= largest:
                kept.append(tensors)
            if len(kept) == each:
                break
        if kept:
            found[family] = kept
    return found


def row_arguments() -> dict[str, Any]:
    """The arguments of `groundstate_export.export` for the training file, where every row has its own numbers."""
    energy = ConstraintsEnergy().requires_grad_(requires_grad=False)
    columns = (*(f"{name}.{place}" for name in LEARNED for place in range(np.size(HAND[name]))), *RULE_NUMBERS)
    first = torch.tensor(Settings().numbers)

    def example(sizes: tuple[int, int, int, int]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        inputs, state = examples(sizes, 1.0)
        draw = torch.Generator().manual_seed(1)
        return {**inputs, "numbers": first - 0.05 * torch.rand(len(state), len(first), generator=draw)}, state

    inputs, *others = map(example, SIZES)
    rule = RowBreakout(
        energy.violations,
        columns,
        noise_every=NOISE_EVERY,
        noise_period=NOISE_PERIOD,
        temperature=TEMPERATURE,
        terms=("constraints",),
        penalty=energy.penalty,
    )
    return {
        "energy": energy,
        "inputs": inputs[0],
        "state": inputs[1],
        "rule": rule.requires_grad_(requires_grad=False),
        "unroll": NOISE_PERIOD,
        "decode": energy.decode,
        "checks": checks,
        "trace_every": NOISE_PERIOD,
        "axes": AXES,
        "resized": others,
    }


def stacked(problems: Sequence[Tensors]) -> Tensors:
    """Problems of several sizes as one batch: smaller ones have neutral padding."""
    sizes = {
        axis: max(problem[name].shape[place] for problem in problems)
        for name, axes in AXES.items()
        for place, axis in enumerate(axes)
    }
    rows = []
    for problem in problems:
        row = {
            name: _padded(problem[name], tuple(sizes[axis] for axis in axes), NEUTRAL.get(name, 0))
            for name, axes in AXES.items()
        }
        row["domain"][len(problem["domain"]) :, 0] = 1.0
        for name in ("literal", "more_literal"):
            variable, value = np.divmod(row[name], problem["domain"].shape[1])
            row[name] = variable * sizes["values"] + value
        rows.append(row)
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


NEUTRAL = {"low": -FAR, "high": FAR, "slack": 0.5}
"""The numbers that pad inputs, where they are not 0."""


def _padded(values: Array, shape: tuple[int, ...], rest: float) -> Array:
    whole = np.full(shape, rest, values.dtype)
    whole[tuple(slice(size) for size in values.shape)] = values
    return whole


@cache
def _file() -> bytes:
    """The file that training descends through; to make it takes half a minute."""
    return row_file(row_arguments())


class Trials:
    """Runs chains of candidates on problems, with one file.

    Args:
        threads: Number of threads for the chains.
    """

    def __init__(self, threads: int) -> None:
        self._search = RowSearch(_file(), threads)

    def answers(self, candidates: Sequence[Settings], problems: Sequence[Tensors], chains: int, seed: int) -> Array:
        """Steps until each chain's answer within the last of `MARKS`, or 0, ``(candidates, problems, chains)``."""
        many, each = len(candidates), len(problems) * chains
        batch = stacked(problems)
        inputs = {name: np.tile(np.repeat(x, chains, 0), (many, *(1,) * (x.ndim - 1))) for name, x in batch.items()}
        numbers = np.array([settings.numbers for settings in candidates], np.float32)
        found = self._search.first_answers(
            {**inputs, "numbers": np.repeat(numbers, each, axis=0)},
            batch["domain"].shape[1:],
            start=np.repeat([settings.start for settings in candidates], each),
            most=np.full(many * each, MARKS[-1]),
            draws=np.tile(np.arange(each), many),
            temperature=TEMPERATURE,
            seed=seed,
        )
        return found.reshape(many, len(problems), chains)

    def soon(
        self, candidates: Sequence[Settings], sets: Mapping[str, Sequence[Tensors]], chains: int, seed: int
    ) -> dict[str, tuple[Array, Array]]:
        """For each family, the speed of the chains, from 0 to 1, and their share with an answer, ``(candidates,)`` each."""
        found = {}
        for place, (family, some) in enumerate(sets.items()):
            at = self.answers(candidates, some, chains, seed + place)
            shares = [((at > 0) & (at <= mark)).mean((1, 2)) for mark in MARKS]
            found[family] = (np.mean(shares, axis=0), (at > 0).mean((1, 2)))
        return found


def worth(judged: Mapping[str, tuple[Array, Array]]) -> Array:
    """One number for all families, ``(candidates,)``."""
    mean: Array = np.mean([soon for soon, _ in judged.values()], axis=0)
    return mean


class ConstraintsEvolution(Evolution):
    """The training of the constraints energy."""

    def __init__(self, preset: Preset, seed: int, threads: int) -> None:
        super().__init__(preset, seed, threads, DIMENSIONS)
        self._trials = Trials(threads)
        self.training = problems(seed, preset.made, preset.largest)
        self.held = problems(seed + _HELD, preset.held, preset.largest)

    @property
    def settings(self) -> Settings:
        return settings_of(self.mean)

    def fitness(self, points: Sequence[Point]) -> list[float]:
        preset, number = self.preset, self.iteration
        draw = np.random.default_rng((self.seed, number))
        some = {
            family: [every[int(i)] for i in draw.permutation(len(every))[: preset.drawn]]
            for family, every in self.training.items()
        }
        candidates = [settings_of(x) for x in points]
        return [float(value) for value in worth(self._trials.soon(candidates, some, preset.chains, 7919 * number))]

    def validate(self) -> dict[str, Any]:
        """Speed of the chains, and their share with an answer within the last mark, on the validation problems."""
        found = self._trials.soon([self.settings], self.held, 4, 0)
        each = {family: [round(float(value[0]), 3) for value in pair] for family, pair in found.items()}
        return {"held": round(float(worth(found)[0]), 4), **each}


def main(argv: list[str] | None = None) -> int:
    """Train; returns the exit code."""
    return evolve_command("constraints", PRESETS, ConstraintsEvolution, argv)


if __name__ == "__main__":
    sys.exit(main())
