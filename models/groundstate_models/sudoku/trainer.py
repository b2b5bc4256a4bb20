"""The state of a training run, one iteration of it, and its validation. `train` is the command around it."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from groundstate_export.rules import HeavyBall
from groundstate_models.sudoku.data import Puzzles
from groundstate_models.sudoku.energy import SudokuEnergy

CHUNK = 4
"""Steps compiled as one function; also the steps between kicks of noise."""


@dataclass(frozen=True)
class Preset:
    """Sizes of the model and of its training. Times are for the machine named in CARD.md."""

    width: int = 16
    hidden: int = 32
    group: int = 64
    intersection: int = 32
    batch: int = 32
    segment: int = 16
    iterations: int = 7_250
    minimal: int = 60_000
    hard: int = 6_000
    hard_share: float = 0.25
    extra_clues: float = 0.5
    noise: float = 0.1
    learning_rate: float = 3e-3
    cooldown: float = 0.6
    average: float = 0.999
    give_up: float = 1 / 8
    leave: float = 0.5
    validation: int = 64
    validate_every: int = 500


PRESETS = {
    "smoke": Preset(8, 16, 16, 8, batch=8, iterations=6, minimal=40, hard=8, validation=2, validate_every=3),
    "cpu": Preset(),
}


class Trainer:
    """The state of a training run, and one iteration of it."""

    def __init__(self, preset: Preset, seed: int, data: Puzzles, validation: Puzzles, compiled: bool) -> None:
        self.preset, self.data, self.validation = preset, data, validation
        torch.manual_seed(seed)
        self.random = np.random.default_rng(seed)
        self.generator = torch.Generator().manual_seed(seed)
        self.energy = SudokuEnergy(preset.width, preset.hidden, preset.group, preset.intersection)
        self.rule = HeavyBall(
            torch.full((preset.width,), 0.1),
            torch.full((preset.width,), 0.8),
            noise=preset.noise,
            noise_every=CHUNK,
            learn=True,
        )
        self.model = nn.ModuleDict({"energy": self.energy, "rule": self.rule})
        self.averaged = copy.deepcopy(self.model).requires_grad_(requires_grad=False)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=preset.learning_rate, weight_decay=1e-3)
        self.iteration = 0
        self.seen = 0
        self.order = np.argsort(data.nodes)
        self.batch: dict[str, Tensor] = {}
        self._chunk = torch.compile(self._descend, fullgraph=True, dynamic=False) if compiled else self._descend
        self._fill(np.full(preset.batch, fill_value=True))

    def _draw(self) -> tuple[np.ndarray, np.ndarray]:
        """One puzzle: half the time with some clues given back; the hardest ones more often than by chance."""
        if self.random.random() < self.preset.hard_share:
            row = self.order[-1 - self.random.integers(len(self.order) // 8 or 1)]
            extra = 0
        else:
            row = self.random.integers(len(self.data))
            extra = int(self.random.integers(1, 16)) if self.random.random() < self.preset.extra_clues else 0
        puzzle, solution = self.data.puzzle[row].copy(), self.data.solution[row]
        shown = self.random.permutation(np.flatnonzero(puzzle == 0))[:extra]
        puzzle[shown] = solution[shown]
        return puzzle.reshape(9, 9), solution.reshape(9, 9)

    def _fill(self, rows: np.ndarray) -> None:
        """Put new puzzles, at new random starts, into some rows of the batch."""
        p = self.preset
        drawn = [self._draw() for _ in range(int(rows.sum()))]
        self.seen += len(drawn)
        state = 0.1 * torch.randn(len(drawn), 9, 9, 9, p.width, generator=self.generator)
        hot = torch.rand(len(drawn), 1, 1, 1, 1, generator=self.generator)
        warm = (torch.rand(len(drawn), 1, 1, 1, 1, generator=self.generator) < 0.75).float()
        new = {
            "grid": torch.from_numpy(np.stack([d[0] for d in drawn])).long(),
            "solution": torch.from_numpy(np.stack([d[1] for d in drawn])).long() - 1,
            "z": state,
            "v": torch.zeros_like(state),
            "temperature": hot * warm,
        }
        if not self.batch:
            self.batch = new
        else:
            index = torch.from_numpy(np.flatnonzero(rows))
            for name, value in new.items():
                self.batch[name][index] = value

    def _descend(
        self, z: Tensor, v: Tensor, drive: Tensor, solution: Tensor, empty: Tensor, kick: Tensor
    ) -> tuple[Tensor, ...]:
        """`CHUNK` steps from a kicked velocity: the state, the velocity, and the mean cross-entropy of the empty cells a step."""
        v = v + kick
        losses = []
        for _ in range(CHUNK):
            following = self.rule({"z": z, "z.velocity": v}, {"z": self.energy.gradient(z, drive)})
            z, v = following["z"], following["z.velocity"]
            loss = functional.cross_entropy(self.energy.logits(z).flatten(0, 2), solution.flatten(), reduction="none")
            losses.append((loss * empty.flatten()).sum() / empty.sum())
        return z, v, torch.stack(losses)

    def step(self) -> dict[str, float]:
        """One segment of the batch, one move of the weights, and new puzzles in the rows that are done."""
        p, b = self.preset, self.batch
        chunks = p.segment // CHUNK
        empty = (b["grid"] == 0).float()
        drive = self.energy.drive(b["grid"])
        z, v, losses = b["z"], b["v"], []
        for chunk in range(chunks):
            kick = torch.randn(z.shape, generator=self.generator) * (p.noise * b["temperature"])
            z, v, loss = self._chunk(
                z, v, drive, b["solution"], empty, kick if chunk < chunks - 1 else torch.zeros_like(z)
            )
            losses.append(loss)
        each = torch.cat(losses)
        weight = torch.linspace(0.25, 1.0, len(each))
        loss = (each * weight).sum() / weight.sum()
        self.optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = p.learning_rate * self._schedule()
        if torch.isfinite(norm):
            self.optimizer.step()
        with torch.no_grad():
            keep = min(p.average, (1 + self.iteration) / (10 + self.iteration))
            for mean, value in zip(self.averaged.parameters(), self.model.parameters(), strict=True):
                mean.lerp_(value, 1 - keep)
            b["z"], b["v"] = z.detach(), v.detach()
            solved = (self.energy.logits(b["z"]).argmax(-1) == b["solution"]).flatten(1).all(1).numpy()
            broken = ~torch.isfinite(b["z"]).flatten(1).all(1).numpy()
        chance = self.random.random(p.batch)
        done = broken | np.where(solved, chance < p.leave, chance < p.give_up)
        if done.any():
            self._fill(done)
        self.iteration += 1
        return {
            "loss": float(loss.detach()),
            "last": float(each[-1].detach()),
            "solved": float(solved.mean()),
            "norm": float(norm),
        }

    def _schedule(self) -> float:
        p = self.preset
        warm = min(1.0, (self.iteration + 1) / 200)
        left = (p.iterations - self.iteration) / (p.cooldown * p.iterations)
        return warm * max(0.01, min(1.0, left))

    @torch.no_grad()
    def validate(self, temperature: float, checkpoints: tuple[int, ...] = (64, 192)) -> dict[str, float]:
        """Share of validation puzzles solved by one chain of the averaged weights, by steps, for each half of the set."""
        p = self.preset
        current = copy.deepcopy(self.model.state_dict())
        self.model.load_state_dict(self.averaged.state_dict())
        rates: dict[str, list[np.ndarray]] = {}
        generator = torch.Generator().manual_seed(0)
        for start in range(0, len(self.validation), p.batch):
            rows = np.arange(start, start + p.batch) % len(self.validation)
            grid = torch.from_numpy(self.validation.puzzle[rows].reshape(-1, 9, 9)).long()
            solution = torch.from_numpy(self.validation.solution[rows].reshape(-1, 9, 9)).long() - 1
            empty, drive = (grid == 0).float(), self.energy.drive(grid)
            z = 0.1 * torch.randn(p.batch, 9, 9, 9, p.width, generator=generator)
            v = torch.zeros_like(z)
            solved = np.zeros(p.batch, dtype=bool)
            for step in range(0, max(checkpoints), CHUNK):
                kick = torch.randn(z.shape, generator=generator) * (p.noise * temperature)
                if step % p.segment == p.segment - CHUNK:
                    kick = torch.zeros_like(z)
                z, v, _ = self._chunk(z, v, drive, solution, empty, kick)
                if (step + CHUNK) % p.segment == 0:
                    solved |= (self.energy.logits(z).argmax(-1) == solution).flatten(1).all(1).numpy()
                if step + CHUNK in checkpoints:
                    rates.setdefault(f"@{step + CHUNK}", []).append(solved.copy())
        self.model.load_state_dict(current)
        half = len(self.validation) // 2
        return {
            f"{name}{steps}": float(np.concatenate(parts)[: len(self.validation)][rows].mean())
            for steps, parts in rates.items()
            for name, rows in (("minimal", slice(0, half)), ("hard", slice(half, None)))
        }

    def state(self) -> dict[str, Any]:
        return {
            "format": 1,
            "preset": asdict(self.preset),
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "batch": self.batch,
            "iteration": self.iteration,
            "seen": self.seen,
            "random": self.random.bit_generator.state,
            "generator": self.generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.batch, self.iteration, self.seen = state["batch"], state["iteration"], state["seen"]
        self.random.bit_generator.state = state["random"]
        self.generator.set_state(state["generator"])
