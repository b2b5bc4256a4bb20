"""The header: the file's description of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import torch

from groundstate_export._arguments import Until
from groundstate_export._card import Check
from groundstate_export._errors import BadEnergy
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.sizes import Sizes
from groundstate_export._ir.dimensions import greatest, product
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.lengths import Length, is_product
from groundstate_export._ir.program import Spec
from groundstate_export._ir.values import Shape, Value
from groundstate_export._unroll.segment import Segment
from groundstate_export._verify.findings import Parity
from groundstate_export._verify.parity import segments
from groundstate_export._write.model import dims


def dtype_name(dtype: torch.dtype) -> str:
    """The header's name of a dtype, such as ``float32``."""
    return str(dtype).removeprefix("torch.")


def _described(spec: Spec, value: Value) -> dict[str, Any]:
    """Dtype and shape in the graph, without the batch; an axis that depends on the problem is described by its sizes."""
    if not all(is_product(d) for d in value.shape[1:] if isinstance(d, int)):
        raise BadEnergy(
            f"A tensor that the file's header describes has the shape ({', '.join(map(str, value.shape[1:]))}); there, each "
            "length must be a number or a product of sizes. Pad an answer to such a length."
        )
    return {"dtype": dtype_name(spec.dtype), "shape": dims(value.shape[1:])}


def nested(spec: Spec, shape: Shape) -> dict[str, Any]:
    """JSON schema of a tensor as nested arrays, of any length along axes that depend on the problem.

    Args:
        spec: Its dtype.
        shape: Its shape in the graph, without the batch.
    """
    kind = "boolean" if spec.dtype == torch.bool else "number" if spec.dtype.is_floating_point else "integer"
    schema: dict[str, Any] = {"type": kind}
    for size in reversed(shape):
        length = {"minItems": 1} if isinstance(size, Length) else {"minItems": size, "maxItems": size}
        schema = {"type": "array", "items": schema, **length}
    return schema


def _object(specs: Mapping[str, Spec], values: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {name: nested(spec, values[name].shape[1:]) for name, spec in specs.items()},
        "required": list(specs),
        "additionalProperties": False,
    }


FORMAT = 4

_DEFAULTS = {"restarts": 8, "max_steps": 0, "patience": 0, "luby_exponent": 1.0, "residual_tolerance": 1e-3}
_LIMITS = {"restarts": 4096, "max_steps": 65536, "batch": 65536}
_MOST_ELEMENTS = 1 << 24
"""The default limit on the elements of a step's largest tensor for one row: 64 MiB."""


def largest(graph: Graph) -> list[int | str]:
    """Elements of a step's largest tensor per row; for files of any size, the candidate products of sizes."""
    depends = graph.depending_on([name for name in graph.inputs if name.startswith(("state.", "noise."))])
    computed = [product(v.shape) for n in graph.needed() for v in n.outputs if v in depends]
    return [str(one) if one.powers else one.times for one in greatest(computed)]


def header_of(segment: Segment, stem: str, stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Everything in the header except the proof, see ``docs/artefact.md``."""
    examined, graph, card = segment.examined, segment.graph, segment.examined.card
    inputs = {name: Spec.of(t) for name, t in examined.inputs.items()}
    asked = {name: spec for name, spec in inputs.items() if name not in examined.parameters}
    name = card.name or re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-") or "energy"
    answers = {k: graph.outputs[f"answer.{k}"] for k in examined.answers}
    described = ", ".join(asked) or "nothing"
    checks = card.described_checks()
    steps = examined.unroll
    whole = _segment_of(segment)
    fixed = [n for part in (whole, *stages) for n in part["elements"] if isinstance(n, int)]
    return {
        "format": FORMAT,
        "name": name,
        "title": card.title or name,
        "description": card.description or f"Finds {', '.join(examined.answers)} of low energy, given {described}.",
        "licence": card.licence,
        "version": card.version,
        "task": card.task,
        "form": examined.form,
        "steps": whole["steps"],
        "trace_every": examined.trace_every,
        "batch": examined.fixed_batch,
        "elements": whole["elements"],
        "precision": examined.precision,
        "inputs": {
            k: _described(v, graph.inputs[k])
            | ({"default": examined.parameters[k].tolist()} if k in examined.parameters else {})
            for k, v in inputs.items()
        },
        "answers": whole["answers"],
        "state": whole["state"],
        "noise": whole["noise"],
        "terms": whole["terms"],
        "checks": [
            {"name": k, "description": one.description, "tolerance": one.tolerance, "unit": one.unit}
            for k in examined.check_names
            for one in [checks.get(k, Check())]
        ],
        "accept": examined.accepted.header(),
        "stages": [dict(stage) for stage in stages],
        "request": dict(card.request) if card.request is not None else _object(asked, graph.inputs),
        "answer": dict(card.answer) if card.answer is not None else _object(examined.answers, answers),
        "defaults": _DEFAULTS | {"max_steps": 32 * steps, "patience": 8 * steps} | dict(card.defaults),
        "limits": _LIMITS | {"elements": max([_MOST_ELEMENTS, *fixed])} | dict(card.limits),
        "self_test": dict(card.self_test) if card.self_test is not None else None,
        **({"knowledge": dict(card.knowledge)} if card.knowledge is not None else {}),
        "parity": {},
        "built_with": {p: _version(p) for p in ("groundstate", "torch", "onnx", "onnxruntime")},
    }


def stage_of(segment: Segment, name: str, key: str, until: Until) -> dict[str, Any]:
    """The header's description of an earlier stage."""
    fields = _segment_of(segment)
    return {
        "name": name,
        "model": key,
        "trace_every": segment.examined.trace_every,
        **fields,
        "until": until.header(),
    }


def _segment_of(segment: Segment) -> dict[str, Any]:
    """The header's description of a segment, of a stage or of the whole file."""
    examined, graph = segment.examined, segment.graph
    starts, times = examined.starts(), examined.noise_times
    noise: dict[str, Any] = {}
    if times is not None:
        for name, tensor in examined.state.items():
            noise[name] = _described(Spec.of(tensor), graph.inputs[f"noise.{name}"]) | {
                "period": times.period,
                "offsets": list(times.offsets),
            }
    return {
        "steps": examined.unroll,
        "elements": largest(segment.graphs.step),
        "state": {
            k: _described(v, graph.inputs[f"state.{k}"])
            | {"initial": starts[k].header(), "minimised": k in examined.state}
            for k, v in examined.state_specs().items()
        },
        "noise": noise,
        "answers": {k: _described(v, graph.outputs[f"answer.{k}"]) for k, v in examined.answers.items()},
        "terms": [{"name": t, "description": examined.card.terms.get(t, "")} for t in examined.terms],
    }


def proof_of(examined: Examined, sizes: Sizes | None, parity: Parity) -> dict[str, Any]:
    """The header's proof of parity."""
    return {
        "tolerance": examined.tolerance,
        "worst": max(parity.worst.values()),
        "batches": list(examined.batches),
        "segments": segments(examined),
        "seeds": list(examined.seeds),
        **({} if sizes is None else {"sizes": sizes.examples()}),
        "outputs": parity.worst,
        "judged": parity.judged,
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
