"""Refuse values that an energy keeps from one call to the next: the file would contain the example's values.

Three independent tests look for them, because one missed value makes a wrong file:

1. *Tensors.* Every tensor that a call computes from its arguments is marked, wherever it is kept: in a module's list, a plain
   object, a closure, a global, an `lru_cache`. A later call that uses one is refused, and so is a captured constant.
2. *Numbers taken out of tensors* (``.item()``, ``float(x)``, ``.numpy()``) carry no mark. If a first call takes out more of
   them than the second, it keeps something.
3. *A twin*: a copy of the energy, with its own copies of all places to keep values, is first called at other values. If it
   then gives another energy at the example, the energy depends on earlier calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from groundstate_export._callers_code import current_place
from groundstate_export._errors import BadEnergy

_VALUELESS = frozenset({
    "zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "new_zeros", "new_ones",
    "new_full", "new_empty", "new_empty_strided",
})  # fmt: skip
"""Operators whose result depends only on the tensor's shape."""

_TAKING = frozenset({
    "item", "tolist", "numpy", "__array__", "__float__", "__int__", "__bool__", "__index__", "__complex__", "__dlpack__",
    "__deepcopy__", "__reduce_ex__", "__format__", "__repr__", "untyped_storage", "storage", "_typed_storage", "data_ptr",
})  # fmt: skip
"""Methods that take values out of a tensor and so lose the mark."""


class Kept:
    """The tensors that the calls of one energy computed from their arguments, and their use in later calls."""

    def __init__(self) -> None:
        # A weak reference keeps a storage's address from being used again, not its memory.
        self._marked: dict[int, tuple[StorageWeakRef, int]] = {}
        self._call = 0
        self.taken: list[str] = []
        self.used = ""

    @contextmanager
    def call(self, given: Iterable[Tensor]) -> Iterator[None]:
        """One call with these tensors as arguments.

        Raises:
            BadEnergy: It uses a tensor that an earlier call computed.
        """
        self._call += 1
        self.taken, self.used = [], ""
        for tensor in given:
            self.mark(tensor)
        with _Taking(self), _Marking(self):
            yield
        self._marked = {key: pair for key, pair in self._marked.items() if not pair[0].expired()}
        if self.used:
            raise BadEnergy(remembered(self.used))

    @property
    def place(self) -> str | None:
        """The place where the last call took a value out of a tensor; None if it took none."""
        return self.taken[0] if self.taken else None

    def mark(self, tensor: Tensor) -> None:
        """Mark a tensor as computed from this call's arguments."""
        if (storage := _storage(tensor)) is not None:
            reference = StorageWeakRef(storage)
            self._marked[reference.cdata] = (reference, self._call)

    def clear(self, tensor: Tensor) -> None:
        """Mark a tensor as independent of the call's arguments."""
        if (storage := _storage(tensor)) is not None:
            self._marked.pop(storage._cdata, None)  # noqa: SLF001  # a storage has no public identity

    def marked(self, tensor: Tensor) -> bool:
        """Whether a tensor was computed from a call's arguments."""
        storage = _storage(tensor)
        return storage is not None and storage._cdata in self._marked  # noqa: SLF001

    def earlier(self, tensor: Tensor) -> bool:
        """Whether a tensor was computed from an earlier call's arguments."""
        storage = _storage(tensor)
        pair = None if storage is None else self._marked.get(storage._cdata)  # noqa: SLF001
        return pair is not None and pair[1] < self._call


NOTHING_KEPT = "Keep nothing from one call to the next: compute it with tensors in every call, or pass it as an input."


def remembered(place: str) -> str:
    """The refusal of a function that keeps a computed value."""
    where = f" ({place})" if place else ""
    return (
        f"The energy uses a value that an earlier call computed from its inputs{where}, so the file would contain the "
        f"example's value. {NOTHING_KEPT}"
    )


def branching(place: str, what: str = "The energy") -> str:
    """The refusal of a function that reads values out of tensors."""
    where = f" ({place})" if place else ""
    return (
        f"{what} takes a value out of a tensor{where}, so its steps depend on the values of a tensor (an `if`, an `assert`, a "
        "`while`, `.item()`, `print`). A file cannot contain that; write it with `torch.where`, masks and sums instead."
    )


def _storage(tensor: Tensor) -> Any:
    try:
        with torch._C.DisableTorchFunction():  # noqa: SLF001  # it must not count as taking a value
            return tensor.untyped_storage()
    except (NotImplementedError, RuntimeError):  # a sparse tensor has none
        return None


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in an argument or a result: itself, or those of its lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))


class _Marking(TorchDispatchMode):
    """Marks all results of operators on marked tensors."""

    def __init__(self, kept: Kept) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own has no types
        self.kept = kept

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = list(tensors_in([list(args), kwargs or {}]))
        if not self.kept.used and any(map(self.kept.earlier, given)):
            self.kept.used = current_place() or "its place is not known"
        result = func(*args, **(kwargs or {}))
        name = func._schema.name.split("::")[-1]  # noqa: SLF001  # it has no public name
        changes = func._schema.is_mutable  # noqa: SLF001
        depends = name not in _VALUELESS and any(map(self.kept.marked, given))
        aliased = {s._cdata for t in given if (s := _storage(t)) is not None}  # noqa: SLF001
        for made in tensors_in(result):
            storage = _storage(made)
            if depends:
                self.kept.mark(made)
            elif not changes and storage is not None and storage._cdata not in aliased:  # noqa: SLF001
                self.kept.clear(made)
        if depends and changes and given:
            self.kept.mark(given[0])
        return result


class _Taking(TorchFunctionMode):
    """Counts the values that are taken out of marked tensors."""

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        self.kept = kept

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if (
            getattr(func, "__name__", "") in _TAKING
            and args
            and isinstance(args[0], Tensor)
            and self.kept.marked(args[0])
        ):
            self.kept.taken.append(current_place())
        return func(*args, **(kwargs or {}))
