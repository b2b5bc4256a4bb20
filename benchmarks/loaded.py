"""Artefacts loaded for benchmarks, and counts of the steps of their chains."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import groundstate as gs
from groundstate._catalog import locate


@dataclass(frozen=True)
class Model:
    """A loaded artefact, and the digest of its bytes, the key of its records."""

    solver: gs.Solver
    digest: str

    @classmethod
    def load(cls, name: str, threads: int | None = None) -> Model:
        """An installed model, or the path of an ``.onnx`` file."""
        data = (Path(name) if Path(name).suffix else locate(name)).read_bytes()
        return cls(gs.load(data, threads=threads), hashlib.sha256(data).hexdigest()[:16])

    @property
    def title(self) -> str:
        header = self.solver.header
        return f"{header.name} {header.version} ({self.digest})"


class Ledger:
    """Steps of all chains of each problem so far; a ``watch`` of `Solver.solve_many`."""

    def __init__(self, header: gs.Header) -> None:
        self._steps = header.steps
        self.updates: Counter[int] = Counter()

    def __call__(self, segment: gs.Segment) -> None:
        self.updates[segment.index] += segment.chains * self._steps
