"""What an energy may contain in float64 and in float32: convolutions, factorisations of small matrices, forward-mode products."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from groundstate_export import GradientDescent, UnsupportedOperator, export

Energy = Callable[[Tensor, Tensor], Tensor]
IMAGE, VECTOR = (3, 2, 8, 6), (3, 12)


def pull(y: Tensor, x: Tensor) -> Tensor:
    return (y - x).square().flatten(1).sum(1)


def of(read: Energy) -> Energy:
    return lambda y, x: pull(y, x) + read(y, x).square().flatten(1).sum(1)


def tall(y: Tensor) -> Tensor:
    return y.unflatten(1, (4, 3))


def gram(y: Tensor) -> Tensor:
    return tall(y).mT @ tall(y) + torch.eye(3, dtype=y.dtype)


def net(*layers: nn.Module, dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(*layers).to(dtype)


CONVOLUTIONS: dict[str, Callable[[], list[nn.Module]]] = {
    "plain": lambda: [nn.Conv2d(2, 3, 3)],
    "padded, strided, grouped": lambda: [nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2)],
    "dilated, 'same'": lambda: [nn.Conv2d(2, 3, (2, 3), padding="same", dilation=2)],
    "transposed": lambda: [nn.ConvTranspose2d(2, 3, 4, 2, 1)],
    "transposed with output padding and groups": lambda: [nn.ConvTranspose2d(2, 4, 3, 2, 1, output_padding=1, groups=2)],
    "a net": lambda: [nn.Conv2d(2, 4, 3, padding=1), nn.SiLU(), nn.AvgPool2d(2), nn.ConvTranspose2d(4, 2, 2, 2)],
    "average pooling": lambda: [nn.AvgPool2d(3, 2, 1, count_include_pad=False)],
    "of one dimension": lambda: [nn.Flatten(2), nn.Conv1d(2, 3, 5, stride=2), nn.AvgPool1d(2)],
    "of three dimensions": lambda: [nn.Unflatten(2, (2, 4)), nn.Conv3d(2, 2, 2)],
}  # fmt: skip


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_are_exported_in_float64(name: str, tmp_path: Path) -> None:
    layers = net(*CONVOLUTIONS[name](), dtype=torch.float64)
    report = export(
        of(lambda y, x: layers(y)), inputs={"x": torch.randn(IMAGE).double()}, state=torch.randn(IMAGE).double(),
        rule=GradientDescent(0.01), unroll=1, path=tmp_path / "a.onnx", batches=(1, 3), seeds=(0,),
    )  # fmt: skip
    assert max(report.errors.values()) < 1e-13


def test_a_convolution_in_float64_takes_any_size(tmp_path: Path) -> None:
    layers = net(nn.Conv1d(1, 3, 3, padding=1), nn.Tanh(), nn.Conv1d(3, 1, 3, stride=2), dtype=torch.float64)
    (inputs, state), *resized = [({"x": torch.randn(3, n).double()}, torch.randn(3, n).double()) for n in (7, 12, 9)]
    report = export(
        of(lambda y, x: layers(y.unsqueeze(1))), inputs=inputs, state=state, rule=GradientDescent(0.01), unroll=1,
        path=tmp_path / "a.onnx", batches=(1, 3), seeds=(0,), axes={"x": ("n",)}, resized=resized,
    )  # fmt: skip
    assert max(report.errors.values()) < 1e-13


def products(y: Tensor, x: Tensor) -> Tensor:
    found, along = torch.func.jvp(lambda t: t.sin() * t.roll(1, -1), (y,), (x,))
    return found + along


ALGEBRA: dict[str, Energy] = {
    "QR": of(lambda y, x: torch.cat([part.flatten(1) for part in torch.linalg.qr(tall(y))], 1) * x[:, :1]),
    "QR of squares": of(lambda y, x: torch.linalg.qr(gram(y)).Q.flatten(1) * x[:, :9]),
    "least squares": of(lambda y, x: torch.linalg.lstsq(tall(y), x[:, :4, None]).solution),
    "least squares, least norm": of(lambda y, x: torch.linalg.lstsq(tall(y).mT, x[:, :3, None]).solution),
    "Cholesky": of(lambda y, x: torch.cholesky_solve(x[:, :3, None], torch.linalg.cholesky(gram(y)))),
    "triangular": of(lambda y, x: torch.linalg.solve_triangular(gram(y).tril(), x[:, :3, None], upper=False)),
    "solve, inverse": of(lambda y, x: torch.linalg.solve(gram(y), x[:, :3]) + torch.linalg.inv(gram(y)).sum(1)),
    "determinant": lambda y, x: pull(y, x) + torch.logdet(gram(y)),
    "products along a direction": of(products),
    "a Jacobian forward": of(lambda y, x: torch.func.vmap(torch.func.jacfwd(lambda t: t[:3].sin() * t[1:4]))(y)),
    "a Jacobian backward": of(lambda y, x: torch.func.vmap(torch.func.jacrev(lambda t: t[:3].sin() * t[1:4]))(y)),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ALGEBRA)
def test_small_matrices_are_factored_row_by_row(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.randn(VECTOR, generator=generator, dtype=torch.float64).to(dtype) for _ in range(2))
    report = export(
        ALGEBRA[name], inputs={"x": x}, state=y, rule=GradientDescent(1e-3), unroll=1, path=tmp_path / "a.onnx",
        batches=(1, 3), seeds=(0,), initial=None,
    )  # fmt: skip
    assert report.worst < (1e-3 if dtype == torch.float32 else 1e-9)


@pytest.mark.parametrize(
    "read", [lambda y, x: torch.linalg.qr(tall(y).mT).R, lambda y, x: torch.linalg.svdvals(gram(y))]
)
def test_other_factorisations_are_refused(read: Energy, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOperator, match=r"linalg_qr.*tall|linalg_svd"):
        export(
            of(read), inputs={"x": torch.randn(VECTOR)}, state=torch.randn(VECTOR), rule=GradientDescent(1e-3), unroll=1,
            path=tmp_path / "a.onnx", batches=(1, 3),
        )  # fmt: skip


def test_the_gradient_of_a_pool_in_float64_is_pytorchs() -> None:
    """The substitute itself, without a file: any padding, stride and divisor."""
    from groundstate_export._capture.windows import average

    y = torch.randn(2, 3, 9, 7, dtype=torch.float64, requires_grad=True)
    for options in ({"padding": 1}, {"stride": 2}, {"padding": 1, "count_include_pad": False}, {"divisor_override": 5}):
        wanted, found = F.avg_pool2d(y, 3, **options), average(y, 3, **options)  # type: ignore[arg-type]
        torch.testing.assert_close(found, wanted, rtol=1e-13, atol=1e-13)
        slopes = [torch.autograd.grad(t.square().sum(), y)[0] for t in (found, wanted)]
        torch.testing.assert_close(*slopes, rtol=1e-13, atol=1e-13)
