"""An energy that keeps what it computed from its inputs is refused, however it keeps it; constants of its own are no matter."""

from __future__ import annotations

import functools
import threading
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import Tensor, nn

from groundstate_export import BadArgument, BadEnergy, GradientDescent, export

X = torch.linspace(0.5, 3.0, 12).reshape(3, 4)


def attempt(energy: Callable[..., Any], path: Path, **options: Any) -> None:
    given: dict[str, Any] = {
        "inputs": {"x": X.clone()}, "state": torch.zeros(3, 4), "rule": GradientDescent(0.1), "unroll": 2, "batches": (1, 3),
        "seeds": (0,),
    }  # fmt: skip
    export(energy, path=path, **given | options)


def scaled(y: Tensor, x: Tensor, scale: Any) -> Tensor:
    return (y - scale * x).square().sum(-1)


# Ways to keep a value. Each makes an energy that nobody called yet.


class InList(nn.Module):
    def __init__(self, take: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.memo: list[Any] = []
        self.take = take

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        if not self.memo:
            self.memo.append(self.take(x))
        return scaled(y, x, self.memo[0])


class InDict(nn.Module):
    def __init__(self, take: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.memo: dict[str, Any] = {}
        self.take = take

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        return scaled(y, x, self.memo.setdefault("scale", self.take(x)))


class InAttribute(nn.Module):
    def __init__(self, take: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.memo: Any = None
        self.take = take

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        if self.memo is None:
            self.memo = self.take(x)
        return scaled(y, x, self.memo)


class InBuffer(nn.Module):
    memo: Tensor
    filled: Tensor

    def __init__(self, take: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.register_buffer("memo", torch.zeros(()))
        self.known = [False]
        self.take = take

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        if not self.known[0]:
            self.memo.copy_(torch.as_tensor(self.take(x)))
            self.known[0] = True
        return scaled(y, x, self.memo)


class InChild(nn.Module):
    def __init__(self, take: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.child = nn.Identity()
        self.take = take

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        if not hasattr(self.child, "memo"):
            object.__setattr__(self.child, "memo", self.take(x))
        return scaled(y, x, self.child.memo)


class InClass(nn.Module):
    memo: Any = None

    def __init__(self, take: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.take = take
        type(self).memo = None

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        if type(self).memo is None:
            type(self).memo = self.take(x)
        return scaled(y, x, type(self).memo)


@dataclass
class Plain:
    take: Callable[[Tensor], Any]
    memo: list[Any] = field(default_factory=list)

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        if not self.memo:
            self.memo.append(self.take(x))
        return scaled(y, x, self.memo[0])

    def method(self, y: Tensor, x: Tensor) -> Tensor:
        return self(y, x)


def in_closure(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    memo: dict[str, Any] = {}

    def energy(y: Tensor, x: Tensor) -> Tensor:
        if "scale" not in memo:
            memo["scale"] = take(x)
        return scaled(y, x, memo["scale"])

    return energy


def in_cell(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    memo = None

    def energy(y: Tensor, x: Tensor) -> Tensor:
        nonlocal memo
        if memo is None:
            memo = take(x)
        return scaled(y, x, memo)

    return energy


_MEMO: dict[int, Any] = {}
_SCALE: Any = None


def in_global(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    _MEMO.clear()

    def energy(y: Tensor, x: Tensor) -> Tensor:
        if 0 not in _MEMO:
            _MEMO[0] = take(x)
        return scaled(y, x, _MEMO[0])

    return energy


def in_global_name(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    global _SCALE  # noqa: PLW0603
    _SCALE = None

    def energy(y: Tensor, x: Tensor) -> Tensor:
        global _SCALE  # noqa: PLW0603
        if _SCALE is None:
            _SCALE = take(x)
        return scaled(y, x, _SCALE)

    return energy


def in_default(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    def energy(y: Tensor, x: Tensor, memo: list[Any] = []) -> Tensor:  # noqa: B006
        if not memo:
            memo.append(take(x))
        return scaled(y, x, memo[0])

    return energy


def in_keyword_default(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    def energy(y: Tensor, x: Tensor, *, memo: dict[str, Any] = {}) -> Tensor:  # noqa: B006
        return scaled(y, x, memo.setdefault("scale", take(x)))

    return energy


def in_lru_cache(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    now: list[Tensor] = []

    @functools.cache
    def scale() -> Any:
        return take(now[-1])

    def energy(y: Tensor, x: Tensor) -> Tensor:
        now.append(x)
        found = scaled(y, x, scale())
        now.pop()
        return found

    return energy


def in_cache_by_shape(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    memo: dict[Any, Any] = {}

    def energy(y: Tensor, x: Tensor) -> Tensor:
        return scaled(y, x, memo.setdefault(x.shape[1:], take(x)))

    return energy


def in_function_attribute(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    def energy(y: Tensor, x: Tensor) -> Tensor:
        if not hasattr(energy, "memo"):
            energy.memo = take(x)  # type: ignore[attr-defined]
        return scaled(y, x, energy.memo)  # type: ignore[attr-defined]

    return energy


def in_partial(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    def energy(memo: list[Any], y: Tensor, x: Tensor) -> Tensor:
        if not memo:
            memo.append(take(x))
        return scaled(y, x, memo[0])

    return functools.partial(energy, [])


def in_namespace(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    memo = SimpleNamespace()

    def energy(y: Tensor, x: Tensor) -> Tensor:
        if not hasattr(memo, "scale"):
            memo.scale = take(x)
        return scaled(y, x, memo.scale)

    return energy


def in_collection(kind: Callable[[], Any]) -> Callable[[Callable[[Tensor], Any]], Callable[..., Tensor]]:
    def make(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
        memo = kind()

        def energy(y: Tensor, x: Tensor) -> Tensor:
            if not len(memo):
                if isinstance(memo, deque):
                    memo.append(take(x))
                else:
                    memo[0] = take(x)
            return scaled(y, x, memo[0])

        return energy

    return make


def in_thread(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    memo = threading.local()

    def energy(y: Tensor, x: Tensor) -> Tensor:
        if not hasattr(memo, "scale"):
            memo.scale = take(x)
        return scaled(y, x, memo.scale)

    return energy


def in_weak_dictionary(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    class Key:
        pass

    key = Key()
    memo: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def energy(y: Tensor, x: Tensor) -> Tensor:
        return scaled(y, x, memo.setdefault(key, take(x)))

    return energy


def in_preallocated(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    table, known = torch.zeros(1), [False]

    def energy(y: Tensor, x: Tensor) -> Tensor:
        if not known[0]:
            table[0] = take(x)
            known[0] = True
        return scaled(y, x, table)

    return energy


def in_array(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    table = np.zeros(1, np.float32)

    def energy(y: Tensor, x: Tensor) -> Tensor:
        if table[0] == 0:
            table[0] = float(take(x))
        return scaled(y, x, torch.from_numpy(table))

    return energy


def in_generator(take: Callable[[Tensor], Any]) -> Callable[..., Tensor]:
    def source() -> Any:
        x = yield
        found = take(x)
        while True:
            yield found

    running = source()
    next(running)

    def energy(y: Tensor, x: Tensor) -> Tensor:
        return scaled(y, x, running.send(x))

    return energy


WAYS: dict[str, Callable[[Callable[[Tensor], Any]], Callable[..., Any]]] = {
    "a module's list": InList,
    "a module's dict": InDict,
    "a module's attribute": InAttribute,
    "a module's buffer": InBuffer,
    "a child's attribute": InChild,
    "a class attribute": InClass,
    "an object": Plain,
    "a bound method": lambda take: Plain(take).method,
    "a closure's dict": in_closure,
    "a closure's name": in_cell,
    "a global dict": in_global,
    "a global name": in_global_name,
    "a default argument": in_default,
    "a keyword's default": in_keyword_default,
    "lru_cache": in_lru_cache,
    "a cache by shape": in_cache_by_shape,
    "a function's attribute": in_function_attribute,
    "a partial": in_partial,
    "a namespace": in_namespace,
    "a deque": in_collection(deque),
    "an ordered dict": in_collection(OrderedDict),
    "a defaultdict": in_collection(lambda: defaultdict(float)),
    "a thread's own": in_thread,
    "a weak dictionary": in_weak_dictionary,
    "a table made before": in_preallocated,
    "an array": in_array,
    "a generator": in_generator,
}

TAKES: dict[str, Callable[[Tensor], Any]] = {
    "a tensor": lambda x: x.abs().max(),
    "a view": lambda x: x[0, 1:2],
    "a number": lambda x: x.abs().max().item(),
    "a number by numpy": lambda x: float(np.asarray(x.detach()).max()),
    "a list": lambda x: x.tolist()[0][1],
    "a truth": lambda x: 2.0 if bool((x > 0).all()) else 1.0,
    "the batch": lambda x: 1.0 + x.shape[0],
    "a detached copy": lambda x: torch.tensor(float(x.sum())),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_tensor_that_is_kept_is_never_written(way: str, tmp_path: Path) -> None:
    with pytest.raises(BadEnergy):
        attempt(WAYS[way](TAKES["a tensor"]), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("take", TAKES)
@pytest.mark.parametrize(
    "way", ["a module's list", "an object", "a closure's name", "a global dict", "a default argument"]
)
def test_whatever_is_kept_is_never_written(way: str, take: str, tmp_path: Path) -> None:
    with pytest.raises(BadEnergy):
        attempt(WAYS[way](TAKES[take]), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_the_refusal_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(
        BadEnergy, match=r"an earlier call computed .*test_kept\.py:\d+, in scaled: `return \(y - scale \* x\)"
    ):
        attempt(InList(TAKES["a tensor"]), tmp_path / "a.onnx")
    with pytest.raises(BadEnergy, match=r"takes a value out of a tensor .*test_kept\.py:\d+, in <lambda>"):
        attempt(InList(TAKES["a number"]), tmp_path / "a.onnx")


@pytest.mark.parametrize("what", ["decode", "checks", "encode_answer"])
def test_so_is_what_a_function_beside_the_energy_keeps(what: str, tmp_path: Path) -> None:
    memo: list[Tensor] = []

    def keeping(first: Any, x: Tensor) -> Any:
        if not memo:
            memo.append(x.abs().max())
        y = first["y"] if isinstance(first, dict) else first
        return {"n": (y > memo[0]).sum(1)} if what == "checks" else {"y": y * memo[0]}

    with pytest.raises((BadEnergy, BadArgument), match="an earlier call computed"):
        attempt(lambda y, x: (y - x).square().sum(-1), tmp_path / "a.onnx", **{what: keeping})


def test_what_a_decode_takes_from_the_energy_is_refused(tmp_path: Path) -> None:
    class Sneaky(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden: list[Tensor] = []

        def forward(self, y: Tensor, x: Tensor) -> Tensor:
            self.hidden[:] = [(y - x).mean(1, keepdim=True)]
            return (y - x).square().sum(-1)

        def decode(self, y: Tensor, x: Tensor) -> dict[str, Tensor]:
            return {"a": y + self.hidden[0].mean()}

    energy = Sneaky()
    with pytest.raises(BadEnergy, match="an earlier call computed"):
        attempt(energy, tmp_path / "a.onnx", decode=energy.decode)


# What an energy may keep


class LazyTable(nn.Module):
    """A table that depends on lengths alone, made at the first call."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.tables: dict[int, Tensor] = {}

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        if y.shape[1] not in self.tables:
            self.tables[y.shape[1]] = torch.arange(y.shape[1]) + x.new_ones(y.shape[1])
        return (self.layer(y) - self.tables[y.shape[1]] * x).square().sum(-1)


class Counting(nn.Module):
    """It counts its calls, and does nothing with the number."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.last: Tensor | None = None

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        self.calls += 1
        self.last = (y - x).detach()
        return (y - x).square().sum(-1)


def from_data() -> Callable[..., Tensor]:
    """What was computed from data before the export is a constant."""
    scale, shift = X.abs().max(), float(X.mean())
    return lambda y, x: (y - scale * x - shift).square().sum(-1)


@functools.cache
def weights(length: int) -> Tensor:
    return torch.linspace(0, 1, length)


@pytest.mark.parametrize(
    "make", [LazyTable, Counting, from_data, lambda: lambda y, x: (weights(4) * (y - x)).square().sum(-1)]
)
def test_constants_of_its_own_are_exported(make: Callable[[], Callable[..., Tensor]], tmp_path: Path) -> None:
    energy = make()
    attempt(energy, tmp_path / "a.onnx")
    session = ort.InferenceSession((tmp_path / "a.onnx").read_bytes())
    y, x = torch.randn(2, 2, 4)
    feeds = {"x": x.numpy(), "state.y": y.numpy(), "step_scale": np.zeros(2, np.float32)}
    (found,) = session.run(["energy"], feeds)
    np.testing.assert_allclose(found, energy(y, x).detach().numpy(), rtol=1e-5)
