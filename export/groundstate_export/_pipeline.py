"""The exporter: ``examine → capture → lower → optimise → unroll → verify → write``, for each stage of a descent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import onnx
from torch import Tensor

from groundstate_export._arguments import Arguments, Checks, Decode, EncodeAnswer, Energy, Form, Precision, Stage
from groundstate_export._capture.functions import capture_all
from groundstate_export._card import Accept, Card
from groundstate_export._descent.initial import Decoded, Initial
from groundstate_export._descent.rules.rule import Rule
from groundstate_export._errors import BadArgument
from groundstate_export._examine.arguments import check_path, examples, modules_of
from groundstate_export._examine.examine import examine
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.gather import (
    Resized,
    at_other_size,
    check_choices,
    check_lists,
    copied,
    earlier_stage,
    learned_numbers,
    sizes_of,
    stage_arguments,
    tolerance_of,
    with_learned,
)
from groundstate_export._examine.preserve import preserved
from groundstate_export._examine.sizes import Axes, Sizes
from groundstate_export._lower.lower import lower_all
from groundstate_export._optimise.optimise import optimise_all
from groundstate_export._report import ExportReport
from groundstate_export._unroll.fixed_batch import with_fixed_batch
from groundstate_export._unroll.float16 import halve_all
from groundstate_export._unroll.loop import loop
from groundstate_export._unroll.segment import Segment
from groundstate_export._unroll.unroll import unroll
from groundstate_export._verify.findings import Parity
from groundstate_export._verify.parity import Hosts, verify
from groundstate_export._write.header import header_of, proof_of, stage_of
from groundstate_export._write.model import checker_of, model_of, write


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
    checks: Checks | None = None,
    encode_answer: EncodeAnswer | None = None,
    parameters: Mapping[str, Tensor] | None = None,
    stages: Sequence[Stage] = (),
    record: bool = False,
    trace_every: int = 1,
    initial: Initial | Decoded | Mapping[str, Initial | Decoded] | None = None,
    accept: Accept | None = None,
    card: Card | None = None,
    tolerance: float | None = None,
    batches: Sequence[int] | None = None,
    seeds: Sequence[int] = (0, 1),
    axes: Axes | None = None,
    resized: Sequence[Resized] = (),
    progress: Callable[[str], None] | None = None,
) -> ExportReport:
    """Write an energy, its gradient and ``unroll`` steps of a rule as one ONNX file. Nothing is written without proof of parity.

    Args:
        energy: ``energy(state, **inputs)`` returns ``(batch,)`` of the state's dtype, or a dict of named terms of that shape
            whose sum is the energy. A module or a callable. It must treat each row alone and draw no random numbers.
        inputs: Example inputs by name, batch first: float16, float32, float64, int8, uint8, int32, int64 or bool.
        state: The example state, float32 or float64, batch first: a tensor (named ``y`` in the file), or several by name.
        rule: How the gradient moves the state.
        unroll: Steps in a segment. It affects only the speed of the file.
        path: The file to write. Its folder must exist.
        form: ``"unrolled"``, or ``"loop"``: an ONNX ``Loop`` of one step, whose ``max_steps`` and ``tolerance`` are inputs.
        fixed_batch: The only batch size of the file, which makes every shape static; None for any batch.
        precision: ``"float32"``, or ``"float16"`` for matrix products and the operators between them. Inputs and outputs stay
            float32. One evaluation keeps the tolerance; a whole descent may diverge from the float32 one.
        decode: ``decode(state, **inputs)`` returns the answer, a dict of tensors, batch first; by default the state itself.
        checks: ``checks(answer, **inputs)`` returns a dict of tensors ``(batch,)`` or ``(batch, k)``. Integers count
            violations; floating-point numbers are amounts, and each needs a tolerance in ``card.checks``.
        encode_answer: ``encode_answer(answer, **inputs)`` returns an answer's state. It is supplied where the answer is the
            state.
        parameters: Learned numbers by name, without the batch. The energy and the functions beside it take them as keywords,
            batch first, like inputs. A host repeats them for each row, or gives each row its own.
        stages: The stages before this one, in their order.
        record: Whether the file also returns the answer before each update (``path.<answer>``), for pictures of a descent.
        trace_every: Record the energy (``trace``) and the answer (with ``record``) every N updates, from a segment's first
            one: 1 to ``unroll``. Other steps then skip whatever only the trace needs. A loop records all.
        initial: A chain's start: one distribution, or one for each state; by default derived from the example. With stages
            also `Decoded`: an answer of the stage before.
        accept: Which chains have an answer. By default those whose answer passes all checks, and without checks those that
            converged.
        card: The header's words and numbers.
        tolerance: Relative error allowed between a step of the file and of PyTorch. The default is 1e-5, in float16 1e-2, in
            float64 1e-10.
        batches: Batch sizes to compare at; by default 1, 2, 7 and 16, or the fixed one.
        seeds: Seeds to compare at.
        axes: The names of inputs' axes after the batch, where a problem's sizes differ from request to request: with
            ``{"node": ("nodes", None), "edge": ("edges",)}`` the file takes any number of nodes and edges.
        resized: The example in other sizes: inputs and state of each. The file is compared with PyTorch at all of them.
        progress: Called with the name of each stage of the export when it begins.

    Returns:
        A report with the file's facts and its errors against PyTorch.

    Raises:
        BadArgument: An argument has the wrong type, name or shape.
        BadEnergy: The energy cannot be descended.
        UnsupportedOperator: An operator has no translation.
        ParityError: The file would differ from PyTorch.
    """
    target = check_path(path)
    check_lists(
        {
            "batches": (batches, "whole numbers"),
            "seeds": (seeds, "whole numbers"),
            "stages": (stages, "Stage"),
            "resized": (resized, "pairs of inputs and state"),
        }
    )
    if progress is not None and not callable(progress):
        raise BadArgument(f"progress is {type(progress).__name__}; it must be a function of one string.")
    check_choices(form, precision, tolerance, fixed_batch, batches)
    given = examples("inputs", inputs)
    learned = learned_numbers(parameters or {}, given)
    last = stage_arguments(
        Stage(energy=energy, state=state, rule=rule, unroll=unroll, decode=decode, initial=initial), given
    )
    last = replace(
        last,
        inputs=with_learned(given, learned),
        parameters=learned,
        checks=checks,
        encode_answer=encode_answer,
        record=record,
        trace_every=trace_every,
        accept=accept,
        card=card if card is not None else Card(),
        form=form,
        fixed_batch=fixed_batch,
        precision=precision,
        tolerance=tolerance if tolerance is not None else tolerance_of(precision, last.dtype),
        batches=tuple(((fixed_batch,) if fixed_batch else (1, 2, 7, 16)) if batches is None else batches),
        seeds=tuple(seeds),
    )
    chain = [*(earlier_stage(stage, place, last, tolerance) for place, stage in enumerate(stages)), last]
    sizes_given = [at_other_size(chain, stages, place, example) for place, example in enumerate(resized)]
    sizes = sizes_of(last, [one[-1] for one in sizes_given], axes)
    functions = [f for one in chain for f in (one.energy, one.rule, one.decode, one.checks, one.encode_answer)]
    watch = Stopwatch(progress or (lambda _: None))
    with preserved([m for f in functions for m in modules_of(f)]):
        # Copied in here: tensors that the caller made in inference mode then allow gradients.
        copies = [[copied(one) for one in example] for example in (chain, *sizes_given)]
        return _run(copies, stages, sizes, target, watch)


class Stopwatch:
    """Reports the stages of an export when they begin, and records their times."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self._progress(name)
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin


