"""More places to keep a computed value, more ways to take it out of a tensor, and both combined at random: none is written."""

from __future__ import annotations

import array
import builtins
import contextvars
import copy
import functools
import io
import json
import os
import pickle
import queue
import random
import tempfile
import weakref
from collections import ChainMap, UserDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from groundstate_export import BadEnergy, ExportError
from tests.export.test_kept import TAKES, WAYS, X, attempt, scaled

Take = Callable[[Tensor], Any]
Energy = Callable[..., Any]


def kept_by(read: Callable[[], Any], write: Callable[[Any], None], take: Take) -> Energy:
    """An energy that keeps a value with two functions; ``read`` returns None while there is none."""

    def energy(y: Tensor, x: Tensor) -> Tensor:
        if read() is None:
            write(take(x))
        return scaled(y, x, read())

    return energy


class CachedMethod(nn.Module):
    def __init__(self, take: Take) -> None:
        super().__init__()
        self.take, self.now = take, None

    @functools.cache  # noqa: B019
    def scale(self) -> Any:
        return self.take(self.now)

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        object.__setattr__(self, "now", x)
        return scaled(y, x, self.scale())


class CachedProperty:
    def __init__(self, take: Take) -> None:
        self.take, self.now = take, [X]

    @functools.cached_property
    def scale(self) -> Any:
        return self.take(self.now[0])

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        self.now[0] = x
        return scaled(y, x, self.scale)


class Registering(nn.Module):
    def __init__(self, take: Take, kind: str) -> None:
        super().__init__()
        self.take, self.kind = take, kind

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        if not hasattr(self, "memo"):
            value = torch.as_tensor(self.take(x), dtype=torch.float32).detach().clone()
            if self.kind == "buffer":
                self.register_buffer("memo", value)
            else:
                self.register_parameter("memo", nn.Parameter(value, requires_grad=False))
        return scaled(y, x, self.memo)


class Slotted:
    __slots__ = ("memo", "take")

    def __init__(self, take: Take) -> None:
        self.take, self.memo = take, None

    def __call__(self, y: Tensor, x: Tensor) -> Tensor:
        if self.memo is None:
            self.memo = self.take(x)
        return scaled(y, x, self.memo)


class Hooked(nn.Module):
    def __init__(self, take: Take) -> None:
        super().__init__()
        self.inner = nn.Identity()
        self.memo: list[Any] = []
        self.inner.register_forward_pre_hook(lambda _, args: self.memo or self.memo.append(take(args[0])))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        return scaled(y, self.inner(x), self.memo[0])


class Descriptor:
    memo: ClassVar[dict[int, Any]] = {}

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self.memo.get(0)

    def __set__(self, owner: Any, value: Any) -> None:
        self.memo[0] = value


class Described(nn.Module):
    scale = Descriptor()

    def __init__(self, take: Take) -> None:
        super().__init__()
        self.take = take
        Descriptor.memo.clear()

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        if self.scale is None:
            Descriptor.memo[0] = self.take(x)
        return scaled(y, x, self.scale)


def in_context(take: Take) -> Energy:
    variable: contextvars.ContextVar[Any] = contextvars.ContextVar("memo", default=None)
    return kept_by(variable.get, variable.set, take)


def in_reference(take: Take) -> Energy:
    held: list[Any] = []
    references: list[Any] = []

    class Box:
        value: Any

    def write(value: Any) -> None:
        held.append(Box())
        held[0].value = value
        references.append(weakref.ref(held[0]))

    return kept_by(lambda: references[0]().value if references else None, write, take)


def in_queue(take: Take) -> Energy:
    memo: queue.Queue[Any] = queue.Queue()

    def energy(y: Tensor, x: Tensor) -> Tensor:
        value = memo.get() if not memo.empty() else take(x)
        memo.put(value)
        return scaled(y, x, value)

    return energy


def in_iterator(take: Take) -> Energy:
    memo: Iterator[Any] = iter(())

    def energy(y: Tensor, x: Tensor) -> Tensor:
        nonlocal memo
        value = next(memo, None)
        value = take(x) if value is None else value
        memo = iter([value])
        return scaled(y, x, value)

    return energy


def in_mapping(kind: Callable[[], Any]) -> Callable[[Take], Energy]:
    def make(take: Take) -> Energy:
        memo = kind()
        return kept_by(lambda: memo.get("scale"), lambda value: memo.update(scale=value), take)

    return make


def in_numbers(take: Take) -> Energy:
    memo = array.array("d")
    return kept_by(lambda: memo[0] if memo else None, lambda value: memo.append(float(value)), take)


def in_bytes(take: Take) -> Energy:
    memo = io.BytesIO()

    def write(value: Any) -> None:
        torch.save(torch.as_tensor(value).detach(), memo)

    def read() -> Any:
        memo.seek(0)
        return torch.load(memo) if memo.getbuffer().nbytes else None

    return kept_by(read, write, take)


def in_pickle(take: Take) -> Energy:
    memo = bytearray()
    return kept_by(lambda: pickle.loads(bytes(memo)) if memo else None, lambda v: memo.extend(pickle.dumps(v)), take)


def in_environment(take: Take) -> Energy:
    os.environ.pop("GROUNDSTATE_MEMO", None)

    def write(value: Any) -> None:
        os.environ["GROUNDSTATE_MEMO"] = str(float(value))

    return kept_by(
        lambda: float(os.environ["GROUNDSTATE_MEMO"]) if "GROUNDSTATE_MEMO" in os.environ else None, write, take
    )


def in_file(take: Take) -> Energy:
    path = Path(tempfile.mkdtemp()) / "memo.json"
    return kept_by(
        lambda: json.loads(path.read_text()) if path.exists() else None,
        lambda value: path.write_text(json.dumps(float(value))) and None,
        take,
    )


