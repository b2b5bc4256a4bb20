"""The elements of the learned molecular potential, and the inputs of its energy for a molecule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ELEMENTS: Final = ("H", "C", "N", "O")
"""The elements that the potential knows, in its order."""


def inputs_of(symbols: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The inputs of one molecule without the batch: see `ani.AniEnergy`. The start is not among them.

    Raises:
        ValueError: If the potential does not know an element.
    """
    for k, symbol in enumerate(symbols):
        if symbol not in ELEMENTS:
            raise ValueError(f"Atom {k} is {symbol!r}; the potential knows {', '.join(ELEMENTS)}.")
    kind = np.array([[float(symbol == element) for element in ELEMENTS] for symbol in symbols], np.float32)
    found: dict[str, NDArray[Any]] = {"kind": kind}
    for element in ELEMENTS:
        index = [k for k, symbol in enumerate(symbols) if symbol == element]
        found[f"{element}_atom"] = np.array(index or [0], np.int64)
        found[f"{element}_there"] = np.array([1.0] * len(index) or [0.0], np.float32)
    return found
