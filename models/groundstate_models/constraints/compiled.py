"""The descent of the constraints energy, compiled: what training runs, thousands of chains at a time, on any machine.

The same updates as `energy.ConstraintsEnergy` under `learned.Settings.descent` makes, with the gradient written out; the tests
hold the two against each other. Needs numba (extra ``groundstate[train]``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray

from groundstate_models.constraints.energy import shape_of
from groundstate_models.constraints.learned import Settings

CHECK = 16
"""Updates from one look at whether a chain has an answer to the next: a segment."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Flat:
    """One problem as compiled code reads it.

    Attributes:
        groups: First literal of each variable, and the number of literals, ``(variables + 1,)``.
        starts: First edge of each factor, and the number of edges, ``(factors + 1,)``.
        literal, coefficient: Of each edge.
        bounds: Lower bound, upper bound and slack of each factor, ``(3, factors)``.
        shape: `energy.FEATURES` of both sides of each factor, ``(2, factors, features)``.
        many: Values of each variable.
        cost: Of each literal.
    """

    groups: Array
    starts: Array
    literal: Array
    coefficient: Array
    bounds: Array
    shape: Array
    many: Array
    cost: Array

    @classmethod
    def of(cls, tensors: dict[str, Array]) -> Flat:
        """From the energy's inputs without the batch, their sizes exact."""
        batched = {name: torch.from_numpy(array).unsqueeze(0) for name, array in tensors.items()}
        domain = tensors["domain"] > 0
        number = np.full(domain.size, -1)
        number[domain.ravel()] = np.arange(domain.sum())
        order = np.argsort(tensors["factor"], kind="stable")
        kept = order[tensors["coefficient"][order] != 0]
        many = domain.sum(1)
        factors = len(tensors["low"])
        return cls(
            np.concatenate([[0], np.cumsum(many)]),
            np.concatenate([[0], np.cumsum(np.bincount(tensors["factor"][kept], minlength=factors))]),
            number[tensors["literal"][kept]],
            tensors["coefficient"][kept].astype(np.float64),
            np.stack([tensors["low"], tensors["high"], tensors["slack"]]).astype(np.float64),
            shape_of(**batched)[0].numpy().astype(np.float64),
            many.astype(np.float64),
            tensors["cost"][domain].astype(np.float64),
        )


@numba.njit(nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def _chain(
    groups: Array,
    starts: Array,
    literal: Array,
    coefficient: Array,
    bounds: Array,
    openness: Array,
    weight: Array,
    temperature: Array,
    cost: Array,
    numbers: Array,
    y: Array,
    heat: float,
    noise_every: int,
    steps: int,
) -> int:
    """Descend from ``y``, which is changed. Returns the updates after which every factor held, or 0."""
    step_size, momentum, noise, raises, keep, confinement, preference = numbers
    literals, factors = len(y), len(starts) - 1
    p, logp, slope, velocity = np.zeros(literals), np.zeros(literals), np.zeros(literals), np.zeros(literals)
    w, chosen = np.ones((2, factors)), np.zeros(literals, np.bool_)
    for step in range(steps):
        for g in range(len(groups) - 1):
            first, last = groups[g], groups[g + 1]
            top = y[first]
            for i in range(first, last):
                top = max(top, y[i])
            total = 0.0
            for i in range(first, last):
                p[i] = np.exp(y[i] - top)
                total += p[i]
            for i in range(first, last):
                p[i] /= total
                logp[i] = y[i] - top - np.log(total)
                slope[i] = preference * cost[i]
        for f in range(factors):
            mean = variance = 0.0
            for e in range(starts[f], starts[f + 1]):
                x, a = p[literal[e]], coefficient[e]
                mean += a * x
                variance += a * a * x * (1.0 - x)
            by_mean = by_variance = 0.0
            for side in range(2):
                d = mean - bounds[1, f] if side == 0 else bounds[0, f] - mean
                root = np.sqrt(d * d + 2.0 * openness[side, f] * variance + 1e-6)
                h = 0.5 * weight[side, f] * (d + root)
                pull = w[side, f] * h * weight[side, f]
                by_mean += pull * (1.0 + d / root) * (1.0 if side == 0 else -1.0)
                by_variance += pull * openness[side, f] / root
                w[side, f] = keep * w[side, f] + (1.0 - keep) + raises * h
            for e in range(starts[f], starts[f + 1]):
                x, a = p[literal[e]], coefficient[e]
                slope[literal[e]] += by_mean * a + by_variance * a * a * (1.0 - 2.0 * x)
        kicked = noise > 0.0 and step % noise_every == 0 and step % CHECK < CHECK - noise_every
        for g in range(len(groups) - 1):
            first, last = groups[g], groups[g + 1]
            average = entropy = 0.0
            for i in range(first, last):
                average += p[i] * slope[i]
                entropy += p[i] * logp[i]
            best = first
            for i in range(first, last):
                gradient = p[i] * (slope[i] - average + temperature[g] * (logp[i] - entropy)) + confinement * y[i]
                velocity[i] = momentum * velocity[i] - step_size * gradient
                if kicked:
                    velocity[i] += noise * heat * np.random.standard_normal()
                y[i] += velocity[i]
                chosen[i] = False
                if y[i] > y[best]:
                    best = i
            chosen[best] = True
        if step % CHECK == CHECK - 1:
            right = True
            for f in range(factors):
                total = 0.0
                for e in range(starts[f], starts[f + 1]):
                    if chosen[literal[e]]:
                        total += coefficient[e]
                if total > bounds[1, f] + bounds[2, f] or total < bounds[0, f] - bounds[2, f]:
                    right = False
                    break
            if right:
                return step + 1
    return 0


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _seed(seed: int) -> None:
    np.random.seed(seed)


def descend(
    problem: Flat,
    settings: Settings,
    *,
    chains: int,
    steps: int,
    seed: int,
    noise_every: int,
    heat: tuple[float, float],
) -> Array:
    """Descend on one problem.

    Args:
        problem: The problem.
        settings: Of the energy, the rule and the start.
        chains: How many.
        steps: Updates that each may make.
        seed: Decides starts, temperatures and noise.
        noise_every, heat: As the artefact has them.

    Returns:
        The updates after which each chain had an answer, 0 for none, ``(chains,)``.
    """
    energy, rule = settings.energy, settings.rule
    openness = np.exp(energy["log_openness"] + problem.shape @ np.asarray(energy["openness_by_shape"], np.float64))
    weight = np.exp(0.5 * (problem.shape @ np.asarray(energy["weight_by_shape"], np.float64)))
    spread = energy["temperature_by_values"] * (np.log(np.maximum(problem.many, 2.0)) - 1.0)
    temperature = np.exp(energy["log_temperature"] + spread)
    numbers = np.array(
        [
            *(rule[name] for name in ("step_size", "momentum", "noise", "raises", "keep")),
            np.exp(energy["log_confinement"]),
            np.exp(energy["log_preference"]),
        ]
    )
    draw = np.random.default_rng(seed)
    found = np.zeros(chains, np.int64)
    for chain in range(chains):
        _seed(int(draw.integers(2**31)))
        y = settings.start * draw.standard_normal(len(problem.cost))
        found[chain] = _chain(
            problem.groups,
            problem.starts,
            problem.literal,
            problem.coefficient,
            problem.bounds,
            openness,
            weight,
            temperature,
            problem.cost,
            numbers,
            y,
            draw.uniform(*heat),
            noise_every,
            steps,
        )
    return found
