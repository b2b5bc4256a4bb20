"""Descents with the learned numbers as an input of every row, so that one batch has the chains of many candidates.

A file exported with `RowBreakout` and an energy with the input ``numbers`` runs a whole generation of an evolution at once. Its
graph is the same as in the final file, where the numbers are fixed. No derivative is written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from groundstate_export import Breakout, HeavyBall, Probe

RULE = ("step_size", "momentum", "noise", "raises", "keep")
"""The rule's numbers in every row, besides those of the energy."""


class RowBreakout(Breakout):
    """`Breakout` around a `HeavyBall`, with its numbers `RULE` as columns of the energy's input ``numbers``.

    With the same numbers in every row it makes the same updates as ``Breakout(HeavyBall(…), …)``.

    Args:
        violations: As for `Breakout`; called with ``numbers`` too.
        columns: The names of the columns of ``numbers``, `RULE` among them.
        noise_every, noise_period, temperature: As for `HeavyBall`.
        terms, penalty: As for `Breakout`.
    """

    def __init__(
        self,
        violations: Callable[..., Tensor],
        columns: Sequence[str],
        *,
        noise_every: int,
        noise_period: int,
        temperature: tuple[float, float],
        terms: Sequence[str] = (),
        penalty: Callable[..., Tensor] | None = None,
    ) -> None:
        ball = HeavyBall(
            1.0, 0.0, noise=1.0, noise_every=noise_every, noise_period=noise_period, temperature=temperature
        )
        super().__init__(ball, violations, terms=terms, penalty=penalty)
        self.columns = tuple(columns)

    def forward(
        self,
        state: dict[str, Tensor],
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> dict[str, Tensor]:
        if probe is None:
            raise TypeError(
                "RowBreakout reads its numbers from the probe: call it with probe=…, or let Descent call it."
            )
        numbers = probe.inputs["numbers"]

        def number(name: str, like: Tensor) -> Tensor:
            return _per_row(numbers[:, self.columns.index(name)], like)

        following = dict(state)
        for name, slope in gradient.items():
            step_size = number("step_size", slope)
            if step_scale is not None:
                step_size = step_size * _per_row(step_scale, slope)
            velocity = number("momentum", slope) * state[f"{name}.velocity"] - step_size * slope
            if noise is not None:
                scale = numbers[:, self.columns.index("noise")] * state[f"{name}.temperature"]
                velocity = velocity + _per_row(scale, slope) * noise[name]
            following[f"{name}.velocity"] = velocity
            following[name] = state[name] + velocity
        weights = state["chain.weights"]
        keep, raises = number("keep", weights), number("raises", weights)
        following["chain.weights"] = keep * weights + (1.0 - keep) + raises * self._violations(probe).abs()
        return following


def _per_row(x: Tensor, like: Tensor) -> Tensor:
    return x.reshape(-1, *(1,) * (like.dim() - 1))
