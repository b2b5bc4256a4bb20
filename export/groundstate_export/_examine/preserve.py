"""Restore the caller's modules and random numbers."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class _Kept:
    tensor: Tensor
    value: Tensor
    needs_gradient: bool
    gradient: Tensor | None

    @classmethod
    def of(cls, tensor: Tensor) -> _Kept:
        return cls(tensor, tensor.detach().clone(), tensor.requires_grad, tensor.grad if tensor.is_leaf else None)

    @property
    def changed(self) -> bool:
        return not _same(self.tensor, self.value)

    def restore(self) -> None:
        if self.changed:
            with torch.no_grad():
                self.tensor.copy_(self.value)
        if self.tensor.is_leaf:
            if self.tensor.requires_grad != self.needs_gradient:
                self.tensor.requires_grad_(self.needs_gradient)
            self.tensor.grad = self.gradient


class Snapshot:
    """A copy of modules: their attributes, and the values of their parameters and buffers.

    Args:
        modules: The modules, with all their submodules.
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        self._modules = list({id(m): m for module in modules for m in module.modules()}.values())
        self._attributes = [
            {name: value.copy() if isinstance(value, dict) else value for name, value in vars(module).items()}
            for module in self._modules
        ]
        self._tensors = {
            name: _Kept.of(tensor)
            for module in modules
            for name, tensor in (*module.named_parameters(), *module.named_buffers())
        }

    def changed(self) -> str | None:
        """The name of a parameter or buffer that changed, or None."""
        for name, kept in self._tensors.items():
            if kept.changed:
                return name
        for module, before in zip(self._modules, self._attributes, strict=True):
            for name, buffer in module._buffers.items():  # noqa: SLF001  # a replaced buffer has no public trace
                old = before["_buffers"].get(name)
                if buffer is not old and not _same(buffer, old):
                    return name
        return None

    def restore(self) -> None:
        """Restore everything."""
        for module, before in zip(self._modules, self._attributes, strict=True):
            for name in set(vars(module)) - set(before):
                del vars(module)[name]
            for name, value in before.items():
                now = vars(module).get(name)
                if isinstance(value, dict) and isinstance(now, dict):
                    if now.keys() != value.keys() or any(now[k] is not value[k] for k in value):
                        now.clear()
                        now.update(value)
                elif now is not value:
                    vars(module)[name] = value
        for kept in self._tensors.values():
            kept.restore()


def _same(one: Tensor | None, two: Tensor | None) -> bool:
    if one is None or two is None:
        return one is two
    if one.is_meta or two.is_meta:
        return one.is_meta and two.is_meta
    return one.shape == two.shape and torch.equal(one.detach().nan_to_num(), two.detach().nan_to_num())


@contextlib.contextmanager
def preserved(modules: Iterable[nn.Module]) -> Iterator[None]:
    """On leaving, undo all changes to the modules and to the random number generators."""
    snapshot = Snapshot(list(modules))
    own, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  # what energies draw from
    try:
        with torch.random.fork_rng(devices=[]), torch.inference_mode(mode=False):
            yield
    finally:
        random.setstate(own)
        np.random.set_state(legacy)  # noqa: NPY002
        snapshot.restore()
