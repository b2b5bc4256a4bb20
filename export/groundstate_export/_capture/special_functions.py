"""Special functions that ONNX lacks, written with functions that it has.

Coefficients of Chebyshev series are computed: they interpolate PyTorch's own function in float64. Cancellations are computed in
float64, so that results are exact to float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import torch
from numpy.polynomial import chebyshev
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from groundstate_export._errors import UnsupportedOperator


@cache
def _coefficients(function: Callable[[Tensor], Tensor], degree: int) -> tuple[float, ...]:
    """The coefficients of the polynomial that interpolates a function at the Chebyshev nodes of [-1, 1], lowest power first."""
    with _disable_current_modes(), torch.no_grad():
        angles = (torch.arange(degree + 1, dtype=torch.float64) + 0.5) * math.pi / (degree + 1)
        orders = torch.arange(degree + 1, dtype=torch.float64)
        series = 2 / (degree + 1) * (function(angles.cos()) * (orders.unsqueeze(-1) * angles).cos()).sum(-1)
        series[0] /= 2
        return tuple(chebyshev.cheb2poly(series.numpy()).tolist())


def _series(function: Callable[[Tensor], Tensor], degree: int, t: Tensor) -> Tensor:
    """A function's interpolation at ``t`` in [-1, 1], as powers and one product, because few nodes are fast.

    The powers cost about eight of float64's sixteen digits; float32 has seven.
    """
    coefficients = _coefficients(function, degree)
    powers = t.unsqueeze(-1) ** torch.arange(degree + 1, dtype=t.dtype)
    return (powers * torch.tensor(coefficients, dtype=t.dtype)).sum(-1)


def _scaled_erfc(t: Tensor) -> Tensor:
    s = (t + 1) / 2  # 1 / (1 + z / 2), from 1 at z = 0 to 0 at infinity
    z = 2 / s - 2
    scaled: Tensor = torch.special.erfcx(z) / s
    return scaled


def erfcx(x: Tensor) -> Tensor:
    """``exp(x²) erfc(x)``, without overflow for positive ``x``."""
    wide = x.to(torch.float64)
    z = wide.abs()
    s = 1 / (1 + z / 2)
    right = s * _series(_scaled_erfc, 16, 2 * s - 1)
    return torch.where(wide < 0, 2 * (z * z).exp() - right, right).to(x.dtype)


def erfc(x: Tensor) -> Tensor:
    """The complementary error function, accurate also for small values."""
    wide = x.to(torch.float64)
    z = wide.abs()
    s = 1 / (1 + z / 2)
    right = (-z * z).exp() * s * _series(_scaled_erfc, 16, 2 * s - 1)
    return torch.where(wide < 0, 2 - right, right).to(x.dtype)


def log_ndtr(x: Tensor) -> Tensor:
    """The logarithm of the normal distribution function."""
    z = x * math.sqrt(0.5)
    left = (erfcx(-z.clamp(max=0)) / 2).log() - z * z
    return torch.where(x < -1, left, (-erfc(z.clamp(min=-1)) / 2).log1p())


def erfinv(x: Tensor) -> Tensor:
    """Inverse of the error function, after M. Giles, Approximating the erfinv function, GPU Computing Gems 2 (2011)."""
    wide = x.to(torch.float64)
    w = -((1 - wide) * (1 + wide)).log()
    centre, tail = w - 2.5, w.clamp(min=5).sqrt() - 3
    near, far = torch.full_like(wide, 2.81022636e-08), torch.full_like(wide, -0.000200214257)
    for c in (
        3.43273939e-07,
        -3.5233877e-06,
        -4.39150654e-06,
        0.00021858087,
        -0.00125372503,
        -0.00417768164,
        0.246640727,
        1.50140941,
    ):
        near = c + near * centre
    for c in (
        0.000100950558,
        0.00134934322,
        -0.00367342844,
        0.00573950773,
        -0.0076224613,
        0.00943887047,
        1.00167406,
        2.83297682,
    ):
        far = c + far * tail
    y = torch.where(w < 5, near, far) * wide
    y = torch.where(wide.abs() < 1, y, wide * torch.inf)
    return torch.where(wide.abs() <= 1, y, torch.nan).to(x.dtype)


_SHIFT = 8
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730)


def _stirling(z: Tensor) -> Tensor:
    """``log Γ(z)`` for ``z > 8``."""
    result = (z - 0.5) * z.log() - z + 0.5 * math.log(2 * math.pi)
    for k, b in enumerate(_BERNOULLI, 1):
        result = result + b / (2 * k * (2 * k - 1)) * z ** (1 - 2 * k)
    return result


def lgamma(x: Tensor) -> Tensor:
    """``log |Γ(x)|``: Stirling's series after eight recurrence steps, and Euler's reflection for negative ``x``."""
    wide = x.to(torch.float64)
    z = torch.where(wide < 0.5, 1 - wide, wide)
    product = z
    for k in range(1, _SHIFT):
        product = product * (z + k)
    right = _stirling(z + _SHIFT) - product.log()
    left = math.log(math.pi) - torch.sin(math.pi * _reduced(wide)).abs().log() - right
    pole = (wide <= 0) & (wide == wide.floor())
    return torch.where(pole, torch.inf, torch.where(wide < 0.5, left, right)).to(x.dtype)


def _reduced(x: Tensor) -> Tensor:
    """The fractional part, so that the sine of a multiple of π is exact."""
    return x - x.floor()


def digamma(x: Tensor) -> Tensor:
    """The derivative of `lgamma`, by the same recurrence and reflection."""
    wide = x.to(torch.float64)
    z = torch.where(wide < 0.5, 1 - wide, wide)
    up = z + _SHIFT
    right = up.log() - 0.5 / up
    for k, b in enumerate(_BERNOULLI, 1):
        right = right - b / (2 * k) * up ** (-2 * k)
    for k in range(_SHIFT):
        right = right - 1 / (z + k)
    fraction = math.pi * _reduced(wide)
    left = right - math.pi * fraction.cos() / fraction.sin()
    pole = (wide < 0) & (wide == wide.floor())
    return torch.where(pole, torch.nan, torch.where(wide < 0.5, left, right)).to(x.dtype)


def polygamma(n: int, x: Tensor) -> Tensor:
    """The n-th derivative of `digamma` at positive ``x``; NaN elsewhere.

    Raises:
        UnsupportedOperator: ``n`` is above 4.
    """
    if n == 0:
        return digamma(x)
    if n > 4:
        raise UnsupportedOperator("aten.polygamma", f"its order is {n}; orders up to 4 are supported.")
    wide = x.to(torch.float64)
    up = wide + _SHIFT
    result = math.factorial(n - 1) * up**-n + math.factorial(n) / 2 * up ** -(n + 1)
    for k, b in enumerate(_BERNOULLI, 1):
        result = result + b * math.factorial(2 * k + n - 1) / math.factorial(2 * k) * up ** -(2 * k + n)
    for k in range(_SHIFT):
        result = result + math.factorial(n) * (wide + k) ** -(n + 1)
    return torch.where(wide > 0, (-1) ** (n + 1) * result, torch.nan).to(x.dtype)


_NEAR = (
    lambda t: torch.special.i0e(4 * (t + 1)),
    lambda t: torch.special.i1e(4 * (t + 1)) / (4 * (t + 1)).clamp(min=1e-300),
)
_FAR = (
    lambda t: torch.special.i0e(16 / (t + 1)) * (16 / (t + 1)).sqrt(),
    lambda t: torch.special.i1e(16 / (t + 1)) * (16 / (t + 1)).sqrt(),
)


def bessel(x: Tensor, order: int) -> Tensor:
    """``exp(-|x|) I_n(x)`` of order 0 or 1: one Chebyshev series up to 8 and one in ``1 / x`` beyond, as in Cephes."""
    wide = x.to(torch.float64)
    z = wide.abs()
    near = _series(_NEAR[order], 28, z.clamp(max=8) / 4 - 1)
    large = z.clamp(min=8)
    far = _series(_FAR[order], 16, 16 / large - 1) / large.sqrt()
    if order == 1:
        return (torch.where(z <= 8, near * z, far) * wide.sign()).to(x.dtype)
    return torch.where(z <= 8, near, far).to(x.dtype)
