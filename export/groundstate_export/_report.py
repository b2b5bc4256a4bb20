"""The report of an export."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ExportReport:
    """The facts of an export.

    Attributes:
        path: The file.
        bytes: Its size.
        form: ``"unrolled"`` or ``"loop"``.
        steps: Updates in a segment.
        trace_every: The energy is recorded every this many updates.
        batch: The only batch size of the file; None for any.
        precision: ``"float32"`` or ``"float16"``.
        stages: The names of earlier stages.
        sizes: The sizes of each compared example by name, for a file of any size.
        nodes: Nodes in the graph; for a loop, including its body.
        nodes_a_step: Nodes that each step runs; if ``trace_every`` is above 1, in a step that records no energy.
        hoisted: Nodes that run once, because they do not depend on the state, by operator.
        tolerance: Relative error allowed.
        errors: Worst relative error of each output against PyTorch.
        judged: Outputs that were checked against float64 PyTorch, with the error of float32 PyTorch.
        batches: Batch sizes that were compared.
        seeds: Seeds that were compared.
        seconds: Time of each stage.
    """

    path: Path
    bytes: int
    form: str
    steps: int
    trace_every: int
    batch: int | None
    precision: str
    nodes: int
    nodes_a_step: int
    hoisted: dict[str, int] = field(default_factory=dict)
    tolerance: float = 1e-5
    errors: dict[str, float] = field(default_factory=dict)
    judged: dict[str, float] = field(default_factory=dict)
    batches: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    sizes: list[dict[str, int]] = field(default_factory=list)

    @property
    def worst(self) -> float:
        """The worst relative error of all outputs."""
        return max(self.errors.values(), default=0.0)

    @property
    def nodes_hoisted(self) -> int:
        """Nodes that run once, because they do not depend on the state."""
        return sum(self.hoisted.values())

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON values."""
        return asdict(self) | {"path": str(self.path), "worst": self.worst, "nodes_hoisted": self.nodes_hoisted}

    def facts(self) -> dict[str, str]:
        """The facts as lines of text, by heading."""
        batches, seeds = (", ".join(map(str, numbers)) for numbers in (self.batches, self.seeds))
        return {
            "file": f"{self.path}, {self.bytes:,} bytes",
            "form": f"{self._form}, {self.precision}, batch {self.batch or 'any'}{self._sizes}",
            "nodes": f"{self.nodes:,} ({self.nodes_a_step} a step)",
            "hoisted": self._hoisted,
            "parity": f"matches PyTorch at batches {batches} and seeds {seeds}",
            "worst": f"{self.worst:.1e} relative, tolerance {self.tolerance:.0e}",
        }

    def outputs(self) -> dict[str, str]:
        """The worst relative error of each output, by name."""

        def with_note(name: str, error: float) -> str:
            note = f" (against float64; float32 PyTorch {self.judged[name]:.1e})" if name in self.judged else ""
            return ("exact" if error == 0.0 else f"{error:.1e}") + note

        return {name: with_note(name, error) for name, error in self.errors.items()}

    def times(self) -> str:
        """The time of each stage, on one line."""
        stages = [f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items()]
        return ", ".join([*stages, f"in all {sum(self.seconds.values()):.1f} s"])

    @property
    def _form(self) -> str:
        steps = f"{self.steps} step" if self.steps == 1 else f"{self.steps} steps"
        reported = f", energy reported every {self.trace_every}" if self.trace_every > 1 else ""
        return f"{steps} unrolled{reported}" if self.form == "unrolled" else f"a loop of up to {steps} a segment"

    @property
    def _sizes(self) -> str:
        if not self.sizes:
            return ""
        lengths = (f"{name} {', '.join(str(one[name]) for one in self.sizes)}" for name in self.sizes[0])
        return f", any size (compared: {'; '.join(lengths)})"

    @property
    def _hoisted(self) -> str:
        if not self.hoisted:
            return "nothing: every node depends on the state"
        kinds = sorted(self.hoisted.items(), key=lambda kind: (-kind[1], kind[0]))
        run = "1 node runs once" if self.nodes_hoisted == 1 else f"{self.nodes_hoisted} nodes run once"
        return f"{run}: {', '.join(f'{count} {op}' for op, count in kinds)}"

    def __str__(self) -> str:
        lines = [f"{heading:<8} {text}" for heading, text in self.facts().items()]
        lines += [f"  {name:<22} {text}" for name, text in self.outputs().items()]
        return "\n".join([*lines, f"{'time':<8} {self.times()}"])
