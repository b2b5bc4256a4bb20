"""Users' errors: an export that a user wrote wrongly, the cause that the refusal must state, and the line at fault.

The first 65 are those of the trials with new users, in their order (``NOTED``); the rest were added here. `benchmarks/user_errors.py`
prints the sentences, and `test_user_errors.py` checks them. Some of them are no errors: the export must succeed.
"""

# ruff: noqa: E501, PLW0108  # written as users write, a line for each error

from __future__ import annotations

import functools
import random
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from groundstate_export import ExportError, GradientDescent, export

X, Y = torch.linspace(-1.0, 2.0, 12).reshape(4, 3), torch.linspace(0.3, -1.2, 12).reshape(4, 3).flip(1)


def bowl(y: Tensor, x: Tensor) -> Tensor:
    return (y - x).square().sum(-1)


@dataclass(frozen=True)
class UserError:
    """One export.

    Attributes:
        options: Makes the arguments of `export` that differ from a bowl's.
        cause: What the message must say, a regular expression; None if the export must succeed.
        at: Code of the user's line that the message must quote; empty if no line of the energy is at fault.
        under: A context in which the export runs.
    """

    options: Callable[[], dict[str, Any]]
    cause: str | None
    at: str = ""
    under: Callable[[], AbstractContextManager[Any]] = nullcontext


def of(energy: Any, cause: str | None, at: str = "", **options: Any) -> UserError:
    """An error in an energy."""
    return UserError(lambda: {"energy": energy, **options}, cause, at)


def made(make: Callable[[], Any], cause: str | None, at: str = "") -> UserError:
    """An error in an energy that is built when it is tried."""
    return UserError(lambda: {"energy": make()}, cause, at)


def given(cause: str | None, **options: Any) -> UserError:
    """An error in another argument."""
    return UserError(lambda: {"energy": bowl, **options}, cause)


