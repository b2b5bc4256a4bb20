"""Losses for energies whose inference is descent. ``docs/training.md`` explains when to use each.

Each takes an energy in the exporter's form: ``energy(state, **inputs)`` gives ``(batch,)``, or a mapping of named terms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from groundstate_export import Descent, Rule

Energy = Callable[..., Tensor | Mapping[str, Tensor]]


def energy_of(energy: Energy, state: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
    """The energy of a state, one number per row, ``(batch,)``."""
    found = energy(state, **inputs)
    return found if isinstance(found, Tensor) else torch.stack(list(found.values())).sum(0)


def gradient_of(energy: Energy, state: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
    """The energy's gradient with respect to the state; it is differentiable."""
    with torch.enable_grad():
        leaf = state if state.requires_grad else state.detach().requires_grad_()
        (slope,) = torch.autograd.grad(energy_of(energy, leaf, inputs).sum(), leaf, create_graph=True)
    return slope


def unrolled(
    energy: Energy,
    rule: Rule,
    start: Tensor,
    inputs: Mapping[str, Tensor],
    target: Callable[[Tensor], Tensor],
    *,
    steps: int,
    without_gradient: int = 0,
    from_step: int = 0,
) -> Tensor:
    """Descend, and penalise the distance of every state on the way to the target (deep supervision).

    Later states weigh more, by (t + 1) / steps. With ``without_gradient``, the descent first makes steps without gradients
    (truncation), so deep descents need the memory of short ones.

    Args:
        energy: The energy; trained through its second derivatives.
        rule: The rule of descent, possibly with learned parameters.
        start: The state to start from, batch first.
        inputs: The energy's inputs.
        target: Loss of a state, ``(batch,)``, such as the cross-entropy of its decoded answer.
        steps: Differentiated steps.
        without_gradient: Steps before them.
        from_step: First of the differentiated steps that contributes to the loss.
    """
    descent = Descent(energy, rule, dict(inputs))
    with torch.no_grad():
        state = descent.start(start)
        for _ in range(without_gradient):
            state, _ = descent.step(state)
    losses, weights = [], []
    for t in range(steps):
        state, _ = descent.step(state)
        if t >= from_step:
            losses.append(target(descent.shown(state)["y"]).mean() * (t + 1) / steps)
            weights.append((t + 1) / steps)
    return torch.stack(losses).sum() / sum(weights)


