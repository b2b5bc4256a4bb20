"""Copies of callables: one that shares only its weights with the original, and one in another dtype."""

from __future__ import annotations

import copy
import functools
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def twin(value: Any) -> Any:
    """A copy of a callable that shares its weights, but no place in which it could keep other values.

    A function gets copies of its closure, of its default arguments, and of the globals that it names. A module or an
    object gets copies of its attributes. Whatever cannot be copied is shared.
    """
    return _Copier().copy(value)


def in_dtype(value: Any, dtype: torch.dtype) -> Any:
    """A copy of a callable with its modules and tensors in another floating-point dtype, as far as they can be found."""
    return _Copier(dtype).copy(value)


class _Copier:
    """Copies callables.

    Args:
        dtype: The dtype of the copy's floating-point tensors, which are then copied too; None to share them.
    """

    def __init__(self, dtype: torch.dtype | None = None) -> None:
        self.dtype = dtype
        self.memo: dict[int, Any] = {}
        self.alive: list[Any] = []

    def copy(self, value: Any) -> Any:
        if id(value) in self.memo:
            return self.memo[id(value)]
        self.alive.append(value)  # an id is valid only while its value is alive
        if isinstance(value, types.FunctionType):
            return self.function(value)
        if isinstance(value, types.MethodType):
            return types.MethodType(self.copy(value.__func__), self.copy(value.__self__))
        if isinstance(value, functools.partial):
            return functools.partial(self.copy(value.func), *map(self.copy, value.args), **self.named(value.keywords))
        if hasattr(value, "cache_parameters") and hasattr(value, "__wrapped__"):
            parameters = value.cache_parameters()
            return functools.lru_cache(parameters["maxsize"], parameters["typed"])(self.copy(value.__wrapped__))
        if isinstance(value, Tensor):
            return value.to(self.dtype) if self.dtype is not None and value.is_floating_point() else value
        if isinstance(value, (type, types.ModuleType, types.BuiltinFunctionType)):
            return value
        return self.other(value) if self.dtype is None else self.converted(value)

    def named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.copy(value) for name, value in values.items()}

    def other(self, value: Any) -> Any:
        """A deep copy of a module, an object or a container; weights are shared."""
        if _foreign(type(value)) and not isinstance(value, nn.Module):
            return value
        if isinstance(value, nn.Module):
            held = [t for module in value.modules() for t in vars(module).values() if isinstance(t, Tensor)]
            self.memo |= {id(t): t for t in (*value.parameters(), *value.buffers(), *held)}
        try:
            return copy.deepcopy(value, self.memo)
        except Exception:  # noqa: BLE001  # whatever cannot be copied is shared
            self.memo[id(value)] = value
            return value

    def converted(self, value: Any) -> Any:
        """A module, an object or a container in the other dtype."""
        made: Any = value
        if isinstance(value, nn.Module):
            made = copy.deepcopy(value).to(self.dtype)
            for module in made.modules():
                for name, held in list(vars(module).items()):
                    if isinstance(held, (Tensor, types.FunctionType, types.MethodType, functools.partial)):
                        object.__setattr__(module, name, self.copy(held))
        elif type(value) in {list, tuple}:
            made = type(value)(map(self.copy, value))
        elif type(value) is dict:
            made = self.named(value)
        elif getattr(value, "__dict__", None) and not _foreign(type(value)):
            return self.plain_object(value)
        self.memo[id(value)] = made
        return made

    def plain_object(self, value: Any) -> Any:
        """A plain object with its attributes in the other dtype."""
        try:
            made = copy.copy(value)
        except Exception:  # noqa: BLE001  # whatever cannot be copied is shared
            made = value
        self.memo[id(value)] = made
        if made is not value:
            for name, held in list(vars(value).items()):
                object.__setattr__(made, name, self.copy(held))
        return made

    def function(self, function: types.FunctionType) -> Any:
        cells = tuple(types.CellType() for _ in function.__closure__ or ())
        names = set(_names(function.__code__)) & function.__globals__.keys()
        # A library function keeps its globals: only the caller's own code is copied.
        file = function.__code__.co_filename
        own = "site-packages" not in file and "dist-packages" not in file
        scope = dict(function.__globals__) if own else function.__globals__
        made = types.FunctionType(function.__code__, scope, function.__name__, None, cells or None)
        self.memo[id(function)] = made
        if not own:
            made.__defaults__, made.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
        else:
            made.__defaults__ = None if function.__defaults__ is None else tuple(map(self.copy, function.__defaults__))
            made.__kwdefaults__ = function.__kwdefaults__ and self.named(function.__kwdefaults__)
            scope |= {name: self.copy(function.__globals__[name]) for name in names}
        made.__dict__ |= self.named(function.__dict__) if own else function.__dict__
        for cell, original in zip(cells, function.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self.copy(original.cell_contents)
            except ValueError:  # it is empty
                continue
        return made


def _foreign(kind: type) -> bool:
    """Whether a class belongs to an installed package. Such objects may be large, and energies keep no values in them."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)
