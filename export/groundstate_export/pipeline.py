"""The exporter: ``examine → differentiate (capture) → lower → optimise → join → unroll → verify → write``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import onnx
from torch import Tensor

from groundstate_export.arguments import destination, examples, modules_of
from groundstate_export.differentiate import differentiate
from groundstate_export.draft import Decode, Draft, Embed, Energy, Form, Precision
from groundstate_export.errors import BadArgument
from groundstate_export.examine import examine
from groundstate_export.fixed import fix_batch
from groundstate_export.half import halve
from groundstate_export.initial import Initial
from groundstate_export.join import join
from groundstate_export.loop import loop
from groundstate_export.parity import Parity, segments, verify
from groundstate_export.preserve import preserved
from groundstate_export.report import ExportReport
from groundstate_export.rules import Rule
from groundstate_export.sizes import Axes, Sizes
from groundstate_export.tool import Tool
from groundstate_export.unroll import distinct, lower_all, moving, optimise_all, unroll
from groundstate_export.write import header_of, model_of, write

TOLERANCES: dict[str, float] = {"float32": 1e-5, "float16": 1e-2}
"""Relative error allowed by default. Float16 has three digits, of which sums of many terms lose one."""

Resized = tuple[Mapping[str, Tensor], Tensor | Mapping[str, Tensor]]
"""Inputs and state of an example."""


def export(
    energy: Energy,
    *,
    inputs: Mapping[str, Tensor],
    state: Tensor | Mapping[str, Tensor],
    rule: Rule,
    unroll: int,
    path: str | Path,
    form: Form = "unrolled",
    fixed_batch: int | None = None,
    precision: Precision = "float32",
    decode: Decode | None = None,
    rules: Decode | None = None,
    embed: Embed | None = None,
    record: bool = False,
    trace_every: int = 1,
    initial: Initial | Mapping[str, Initial] | None = None,
    tool: Tool | None = None,
    tolerance: float | None = None,
    batches: Sequence[int] | None = None,
    seeds: Sequence[int] = (0, 1),
    axes: Axes | None = None,
    resized: Sequence[Resized] = (),
    progress: Callable[[str], None] | None = None,
) -> ExportReport:
    """Write an energy, its gradient and ``unroll`` steps of a rule as one ONNX file; verified against PyTorch, or not written.

    Args:
        energy: ``energy(state, **inputs)`` returns ``(batch,)`` float32, or a dict of named terms of that shape whose sum is the
            energy. A module or a callable. It must treat each row alone and draw no random numbers.
        inputs: Example inputs by name, batch first.
        state: The example state, float32, batch first: a tensor (named ``y`` in the file), or several by name.
        rule: How the gradient moves the state.
        unroll: Steps in a segment. All of a descent in one graph is the case where they are all its steps.
        path: The file to write. Its folder must exist.
        form: ``"unrolled"``, or ``"loop"``: an ONNX ``Loop`` of one step, whose ``max_steps`` and ``tolerance`` are inputs.
        fixed_batch: The one batch size that the file shall take, every shape static; None for a file of any batch.
        precision: ``"float32"``, or ``"float16"`` for products of matrices and what lies between them. Inputs and outputs stay
            float32. One evaluation keeps the tolerance; a descent may part from that of float32.
        decode: ``decode(state, **inputs)`` returns the answer, a dict of tensors, batch first.
        rules: ``rules(answer, **inputs)`` returns how often each rule is broken, a dict of integer tensors ``(batch,)``.
        embed: ``embed(answer, **inputs)`` returns the state that stands for an answer.
        record: Whether the file also returns the answer before each update (``path.<answer>``), so that a descent can be drawn.
        trace_every: The energy (``trace``) and the recorded answer are told before every so many updates, from a segment's first
            on: 1 to ``unroll``. What a step computes for nothing else is then left out of the others. A loop tells all.
        initial: How a chain starts: one distribution, or one for each state; by default read off the example.
        tool: The header's words and numbers.
        tolerance: Relative error allowed between a step of the file and of PyTorch; by default 1e-5, in float16 1e-2.
        batches: Batch sizes to compare at; by default 1, 2, 7 and 16, or the fixed one.
        seeds: Seeds to compare at.
        axes: The names of inputs' axes after the batch, where a problem's own sizes differ from request to request: for
            ``{"node": ("nodes", None), "edge": ("edges",)}`` the file takes any number of nodes and edges.
        resized: The example in two other sizes at least: inputs and state of each. In the example and in the first of these every
            size is a prime of its own. The file is held against PyTorch at all of them.
        progress: Called with the name of each stage as it begins.

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
    _choices(form, precision, tolerance, fixed_batch, batches)
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
        trace_every=trace_every,
        tool=tool,
        form=form,
        fixed_batch=fixed_batch,
        precision=precision,
        tolerance=TOLERANCES[precision] if tolerance is None else tolerance,
        batches=tuple(((fixed_batch,) if fixed_batch else (1, 2, 7, 16)) if batches is None else batches),
        seeds=tuple(seeds),
    )
    others = [_resized(draft, place, example) for place, example in enumerate(resized)]
    _sizes(draft, others, axes)
    with preserved([m for f in (energy, rule, decode, rules, embed) for m in modules_of(f)]):
        for one in (draft, *others):
            # Copied out here, what the caller made in inference mode can be differentiated.
            one.inputs, one.state = ({k: t.clone() for k, t in d.items()} for d in (one.inputs, one.state))
        return _run(draft, others, target, progress or (lambda _: None))


