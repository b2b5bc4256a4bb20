"""Options and raw tensors that callers pass: in range and of the right shape, or refused with what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from groundstate._errors import Fault, OptionError, RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from groundstate._header import Spec
    from groundstate._session import Tensors


def whole(name: str, value: float, least: int, most: int | None = None) -> int:
    """A whole number in range, or an `OptionError`."""
    counts = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not counts or value < least or (most is not None and value > most):
        upper = "" if most is None else f" and at most {most}"
        raise OptionError(f"{name} is {value!r}; it must be a whole number of at least {least}{upper}.")
    return int(value)


def mapping(place: str, value: object) -> None:
    """Refuse what is no mapping from names to tensors with a `RequestError`."""
    if not isinstance(value, Mapping):
        raise RequestError([Fault(place, f"This is of type {type(value).__name__}; it must map names to arrays.")])


def batch_of(inputs: Mapping[str, NDArray[Any]], most: int) -> int:
    """The first axis that all inputs share, or a `RequestError`."""
    sizes = {name: np.shape(tensor)[:1] for name, tensor in inputs.items()}
    if len(set(sizes.values())) != 1 or () in sizes.values() or (0,) in sizes.values():
        told = ", ".join(f"{name}: {np.shape(tensor)}" for name, tensor in inputs.items()) or "none"
        wanted = "All inputs need the same first axis, the batch, of at least 1"
        raise RequestError([Fault("inputs", f"{wanted}; their shapes are {told}.")])
    batch = int(next(iter(sizes.values()))[0])
    if batch > most:
        raise RequestError([Fault("inputs", f"The batch is {batch}; this artefact allows at most {most}.")])
    return batch


def named(place: str, given: Mapping[str, NDArray[Any]], specs: Mapping[str, Spec]) -> None:
    """Refuse tensors that the header does not name, and missing ones, with a `RequestError`."""
    known = ", ".join(specs) or "none"
    faults = [
        Fault(f"{place}.{name}", f"This is {'missing' if name in specs else 'unknown'}; the tensors are {known}.")
        for name in sorted(set(specs) ^ set(given))
    ]
    if faults:
        raise RequestError(faults)


def fitting(place: str, given: Mapping[str, NDArray[Any]], specs: Mapping[str, Spec], batch: int) -> Tensors:
    """The tensors, contiguous, if their names, dtypes and shapes are those of the header; else a `RequestError`."""
    named(place, given, specs)
    faults = []
    for name in sorted(specs):
        tensor, shape = np.asarray(given[name]), (batch, *specs[name].shape)
        if tensor.dtype != specs[name].dtype or tensor.shape != shape:
            wanted = f"it must be {specs[name].dtype} of shape {shape}"
            faults.append(Fault(f"{place}.{name}", f"This is {tensor.dtype} of shape {tensor.shape}; {wanted}."))
    if faults:
        raise RequestError(faults)
    return {name: np.ascontiguousarray(given[name]) for name in specs}


def misshapen(place: str, shape: tuple[int, ...], spec: Spec) -> list[Fault]:
    """What is wrong with the shape of a tensor without the batch: nothing, or a fault. Any length fits one that is a size."""
    wanted = spec.told
    if len(shape) == len(wanted) and all(isinstance(w, str) or w == n for w, n in zip(wanted, shape, strict=True)):
        return []
    return [Fault(place, f"This has shape {shape}; it must be {spec.text}.")]


def within(place: str, error: RequestError) -> RequestError:
    """The same faults, in a part of what the caller gave."""
    return RequestError([Fault(f"{place}.{fault.place}".rstrip("."), fault.message) for fault in error.faults])
