"""Import modules from a checkout, and forget them afterwards: two repositories may both have a module ``models``."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import nn


class _Unused(type):
    """Its classes answer any attribute, so that a file that imports what it does not run can be imported."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls


class _Nothing(nn.Module, metaclass=_Unused):
    def __init__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("A stand-in for a package that is not installed was used, not only imported.")


class _StandIn(types.ModuleType):
    __path__: ClassVar[list[str]] = []
    __version__ = "0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing


class Checkout:
    """A repository's folder, importable inside a ``with`` block.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Self:
        self._modules, self._path = dict(sys.modules), list(sys.path)
        self._provided: set[str] = set()
        return self

    def __exit__(self, *_: object) -> None:
        for name in (set(sys.modules) - set(self._modules)) | self._provided:
            module = sys.modules[name]
            from_here = str(self.folder) in str(getattr(module, "__file__", None) or "")
            if from_here or name in self._provided:
                del sys.modules[name]
        for name in set(self._modules) - set(sys.modules):
            sys.modules[name] = self._modules[name]
        sys.path[:] = self._path

    def unused(self, *names: str) -> None:
        """Let packages be imported that are not installed and whose code the energy does not run.

        A Lightning module is then a plain ``torch.nn.Module``.
        """
        for name in names:
            stand_in = _StandIn(name)
            stand_in.__spec__ = importlib.machinery.ModuleSpec(name, None)
            if name == "pytorch_lightning":
                stand_in.LightningModule = nn.Module  # type: ignore[attr-defined]
            self._add(name, stand_in)

    def provide(self, name: str, **attributes: Any) -> None:
        """Let a package be imported, with these attributes."""
        module = types.ModuleType(name)
        vars(module).update(attributes)
        module.__path__ = []
        self._add(name, module)

    def package(self, name: str, folder: str) -> None:
        """Let the modules of a package be imported without its ``__init__``, which imports more than the energy needs."""
        for installed in [m for m in sys.modules if m.startswith(name + ".")]:
            if installed not in self._provided:
                del sys.modules[installed]
        module = types.ModuleType(name)
        module.__path__ = [str(self.folder / folder)]
        self._add(name, module)

    def _add(self, name: str, module: types.ModuleType) -> None:
        sys.modules[name] = module
        self._provided.add(name)
        parent, _, child = name.rpartition(".")
        if parent in self._provided:
            setattr(sys.modules[parent], child, module)

    def load(self, name: str, root: str = "") -> Any:
        """Import a module of the repository.

        Args:
            name: Its dotted name.
            root: The folder inside the checkout that its name starts from.
        """
        if not self.folder.is_dir():
            raise FileNotFoundError(f"no checkout at {self.folder}")
        sys.path.insert(0, str(self.folder / root))
        importlib.invalidate_caches()
        return importlib.import_module(name)
