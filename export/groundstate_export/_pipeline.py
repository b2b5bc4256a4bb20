"""The exporter: ``examine → differentiate (capture) → lower → optimise → join → unroll → verify → write``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import get_args

from torch import Tensor

from groundstate_export._arguments import Arguments, Decode, Embed, Energy, Form, Precision
from groundstate_export._capture.functions import capture_all
from groundstate_export._card import Tool
from groundstate_export._descent.initial import Initial
from groundstate_export._descent.rules.rule import Rule
from groundstate_export._errors import BadArgument
from groundstate_export._examine.arguments import check_path, examples, modules_of
from groundstate_export._examine.examine import examine
from groundstate_export._examine.preserve import preserved
from groundstate_export._examine.sizes import Axes, Sizes
from groundstate_export._join.join import join_all
from groundstate_export._lower.lower import lower_all
from groundstate_export._optimise.optimise import optimise_all
from groundstate_export._report import ExportReport
from groundstate_export._unroll.fixed_batch import with_fixed_batch
from groundstate_export._unroll.float16 import halve_all
from groundstate_export._unroll.loop import loop
from groundstate_export._unroll.segment import Segment
from groundstate_export._unroll.unroll import unroll
from groundstate_export._verify.findings import Parity
from groundstate_export._verify.parity import verify
from groundstate_export._write.header import header_of, proof_of
from groundstate_export._write.model import judge_of, model_of, write

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
    target = check_path(path)
    bare = isinstance(state, Tensor)
    states = examples("state", {"y": state} if isinstance(state, Tensor) else state)
    starts = dict(initial or {}) if isinstance(initial, Mapping | None) else dict.fromkeys(states, initial)
    _choices(form, precision, tolerance, fixed_batch, batches)
    arguments = Arguments(
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
        tool=tool or Tool(),
        form=form,
        fixed_batch=fixed_batch,
        precision=precision,
        tolerance=TOLERANCES[precision] if tolerance is None else tolerance,
        batches=tuple(((fixed_batch,) if fixed_batch else (1, 2, 7, 16)) if batches is None else batches),
        seeds=tuple(seeds),
    )
    others = [_resized(arguments, place, example) for place, example in enumerate(resized)]
    sizes = _sizes(arguments, others, axes)
    with preserved([m for f in (energy, rule, decode, rules, embed) for m in modules_of(f)]):
        # Copied in here, what the caller made in inference mode can be differentiated.
        copies = [
            replace(
                one,
                inputs={k: t.clone() for k, t in one.inputs.items()},
                state={k: t.clone() for k, t in one.state.items()},
            )
            for one in (arguments, *others)
        ]
        return _run(copies, sizes, target, Stopwatch(progress or (lambda _: None)))


def _resized(arguments: Arguments, place: int, example: Resized) -> Arguments:
    """The same arguments at an example of another size."""
    if not isinstance(example, (tuple, list)) or len(example) != 2:
        raise BadArgument(f"resized[{place}] is {type(example).__name__}; it must be a pair of inputs and state.")
    inputs, state = example
    states = {"y": state} if isinstance(state, Tensor) else state
    return replace(
        arguments,
        inputs=examples(f"resized[{place}] inputs", inputs),
        state=examples(f"resized[{place}] state", states),
        seeds=arguments.seeds[:1],
    )


def _sizes(arguments: Arguments, others: Sequence[Arguments], axes: Axes | None) -> Sizes | None:
    """The sizes that a file of any size has; None for a file of one size."""
    if not axes and not others:
        return None
    if not axes or len(others) < 2:
        raise BadArgument(
            f"axes names {len(axes or {})} inputs and resized holds {len(others)} examples; a file of any size needs names, and "
            "the example in two other sizes at least: one to read the sizes off, one to prove what was read."
        )
    if arguments.form == "loop" or arguments.fixed_batch is not None or arguments.precision == "float16":
        raise BadArgument(
            "A file of any size is unrolled, of any batch, in float32; leave form, fixed_batch and precision out."
        )
    return Sizes.of(axes, [(one.inputs, one.state) for one in (arguments, *others)])


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


class Stopwatch:
    """Reports the stages of an export as they begin, and keeps how long each took."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._progress(name)
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin


def _run(given: Sequence[Arguments], sizes: Sizes | None, path: Path, watch: Stopwatch) -> ExportReport:
    """The stages in order. ``given`` is the example, and the same in other sizes."""
    # What differs between two sizes is read off two graphs; further examples are only held against the file.
    read = given[: 2 if sizes is not None else 1]
    with watch.stage("examine"):
        examined = [examine(one) for one in given]
    with watch.stage("capture"):
        programs = [capture_all(one) for one in examined[: len(read)]]
    with watch.stage("lower"):
        lowered = [lower_all(one) for one in programs]
    with watch.stage("optimise"):
        graphs, rounds = optimise_all(lowered[0])
        others = [optimise_all(one, rounds)[0] for one in lowered[1:]]
        if examined[0].precision == "float16":
            graphs = halve_all(graphs)
    if sizes is not None:
        with watch.stage("join"):
            graphs = join_all(graphs, others[0], sizes)
    with watch.stage("unroll"):
        segment = (loop if examined[0].form == "loop" else unroll)(examined[0], graphs)
        segment = with_fixed_batch(segment)
        model = model_of(segment.graph, shapes=segment.examined.fixed_batch is not None)
        judge = judge_of(segment)
    with watch.stage("verify"):
        data = model.SerializeToString()
        parity = verify(segment, data, judge)
        for other in examined[1:]:
            parity.include(verify(replace(segment, examined=other), data, judge))
    header = header_of(segment, sizes, path.stem) | {"parity": proof_of(segment.examined, sizes, parity)}
    with watch.stage("write"):
        size = write(model, header, judge, path)
    return _report(segment, sizes, parity, path, size, watch.seconds)


def _report(
    segment: Segment, sizes: Sizes | None, parity: Parity, path: Path, size: int, seconds: dict[str, float]
) -> ExportReport:
    examined = segment.examined
    return ExportReport(
        path=path,
        bytes=size,
        form=examined.form,
        steps=examined.unroll,
        trace_every=examined.trace_every,
        batch=examined.fixed_batch,
        precision=examined.precision,
        sizes=[] if sizes is None else sizes.examples(),
        nodes=len(segment.graph.needed()) + (segment.nodes_a_step if examined.form == "loop" else 0),
        nodes_a_step=segment.nodes_a_step,
        hoisted=segment.hoisted,
        tolerance=examined.tolerance,
        errors=parity.worst,
        judged=parity.judged,
        batches=examined.batches,
        seeds=examined.seeds,
        seconds=seconds,
    )