@dataclass(frozen=True)
class Proven:
    """A stage that matches PyTorch.

    Attributes:
        segment: Its graph.
        model: The graph as a model.
        checker: The small model that checks answers, serialised; None if there are neither checks nor an encoding.
        parity: Its errors against PyTorch.
    """

    segment: Segment
    model: onnx.ModelProto
    checker: bytes | None
    parity: Parity


def _run(
    examples: Sequence[Sequence[Arguments]], stages: Sequence[Stage], sizes: Sizes | None, path: Path, watch: Stopwatch
) -> ExportReport:
    """Run the export's stages in order, for each stage of the descent.

    Args:
        examples: The arguments of each stage of the descent, at the example and at those of other sizes.
        stages: The earlier stages.
        sizes: The named sizes of the examples.
        path: The file.
        watch: Records the times.
    """
    proven: list[Proven] = []
    before: list[dict[str, Tensor]] = [{} for _ in examples]
    for place in range(len(examples[0])):
        given = [replace(chain[place], before=known) for chain, known in zip(examples, before, strict=True)]
        with watch.stage("examine"):
            examined = [examine(one) for one in given]
        before = [one.decoded(one.state, one.inputs) for one in examined]
        proven.append(_proven(examined, sizes, watch))
    *earlier, last = proven
    keys = [f"groundstate.stage.{place}" for place in range(len(earlier))]
    described = [
        stage_of(one.segment, stage.name or f"stage_{place + 1}", key, stage.until)
        for place, (one, stage, key) in enumerate(zip(earlier, stages, keys, strict=True))
    ]
    for one, stage in zip(earlier, described, strict=True):
        last.parity.include(one.parity, f"{stage['name']}: ")
    header = header_of(last.segment, path.stem, described)
    header["parity"] = proof_of(last.segment.examined, sizes, last.parity)
    models = {key: one.model.SerializeToString(deterministic=True) for key, one in zip(keys, earlier, strict=True)}
    if last.checker is not None:
        models["groundstate.checker"] = last.checker
    with watch.stage("write"):
        size = write(last.model, header, models, path)
    return _report(last, [str(stage["name"]) for stage in described], sizes, path, size, watch.seconds)