def _resized(draft: Draft, place: int, example: Resized) -> Draft:
    """The same export, in which nothing is made yet, at an example of another size."""
    if not isinstance(example, (tuple, list)) or len(example) != 2:
        raise BadArgument(f"resized[{place}] is {type(example).__name__}; it must be a pair of inputs and state.")
    inputs, state = example
    states = {"y": state} if isinstance(state, Tensor) else state
    return replace(
        draft,
        inputs=examples(f"resized[{place}] inputs", inputs),
        state=examples(f"resized[{place}] state", states),
        seeds=draft.seeds[:1],
    )


def _sizes(draft: Draft, others: Sequence[Draft], axes: Axes | None) -> None:
    if not axes and not others:
        return
    if not axes or len(others) < 2:
        raise BadArgument(
            f"axes names {len(axes or {})} inputs and resized holds {len(others)} examples; a file of any size needs names, and "
            "the example in two other sizes at least: one to read the sizes off, one to prove what was read."
        )
    if draft.form == "loop" or draft.fixed_batch is not None or draft.precision == "float16":
        raise BadArgument(
            "A file of any size is unrolled, of any batch, in float32; leave form, fixed_batch and precision out."
        )
    draft.sizes = Sizes.of(axes, [(one.inputs, one.state) for one in (draft, *others)])


def _choices(
    form: str, precision: str, tolerance: float | None, fixed_batch: int | None, batches: Sequence[int] | None
) -> None:
    for name, value, allowed in (("form", form, get_args(Form)), ("precision", precision, get_args(Precision))):
        if value not in allowed:
            raise BadArgument(f"{name} is {value!r}; it must be one of {', '.join(map(repr, allowed))}.")
    if tolerance is not None and not 0 < tolerance < 1:
        raise BadArgument(f"tolerance is {tolerance!r}; it must lie between 0 and 1.")
    if fixed_batch is None:
        return
    if not isinstance(fixed_batch, int) or isinstance(fixed_batch, bool) or fixed_batch < 1:
        raise BadArgument(f"fixed_batch is {fixed_batch!r}; it must be a whole number of at least 1, or None.")
    if form == "loop":
        raise BadArgument(
            "A loop returns as many steps as it made, so not all its shapes are static; unroll a fixed batch."
        )
    if batches is not None and set(batches) != {fixed_batch}:
        raise BadArgument(
            f"batches is {list(batches)}; a file of the fixed batch {fixed_batch} is compared at that one alone."
        )


