"""The rule that relaxes molecules: steps of BFGS with limited memory, each chain with its own memory, no atom far in one step."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export import Constant, Probe, Rule, Slot

State = dict[str, Tensor]

BEFORE = "chain.moved"
EPS = 1e-12


class LimitedMemory(Rule):
    """``y ← y − H ∇``, with ``H`` from the last moves and the changes of the gradient that they made; no line search.

    J. Nocedal, "Updating quasi-Newton matrices with limited storage", 1980. The bound of a step in place of a line search is that
    of the relaxation of molecules in ASE.

    Args:
        memory: Moves that are kept.
        stiffness: The first guess of the curvature.
        reach: The largest move of one atom in a step.
    """

    def __init__(self, *, memory: int, stiffness: float, reach: float) -> None:
        super().__init__()
        self.memory, self.stiffness, self.reach = memory, stiffness, reach

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        del probe
        ((name, y),) = state.items()
        kept = y.new_zeros((y.shape[0], self.memory, *y.shape[1:]))
        return {
            f"{name}.moves": Slot(kept, Constant(0.0)),
            f"{name}.turns": Slot(kept.clone(), Constant(0.0)),
            f"{name}.move": Slot(torch.zeros_like(y), Constant(0.0)),
            f"{name}.slope": Slot(torch.zeros_like(y), Constant(0.0)),
            BEFORE: Slot(y.new_zeros((y.shape[0],)), Constant(0.0), later=(0.0, 1.0)),
        }

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        del noise, probe
        ((name, slope),) = gradient.items()
        y = state[name]
        first = (state[BEFORE] < 0.5).reshape(-1, 1, 1)
        turn = torch.where(first, torch.zeros_like(slope), slope - state[f"{name}.slope"])
        moves = torch.cat([state[f"{name}.moves"][:, 1:], state[f"{name}.move"].unsqueeze(1)], dim=1)
        turns = torch.cat([state[f"{name}.turns"][:, 1:], turn.unsqueeze(1)], dim=1)
        step = self._step(slope, moves, turns)
        size = step.square().sum(2, keepdim=True).amax(1, keepdim=True).clamp_min(EPS).sqrt()
        step = step * torch.clamp(self.reach / size, max=1.0)
        if step_scale is not None:
            step = step * step_scale.to(step.dtype).reshape(-1, 1, 1)
        return {
            **state,
            name: y + step,
            f"{name}.moves": moves,
            f"{name}.turns": turns,
            f"{name}.move": step,
            f"{name}.slope": slope,
            BEFORE: torch.ones_like(state[BEFORE]),
        }

    def residuals(self, probe: Probe, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The largest gradient of one atom: its force."""
        del probe
        ((name, slope),) = gradient.items()
        return {name: slope.square().sum(2).amax(1, keepdim=True).sqrt()}

    def _step(self, slope: Tensor, moves: Tensor, turns: Tensor) -> Tensor:
        """``−H ∇`` by the two loops over the memory; pairs without positive curvature are left out."""
        curved = (moves * turns).sum((2, 3))
        held = curved > EPS + 1e-4 * ((moves.square().sum((2, 3)) * turns.square().sum((2, 3))) + EPS * EPS).sqrt()
        over = torch.where(held, 1.0 / torch.where(held, curved, torch.ones_like(curved)), torch.zeros_like(curved))
        weights: list[Tensor] = []
        q = slope
        for k in reversed(range(self.memory)):
            weight = (over[:, k] * (moves[:, k] * q).sum((1, 2))).reshape(-1, 1, 1)
            weights.append(weight)
            q = q - weight * turns[:, k]
        size = turns[:, -1].square().sum((1, 2))
        known = held[:, -1]
        soft = torch.where(
            known,
            curved[:, -1] / torch.where(known, size, torch.ones_like(size)),
            torch.full_like(size, 1.0 / self.stiffness),
        )
        q = q * soft.reshape(-1, 1, 1)
        for k in range(self.memory):
            back = (over[:, k] * (turns[:, k] * q).sum((1, 2))).reshape(-1, 1, 1)
            q = q + (weights[self.memory - 1 - k] - back) * moves[:, k]
        return -q