class WrongMinima:
    """A buffer of the energy's own wrong minima: wrong states at the end of descents.

    Args:
        capacity: Largest number of states; the oldest are dropped first.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self.capacity = capacity
        self._rows: list[tuple[Tensor, dict[str, Tensor]]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, states: Tensor, inputs: Mapping[str, Tensor], wrong: Tensor) -> None:
        """Add the states of the rows where ``wrong`` is true, each with its row of the inputs."""
        for row in torch.nonzero(wrong).flatten().tolist():
            self._rows.append((states[row].detach().clone(), {n: x[row].detach().clone() for n, x in inputs.items()}))
        del self._rows[: -self.capacity]

    def draw(self, many: int, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]] | None:
        """Some of the states and their inputs, batch first; None if the buffer is empty."""
        if not self._rows:
            return None
        chosen = torch.randint(len(self._rows), (many,), generator=generator).tolist()
        states, inputs = zip(*(self._rows[k] for k in chosen), strict=True)
        return torch.stack(states), {name: torch.stack([one[name] for one in inputs]) for name in inputs[0]}


def contrast(energy: Energy, right: Tensor, wrong: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
    """Cross-entropy of choosing the right state among the right one and wrong ones, by −energy (noise-contrastive).

    Args:
        energy: The energy.
        right: ``(batch, …)``.
        wrong: ``(batch, k, …)``: other states of the same inputs, such as the energy's own wrong minima.
        inputs: Of the energy, batch first.
    """
    many = wrong.shape[1]
    repeated = {name: value.repeat_interleave(many, 0) for name, value in inputs.items()}
    low = energy_of(energy, right, inputs)
    high = energy_of(energy, wrong.flatten(0, 1), repeated).unflatten(0, (-1, many))
    return torch.logsumexp(torch.cat([low[:, None], high], 1).neg(), 1).add(low).mean()


def margin(
    energy: Energy, right: Tensor, wrong: Tensor, inputs: Mapping[str, Tensor], by: Tensor | float = 1.0
) -> Tensor:
    """Hinge: the wrong state's energy should exceed the right one's by a margin (max-margin, Taskar et al. 2003)."""
    gap = energy_of(energy, wrong, inputs) - energy_of(energy, right, inputs)
    return torch.relu(by - gap).mean()


def denoising(
    energy: Energy, clean: Tensor, inputs: Mapping[str, Tensor], sigma: Tensor | float, generator: torch.Generator
) -> Tensor:
    """Denoising score matching (P. Vincent, 2011), scaled so that every noise level weighs the same.

    The gradient of the energy at ``clean + sigma · noise`` should be ``noise / sigma``: a descent then removes noise. The loss is
    blind to the relative weights of separate modes; add `contrast` or a likelihood where they matter.
    """
    noise = torch.randn(clean.shape, generator=generator, device=clean.device, dtype=clean.dtype)
    slope = gradient_of(energy, clean + sigma * noise, inputs)
    return (sigma * slope - noise).square().flatten(1).sum(1).mean()


def equilibrium_matching(
    energy: Energy,
    clean: Tensor,
    inputs: Mapping[str, Tensor],
    generator: torch.Generator,
    *,
    threshold: float = 0.8,
    strength: float = 4.0,
) -> Tensor:
    """Equilibrium matching (R. Wang and Y. Du, 2025): one time-independent landscape whose minima are the data.

    Between noise ``e`` and data ``x`` at ``γx + (1 − γ)e``, the gradient should be ``(e − x) c(γ)``; ``c`` is constant and falls
    to 0 between ``threshold`` and 1, so that the data are minima.
    """
    noise = torch.randn(clean.shape, generator=generator, device=clean.device, dtype=clean.dtype)
    part = torch.rand((len(clean), *[1] * (clean.dim() - 1)), generator=generator, device=clean.device)
    slope = gradient_of(energy, part * clean + (1 - part) * noise, inputs)
    size = strength * torch.clamp((1 - part) / (1 - threshold), max=1.0)
    return (slope - (noise - clean) * size).square().flatten(1).sum(1).mean()


def pseudo_likelihood(
    energy: Energy,
    one_hot: Tensor,
    inputs: Mapping[str, Tensor],
    *,
    known: Tensor | None = None,
    keep: Tensor | None = None,
    wrong: Tensor | float = 0.0,
) -> Tensor:
    """Negative log pseudo-likelihood (J. Besag, 1975) of categorical variables, each given the others, per variable.

    The energy must be linear in each variable's own vector with the others fixed, as sums over pairs and groups of different
    variables are: its gradient then holds the energy of every value at once, and one backward pass gives all conditionals.

    Args:
        energy: Takes ``(batch, variables, values)``.
        one_hot: The configurations.
        inputs: Of the energy.
        known: ``(batch, variables)``: 1 where the value is known; the likelihood only counts these.
        keep: ``(batch, variables)``: 0 for variables hidden from the others. Redundant rules get no gradient from full
            conditionals; hiding some variables gives them one (M. Defresne et al., 2023).
        wrong: Rate of wrong values, assumed uniform; this limits the influence of a few wrong examples.
    """
    seen = one_hot if keep is None else one_hot * keep[..., None]
    slope = gradient_of(energy, seen, inputs)
    chance = torch.log_softmax(-slope, -1)
    own = (chance * one_hot).sum(-1).exp()
    found = torch.log((1 - wrong) * own + wrong / one_hot.shape[-1] + 1e-12)
    if known is None:
        return -found.mean()
    return -(found * known).sum() / known.sum().clamp(min=1.0)


def torchebm_model(energy: Energy, inputs: Mapping[str, Tensor] | None = None) -> Any:
    """An energy as a model of torchebm, for its losses and samplers.

    Args:
        energy: The energy; its parameters are the model's.
        inputs: Fixed inputs, with the batch of the loss.

    Raises:
        ImportError: If torchebm is not installed (``groundstate[energies]``).
    """
    from torchebm.core import BaseModel

    class Model(BaseModel):
        """The energy, called with a state alone."""

        def __init__(self) -> None:
            super().__init__()
            self.energy = energy if isinstance(energy, nn.Module) else None

        def forward(self, x: Tensor) -> Tensor:
            return energy_of(energy, x, inputs or {})

    return Model()