def _run(draft: Draft, others: Sequence[Draft], path: Path, progress: Callable[[str], None]) -> ExportReport:
    @contextmanager
    def stage(name: str) -> Iterator[None]:
        progress(name)
        begin = time.perf_counter()
        yield
        draft.seconds[name] = time.perf_counter() - begin

    # What differs between two sizes is read off two graphs; further examples are only held against the file.
    read = (draft, *others[:1])
    with stage("examine"):
        for one in (draft, *others):
            examine(one)
    with stage("capture"):
        for one in read:
            differentiate(one)
    with stage("lower"):
        for one in read:
            lower_all(one)
    with stage("optimise"):
        rounds = optimise_all(draft)
        for other in read[1:]:
            optimise_all(other, rounds)
        halve_all(draft)
    if draft.sizes is not None:
        with stage("join"):
            join_all(draft, others[0], draft.sizes)
    with stage("unroll"):
        model = _unrolled(draft)
    with stage("verify"):
        data = model.SerializeToString()
        parity = verify(draft, data)
        for other in others:
            parity.include(verify(replace(other, graphs=draft.graphs, judge=draft.judge), data))
    draft.header = header_of(draft, path.stem) | {"parity": _proof(draft, parity)}
    with stage("write"):
        size = write(draft, model, path)
    return _report(draft, parity, path, size)


def _unrolled(draft: Draft) -> onnx.ModelProto:
    """The model of a segment. The draft gets the judge's."""
    (loop if draft.form == "loop" else unroll)(draft)
    if draft.fixed_batch is not None:
        draft.graph = fix_batch(draft.graph, draft.fixed_batch)
    if (judge := draft.graphs.get("judge")) is not None:
        judge.outputs = distinct(judge, judge.outputs)
        draft.judge = model_of(judge).SerializeToString(deterministic=True)
    return model_of(draft.graph, shapes=draft.fixed_batch is not None)


def join_all(draft: Draft, other: Draft, sizes: Sizes) -> None:
    """Make graphs for any size of those of two sizes."""
    draft.graphs = {name: join(graph, other.graphs[name], sizes) for name, graph in draft.graphs.items()}


def halve_all(draft: Draft) -> None:
    """Compute the steps and the last evaluation in the precision that was asked for."""
    if draft.precision == "float16":
        for name in ("quiet", "kick", "last"):
            if name in draft.graphs:
                draft.graphs[name] = halve(draft.graphs[name], moving(draft.graphs[name]))


def _proof(draft: Draft, parity: Parity) -> dict[str, Any]:
    """How the file was held against PyTorch, for its header."""
    sizes = {} if draft.sizes is None else {"sizes": draft.sizes.examples()}
    return {
        "tolerance": draft.tolerance,
        "worst": max(parity.worst.values()),
        "batches": list(draft.batches),
        "segments": segments(draft),
        "seeds": list(draft.seeds),
        **sizes,
        "outputs": parity.worst,
        "judged": parity.judged,
    }


def _report(draft: Draft, parity: Parity, path: Path, size: int) -> ExportReport:
    return ExportReport(
        path=path,
        bytes=size,
        form=draft.form,
        steps=draft.unroll,
        trace_every=draft.trace_every,
        batch=draft.fixed_batch,
        precision=draft.precision,
        sizes=[] if draft.sizes is None else draft.sizes.examples(),
        nodes=len(draft.graph.needed()) + (draft.nodes_a_step if draft.form == "loop" else 0),
        nodes_a_step=draft.nodes_a_step,
        hoisted=draft.hoisted,
        tolerance=draft.tolerance,
        errors=parity.worst,
        judged=parity.judged,
        batches=draft.batches,
        seeds=draft.seeds,
        seconds=draft.seconds,
    )
