"""Read the result of an energy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


def named_terms(result: Tensor | Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An energy's result as named terms; a single tensor is the term ``energy``."""
    return {"energy": result} if isinstance(result, Tensor) else dict(result)


def total(terms: Mapping[str, Tensor]) -> Tensor:
    """The energy, ``(batch,)``."""
    first, *rest = terms.values()
    for term in rest:
        first = first + term
    return first


def squared_norm(tensors: Iterable[Tensor]) -> Tensor:
    """The squared Euclidean norm over all the tensors of a chain, ``(batch,)``."""
    first, *rest = [(t * t).flatten(1).sum(1) if t.dim() > 1 else t * t for t in tensors]
    for square in rest:
        first = first + square
    return first


def norm(tensors: Iterable[Tensor]) -> Tensor:
    """The Euclidean norm over all the tensors of a chain, ``(batch,)``. Its own gradient at 0 is not finite."""
    return torch.sqrt(squared_norm(tensors))
