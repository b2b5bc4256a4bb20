"""Second-order rules for energies that are sums of squares: damped Gauss–Newton steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from groundstate_export._descent.rules.rule import (
    NoiseTimes,
    Probe,
    Rule,
    Slot,
    State,
    asked,
    chain_slot,
    choose,
    per_chain,
)
from groundstate_export._descent.rules.step_sizes import positive

Residuals = Callable[..., Tensor]
Linearised = Callable[..., tuple[Tensor, Tensor]]

_DAMPING = "chain.damping"


class LevenbergMarquardt(Rule):
    """Minimises ``E(y) = ½ ‖r(y)‖²`` by steps ``d`` that solve ``(JᵀJ + λ I) d = −Jᵀ r``, each chain with its own damping ``λ``.

    A step that lowers the energy is taken, and ``λ`` is multiplied by ``down``. Otherwise it is rejected, and ``λ`` is
    multiplied by ``up``. The energy of a chain therefore never rises.

    The linear system is solved by ``iterations`` steps of preconditioned conjugate gradients, unrolled in the graph. Without
    ``linearised`` the products with ``J`` and ``Jᵀ`` are directional derivatives of ``residuals``, and no matrix is formed.
    With it ``JᵀJ`` is formed once per step, which is faster for at most a few hundred unknowns.

    K. Levenberg, "A method for the solution of certain non-linear problems in least squares", 1944; D. W. Marquardt, "An
    algorithm for least-squares estimation of nonlinear parameters", 1963; inexact steps: R. S. Dembo, S. C. Eisenstat and
    T. Steihaug, "Inexact Newton methods", 1982.

    Args:
        residuals: ``r(state, **inputs)``, called like the energy, returns ``(batch, m)``. The energy must be half the sum of its
            squares, or fall whenever that sum falls.
        linearised: ``(r, J)`` of the same, ``(batch, m)`` and ``(batch, m, n)``, if the state is one tensor ``(batch, n)``.
        damping: ``λ`` at the start.
        down: In (0, 1).
        up: Above 1.
        least: The smallest ``λ``.
        most: The largest ``λ``.
        iterations: Conjugate-gradient iterations per step.
        heat: ``heat(state, **inputs)`` returns the scale of the noise for each element of a stuck chain, in the shape of the
            state (one tensor). Every ``noise_every`` steps, from the first on, a chain with ``‖r‖`` above ``cold`` is moved by
            that noise, and its damping restarts.
        noise_every: Steps from one draw of noise to the next; 0 for no noise.
        cold: The ``‖r‖`` above which a chain gets noise.

    Raises:
        ValueError: A number is out of range.
    """

    residual_function: Residuals
    linearised_function: Linearised | None
    heat_function: Residuals | None

    def __init__(
        self,
        residuals: Residuals,
        *,
        linearised: Linearised | None = None,
        heat: Residuals | None = None,
        noise_every: int = 0,
        cold: float = 1e-6,
        damping: float = 0.1,
        down: float = 0.3,
        up: float = 4.0,
        least: float = 1e-12,
        most: float = 1e6,
        iterations: int = 16,
    ) -> None:
        super().__init__()
        if not 0 < down < 1 < up or not math.isfinite(up):
            raise ValueError(f"down is {down:g} and up is {up:g}; down must lie in (0, 1), up above 1.")
        if not 0 < least <= damping <= most:
            raise ValueError(f"damping is {damping:g}; it must lie between least, {least:g}, and most, {most:g}.")
        if iterations < 1:
            raise ValueError(f"iterations is {iterations}; it must be at least 1.")
        if (heat is None) != (noise_every == 0):
            raise ValueError("heat and noise_every go together: give both, or neither.")
        self.noise_times = NoiseTimes(noise_every) if noise_every else None
        self.cold = cold
        # Not stored as modules: their parameters belong to the energy.
        object.__setattr__(self, "residual_function", residuals)
        object.__setattr__(self, "linearised_function", linearised)
        object.__setattr__(self, "heat_function", heat)
        self.damping, self.down, self.up = positive("damping", damping), down, up
        self.least, self.most, self.iterations = least, most, iterations

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        del probe
        return {
            _DAMPING: chain_slot(
                state, self.damping, later=tuple(sorted({self.damping, min(1.0, self.most), self.most}))
            )
        }

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        probe = asked(probe, self)
        names = list(gradient)
        damping = state[_DAMPING]
        point = {name: state[name] for name in names}
        if noise is not None:
            point, damping = self._thrown(probe, point, damping, noise)
        step = self._dense(probe, point, damping) if self.linearised_function else self._free(probe, point, damping)
        scale = torch.ones_like(damping) if step_scale is None else step_scale.to(damping.dtype)
        tried = {name: y - per_chain(scale.to(y.dtype), y) * step[name].to(y.dtype) for name, y in point.items()}
        before = self._squares(probe, point)
        after = self._squares(probe, tried)
        taken = probe.lower(0.5 * after, 0.5 * before) & (scale > 0)
        found: State = {**state, **{name: choose(taken, tried[name], y) for name, y in point.items()}}
        moved = torch.where(taken, damping * self.down, damping * self.up).clamp(self.least, self.most)
        found[_DAMPING] = torch.where(scale > 0, moved, damping)
        return found

    def _thrown(self, probe: Probe, point: State, damping: Tensor, noise: Mapping[str, Tensor]) -> tuple[State, Tensor]:
        ((name, y),) = point.items()
        drawn = noise[name].to(y.dtype)
        stuck = (self._squares(probe, point) > self.cold**2) & (drawn != 0).flatten(1).any(1)
        assert self.heat_function is not None
        thrown = y + self.heat_function(y, **probe.inputs) * drawn
        return {name: choose(stuck, thrown, y)}, torch.where(stuck, torch.full_like(damping, self.damping), damping)

    def _called(self, probe: Probe, point: Mapping[str, Tensor]) -> Tensor:
        whole = point if isinstance(probe.point, Mapping) else next(iter(point.values()))
        found: Tensor = self.residual_function(whole, **probe.inputs)
        return found

    def _squares(self, probe: Probe, point: Mapping[str, Tensor]) -> Tensor:
        squares: Tensor = self._called(probe, point).square().sum(1)
        return squares

    def _dense(self, probe: Probe, point: Mapping[str, Tensor], damping: Tensor) -> State:
        assert self.linearised_function is not None
        ((name, y),) = point.items()
        r, jacobian = self.linearised_function(y, **probe.inputs)
        lam = damping.to(r.dtype).unsqueeze(1)
        transposed = jacobian.transpose(1, 2)
        normal = transposed @ jacobian
        slope = (transposed @ r.unsqueeze(2)).squeeze(2)
        diagonal = jacobian.square().sum(1) + lam

        def product(p: Tensor) -> Tensor:
            return (normal @ p.unsqueeze(2)).squeeze(2) + lam * p

        return {name: self._solved(product, slope, diagonal)}

    def _free(self, probe: Probe, point: Mapping[str, Tensor], damping: Tensor) -> State:
        """Products with ``J`` by two reverse derivatives: ``Jᵀw`` is linear in ``w``, and its derivative is ``J``."""
        names = list(point)
        with torch.enable_grad():
            leaves = {name: y.detach().requires_grad_(True) for name, y in point.items()}  # noqa: FBT003
            r = self._called(probe, leaves)
            weights = torch.zeros_like(r).requires_grad_(True)  # noqa: FBT003
            pulled = torch.autograd.grad(r, list(leaves.values()), weights, create_graph=True)
        sizes = [y[0].numel() for y in point.values()]
        lam = damping.to(r.dtype).unsqueeze(1)

        def flat(parts: tuple[Tensor, ...]) -> Tensor:
            return torch.cat([part.flatten(1) for part in parts], dim=1)

        def back(v: Tensor) -> Tensor:
            return flat(torch.autograd.grad(r, list(leaves.values()), v, retain_graph=True))

        def product(p: Tensor) -> Tensor:
            parts = tuple(part.view_as(y) for part, y in zip(p.split(sizes, dim=1), point.values(), strict=True))
            (ahead,) = torch.autograd.grad(pulled, weights, parts, retain_graph=True)
            return back(ahead) + lam * p

        step = self._solved(product, back(r.detach()), None)
        parts = step.split(sizes, dim=1)
        return {name: part.view_as(point[name]) for name, part in zip(names, parts, strict=True)}

    def _solved(self, product: Callable[[Tensor], Tensor], right: Tensor, diagonal: Tensor | None) -> Tensor:
        """Conjugate gradients from zero, scaled by the diagonal if it is known.

        Every residual is made orthogonal to all earlier ones. In exact arithmetic it already is. In floating point the
        directions of large eigenvalues come back, which costs iterations and lets the last digit of one product decide the
        result.
        """
        # ONNX Runtime takes a float64 constant that is 0 in float32 for 0, and drops its sum: so none smaller.
        tiny = 1e-35
        scale = torch.ones_like(right) if diagonal is None else diagonal.rsqrt()
        x = torch.zeros_like(right)
        r = right * scale
        p, rr = r, r.square().sum(1, keepdim=True)
        known = []
        for k in range(self.iterations):
            q = scale * product(scale * p)
            length = rr / ((p * q).sum(1, keepdim=True) + tiny)
            x = x + length * p
            if k + 1 == self.iterations:
                break
            known.append(r / (rr + tiny).sqrt())
            basis = torch.stack(known, dim=1)
            r = r - length * q
            r = r - ((basis @ r.unsqueeze(2)).transpose(1, 2) @ basis).squeeze(1)
            following = r.square().sum(1, keepdim=True)
            p = r + following / (rr + tiny) * p
            rr = following
        return scale * x


class GaussNewton(LevenbergMarquardt):
    """Steps ``d`` that solve ``JᵀJ d = −Jᵀ r`` almost exactly: `LevenbergMarquardt` with a damping that starts at its minimum.

    A step that would raise the energy is rejected and damped, so it converges wherever Levenberg–Marquardt does. Near a root
    it doubles the digits with every step. C. F. Gauss, "Theoria motus corporum coelestium", 1809, article 179; the damping:
    K. Levenberg, "A method for the solution of certain non-linear problems in least squares", 1944.

    C. F. Gauss, "Theoria motus corporum coelestium", 1809.

    Args:
        residuals: As in `LevenbergMarquardt`.
        linearised: As in `LevenbergMarquardt`.
        damping: ``λ`` at the start, and its minimum; it keeps the system solvable if ``J`` lacks rank.
        iterations: As in `LevenbergMarquardt`.
    """

    def __init__(
        self, residuals: Residuals, *, linearised: Linearised | None = None, damping: float = 1e-9, iterations: int = 24
    ) -> None:
        super().__init__(
            residuals, linearised=linearised, damping=damping, down=0.1, up=10.0, least=damping, iterations=iterations
        )
