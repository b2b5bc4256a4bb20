"""Run chains of many candidates at once through one exported file, to evaluate the candidates of an evolution."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import groundstate as gs

ROWS = 2048
"""Most rows of one call of the file, which bounds the memory."""

Array = NDArray[Any]


def row_file(arguments: Mapping[str, Any]) -> bytes:
    """Export a file for `RowSearch`, and return its bytes.

    Args:
        arguments: The arguments of `groundstate_export.export`, except the path. A segment has as many steps as a period of the
            noise.
    """
    from groundstate_export import export

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.onnx"
        export(**arguments, path=path)
        return path.read_bytes()


class RowSearch:
    """An exported file with the energy's input ``numbers``: a row of learned numbers for every chain.

    The state is one tensor ``y``. Chains start from normal noise of a learned size. The rule is `RowBreakout`.

    Args:
        file: Bytes of a file made by `row_file`.
        threads: Number of threads for the rows.
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
        """Run one chain per row, each until its answer.

        Args:
            inputs: The energy's inputs, ``numbers`` among them, ``(rows, …)`` each.
            shape: Shape of a chain's state ``y``.
            start: Standard deviation of each chain's initial state, ``(rows,)``.
            most: Largest number of steps of each chain, ``(rows,)``; whole segments.
            draws: Chains with the same number (from 0) get the same start (up to its size), temperature and noise, ``(rows,)``,
                so that candidates are compared with the same draws.
            temperature: Range of the chains' temperatures.
            seed: Seed of every draw.

        Returns:
            The steps until the answer of each chain passed every check, tested after every segment; 0 for never, ``(rows,)``
            int64.
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
        """Run one segment; returns the rows with an answer, and the next state."""
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
