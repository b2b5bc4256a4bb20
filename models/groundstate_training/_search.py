"""Chains of many candidates at once, through one exported file: what an evolution evaluates its candidates with."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import groundstate as gs

ROWS = 2048
"""Rows that are handed to the file in one call; memory is bounded by it."""

Array = NDArray[Any]


def row_file(arguments: Mapping[str, Any]) -> bytes:
    """Export a file for `RowSearch`, and return its bytes.

    Args:
        arguments: What `groundstate_export.export` takes, but for the path. The file has as many updates in a segment as its
            noise has in a period.
    """
    from groundstate_export import export

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.onnx"
        export(**arguments, path=path)
        return path.read_bytes()


class RowSearch:
    """An exported file whose energy takes ``numbers``, a row of learned numbers for every chain.

    The state is one tensor ``y``, whose chains start from normal noise of a learned size, and the rule is `RowBreakout`.

    Args:
        file: Of `row_file`.
        threads: Rows are spread over as many.
    """

    def __init__(self, file: bytes, threads: int) -> None:
        self._solver = gs.load(file, threads=threads)
        header = self._solver.header
        self.segment = header.steps
        self._slots = header.noise["y"].shape[0]
        self._limit = min(ROWS, int(header.limits["batch"]))

    def first_answers(
        self,
        inputs: Mapping[str, Array],
        shape: tuple[int, ...],
        *,
        start: Array,
        most: Array,
        draws: Array,
        temperature: tuple[float, float],
        seed: int,
    ) -> Array:
        """Descend one chain a row, each until it has an answer.

        Args:
            inputs: The energy's inputs, ``numbers`` among them, ``(rows, …)`` each.
            shape: Of a chain's state ``y``.
            start: Standard deviation of the state that each chain starts from, ``(rows,)``.
            most: Updates that each chain may make, ``(rows,)``; whole segments.
            draws: Chains with the same number, from 0 on, get the same start (but for its size), temperature and noise,
                ``(rows,)``: so candidates are compared by the same draw.
            temperature: Range of the chains' temperatures.
            seed: Decides every draw.

        Returns:
            The updates after which the answer of each chain passed every check, looked at after every segment; 0 for never,
            ``(rows,)`` int64.
        """
        random = np.random.default_rng(seed)
        count = int(draws.max(initial=-1)) + 1
        normal = random.standard_normal((count, *shape), np.float32)
        heat = random.uniform(*temperature, count).astype(np.float32)
        found, alive = np.zeros(len(draws), np.int64), np.arange(len(draws))
        state: dict[str, Array] = {
            "y": start.astype(np.float32).reshape(-1, *(1,) * len(shape)) * normal[draws],
            "y.temperature": heat[draws],
        }
        made = 0
        while len(alive):
            noise = random.standard_normal((count, self._slots, *shape), np.float32)
            hit, state = self._advanced(inputs, state, alive, noise, draws)
            made += self.segment
            found[alive[hit]] = made
            left = ~hit & (most[alive] > made)
            alive, state = alive[left], {name: tensor[left] for name, tensor in state.items()}
        return found

    def _advanced(
        self, inputs: Mapping[str, Array], state: Mapping[str, Array], alive: Array, noise: Array, draws: Array
    ) -> tuple[Array, dict[str, Array]]:
        """One segment: which rows have an answer, and the next state."""
        hits, parts = [], []
        for first in range(0, len(alive), self._limit):
            rows = alive[first : first + self._limit]
            out = self._solver.minimise(
                {name: tensor[rows] for name, tensor in inputs.items()},
                {name: tensor[first : first + self._limit] for name, tensor in state.items()},
                noise={"y": noise[draws[rows]]},
            )
            hits.append(out["violations"].sum(1) == 0)
            parts.append({name.removeprefix("next."): x for name, x in out.items() if name.startswith("next.")})
        return np.concatenate(hits), {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
