"""Hand-written Sudoku energies: the results of descent with known rules and nothing learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from groundstate_export import AugmentedLagrangian, Descent, HeavyBall, Landscapes, Normal, Rule, export
from groundstate_models.sudoku.data import Puzzles

CLAMP = 20.0
"""What a given adds to the logit of its digit: its probability is 1 to float32's last digits, and the state no longer matters."""

LEVELS, SEGMENT = 16, 16
START = 0.1
"""Standard deviation of the logits that a chain starts from."""


@dataclass(frozen=True)
class Settings:
    """The free settings of a hand-written energy.

    Attributes:
        step_size: Of the heavy ball.
        momentum: Of the heavy ball.
        noise: Standard deviation of the noise, every fourth step, at temperatures from 0 to 1.
        sharpness: Factor on the logits in the softmax.
        confidence: Weight of the term that pushes each probability to 0 or 1.
        confinement: Weight of the squared logits.
        anneal: Steps in which the weight of confidence rises from its negative to itself; 0 to keep it constant.
        penalty: ``ρ`` of the multipliers; 0 for squared violations instead.
        every: Steps from one update of the multipliers to the next.
    """

    step_size: float
    momentum: float
    noise: float
    sharpness: float
    confidence: float
    confinement: float
    anneal: int = 0
    penalty: float = 0.0
    every: int = 10

    @property
    def patience(self) -> int:
        """Steps after which a chain restarts: an annealed one has converged by then."""
        return 2 * self.anneal or 256

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in asdict(self).items())


class Knowing(nn.Module):
    """``energy(y, grid) -> named terms``, each ``(batch,)``; the state holds the logits of all candidates, ``(batch, 9, 9, 9)``.

    A cell's digit has probabilities softmax(sharpness · y), and in every row, column and box those of each digit ought to add up
    to 1. The violations enter squared, or as constraints with multipliers. Raising the weight of confidence from
    negative to positive makes the landscape smooth first and sharp last (C. Peterson and B. Söderberg, "A new method
    for mapping optimization problems onto neural networks", 1989; A. Blake and A. Zisserman, "Visual Reconstruction", 1987).
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def probabilities(self, y: Tensor, grid: Tensor) -> Tensor:
        given = grid.unsqueeze(-1) == torch.arange(1, 10, device=grid.device)
        return torch.softmax(self.settings.sharpness * y + CLAMP * given.to(y.dtype), dim=-1)

    def violations(self, y: Tensor, grid: Tensor) -> dict[str, Tensor]:
        """How far the probabilities of each digit in each unit are from adding up to 1, ``(batch, 81)`` a kind of unit."""
        p = self.probabilities(y, grid)
        sums = {"rows": p.sum(2), "columns": p.sum(1), "boxes": p.unflatten(2, (3, 3)).unflatten(1, (3, 3)).sum((2, 4))}
        return {name: total.flatten(1) - 1.0 for name, total in sums.items()}

    def constraints(self, y: Tensor, grid: Tensor) -> Tensor:
        """The same as ``(batch, 243)``."""
        return torch.cat(list(self.violations(y, grid).values()), dim=1)

    def forward(self, y: Tensor, grid: Tensor, landscape: Tensor | None = None) -> dict[str, Tensor]:
        p = self.probabilities(y, grid)
        rise = 1.0 if landscape is None else landscape.to(y.dtype) * (2.0 / (LEVELS - 1)) - 1.0
        terms = {
            "confidence": rise * self.settings.confidence * (p * (1.0 - p)).flatten(1).sum(1),
            "confinement": 0.5 * self.settings.confinement * y.square().flatten(1).sum(1),
        }
        if not self.settings.penalty:
            terms |= {name: h.square().sum(1) for name, h in self.violations(y, grid).items()}
        return terms

    def rule(self) -> Rule:
        """The rule of descent."""
        s = self.settings
        rule: Rule = HeavyBall(
            s.step_size, s.momentum, noise=s.noise, noise_every=4, noise_period=SEGMENT, temperature=(0.0, 1.0)
        )
        if s.anneal:
            rule = Landscapes(rule, LEVELS, steps=s.anneal // LEVELS)
        if s.penalty:
            multipliers = {"penalty": s.penalty, "max_penalty": s.penalty, "growth": 1.0, "every": s.every}
            rule = AugmentedLagrangian(rule, equality=self.constraints, **multipliers)
        return rule


def decode(y: Tensor, grid: Tensor) -> dict[str, Tensor]:
    """The likeliest digit of every empty cell; givens stay."""
    return {"grid": torch.where(grid > 0, grid, y.argmax(-1) + 1)}


TERMS = {
    "confidence": "Candidates that are neither in nor out.",
    "confinement": "Keeps the logits near the origin.",
    "rows": "Digits that do not add up to one in a row.",
    "columns": "Digits that do not add up to one in a column.",
    "boxes": "Digits that do not add up to one in a box.",
}


def write(settings: Settings, name: str, path: Path, learned: Mapping[str, Any]) -> None:
    """Export a hand-written energy as a tool for the same requests, with the same defaults, as the learned one.

    Args:
        learned: The export arguments of the learned one.
    """
    energy = Knowing(settings)
    tool = replace(
        learned["card"],
        name=name,
        title=None,
        description="The rules of Sudoku as an energy written by hand: a baseline.",
        terms={term: text for term, text in TERMS.items() if not settings.penalty or term.startswith("conf")},
        defaults={**learned["card"].defaults, "patience": settings.patience, "luby_exponent": 1},
        self_test=None,
    )
    grid = learned["inputs"]["grid"]
    export(
        energy,
        inputs={"grid": grid},
        state=START * torch.randn(len(grid), 9, 9, 9, generator=torch.Generator().manual_seed(0)),
        rule=energy.rule(),
        unroll=SEGMENT,
        path=path,
        decode=decode,
        checks=learned["checks"],
        initial=Normal(0.0, START),
        card=tool,
    )


@torch.no_grad()
def trial(settings: Settings, puzzles: Puzzles, chains: int) -> float:
    """The share of chains, ``chains`` a puzzle, that are right at the end of some segment before they would restart."""
    energy = Knowing(settings)
    grid, solution = (
        torch.from_numpy(boards.reshape(-1, 9, 9)).long().repeat_interleave(chains, 0)
        for boards in (puzzles.puzzle, puzzles.solution)
    )
    generator = torch.Generator().manual_seed(0)
    descent = Descent(energy, energy.rule(), {"grid": grid})
    state = descent.start(START * torch.randn(len(grid), 9, 9, 9, generator=generator), generator)
    solved = torch.zeros(len(grid), dtype=torch.bool)
    for step in range(settings.patience):
        noise = {"y": torch.randn(state["y"].shape, generator=generator)} if settings.noise and step % 4 == 0 else None
        state, _ = descent.step(state, noise)
        if step % SEGMENT == SEGMENT - 1:
            solved |= (decode(state["y"], grid)["grid"] == solution).flatten(1).all(1)
    return float(solved.float().mean())