class Net(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.n = nn.Sequential(nn.Linear(3, 4), *layers, nn.Tanh(), nn.Linear(4, 1))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        return self.n(y).squeeze(-1).square() + (y - x).square().sum(-1)


class Dropped(nn.Module):
    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        kept = F.dropout(y - x, 0.1)
        return kept.square().sum(-1)


class Halving(nn.Module):
    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        while (y.abs() > 1).any():
            y = y / 2
        return (y - x).square().sum(-1)


class Counting(nn.Module):
    calls = 0

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        self.calls += 1
        scale = 1 + 0.1 * self.calls
        return (y - x).square().sum(-1) * scale


class Caching(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.memo: dict[str, Tensor] = {}

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        if "scale" not in self.memo:
            self.memo["scale"] = x.abs().amax()
        return (y - self.memo["scale"] * x).square().sum(-1)


def batch_mean(y: Tensor, x: Tensor) -> Tensor:
    centred = y - y.mean(0)
    return (centred - x).square().sum(-1)


def in_place(y: Tensor, x: Tensor) -> Tensor:
    x.mul_(2)
    return (y - x).square().sum(-1)


def in_place_on_the_state(y: Tensor, x: Tensor) -> Tensor:
    y *= 2
    return (y - x).square().sum(-1)


def in_numpy(y: Tensor, x: Tensor) -> Tensor:
    found = np.square(y.detach().numpy() - x.numpy()).sum(-1)
    return torch.from_numpy(found)


def argmaxed(y: Tensor, x: Tensor) -> Tensor:
    best = y.argmax(-1, keepdim=True)
    return x.gather(1, best)[:, 0]


def detached(y: Tensor, x: Tensor) -> Tensor:
    fixed = y.detach()
    return (fixed - x).square().sum(-1)


def noisy(y: Tensor, x: Tensor) -> Tensor:
    noise = torch.randn_like(y)
    return (y - x + 0.1 * noise).square().sum(-1)


def seeded(y: Tensor, x: Tensor) -> Tensor:
    torch.manual_seed(0)
    noise = torch.randn(3)
    return (y - x + noise).square().sum(-1)


def rooted(y: Tensor, x: Tensor) -> Tensor:
    root = (y - 100).sqrt()
    return (root - x).square().sum(-1)


def branching(y: Tensor, x: Tensor) -> Tensor:
    if y.sum() > 0:
        return (y - x).square().sum(-1)
    return (y - x).abs().sum(-1)


def itemised(y: Tensor, x: Tensor) -> Tensor:
    scale = float(x.max())
    return (y * scale).square().sum(-1)


_SCALE = 2.0
_NOISE = torch.from_numpy(np.random.default_rng(0).standard_normal(3).astype(np.float32))


@functools.cache
def _table() -> Tensor:
    return torch.linspace(0, 1, 3)


@contextmanager
def _doubles() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def _of_doubles() -> dict[str, Any]:
    weight = torch.linspace(0.5, 1.5, 3)  # float64 by the default dtype
    return {"energy": lambda y, x: (weight * y - x).square().sum(-1)}


def _script() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(Net())


def _quantised() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(Net(), {nn.Linear})


SHAPE = r"must be \(4,\), one number per row.*Sum over every dimension but the first"
TAKES = r"takes a value out of a tensor|depends on the values"

NOTED: dict[str, UserError] = {
    "01 float64 module": made(lambda: Net().double(), r"parameter 'n.0.weight' is torch.float64.*`\.float\(\)`"),
    "01b float64 module, float64 state": UserError(
        lambda: {"energy": Net().double(), "state": Y.double(), "inputs": {"x": X.double()}}, None
    ),
    "01c float64 input only": given(r"The input 'x' is torch.float64: call `\.float\(\)`", inputs={"x": X.double()}),
    "01d bfloat16 module": made(lambda: Net().bfloat16(), r"parameter 'n.0.weight' is torch.bfloat16"),
    "02 meta tensors": given("is on the device 'meta' and holds no values", inputs={"x": X.to("meta")}),
    "02b module on meta": made(lambda: Net().to("meta"), r"'n.0.weight' is on the device 'meta' and holds no values"),
    "03 dropout on": made(lambda: Net(nn.Dropout(0.5)).train(), r"draws random numbers.*`\.eval\(\)`", "self.n(y)"),
    "03b functional dropout": made(Dropped, r"draws random numbers.*training=self\.training", "kept = F.dropout"),
    "04 batch norm in training": made(
        lambda: Net(nn.BatchNorm1d(4)).train(), r"changes its own 'n.1.running_mean'.*`\.eval\(\)`"
    ),
    "05 inputs in another order": UserError(
        lambda: {"energy": lambda y, b, a: (y - a * b).square().sum(-1), "inputs": {"a": X, "b": X + 1}}, None
    ),
    "05b argument named differently": of(lambda y, z: bowl(y, z), r"takes \(y, z\).*\['x'\].*names of its arguments"),
    "05c arguments swapped": of(
        lambda x, y: bowl(y, x), r"takes \(x, y\).*\['x'\].*'x' is its first argument, which is the state"
    ),
    "06 energy (batch, 1)": of(lambda y, x: bowl(y, x)[:, None], r"is \(4, 1\).*" + SHAPE),
    "07 mean over the batch": of(lambda y, x: bowl(y, x).mean(), r"is \(\) at batch 4.*" + SHAPE),
    "07b sum over everything": of(lambda y, x: (y - x).square().sum(), r"is \(\) at batch 4.*" + SHAPE),
    "07c a batch mean hidden in a term": of(
        batch_mean, "rows of a batch influence each other.*mean over the batch", "centred = y - y.mean(0)"
    ),
    "08 `if` on a tensor": of(branching, TAKES + ".*torch.where", "if y.sum() > 0"),
    "08b `.item()`": of(itemised, TAKES, "scale = float(x.max())"),
    "08c `while` on a tensor": made(Halving, TAKES + ".*`while`", "while (y.abs() > 1).any()"),
    "09 tensors that are not contiguous": given(None, inputs={"x": torch.randn(3, 4).T}, state=torch.randn(3, 4).T),
    "10 tensors that require gradients": given(
        None, inputs={"x": X.clone().requires_grad_()}, state=Y.clone().requires_grad_()
    ),
    "10b `.detach()` inside": of(detached, "does not depend on the state 'y'.*detach", "fixed = y.detach()"),
    "10c argmax inside": of(argmaxed, "does not depend on the state 'y'.*argmax", "best = y.argmax"),
    "11 in place on an input": of(in_place, r"writes to its argument 'x'.*clone\(\)", "x.mul_(2)"),
    "11b in place on the state": of(in_place_on_the_state, r"writes to its argument 'y'.*clone\(\)", "y *= 2"),
    "12 a lambda of a global": of(lambda y, x: bowl(y, x) * _SCALE, None),
    "12b a count of calls": made(
        Counting, "keeps something from one call to the next", "(y - x).square().sum(-1) * scale"
    ),
    "12c a cache of a constant": of(lambda y, x: bowl(y, x * _table()), None),
    "13 random numbers": of(noisy, "draws random numbers.*Noise belongs to the rule", "noise = torch.randn_like(y)"),
    "13b random numbers of a fixed seed": of(
        seeded, "draws random numbers.*outside the energy", "noise = torch.randn(3)"
    ),
    "13c a random constant": of(lambda y, x: bowl(y, x + _NOISE), None),
    "15 a path without .onnx": given(r"its name must end in \.onnx", path=Path("mine.pt")),
    "15b a folder that is missing": given("does not exist", path=Path("nowhere") / "mine.onnx"),
    "16 a place that is not writable": given("not writable", path=Path("/proc/mine.onnx")),
    "16b a path that is a folder": given("a folder; name a file in it", path=Path(tempfile.gettempdir())),
    "18 integer state": given(r"state\['y'\] is torch.int64; it must be float32 or float64", state=Y.long()),
    "18b truths as an input": UserError(
        lambda: {"energy": lambda y, x: bowl(y, x.float()), "inputs": {"x": X > 0}}, None
    ),
    "19 NaN in the energy": of(rooted, "not finite at the example, in row 0", "root = (y - 100).sqrt()"),
    "19b NaN away from the example": of(lambda y, x: bowl(y, x) + 1e-9 * (y + 1000).sqrt().sum(-1), None),
    "19c a descent that diverges": UserError(
        lambda: {"energy": bowl, "rule": GradientDescent(10.0), "unroll": 64},
        "not finite within 64 steps.*smaller step size",
    ),
    "20 numpy in the energy": of(in_numpy, "does not depend on the state.*cuts the gradient", "found = np.square"),
    "20b a numpy function of a tensor": of(
        lambda y, x: np.square(y - x).sum(-1), r"use PyTorch's functions instead of NumPy's", "np.square(y - x)"
    ),
    "21 batch sizes that differ": given(r"same batch size; these have.*2.*4", inputs={"x": X[:2]}),
    "22 a state without a batch": UserError(
        lambda: {"energy": lambda y: y.square(), "inputs": {}, "state": torch.ones(5)}, None
    ),
    "23 inputs as a tensor": given("inputs is Tensor.*dict of tensors by name", inputs=X),
    "24 a torch optimiser as the rule": UserError(
        lambda: {"energy": bowl, "rule": torch.optim.SGD([nn.Parameter(X)], 0.1)},
        r"rule is SGD.*must be a Rule, such as GradientDescent\(0\.1\)",
    ),
    "25 a class, not an instance": of(Net, "energy is the class Net"),
    "26 a list returned": of(lambda y, x: [bowl(y, x)], "returned list; it must return a tensor"),
    "27 a pair returned": of(lambda y, x: (bowl(y, x), {}), "returned tuple; it must return a tensor"),
    "28 a name that is none": UserError(
        lambda: {"energy": lambda y, **k: bowl(y, k["x-1"]), "inputs": {"x-1": X}}, "has the name 'x-1'"
    ),
    "29 a string among the inputs": UserError(
        lambda: {"energy": lambda y, x, mode: bowl(y, x), "inputs": {"x": X, "mode": "fast"}},
        r"inputs\['mode'\] is str \('fast'\).*constants.*functools\.partial",
    ),
    "30 a number among the inputs": UserError(
        lambda: {"energy": lambda y, x, w: w * bowl(y, x), "inputs": {"x": X, "w": 2.0}},
        r"inputs\['w'\] is float \(2\.0\)",
    ),
    "30b a scalar tensor": UserError(
        lambda: {"energy": lambda y, x, w: w * bowl(y, x), "inputs": {"x": X, "w": torch.tensor(2.0)}},
        r"inputs\['w'\] has the shape \(\); it must have the batch first",
    ),
    "31 no inputs": UserError(lambda: {"energy": lambda y: y.square().sum(-1), "inputs": {}}, None),
    "32 an example of one row": given(None, inputs={"x": X[:1]}, state=Y[:1]),
    "32b one row and `squeeze()`": UserError(
        lambda: {
            "energy": lambda y, x: (y - x).square().sum(-1, keepdim=True).squeeze(),
            "inputs": {"x": X[:1]},
            "state": Y[:1],
        },
        r"is \(\) at batch 1.*`squeeze\(-1\)`",
    ),
    "33 a mean by `mse_loss`": of(lambda y, x: F.mse_loss(y, x), r"is \(\) at batch 4.*reduction"),
    "34 a complex state": given(
        r"state\['y'\] is torch.complex64; it must be float32 or float64", state=Y.to(torch.complex64)
    ),
    "35 TorchScript": made(_script, "energy is TorchScript.*pass the original module"),
    "36 a compiled module": made(
        lambda: torch.compile(Net()), r"torch\.compile; pass the original module, its `\._orig_mod`"
    ),
    "37 DataParallel": made(lambda: nn.DataParallel(Net()), r"DataParallel; pass the module inside it, its `\.module`"),
    "38 a step size as a tensor": UserError(
        lambda: {"energy": bowl, "rule": GradientDescent(torch.tensor(0.05))}, None
    ),
    "39 called under no_grad": UserError(lambda: {"energy": bowl}, None, "", torch.no_grad),
    "39b called under inference_mode": UserError(lambda: {"energy": bowl}, None, "", torch.inference_mode),
    "40 a default dtype of float64": UserError(
        _of_doubles, r"float64.*float32|float32.*float64", "(weight * y - x)", _doubles
    ),
}


@torch.no_grad()
def gradless(y: Tensor, x: Tensor) -> Tensor:
    return bowl(y, x)


def slope_without_graph(y: Tensor, x: Tensor) -> Tensor:
    (slope,) = torch.autograd.grad(bowl(y, x).sum(), y)
    return slope.square().sum(-1)


def printed(y: Tensor, x: Tensor) -> Tensor:
    largest = y.abs().max().item()
    return bowl(y, x) + 0 * largest


def asserted(y: Tensor, x: Tensor) -> Tensor:
    assert (y < 1e9).all()
    return bowl(y, x)


def masked(y: Tensor, x: Tensor) -> Tensor:
    found = y[x > 0]
    return bowl(y, x) + found.sum() * 0


def looped(y: Tensor, x: Tensor) -> Tensor:
    rows = [bowl(y[i : i + 1], x[i : i + 1]) for i in range(len(y))]
    return torch.cat(rows)


def of_four_rows(y: Tensor, x: Tensor) -> Tensor:
    flat = y.reshape(4, 3)
    return bowl(flat, x)


def numbered(y: Tensor, x: Tensor) -> Tensor:
    weight = torch.arange(len(y)) / 10.0
    return bowl(y, x) * weight


def halved(y: Tensor, x: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        found = (y.unsqueeze(1) @ x.unsqueeze(2)).flatten()
    return found.square()


def out_of_range(y: Tensor, x: Tensor) -> Tensor:
    table = torch.linspace(0, 1, 3)
    return bowl(y, x) * table[torch.full((len(y),), 7)]


def misshapen(y: Tensor, x: Tensor) -> Tensor:
    product = y @ x
    return product.sum(-1)


def infinite_slope(y: Tensor, x: Tensor) -> Tensor:
    root = (y - y.detach()).sqrt()
    return root.sum(-1) + bowl(y, x)


def normalised(y: Tensor, x: Tensor) -> Tensor:
    scaled = y / y.norm()
    return bowl(scaled, x)


def softmax_over_rows(y: Tensor, x: Tensor) -> Tensor:
    weights = y.softmax(0)
    return (weights * x).sum(-1)


def from_python(y: Tensor, x: Tensor) -> Tensor:
    shift = random.random()
    return bowl(y + shift, x)


async def awaited(y: Tensor, x: Tensor) -> Tensor:
    return bowl(y, x)


def rebuilt(y: Tensor, x: Tensor) -> Tensor:
    fresh = torch.tensor(y.tolist())
    return bowl(fresh, x)


class Remembering(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last: Tensor | None = None

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        before, self.last = self.last, y.detach().mean(0)
        return bowl(y, x) if before is None else bowl(y - before, x)


class Buffered(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
        return bowl(y - self.mean, x)


ADDED: dict[str, UserError] = {
    "a vmap with inputs by keyword": made(
        lambda: torch.vmap(lambda y, x: (y - x).square().sum()),
        r"maps arguments by position only.*torch\.vmap\(row\)\(state, x\)",
    ),
    "a compiled function": made(
        lambda: torch.compile(bowl), r"was compiled by torch\.compile; pass the original function"
    ),
    "a decorator that turns gradients off": of(gradless, "does not depend on the state.*no_grad"),
    "a gradient without create_graph": of(
        slope_without_graph, "does not depend on the state.*create_graph=True", "(slope,) = torch.autograd.grad"
    ),
    "a value printed": of(printed, TAKES, "largest = y.abs().max().item()"),
    "an assertion": of(asserted, TAKES + ".*`assert`", "assert (y < 1e9).all()"),
    "a boolean index": of(masked, "size depends on the mask's values.*torch.where", "found = y[x > 0]"),
    "a loop over the rows": of(looped, "loops over the rows.*torch.vmap"),
    "a reshape to four rows": of(
        of_four_rows, "RuntimeError at batch 3.*invalid for input of size", "flat = y.reshape(4, 3)"
    ),
    "rows numbered": of(
        numbered, "depends on the position of a row|influence each other", "weight = torch.arange(len(y)) / 10.0"
    ),
    "autocast inside": of(halved, "bfloat16.*float32", "found = (y.unsqueeze(1) @ x.unsqueeze(2))"),
    "an index out of range": of(out_of_range, "raised IndexError at the example", "return bowl(y, x) * table"),
    "shapes that do not fit": of(
        misshapen, "raised RuntimeError at the example.*shapes cannot be multiplied", "product = y @ x"
    ),
    "an infinite slope": of(
        infinite_slope, "gradient for the state 'y' is not finite.*root", "root = (y - y.detach()).sqrt()"
    ),
    "a norm over the batch": of(normalised, "rows of a batch influence each other", "scaled = y / y.norm()"),
    "a softmax over the batch": of(softmax_over_rows, "rows of a batch influence each other", "weights = y.softmax(0)"),
    "Python's random numbers": of(from_python, "draws from elsewhere", "return bowl(y + shift, x)"),
    "a coroutine": of(awaited, "returned coroutine; it must return a tensor"),
    "an array returned": of(lambda y, x: bowl(y, x).detach().numpy(), "returned ndarray; it must return a tensor"),
    "a tensor rebuilt from numbers": of(rebuilt, "cuts the gradient", "fresh = torch.tensor(y.tolist())"),
    "a cache of computed values": made(
        Caching, "value that an earlier call computed.*compute it with tensors in every call", "(y - self.memo"
    ),
    "the last state remembered": made(
        Remembering, "from one call to the next|an earlier call computed", "bowl(y - before, x)"
    ),
    "a buffer replaced": made(Buffered, "changes its own 'mean'"),
    "a quantised module": made(
        _quantised,
        "contains a quantised module.*pass the original module",
    ),
    "no energy": of(None, "energy is NoneType"),
    "a path that is none": given("path is NoneType", path=None),
    "batches as a number": given(r"batches is 4; it must be a list of whole numbers", batches=4),
    "seeds as a number": given(r"seeds is 3; it must be a list of whole numbers", seeds=3),
    "inputs as arrays": given(r"inputs\['x'\] is ndarray.*torch\.from_numpy", inputs={"x": X.numpy()}),
    "inputs as lists": given(r"inputs\['x'\] is list", inputs={"x": X.tolist()}),
    "a list of states": given(r"state is list", state=[Y, Y]),
    "a parameter as the state": UserError(lambda: {"energy": bowl, "state": nn.Parameter(Y.clone())}, None),
    "a rule by its name": given(r"rule is str \('adam'\); it must be a Rule", rule="adam"),
    "a card as a dict": given(r"card is dict.*must be a Card", card={"name": "mine"}),
    "an initial that is a number": given(r"initial is float.*Constant", initial=0.0),
    "stages that are one stage": given("stages is function; it must be a list of Stage", stages=bowl),
    "a decode that returns a tensor": given("decode returned Tensor; it must return a dict", decode=lambda y, x: y),
    "checks that return truths": given(
        "checks returned torch.bool.*integer counts", checks=lambda answer, x: {"near": answer["y"].sum(1) > 0}
    ),
    "a number for the progress": given("progress is int.*function", progress=1),
    "an initial that is a tensor": UserError(
        lambda: {"energy": bowl, "initial": torch.zeros(3)}, "initial is Tensor.*Constant"
    ),
    "axes without other examples": given("at least one example of other sizes", axes={"x": ("n",)}),
}

ERRORS: dict[str, UserError] = {**NOTED, **ADDED}


def attempt(error: UserError, folder: Path) -> str | None:
    """Try an export. Returns the refusal; None if a file was written."""
    with error.under():
        settings: dict[str, Any] = {
            "inputs": {"x": X.clone()}, "state": Y.clone(), "rule": GradientDescent(0.1), "unroll": 2, "batches": (1, 3),
            "seeds": (0,), "path": folder / "mine.onnx",
        }  # fmt: skip
        try:
            export(**settings | error.options())
        except ExportError as refusal:
            return str(refusal)
    return None


def verdict(error: UserError, refusal: str | None) -> str:
    """What is wrong with an outcome; empty if it is right."""
    if error.cause is None:
        return "" if refusal is None else "it was refused"
    if refusal is None:
        return "it was exported"
    if not re.search(error.cause, refusal):
        return "another cause is stated"
    quoted = re.search(r"user_errors\.py:\d+, in \w+|user_errors\.py:\d+, in <lambda>", refusal)
    if error.at and not (quoted and error.at in refusal):
        return "the line is not named"
    return ""