def _proven(examined: Sequence[Examined], sizes: Sizes | None, watch: Stopwatch) -> Proven:
    """Capture, lower, optimise and unroll one stage of the descent, and compare it with PyTorch."""
    first = examined[0]
    with watch.stage("capture"):
        programs = capture_all(examined, sizes)
    with watch.stage("lower"):
        lowered = lower_all(programs)
    with watch.stage("optimise"):
        graphs = optimise_all(lowered)
        if first.precision == "float16":
            graphs = halve_all(graphs)
    with watch.stage("unroll"):
        segment = with_fixed_batch((loop if first.form == "loop" else unroll)(first, graphs))
        model = model_of(segment.graph, shapes=first.fixed_batch is not None)
        checker = checker_of(segment)
    with watch.stage("verify"):
        data = model.SerializeToString()
        hosts = Hosts(segment, data, checker)
        parity = verify(segment, hosts)
        for other in examined[1:]:
            parity.include(verify(replace(segment, examined=other), hosts))
    return Proven(segment, model, checker, parity)


def _report(
    last: Proven, stages: list[str], sizes: Sizes | None, path: Path, size: int, seconds: dict[str, float]
) -> ExportReport:
    segment, examined = last.segment, last.segment.examined
    return ExportReport(
        path=path,
        bytes=size,
        form=examined.form,
        steps=examined.unroll,
        stages=stages,
        trace_every=examined.trace_every,
        batch=examined.fixed_batch,
        precision=examined.precision,
        sizes=[] if sizes is None else sizes.examples(),
        nodes=len(segment.graph.needed()) + (segment.nodes_a_step if examined.form == "loop" else 0),
        nodes_a_step=segment.nodes_a_step,
        hoisted=segment.hoisted,
        tolerance=examined.tolerance,
        errors=last.parity.worst,
        judged=last.parity.judged,
        batches=examined.batches,
        seeds=examined.seeds,
        seconds=seconds,
    )
