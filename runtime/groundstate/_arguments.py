"""Checks options and tensors that callers pass: range, type and shape."""

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
    """Raise a `RequestError` unless the value is a mapping from names to tensors."""
    if not isinstance(value, Mapping):
        raise RequestError([Fault(place, f"This is of type {type(value).__name__}; it must map names to arrays.")])


def batch_of(place: str, given: Mapping[str, Any], specs: Mapping[str, Spec], most: int) -> int:
    """The first axis that all tensors share, or a `RequestError`."""
    shapes = {name: _shape(f"{place}.{name}", tensor) for name, tensor in given.items()}
    bare = [
        Fault(
            f"{place}.{name}",
            f"This has shape {shape}, without the batch; add a first axis for it, of length 1 for one problem.",
        )
        for name, shape in shapes.items()
        if name in specs and len(shape) == len(specs[name].lengths)
    ]
    if bare:
        raise RequestError(bare)
    sizes = {shape[:1] for shape in shapes.values()}
    if len(sizes) != 1 or () in sizes or (0,) in sizes:
        listed = ", ".join(f"{name}: {shape}" for name, shape in shapes.items()) or "none"
        wanted = (
            f"All {'inputs' if place == 'inputs' else 'tensors'} need the same first axis, the batch, of at least 1"
        )
        raise RequestError([Fault(place, f"{wanted}; their shapes are {listed}.")])
    (batch,) = next(iter(sizes))
    if batch > most:
        raise RequestError([Fault(place, f"The batch is {batch}; this artefact allows at most {most}.")])
    return int(batch)


def _shape(place: str, value: Any) -> tuple[int, ...]:
    try:
        return np.shape(value)
    except ValueError:
        raise RequestError([Fault(place, "This is not an array: its rows have different lengths.")]) from None


def named(place: str, given: Mapping[str, NDArray[Any]], specs: Mapping[str, Spec]) -> None:
    """Raise a `RequestError` for tensors that are missing or not in the header."""
    known = ", ".join(specs) or "none"
    faults = [
        Fault(f"{place}.{name}", f"This is {'missing' if name in specs else 'unknown'}; the tensors are {known}.")
        for name in sorted(set(specs) ^ set(given))
    ]
    if faults:
        raise RequestError(faults)


def fitting(place: str, given: Mapping[str, Any], specs: Mapping[str, Spec], batch: int) -> Tensors:
    """The tensors, contiguous, if their names and shapes are those of the header; else a `RequestError`.

    Lists are accepted, and other dtypes if the conversion changes no number except by floating-point rounding.
    """
    named(place, given, specs)
    faults, tensors = [], {}
    for name in sorted(specs):
        tensor, spec, shape = np.asarray(given[name]), specs[name], (batch, *specs[name].shape)
        converted = _converted(tensor, spec.dtype)
        if converted is None or tensor.shape != shape:
            wanted = f"it must be {spec.dtype} of shape {shape}"
            faults.append(Fault(f"{place}.{name}", f"This is {tensor.dtype} of shape {tensor.shape}; {wanted}."))
        else:
            tensors[name] = np.ascontiguousarray(converted)
    if faults:
        raise RequestError(faults)
    return {name: tensors[name] for name in specs}


def _converted(tensor: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Convert a tensor to another dtype; None if that would change its numbers."""
    if tensor.dtype == dtype:
        return tensor
    if tensor.dtype.kind not in "iuf" or dtype.kind not in "iuf":
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        converted = tensor.astype(dtype)
    if dtype.kind == "f":
        lost = ~np.isfinite(converted) & np.isfinite(tensor)
        return None if lost.any() else converted
    return converted if np.array_equal(converted, tensor) else None


def misshapen(place: str, shape: tuple[int, ...], spec: Spec) -> list[Fault]:
    """Check the shape of a tensor without the batch axis. Returns at most one fault. A named size matches any length."""
    wanted = spec.lengths
    if len(shape) == len(wanted) and all(isinstance(w, str) or w == n for w, n in zip(wanted, shape, strict=True)):
        return []
    return [Fault(place, f"This has shape {shape}; it must be {spec.text}.")]


def within(place: str, error: RequestError) -> RequestError:
    """The same faults, with places under a prefix."""
    return RequestError([Fault(f"{place}.{fault.place}".rstrip("."), fault.message) for fault in error.faults])