def in_builtins(take: Take) -> Energy:
    builtins.__dict__.pop("_memo", None)
    return kept_by(lambda: builtins.__dict__.get("_memo"), lambda value: builtins.__dict__.update(_memo=value), take)


def in_class_of_a_function(take: Take) -> Energy:
    class Store:
        memo: Any = None

    return kept_by(lambda: Store.memo, lambda value: setattr(Store, "memo", value), take)


def in_another_thread(take: Take) -> Energy:
    memo: list[Any] = []

    def energy(y: Tensor, x: Tensor) -> Tensor:
        if not memo:
            with ThreadPoolExecutor(1) as pool:
                memo.append(pool.submit(take, x).result())
        return scaled(y, x, memo[0])

    return energy


def in_tensor_attribute(take: Take) -> Energy:
    anchor = torch.zeros(1)
    return kept_by(lambda: getattr(anchor, "memo", None), lambda value: setattr(anchor, "memo", value), take)


def in_running_mean(take: Take) -> Energy:
    memo = torch.zeros(())

    def energy(y: Tensor, x: Tensor) -> Tensor:
        memo.mul_(0.5).add_(0.5 * torch.as_tensor(take(x)).detach().float().reshape(-1)[0])
        return scaled(y, x, memo.clone())

    return energy


PLACES: dict[str, Callable[[Take], Energy]] = {
    "functools.cache on a method": CachedMethod,
    "a cached property": CachedProperty,
    "a buffer registered in a call": lambda take: Registering(take, "buffer"),
    "a parameter registered in a call": lambda take: Registering(take, "parameter"),
    "slots": Slotted,
    "a hook": Hooked,
    "a descriptor": Described,
    "a context variable": in_context,
    "a weak reference": in_reference,
    "a queue": in_queue,
    "an iterator": in_iterator,
    "a chain of maps": in_mapping(ChainMap),
    "a user's dict": in_mapping(UserDict),
    "an array of numbers": in_numbers,
    "bytes of torch.save": in_bytes,
    "a pickle": in_pickle,
    "the environment": in_environment,
    "a file": in_file,
    "builtins": in_builtins,
    "a class": in_class_of_a_function,
    "a list, from another thread": in_another_thread,
    "an attribute of a tensor": in_tensor_attribute,
    "a running mean": in_running_mean,
}

DETOURS: dict[str, Take] = {
    "a list of numbers": lambda x: torch.tensor([float(v) for v in x.reshape(-1)[:4]]).max(),
    "a storage": lambda x: float(x.contiguous().untyped_storage().tolist()[3]) / 50,
    "an array": lambda x: np.asarray(x.detach()).max().item(),
    "a memory view": lambda x: float(memoryview(x.detach().numpy())[0, 1]),
    "DLPack": lambda x: float(np.from_dlpack(x.detach()).max()),
    "a deep copy": lambda x: copy.deepcopy(x.detach()).max(),
    "text": lambda x: float(str(x.max().tolist())),
    "a format": lambda x: float(f"{x.max():.4f}"),
    "an index": lambda x: [2.0, 3.0, 4.0, 5.0][int(x[0].argmax())],
    "a comparison": lambda x: 3.0 if x.max() > 1 else 2.0,
    "a chain of `.data`": lambda x: x.data.abs().max(),
}


def test_there_are_more_than_forty_ways() -> None:
    assert len(WAYS) + len(PLACES) >= 40


@pytest.mark.parametrize("place", PLACES)
def test_a_number_that_is_kept_anywhere_is_never_written(place: str, tmp_path: Path) -> None:
    with pytest.raises(BadEnergy):
        attempt(PLACES[place](TAKES["a number"]), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", ["slots", "a context variable", "a queue", "a class", "a list, from another thread"])
def test_a_tensor_that_is_kept_anywhere_is_never_written(place: str, tmp_path: Path) -> None:
    with pytest.raises(BadEnergy):
        attempt(PLACES[place](TAKES["a tensor"]), tmp_path / "a.onnx")


@pytest.mark.parametrize("detour", DETOURS)
def test_a_value_that_is_taken_out_by_a_detour_is_never_written(detour: str, tmp_path: Path) -> None:
    for place in (WAYS["a module's list"], PLACES["a file"]):
        with pytest.raises(ExportError):
            attempt(place(DETOURS[detour]), tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def _fuzzed(seed: int, path: Path) -> None:
    """A random place, a random way to take a value, filled at a random call, mixed into the energy at random."""
    dice = random.Random(seed)
    make, take = dice.choice([*WAYS.values(), *PLACES.values()]), dice.choice([*TAKES.values(), *DETOURS.values()])
    inner = make(take)
    weight, calls, from_call = dice.choice([1.0, 0.1, 1e-2]), [0], dice.choice([0, 0, 1, 2])

    def energy(y: Tensor, x: Tensor) -> Tensor:
        calls[0] += 1
        kept = inner(y, x) if calls[0] > from_call else scaled(y, x, 1.0)
        return scaled(y, x, 1.0) + weight * kept

    with pytest.raises(ExportError):
        attempt(energy, path)
    assert not path.exists()


@pytest.mark.parametrize("seed", range(12))
def test_nothing_that_is_kept_at_random_is_written(seed: int, tmp_path: Path) -> None:
    _fuzzed(seed, tmp_path / "a.onnx")


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 500))
def test_nothing_that_is_kept_at_random_is_written_in_many_tries(seed: int, tmp_path: Path) -> None:
    _fuzzed(seed, tmp_path / "a.onnx")
