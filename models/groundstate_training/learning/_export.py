"""Exports a learned model as a tool: the file that the task ``learned`` serves."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from groundstate_models.learned.knowledge import answer_schema, request_schema
from groundstate_models.learned.table_knowledge import table_answer, table_request
from groundstate_training._errors import TrainingError
from groundstate_training._files import write_file
from groundstate_training._gradient import threads
from groundstate_training.learning._energy import TableEnergy

if TYPE_CHECKING:
    from groundstate_training.learning._models import RulesModel, TableModel

VERSION = "0.1.0"
MOST_STEPS = 16_384
"""Steps of a chain before a tool of learned rules gives up, four times those of ``constraints``: of 2,000 Sudokus with 17 clues,
9 needed more than the latter."""
STEPS = 24
"""Updates in a segment, after which nearly all chains have converged."""


@dataclass(frozen=True)
class Written:
    """Report of the written file.

    Attributes:
        path: The file.
        bytes: Its size.
        note: How its correctness was verified.
    """

    path: Path
    bytes: int
    note: str

    def __str__(self) -> str:
        return f"{self.path}: {self.bytes / 1000:.0f} kB; {self.note}"


def name_of(path: Path, name: str | None) -> str:
    """The name of a tool: the given one, or the file's name as an identifier.

    Raises:
        TrainingError: If the name is not an identifier, or the file does not end in ``.onnx``.
    """
    if path.suffix != ".onnx":
        raise TrainingError(f"The file {path} must end in .onnx.")
    found = name or re.sub(r"\W+", "_", path.stem).strip("_").lower() or "learned"
    if not re.fullmatch(r"[A-Za-z_]\w{0,63}", found):
        raise TrainingError(f"The name {found!r} must be a word of up to 64 letters, digits and underscores.")
    return found


def export_rules(model: RulesModel, path: Path, name: str | None, title: str | None) -> Written:
    """Write the energy of ``constraints`` with the learned rules in its header: the graph is the verified one."""
    import onnx

    from groundstate_models import constraints

    called = name_of(path, name)
    graph = onnx.load(constraints.artefact())
    fields = {entry.key: entry for entry in graph.metadata_props}
    header = json.loads(fields["groundstate"].value)
    layout = model.layout
    what = f"grids of {layout.grid[0]} × {layout.grid[1]}" if layout.grid else f"{len(layout.names)} variables"
    rules = "; ".join(rule.text for rule in model.rules[:6]) or "none"
    first: dict[str, Any] = {"known": {layout.names[0]: layout.values[0]}}
    asks = "`grid` (null for unknown)" if layout.grid else "`known`"
    description = (
        f"Completes, checks and repairs {what} by rules learned from {model.examples} examples: {rules[:500]}. "
        f"Send what is known as {asks}; you get every value, checked against the learned rules, or what contradicts them."
    )
    header |= {
        "name": called,
        "title": title or called.replace("_", " ").capitalize(),
        "description": description,
        "version": VERSION,
        "task": "learned",
        "request": {**request_schema(layout, usual=bool(model.preferences)), "examples": [first]},
        "answer": answer_schema(layout),
        "self_test": None,
        "defaults": {**header["defaults"], "max_steps": MOST_STEPS},
        "knowledge": model.knowledge(),
    }
    fields["groundstate"].value = json.dumps(header, separators=(",", ":"))
    content = graph.SerializeToString()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, lambda partial: partial.write_bytes(content))
    return Written(path, len(content), "the graph is the verified one of the model constraints")


def export_table(model: TableModel, path: Path, name: str | None, title: str | None) -> Any:
    """Export the energy of a table."""
    from groundstate_export import Card

    called = name_of(path, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ", ".join(column.name for column in model.columns[:12]) + (", …" if len(model.columns) > 12 else "")
    energy = TableEnergy(model.experts)
    inputs, state = example(model)
    card = Card(
        name=called,
        title=title or called.replace("_", " ").capitalize(),
        description=(
            f"Completes rows of a table ({names}), learned from {model.rows} rows. Send the known values of a `row`; you get the "
            "missing ones with 90 % intervals and alternatives, and the given values that do not fit the others."
        ),
        licence="Apache-2.0",
        version=VERSION,
        task="learned",
        request={**table_request(model.columns), "examples": [{"row": _example_row(model)}]},
        answer=table_answer(model.columns),
        terms={
            "likelihood": "Negative log likelihood of each missing value, given all others, in nats.",
            "confinement": "Keeps the missing values near what the given ones suggest.",
        },
        defaults={"restarts": 4, "max_steps": 192, "patience": 192, "residual_tolerance": 0.1},
        limits={"restarts": 64, "max_steps": 1024, "batch": 64, "elements": 1 << 24},
        knowledge=model.knowledge(),
    )
    try:
        with threads(1):
            return _exported(energy, inputs, state, path, card)
    except OSError as error:
        kept = "; the previous file is unchanged" if path.exists() else ""
        raise TrainingError(f"The file {path} cannot be written ({error}){kept}.") from None


def _exported(energy: TableEnergy, inputs: dict[str, Tensor], state: Any, path: Path, card: Any) -> Any:
    from groundstate_export import Accept, HeavyBall, Normal, export

    return export(
        energy,
        inputs=inputs,
        state=state,
        rule=HeavyBall(step_size=0.2, momentum=0.7),
        unroll=STEPS,
        form="loop",
        path=path,
        decode=energy.decode,
        initial=Normal(0.0, 0.7),
        accept=Accept(checks="none", converged=True, polish=0),
        card=card,
        batches=(1, 3),
        seeds=(0,),
    )


def example(model: TableModel, batch: int = 4) -> tuple[dict[str, Tensor], Any]:
    """Inputs and a state of random rows, for the exporter."""
    shape = model.experts.shape
    draw = torch.Generator().manual_seed(0)
    given = (torch.rand(batch, shape.columns, generator=draw) < 0.6).float()
    inputs = {"given": given}
    state: dict[str, Tensor] = {}
    if shape.numbers:
        inputs["known_numbers"] = torch.randn(batch, shape.numbers, generator=draw) * given[:, : shape.numbers]
        state["numbers"] = 0.5 * torch.randn(batch, shape.numbers, generator=draw)
    if shape.levels:
        parts = []
        for k, many in enumerate(shape.levels):
            hot = torch.nn.functional.one_hot(torch.randint(many, (batch,), generator=draw), many).float()
            parts.append(hot * given[:, shape.numbers + k, None])
        inputs["known_levels"] = torch.cat(parts, -1)
        state["levels"] = 0.5 * torch.randn(batch, sum(shape.levels), generator=draw)
    return inputs, (next(iter(state.values())) if len(state) == 1 else state)


def _example_row(model: TableModel) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in model.columns[: max(1, len(model.columns) // 2)]:
        middle = len(column.knots[0]) // 2
        found[column.name] = column.levels[0] if column.kind == "levels" else float(f"{column.knots[0][middle]:.6g}")
    return found
