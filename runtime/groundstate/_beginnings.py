"""How chains begin: their first state and their first noise. The first chains of a seed are remembered.

Most calls use the same seed, and the draws for the first chains take longer than the rest of the work around an easy problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._header import Header
from groundstate._session import Tensors

_MOST_BYTES = 1 << 18
"""Beginnings larger than this are not remembered: their segments take much longer than their draws."""

_MOST = 64
"""Number of beginnings that are remembered."""

Streams = list[Mapping[str, Any]]
"""The state of each random generator of a chain."""

Key = tuple[int, int, int, int]
"""Number of the header, seed, number of the first chain, and number of chains."""


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """The first chains of a problem. Nobody changes the arrays.

    Attributes:
        state: Their first state, one row for each chain.
        noise: The noise of their first segment.
        streams: Their random generators after these draws.
    """

    state: Tensors
    noise: Tensors
    streams: list[Streams]


_KNOWN: dict[Key, Beginning] = {}


def remembered(key: Key) -> Beginning | None:
    """The beginning of this header, seed and chains, if it is known."""
    return _KNOWN.get(key)


def remember(key: Key, state: Tensors, noise: Tensors, generators: list[list[np.random.Generator]]) -> None:
    """Keep a beginning, unless it is large."""
    if sum(tensor.nbytes for tensor in (*state.values(), *noise.values())) > _MOST_BYTES:
        return
    streams: list[Streams] = [[one.bit_generator.state for one in some] for some in generators]
    if len(_KNOWN) >= _MOST:
        _KNOWN.clear()  # which is safe beside other threads, unlike choosing one of them
    _KNOWN[key] = Beginning(state, noise, streams)


def continued(streams: Streams) -> list[np.random.Generator]:
    """Random generators that go on from these states."""
    generators = []
    for stream in streams:
        bits = np.random.SFC64(_ANY)
        bits.state = stream  # type: ignore[assignment]  # NumPy's stubs lack the states of this one
        generators.append(np.random.Generator(bits))
    return generators


class Words(np.random.bit_generator.ISeedSequence):
    """Seed words for a bit generator. Making a `SeedSequence` takes longer than the draws of most chains."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        """Return the words."""
        del n_words, dtype
        return self._words


_ANY: Any = Words(np.zeros(3, np.uint64))


def first_states(header: Header, generators: list[list[np.random.Generator]]) -> Tensors:
    """The first state of chains, one row for each, as the header specifies; each chain draws from its first generator."""
    count = len(generators)
    state: Tensors = {}
    for name, spec in header.state.items():
        initial = spec.initial
        if initial.kind == "constant":
            state[name] = np.full((count, *spec.shape), initial.values[0], spec.dtype)
        elif initial.kind == "normal" and spec.shape:
            drawn = np.empty((count, *spec.shape), np.float32)
            for row, (first, *_) in enumerate(generators):
                first.standard_normal(dtype=np.float32, out=drawn[row])
            drawn *= np.float32(initial.values[1])
            drawn += np.float32(initial.values[0])
            state[name] = drawn.astype(spec.dtype, copy=False)
        else:
            state[name] = np.empty((count, *spec.shape), spec.dtype)
            for row, (first, *_) in enumerate(generators):
                state[name][row] = initial.draw(first, spec.shape, spec.dtype)
    return state
