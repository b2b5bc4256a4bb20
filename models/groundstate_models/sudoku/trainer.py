"""The state of a training run, one iteration of it, and its validation. `train` is the command around it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from groundstate_export.rules import HeavyBall
from groundstate_models.sudoku.data import Puzzles
from groundstate_models.sudoku.energy import SudokuEnergy

PERIOD = 32
"""Steps between kicks of noise."""

MAIN = 9
"""The size of board that most of the training is for."""

FORMAT = 2
"""Of checkpoints; 1 had another energy."""


@dataclass(frozen=True)
class Preset:
    """Sizes of the model and of its training. Times are for the machine named in CARD.md.

    Attributes:
        width, hidden, group, intersection: Of `SudokuEnergy`.
        puzzles: Puzzles in a batch.
        chains: Chains that descend on each of them, of which the best gets most of the gradient.
        segment: Updates before each move of the weights.
        iterations: Moves of the weights.
        minimal, hard, other: Puzzles to make: random minimal 9×9, made hard, and of each other size.
        mix: Share of iterations for boards of each size; large boards have fewer puzzles in a batch.
        alone: Share of the run before boards of other sizes than 9 join in.
        hard_share: Share of draws from the eighth of the puzzles that a search finds hardest.
        mined_share: Share of draws from those that this run gave up on.
        extra_clues: Share of the other draws that get up to 15 clues back.
        noise: Standard deviation of kicks at temperature 1.
        temperature: Largest temperature of a chain.
        rivalry: How sharply the best of a puzzle's chains is preferred, a cell's cross-entropy; see `Trainer.step`.
        floor: Share of the gradient that all chains get, however they do.
        learning_rate, cooldown: Constant, then falling over this last share of the run.
        average: Of the weights that are kept, an exponential moving average.
        give_up, leave: Chance that an unsolved, a solved puzzle leaves after a segment.
        validation: Puzzles of each kind and size to validate on.
    """

    width: int = 24
    hidden: int = 32
    group: int = 64
    intersection: int = 32
    puzzles: int = 8
    chains: int = 4
    segment: int = 16
    iterations: int = 12_000
    minimal: int = 60_000
    hard: int = 6_000
    other: int = 4_000
    mix: Mapping[int, float] = field(default_factory=lambda: {9: 0.93, 4: 0.02, 6: 0.03, 16: 0.02})
    alone: float = 0.5
    hard_share: float = 0.25
    mined_share: float = 0.3
    extra_clues: float = 0.45
    noise: float = 0.1
    temperature: float = 6.0
    rivalry: float = 20.0
    floor: float = 0.25
    learning_rate: float = 3e-3
    cooldown: float = 0.7
    average: float = 0.999
    give_up: float = 1 / 8
    leave: float = 0.5
    validation: int = 48
    validate_every: int = 1_500


PRESETS = {
    "smoke": Preset(
        8,
        16,
        16,
        8,
        puzzles=2,
        chains=2,
        iterations=6,
        minimal=40,
        hard=8,
        other=8,
        mix={9: 0.4, 4: 0.2, 6: 0.2, 16: 0.2},
        validation=2,
        validate_every=3,
    ),
    "cpu": Preset(),
    "gpu": Preset(
        32, 64, 128, 64, puzzles=192, iterations=30_000, minimal=400_000, hard=40_000, other=20_000, validation=256
    ),
}


@dataclass(frozen=True)
class Library:
    """Puzzles by what they are for."""

    training: Mapping[int, Puzzles]
    validation: Mapping[str, Puzzles]


class _Lane:
    """The puzzles of one size that are being descended on: a row for each chain, a puzzle's chains side by side."""

    def __init__(self, size: int, preset: Preset, data: Puzzles, device: torch.device) -> None:
        self.data, self.chains = data, preset.chains
        self.puzzles = max(1, min(preset.puzzles, round(preset.puzzles * (9 / size) ** 3)))
        self.source = np.full(self.puzzles, -1)
        self.order = np.argsort(data.nodes)
        self.failed: list[int] = []
        rows = self.puzzles * self.chains
        board, state = (rows, size, size), (rows, size, size, size, preset.width)
        self.tensors = {
            "grid": torch.zeros(board, dtype=torch.long, device=device),
            "solution": torch.zeros(board, dtype=torch.long, device=device),
            "z": torch.zeros(state, device=device),
            "v": torch.zeros(state, device=device),
            "temperature": torch.zeros(rows, 1, 1, 1, 1, device=device),
        }

    def state(self) -> dict[str, Any]:
        return {"tensors": self.tensors, "source": self.source, "failed": self.failed}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.tensors, self.source, self.failed = dict(state["tensors"]), state["source"], list(state["failed"])

    def draw(self, preset: Preset, random: np.random.Generator) -> tuple[int, Tensor, Tensor]:
        """One puzzle: one this run gave up on, a hard one, or any, then half the time with some clues given back."""
        kind, extra = random.random(), 0
        if kind < preset.mined_share and len(self.failed) >= 16:
            place = self.failed[random.integers(len(self.failed))]
        elif kind < preset.mined_share + preset.hard_share:
            place = int(self.order[-1 - random.integers(len(self.order) // 8 or 1)])
        else:
            place = int(random.integers(len(self.data)))
            extra = int(random.integers(1, 16)) if random.random() < preset.extra_clues else 0
        puzzle, solution = self.data.puzzle[place].copy(), self.data.solution[place]
        shown = random.permutation(np.flatnonzero(puzzle == 0))[:extra]
        if len(shown) < np.count_nonzero(puzzle == 0):
            puzzle[shown] = solution[shown]
        shape = self.tensors["grid"].shape[1:]
        grid, full = (torch.from_numpy(part.astype(np.int64)).reshape(shape) for part in (puzzle, solution))
        return place, grid, full

    def retire(self, place: int, *, solved: bool) -> None:
        """Remember what was given up, the last few hundred, and forget what was solved after all."""
        if not solved:
            self.failed = [*self.failed[-399:], int(self.source[place])]
        elif int(self.source[place]) in self.failed:
            self.failed.remove(int(self.source[place]))


def _size_of(puzzles: Puzzles) -> int:
    return math.isqrt(puzzles.puzzle.shape[1])


class Trainer:
    """The state of a training run, and one iteration of it.

    Args:
        preset: Its sizes.
        seed: Decides every random draw.
        library: Puzzles to train and to validate on.
        compiled: Whether steps are compiled, which takes half a minute a size and makes them several times faster.
        device: Where it trains.
        kind: The energy that is trained.
    """

    def __init__(
        self,
        preset: Preset,
        seed: int,
        library: Library,
        *,
        compiled: bool,
        device: str = "cpu",
        kind: type[SudokuEnergy] = SudokuEnergy,
    ) -> None:
        self.preset, self.puzzles, self.device = preset, library, torch.device(device)
        torch.manual_seed(seed)
        self.random = np.random.default_rng(seed)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.energy = kind(preset.width, preset.hidden, preset.group, preset.intersection)
        self.rule = HeavyBall(
            torch.full((preset.width,), 0.1),
            torch.full((preset.width,), 0.8),
            noise=preset.noise,
            noise_every=PERIOD,
            learn=True,
        )
        self.model = nn.ModuleDict({"energy": self.energy, "rule": self.rule}).to(self.device)
        self.averaged = copy.deepcopy(self.model).requires_grad_(requires_grad=False)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=preset.learning_rate, weight_decay=1e-3)
        self.iteration = self.seen = 0
        # One graph a size, and another for states that no gradient goes through.
        torch._dynamo.config.recompile_limit = max(64, torch._dynamo.config.recompile_limit)  # noqa: SLF001  # no public name
        self._step = torch.compile(self._update, fullgraph=True, dynamic=False) if compiled else self._update
        self.lanes: dict[int, _Lane] = {}

    def _lane(self, size: int) -> _Lane:
        if size not in self.lanes:
            lane = self.lanes[size] = _Lane(size, self.preset, self.puzzles.training[size], self.device)
            self._fill(lane, np.arange(lane.puzzles))
        return self.lanes[size]

    def _size(self) -> int:
        """Of the boards in this iteration."""
        sizes, shares = zip(*self.preset.mix.items(), strict=True)
        if self.iteration < self.preset.alone * self.preset.iterations:
            return MAIN
        return int(self.random.choice(sizes, p=np.array(shares) / sum(shares)))

    def _start(self, rows: int, size: int, generator: torch.Generator) -> Tensor:
        return 0.1 * self._noise((rows, size, size, size, self.preset.width), generator)

    def _noise(self, shape: tuple[int, ...] | torch.Size, generator: torch.Generator) -> Tensor:
        return torch.randn(shape, generator=generator, device=self.device)

    def _fill(self, lane: _Lane, places: np.ndarray) -> None:
        """New puzzles, each chain at a random start and at a temperature of its own; a fifth of them have none."""
        self.seen += len(places)
        for place in places:
            lane.source[place], grid, solution = lane.draw(self.preset, self.random)
            mine = slice(place * lane.chains, (place + 1) * lane.chains)
            heat = torch.rand(2, lane.chains, 1, 1, 1, 1, generator=self.generator, device=self.device)
            lane.tensors["grid"][mine] = grid.to(self.device)
            lane.tensors["solution"][mine] = solution.to(self.device) - 1
            lane.tensors["z"][mine] = self._start(lane.chains, len(grid), self.generator)
            lane.tensors["v"][mine] = 0.0
            lane.tensors["temperature"][mine] = self.preset.temperature * heat[0] * (heat[1] < 0.8)

    def _update(
        self, z: Tensor, v: Tensor, drive: Tensor, solution: Tensor, empty: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One step: the state, the velocity, and the mean cross-entropy of the empty cells, a row."""
        following = self.rule({"z": z, "z.velocity": v}, {"z": self.energy.gradient(z, drive)})
        z, v = following["z"], following["z.velocity"]
        each = functional.cross_entropy(self.energy.logits(z).flatten(0, 2), solution.flatten(), reduction="none")
        return z, v, (each.view_as(solution) * empty).flatten(1).sum(1) / empty.flatten(1).sum(1)

    def _heat(self, temperature: Tensor) -> Tensor:
        """Standard deviation of the kicks at this segment: a chain is kicked once in `PERIOD` steps on average."""
        chance = torch.rand(temperature.shape, generator=self.generator, device=self.device)
        return self.preset.noise * temperature * (chance < self.preset.segment / PERIOD)

    def _descend(self, lane: Mapping[str, Tensor], drive: Tensor, kick: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A segment from a kicked velocity: the state, the velocity, and the losses ``(steps, rows)``."""
        z, v, empty = lane["z"], lane["v"] + kick, (lane["grid"] == 0).float()
        losses = []
        for _ in range(self.preset.segment):
            z, v, loss = self._step(z, v, drive, lane["solution"], empty)
            losses.append(loss)
        return z, v, torch.stack(losses)

    def step(self) -> dict[str, float]:
        """One segment of one size's batch, one move of the weights, and new puzzles where they are done.

        The loss of a puzzle is that of its chains, weighted by a softmin of where they end: close to the likelihood of the
        solution under a mixture of them (winner takes all: Guzmán-Rivera et al., 2012). Chains that would have to hedge
        between two guesses can so each make one.
        """
        p = self.preset
        size = self._size()
        lane = self._lane(size)
        b = lane.tensors
        kick = self._noise(b["z"].shape, self.generator) * self._heat(b["temperature"])
        z, v, each = self._descend(b, self.energy.drive(b["grid"]), kick)
        weight = torch.linspace(0.25, 1.0, len(each), device=self.device)
        ends = each[-1].detach().view(lane.puzzles, lane.chains)
        share = (1.0 - p.floor) * torch.softmax(-p.rivalry * ends, 1) + p.floor / lane.chains
        loss = ((weight @ each) * share.flatten()).sum() / weight.sum() / lane.puzzles
        norm = self._move(loss)
        b["z"], b["v"] = z.detach(), v.detach()
        solved = self._turn_over(lane)
        self.iteration += 1
        if size != MAIN:
            return {f"loss_{size}": float(loss.detach()), f"solved_{size}": float(solved.mean())}
        return {
            "loss": float(loss.detach()),
            "last": float(ends.mean()),
            "best": float(ends.amin(1).mean()),
            "solved": float(solved.mean()),
            "solved_any": float(solved.any(1).mean()),
            "norm": norm,
        }

    def _move(self, loss: Tensor) -> float:
        self.optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = self.preset.learning_rate * self._schedule()
        if torch.isfinite(norm):
            self.optimizer.step()
        keep = min(self.preset.average, (1 + self.iteration) / (10 + self.iteration))
        with torch.no_grad():
            for mean, value in zip(self.averaged.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(value, 1 - keep)
        return float(norm)

    @torch.no_grad()
    def _solved(self, z: Tensor, grid: Tensor, solution: Tensor) -> Tensor:
        right = (self.energy.logits(z).argmax(-1) == solution) | (grid > 0)
        return right.flatten(1).all(1)

    def _turn_over(self, lane: _Lane) -> np.ndarray:
        """Replace puzzles that are done. Returns which chains had solved theirs, ``(puzzles, chains)``."""
        p, b = self.preset, lane.tensors
        solved: np.ndarray = self._solved(b["z"], b["grid"], b["solution"]).view(lane.puzzles, -1).cpu().numpy()
        broken = (~torch.isfinite(b["z"]).flatten(1).all(1)).view(lane.puzzles, -1).any(1).cpu().numpy()
        chance = self.random.random(lane.puzzles)
        done = np.flatnonzero(broken | np.where(solved.any(1), chance < p.leave, chance < p.give_up))
        for place in done:
            lane.retire(int(place), solved=bool(solved[place].any()))
        self._fill(lane, done)
        return solved

    def _schedule(self) -> float:
        p = self.preset
        warm = min(1.0, (self.iteration + 1) / 200)
        left = (p.iterations - self.iteration) / (p.cooldown * p.iterations)
        return warm * max(0.01, min(1.0, left))

    def validate(self, temperature: float, steps: int = 128) -> dict[str, dict[str, float]]:
        """For each kind of puzzle, the share that one chain solves, and that any of its chains does; with the averaged weights.

        Args:
            temperature: Of all chains.
            steps: Updates a chain makes; whether it has solved is looked at after every segment.
        """
        current = copy.deepcopy(self.model.state_dict())
        self.model.load_state_dict(self.averaged.state_dict())
        try:
            return {
                name: self._rate(puzzles, temperature, steps)
                for name, puzzles in self.puzzles.validation.items()
                if _size_of(puzzles) in self.lanes
            }
        finally:
            self.model.load_state_dict(current)

    def _rate(self, puzzles: Puzzles, temperature: float, steps: int) -> dict[str, float]:
        size = _size_of(puzzles)
        lane = self.lanes[size]
        generator = torch.Generator(self.device).manual_seed(0)
        solved = []
        for start in range(0, len(puzzles), lane.puzzles):
            # Batches are as large as in training, so that what is compiled fits; the last one goes round to the first puzzles.
            rows = np.repeat(np.arange(start, start + lane.puzzles) % len(puzzles), lane.chains)
            grid, solution = (
                torch.from_numpy(part[rows].astype(np.int64)).reshape(-1, size, size).to(self.device)
                for part in (puzzles.puzzle, puzzles.solution)
            )
            z = self._start(len(rows), size, generator)
            b = {"grid": grid, "solution": solution - 1, "z": z, "v": torch.zeros_like(z)}
            done = torch.zeros(len(rows), dtype=torch.bool, device=self.device)
            drive = self.energy.drive(grid).detach()
            for step in range(0, steps, self.preset.segment):
                heat = self.preset.noise * temperature * (step % PERIOD == 0)
                z, v, _ = self._descend(b, drive, heat * self._noise(z.shape, generator))
                b["z"], b["v"] = z.detach(), v.detach()
                done |= self._solved(b["z"], grid, solution - 1)
            solved.append(done.view(lane.puzzles, -1).cpu().numpy())
        found = np.concatenate(solved)[: len(puzzles)]
        return {"one": round(float(found.mean()), 4), "any": round(float(found.any(1).mean()), 4)}

    def state(self) -> dict[str, Any]:
        """Everything a run needs to go on, and `export` needs to make artefacts."""
        return {
            "format": FORMAT,
            "config": self.energy.config,
            "noise": self.rule.noise,
            "preset": asdict(self.preset),
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "lanes": {size: lane.state() for size, lane in self.lanes.items()},
            "iteration": self.iteration,
            "seen": self.seen,
            "random": self.random.bit_generator.state,
            "generator": self.generator.get_state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned, on a trainer of the same preset."""
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        for size, stored in state["lanes"].items():
            self._lane(size).restore(stored)
        self.iteration, self.seen = state["iteration"], state["seen"]
        self.random.bit_generator.state = state["random"]
        self.generator.set_state(state["generator"])
