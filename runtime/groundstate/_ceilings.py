"""The host's ceilings: what a file cannot lift, and a caller can."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from groundstate._arguments import whole
from groundstate._errors import ArtefactError, OptionError
from groundstate._gate import Limits
from groundstate._header import KEY, Header
from groundstate._request import MOST_VALUES

_LEAST_ROWS = 16
"""Rows for which a problem of varying size must have memory: the fewest that are in flight together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """Limits for any artefact on this host. A file states its own limits; the lower of both counts.

    Attributes:
        restarts: Chains of one problem.
        max_steps: Steps of one chain.
        batch: Rows of `Solver.minimise`.
        memory: Bytes of the tensors of all rows of one problem, as they pass between segments. ONNX Runtime takes more within
            a run, whose rows are few.
        values: Values in a request or an answer, such as the cells of a grid; more if the model's own tensors have more elements.
        header: Bytes of the header's text.
        metadata: Bytes of all metadata, with the header, the checker and the graphs of earlier stages.
        file: Bytes of the file.
        files: Whether a request may name files of this host for a task to read, such as pictures. Servers for other machines
            refuse it.
    """

    restarts: int = 1 << 16
    max_steps: int = 1 << 22
    batch: int = 1 << 20
    memory: int = 2 << 30
    values: int = MOST_VALUES
    header: int = 4 << 20
    metadata: int = 16 << 20
    file: int = 1 << 30
    files: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.files, bool):
            raise OptionError(f"ceilings.files is {self.files!r}; it must be True or False.")
        for field in fields(self):
            if field.name == "files":
                continue
            whole(f"ceilings.{field.name}", getattr(self, field.name), 1)

    @property
    def of_gate(self) -> Limits:
        """The limits of the gate."""
        return Limits(file=self.file, metadata=self.metadata)

    def hold_size(self, metadata: Mapping[str, str], source: str) -> None:
        """Refuse a header that is too long, before it is parsed."""
        length = len(metadata.get(KEY, ""))
        if length > self.header:
            raise ArtefactError(
                f"{source} has a header of {length:,} characters; at most {self.header:,} are accepted."
            )

    def lowered(self, header: Header) -> Header:
        """The header with its limits and defaults at most at these ceilings.

        Raises:
            ArtefactError: If one chain takes more than the memory.
        """
        most: dict[str, int] = {"restarts": self.restarts, "max_steps": self.max_steps, "batch": self.batch}
        if header.sizes:
            most["elements"] = self.memory // (8 * _LEAST_ROWS)
        else:
            row = bytes_of_row(header)
            if row > self.memory:
                raise ArtefactError(
                    f"One chain of the artefact {header.name!r:.80} takes {row:,} bytes; at most {self.memory:,} are accepted."
                )
            rows = self.memory // max(row, 1)
            most |= {"restarts": min(self.restarts, rows), "batch": min(self.batch, rows)}
        limits: dict[str, int] = {name: min(value, most.get(name, value)) for name, value in header.limits.items()}
        defaults: dict[str, Any] = dict(header.defaults)
        for name in ("restarts", "max_steps"):
            defaults[name] = min(defaults[name], limits[name])
        return replace(header, limits=limits, defaults=defaults, files=self.files)


def bytes_of_row(header: Header) -> int:
    """Bytes of all inputs and outputs of a row, in the largest stage."""
    parts = [*(stage.header for stage in header.stages), header]
    return max(_bytes(part) for part in parts)


def _bytes(header: Header) -> int:
    given = ((dtype, shape[1:]) for dtype, shape in header.graph_inputs.values() if shape)
    made = ((dtype, shape) for dtype, shape in header.graph_outputs.values())
    recorded = len(header.traced) * (8 + sum(s.dtype.itemsize * math.prod(s.shape) for s in header.answers.values()))
    return recorded + sum(
        dtype.itemsize * math.prod(int(n) for n in shape) for group in (given, made) for dtype, shape in group
    )
