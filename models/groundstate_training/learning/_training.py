"""The training of a table's network on random masks: it can stop after any step, and continues from its checkpoint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from groundstate_models.learned.columns import Column
from groundstate_training._errors import TrainingError
from groundstate_training.learning._network import Network, Shape

HELD_OUT = 0.1
"""Part of the known cells that is held out."""

COMPLETE = 0.98
"""Part of the cells from which a table counts as complete."""

RATE = 4e-3
"""Highest learning rate."""


@dataclass(frozen=True)
class Table:
    """A table's rows as numbers: columns of numbers first.

    Attributes:
        columns: The columns in the order of the file.
        order: The columns' indices in the order of the network.
        numbers: Numbers on the normal scale, ``(rows, numbers)``; 0 where missing.
        levels: Indices of levels, ``(rows, level columns)`` int64; 0 where missing.
        known: Mask of known cells, ``(rows, columns)`` bool, in the order of the network.
    """

    columns: tuple[Column, ...]
    order: tuple[int, ...]
    numbers: NDArray[np.float32]
    levels: NDArray[np.int64]
    known: NDArray[np.bool_]


class Training:
    """Trains a network; all members in one batch.

    Args:
        table: The table.
        shape: Sizes of the network.
        seed: Seed of every random draw; dropout draws from torch's own generator.
        steps: Number of steps, which fixes the course of the learning rate.
        batch: Rows of a step.
    """

    def __init__(self, table: Table, shape: Shape, seed: int, steps: int, batch: int) -> None:
        self.network = Network(shape, seed)
        self.shape, self.batch, self.steps = shape, batch, steps
        self.step = 0
        self.draw = torch.Generator().manual_seed(seed)
        self.numbers = torch.from_numpy(table.numbers)
        one_hot = torch.nn.functional.one_hot
        self.hot = [one_hot(torch.from_numpy(table.levels[:, k]), n).float() for k, n in enumerate(shape.levels)]
        known = torch.from_numpy(table.known)
        # The same cells for all members, so that the ensemble as a whole can be calibrated on them.
        self.held = ((torch.rand(known.shape, generator=self.draw) < HELD_OUT) & known).expand(shape.members, -1, -1)
        self.usable = known & ~self.held
        # Held-out cells are predicted from as many others as a row of the table has; a complete table does not say how many.
        self.complete = complete = float(known.float().mean()) >= COMPLETE
        keep = torch.rand(len(known), 1, generator=self.draw) if complete else torch.ones(len(known), 1)
        self.check_mask = (torch.rand(known.shape, generator=self.draw) < keep).expand(shape.members, -1, -1)
        matrices = [p for p in self.network.parameters() if p.dim() == 3 and p.shape[1] > 1]
        others = [p for p in self.network.parameters() if not (p.dim() == 3 and p.shape[1] > 1)]
        groups = [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, 3e-3, (0.9, 0.99))
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, RATE, total_steps=steps, pct_start=0.1)
        self.best = torch.full((shape.members,), float("inf"))
        self.kept = {name: value.clone() for name, value in self.network.state_dict().items()}
        about = json.dumps([asdict(shape), seed, steps, batch]).encode()
        content = b"".join(part.tobytes() for part in (table.numbers, table.levels, table.known))
        self.mark = hashlib.sha256(about + content).hexdigest()

    def advance(self) -> None:
        """One step on random rows with random masks."""
        self.network.train()
        members, rows = self.shape.members, len(self.numbers)
        chosen = torch.randint(rows, (members, min(self.batch, rows)), generator=self.draw)
        use = self.usable[0][chosen]
        part = torch.rand(members, chosen.shape[1], 1, generator=self.draw)
        given = (use & (torch.rand(use.shape, generator=self.draw) < part)).float()
        x, shown = self.numbers[chosen], [level[chosen] for level in self.hot]
        # Jitter as wide as a tenth of the distance between neighbours: no component can shrink onto a single value.
        noisy = x + 0.02 * torch.randn(x.shape, generator=self.draw)
        outputs = self.network(noisy, shown, given)
        goal = x + 0.01 * torch.randn(x.shape, generator=self.draw)
        chance = self.network.log_likelihood(outputs, goal, shown)
        target = use.float() * (1 - given)
        loss = -(chance.clamp(min=-30) * target).sum((1, 2)) / target.sum((1, 2)).clamp(min=1)
        self.optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.schedule.step()
        self.step += 1

    @torch.no_grad()
    def check(self) -> float:
        """The mean loss of the held-out cells, in nats; every member that improves keeps its weights."""
        self.network.eval()
        members, given = self.shape.members, (self.usable & self.check_mask).float()
        x = self.numbers.expand(members, *self.numbers.shape)
        levels = [level.expand(members, *level.shape) for level in self.hot]
        chance = self.network.log_likelihood(self.network(x, levels, given), x, levels)
        worth = -(chance.clamp(min=-30) * self.held).sum((1, 2)) / self.held.sum((1, 2)).clamp(min=1)
        better = worth < self.best - 1e-4
        for name, value in self.network.state_dict().items():
            if value.dim() == 3:
                self.kept[name][better] = value[better]
        self.best = torch.minimum(self.best, worth)
        return float(worth.mean())

    def finished(self) -> Network:
        """The network with each member's best weights, rounded to 16 bits."""
        self.network.load_state_dict({name: value.half().float() for name, value in self.kept.items()})
        self.network.eval().requires_grad_(requires_grad=False)
        return self.network

    def state(self) -> dict[str, Any]:
        """The complete state, for a checkpoint."""
        moments = self.optimizer.state_dict()["state"]
        return {
            "mark": self.mark,
            "step": self.step,
            "rates": [[group["lr"], *group["betas"]] for group in self.optimizer.param_groups],
            "best": self.best.numpy(),
            "weights": _arrays(self.network.state_dict()),
            "kept": _arrays(self.kept),
            "moments": {str(place): _arrays(one) for place, one in moments.items()},
            "draw": self.draw.get_state().numpy(),
            "dropout": torch.get_rng_state().numpy(),
        }

    def restore(self, state: Mapping[str, Any], path: Path) -> None:
        """Continue from a checkpoint.

        Raises:
            TrainingError: If it is of other examples or settings.
        """
        if state.get("mark") != self.mark:
            raise TrainingError(f"The checkpoint {path} is of other examples or settings. Move it away to start again.")
        self.network.load_state_dict(_tensors(state["weights"]))
        self.kept = _tensors(state["kept"])
        self.best = torch.from_numpy(np.array(state["best"]))
        groups = self.optimizer.state_dict()["param_groups"]
        moments = {int(place): _tensors(one) for place, one in state["moments"].items()}
        self.optimizer.load_state_dict({"state": moments, "param_groups": groups})
        for group, (rate, *betas) in zip(self.optimizer.param_groups, state["rates"], strict=True):
            group["lr"], group["betas"] = rate, tuple(betas)
        self.step = state["step"]
        counts = {"last_epoch": self.step, "_step_count": self.step + 1}
        self.schedule.load_state_dict({**self.schedule.state_dict(), **counts})
        self.draw.set_state(torch.from_numpy(np.array(state["draw"])))
        torch.set_rng_state(torch.from_numpy(np.array(state["dropout"])))


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    return {name.replace("/", "."): value.detach().numpy().copy() for name, value in tensors.items()}


def _tensors(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
