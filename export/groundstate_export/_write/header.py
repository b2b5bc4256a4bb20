"""The header: what a file says about itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import torch

from groundstate_export._examine.examined import Examined
from groundstate_export._examine.sizes import Sizes
from groundstate_export._ir.dimensions import greatest, product
from groundstate_export._ir.graph import Batch, Graph, Shape, Value
from groundstate_export._ir.program import Spec
from groundstate_export._unroll.segment import Segment
from groundstate_export._verify.findings import Parity
from groundstate_export._verify.parity import segments
from groundstate_export._write.model import dims


def dtype_name(dtype: torch.dtype) -> str:
    """The header's name of a dtype, such as ``float32``."""
    return str(dtype).removeprefix("torch.")


def _described(spec: Spec, value: Value) -> dict[str, Any]:
    """Dtype and shape without the batch, as the graph has them: an axis that is up to the problem is told by its sizes."""
    return {"dtype": dtype_name(spec.dtype), "shape": dims(value.shape[1:])}


def nested(spec: Spec, shape: Shape) -> dict[str, Any]:
    """JSON schema of a tensor as nested arrays, of any length where that is up to the problem.

    Args:
        spec: Its dtype.
        shape: Its shape without the batch, as the graph has it.
    """
    kind = "boolean" if spec.dtype == torch.bool else "number" if spec.dtype.is_floating_point else "integer"
    schema: dict[str, Any] = {"type": kind}
    for size in reversed(shape):
        length = {"minItems": 1} if isinstance(size, Batch) else {"minItems": size, "maxItems": size}
        schema = {"type": "array", "items": schema, **length}
    return schema


def _object(specs: Mapping[str, Spec], values: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/examined/2020-12/schema",
        "type": "object",
        "properties": {name: nested(spec, values[name].shape[1:]) for name, spec in specs.items()},
        "required": list(specs),
        "additionalProperties": False,
    }


FORMAT, FORMAT_OF_SIZES = 2, 3
"""Of files of one size, and of those of any, which a reader of the former could not read."""

_MOST_ENTRIES = 1 << 24
"""Of a problem that brings its own sizes, by default: 64 MiB a tensor and a row."""


def largest(graph: Graph) -> list[int | str]:
    """Entries of the largest tensor that a step computes for one row, or the products of sizes of which one is that."""
    depends = graph.depending_on([name for name in graph.inputs if name.startswith(("state.", "noise."))])
    computed = [product(v.shape) for n in graph.needed() for v in n.outputs if v in depends]
    return [str(one) if one.powers else one.times for one in greatest(computed)]


def header_of(segment: Segment, sizes: Sizes | None, stem: str) -> dict[str, Any]:
    """Everything that the file says of itself but how it was proven, see ``docs/artefact.md``."""
    examined, graph = segment.examined, segment.graph
    tool = examined.tool
    inputs = {name: Spec.of(t) for name, t in examined.inputs.items()}
    name = tool.name or re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-") or "energy"
    starts = examined.starts()
    steps = examined.unroll
    entries = largest(segment.graphs.step)
    answers = {k: graph.outputs[f"answer.{k}"] for k in examined.answers}
    open_ended = sizes is not None
    described = ", ".join(inputs) or "nothing"
    return {
        "format": FORMAT_OF_SIZES if open_ended else FORMAT,
        "name": name,
        "title": tool.title or name,
        "description": tool.description
        or f"Finds {', '.join(examined.answers) or 'a state'} of low energy, given {described}.",
        "licence": tool.licence,
        "version": tool.version,
        "task": tool.task,
        "form": examined.form,
        "steps": steps,
        "trace_every": examined.trace_every,
        "batch": examined.fixed_batch,
        "entries": entries if open_ended else entries[0],
        "precision": examined.precision,
        "inputs": {k: _described(v, graph.inputs[k]) for k, v in inputs.items()},
        "answers": {k: _described(v, answers[k]) for k, v in examined.answers.items()},
        "state": {
            k: _described(v, graph.inputs[f"state.{k}"])
            | {"initial": starts[k].header(), "minimised": k in examined.state}
            for k, v in examined.state_specs().items()
        },
        "noise": {
            k: _described(Spec.of(t), graph.inputs[f"noise.{k}"]) for k, t in examined.state.items() if examined.kicks
        },
        "terms": [{"name": t, "description": tool.terms.get(t, "")} for t in examined.terms],
        "rules": [{"name": r, "description": tool.rules.get(r, "")} for r in examined.rule_names],
        "request": dict(tool.request) if tool.request is not None else _object(inputs, graph.inputs),
        "answer": dict(tool.answer) if tool.answer is not None else _object(examined.answers, answers),
        "defaults": {"restarts": 8, "max_steps": 32 * steps, "patience": 8 * steps, "lengthens": 1.0, "settled": 1e-3}
        | dict(tool.defaults),
        "limits": {"restarts": 4096, "max_steps": 65536, "batch": 65536}
        | ({"entries": _MOST_ENTRIES} if open_ended else {})
        | dict(tool.limits),
        "self_test": dict(tool.self_test) if tool.self_test is not None else None,
        "parity": {},
        "built_with": {p: _version(p) for p in ("groundstate", "torch", "onnx", "onnxruntime")},
    }


def proof_of(examined: Examined, sizes: Sizes | None, parity: Parity) -> dict[str, Any]:
    """How the file was held against PyTorch."""
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
