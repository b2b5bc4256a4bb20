"""The exporter: ``examine → differentiate (capture) → lower → optimise → unroll → verify → write``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from groundstate_export.arguments import destination, examples, modules_of
from groundstate_export.differentiate import differentiate
from groundstate_export.draft import Decode, Draft, Embed, Energy
from groundstate_export.examine import examine
from groundstate_export.initial import Initial
from groundstate_export.preserve import preserved
from groundstate_export.rules import Rule
from groundstate_export.tool import Tool
from groundstate_export.unroll import lower_all, optimise_all, unroll
from groundstate_export.verify import verify
from groundstate_export.write import header_of, model_of, write


@dataclass(frozen=True)
class ExportReport:
    """What an export made.

    Attributes:
        path: The file.
        bytes: Its size.
        steps: Updates in a segment.
        nodes: Nodes in the graph.
        nodes_a_step: Nodes that each further step adds.
        nodes_hoisted: Nodes that run once, because they do not depend on the state.
        tolerance: Relative error allowed.
        errors: Worst relative error of each output against PyTorch.
        judged: Outputs for which float64 PyTorch was the judge, and how far float32 PyTorch is from it.
        batches: Batch sizes that were compared.
        seeds: Seeds that were compared.
        seconds: Time of each stage.
    """

    path: Path
    bytes: int
    steps: int
    nodes: int
    nodes_a_step: int
    nodes_hoisted: int
    tolerance: float
    errors: dict[str, float] = field(default_factory=dict)
    judged: dict[str, float] = field(default_factory=dict)
    batches: tuple[int, ...] = ()
    seeds: tuple[int, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The worst relative error of all outputs."""
        return max(self.errors.values(), default=0.0)

    def __str__(self) -> str:
        batches, seeds = (", ".join(map(str, numbers)) for numbers in (self.batches, self.seeds))
        lines = [
            f"{self.path}: {self.bytes:,} bytes, {self.steps} steps",
            f"{self.nodes:,} nodes ({self.nodes_a_step} a step, {self.nodes_hoisted} hoisted)",
            f"matches PyTorch at batches {batches} and seeds {seeds}",
            f"worst relative error {self.worst:.1e}, tolerance {self.tolerance:.0e}",
        ]
        for name, error in self.errors.items():
            note = f"  (float64 judged; float32 PyTorch {self.judged[name]:.1e})" if name in self.judged else ""
            lines.append(f"  {name:<20} {error:.1e}{note}")
        lines.append("  ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items()))
        return "\n".join(lines)


def export(
    energy: Energy,
    *,
    inputs: Mapping[str, Tensor],
    state: Tensor | Mapping[str, Tensor],
    rule: Rule,
    unroll: int,
    path: str | Path,
    decode: Decode | None = None,
    rules: Decode | None = None,
    embed: Embed | None = None,
    record: bool = False,
    initial: Initial | Mapping[str, Initial] | None = None,
    tool: Tool | None = None,
    tolerance: float = 1e-5,
    batches: Sequence[int] = (1, 2, 7, 64),
    seeds: Sequence[int] = (0, 1),
) -> ExportReport:
    """Write an energy, its gradient and ``unroll`` steps of a rule as one ONNX file; verified against PyTorch, or not written.

    Args:
        energy: ``energy(state, **inputs)`` returns ``(batch,)`` float32, or a dict of named terms of that shape whose sum is the
            energy. A module or a callable. It must treat each row alone and draw no random numbers.
        inputs: Example inputs by name, batch first.
        state: The example state, float32, batch first: a tensor (named ``y`` in the file), or several by name.
        rule: How the gradient moves the state.
        unroll: Steps in a segment.
        path: The file to write. Its folder must exist.
        decode: ``decode(state, **inputs)`` returns the answer, a dict of tensors, batch first.
        rules: ``rules(answer, **inputs)`` returns how often each rule is broken, a dict of integer tensors ``(batch,)``.
        embed: ``embed(answer, **inputs)`` returns the state that stands for an answer.
        record: Whether the file also returns the answer before each update (``path.<answer>``), so that a descent can be drawn.
        initial: How a chain starts: one distribution, or one for each state; by default read off the example.
        tool: The header's words and numbers.
        tolerance: Relative error allowed between the file and PyTorch.
        batches: Batch sizes to compare at.
        seeds: Seeds to compare at.

    Returns:
        What was written and how well it matches.

    Raises:
        BadArgument: An argument has the wrong type, name or shape.
        BadEnergy: The energy cannot be descended.
        UnsupportedOperator: An operator has no translation.
        ParityError: The file would not say what PyTorch says.
    """
    target = destination(path)
    bare = isinstance(state, Tensor)
    states = examples("state", {"y": state} if isinstance(state, Tensor) else state)
    starts = dict(initial or {}) if isinstance(initial, Mapping | None) else dict.fromkeys(states, initial)
    draft = Draft(
        energy=energy,
        inputs=examples("inputs", inputs),
        state=states,
        bare=bare,
        rule=rule,
        unroll=unroll,
        initial=starts,
        decode=decode,
        rules=rules,
        embed=embed,
        record=record,
        tool=tool,
        tolerance=tolerance,
        batches=tuple(batches),
        seeds=tuple(seeds),
    )
    with preserved([m for f in (energy, rule, decode, rules, embed) for m in modules_of(f)]):
        return _run(draft, target)


@contextmanager
def _stage(draft: Draft, name: str) -> Iterator[None]:
    begin = time.perf_counter()
    yield
    draft.seconds[name] = time.perf_counter() - begin


def _run(draft: Draft, path: Path) -> ExportReport:
    with _stage(draft, "examine"):
        examine(draft)
    with _stage(draft, "capture"):
        differentiate(draft)
    with _stage(draft, "lower"):
        lower_all(draft)
    with _stage(draft, "optimise"):
        optimise_all(draft)
    with _stage(draft, "unroll"):
        unroll(draft)
        model = model_of(draft.graph)
        if "judge" in draft.graphs:
            draft.judge = model_of(draft.graphs["judge"]).SerializeToString(deterministic=True)
    with _stage(draft, "verify"):
        parity = verify(draft, model.SerializeToString())
    draft.header = header_of(draft, path.stem)
    draft.header["parity"] = {
        "tolerance": draft.tolerance,
        "worst": max(parity.worst.values()),
        "batches": list(draft.batches),
        "seeds": list(draft.seeds),
        "outputs": parity.worst,
        "judged": parity.judged,
    }
    with _stage(draft, "write"):
        size = write(draft, model, path)
    return ExportReport(
        path=path,
        bytes=size,
        steps=draft.unroll,
        nodes=len(draft.graph.needed()),
        nodes_a_step=draft.nodes_a_step,
        nodes_hoisted=draft.nodes_hoisted,
        tolerance=draft.tolerance,
        errors=parity.worst,
        judged=parity.judged,
        batches=draft.batches,
        seeds=draft.seeds,
        seconds=draft.seconds,
    )
