"""Write: the graph as an ONNX file that says everything about itself."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import string
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper

from groundstate_export.capture import Spec
from groundstate_export.draft import Draft
from groundstate_export.ir import Batch, Graph, Node, Shape, Value
from groundstate_export.sizes import greatest, product
from groundstate_export.tool import Tool
from groundstate_export.weights import Weights

FORMAT, FORMAT_OF_SIZES = 2, 3
"""Of files of one size, and of those of any, which a reader of the former could not read."""
OPSET = 18
IR_VERSION = 10


_DIGITS = string.digits + string.ascii_lowercase


class _Writer:
    """Writes graphs as protos: names of one to three characters, weights in the outermost graph, each stored once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.names: dict[Value, str] = {value: name for name, value in graph.inputs.items()}
        self.names |= {value: name for name, value in graph.outputs.items()}
        self.taken = set(self.names.values())
        self.counter = itertools.count()
        self.weights = Weights(self._fresh)

    def run(self, *, shapes: bool) -> onnx.GraphProto:
        nodes = self._nodes(self.graph)
        stored, made = self.weights.write()
        # What a node of the graph returns may have been named while it was written.
        inner = [v for n in self.graph.needed() for v in n.outputs if v not in self.graph.outputs.values()]
        return helper.make_graph(
            [*made, *nodes],
            "energy",
            [_info(name, value) for name, value in self.graph.inputs.items()],
            [_info(name, value) for name, value in self.graph.outputs.items()],
            stored,
            value_info=[_info(self.names[v], v) for v in inner] if shapes else [],
        )

    def _nodes(self, graph: Graph) -> list[onnx.NodeProto]:
        return [self._node(node) for node in graph.needed()]

    def _node(self, node: Node) -> onnx.NodeProto:
        attributes = dict(node.attributes)
        graphs = {k: v for k, v in attributes.items() if isinstance(v, Graph)}
        # A node with graphs lists what they capture among its inputs; ONNX leaves that unsaid.
        explicit = node.inputs[: max(1, *(len(g.inputs) for g in graphs.values()))] if graphs else node.inputs
        inputs = [self.name(v) for v in explicit]
        bodies = {k: self._inner(k, g) for k, g in graphs.items()}
        plain = {k: _attribute(k, v) for k, v in attributes.items() if k not in graphs}
        return helper.make_node(node.op, inputs, [self.name(v) for v in node.outputs], **plain, **bodies)

    def _inner(self, name: str, graph: Graph) -> onnx.GraphProto:
        inputs = [_info(self.name(v), v) for v in graph.inputs.values()]
        nodes = self._nodes(graph)
        return helper.make_graph(nodes, name, inputs, [_info(self.name(v), v) for v in graph.outputs.values()])

    def name(self, value: Value) -> str:
        if value not in self.names:
            self.names[value] = self._fresh() if value.array is None else self.weights.name(value.array)
        return self.names[value]

    def _fresh(self) -> str:
        name = next(n for n in map(_base36, self.counter) if n not in self.taken)
        self.taken.add(name)
        return name


def _base36(number: int) -> str:
    """The shortest names: letters first, because a name must not begin with a digit."""
    number, last = divmod(number, 26)
    text = ""
    while number:
        number, digit = divmod(number - 1, 36)
        text = _DIGITS[digit] + text
    return string.ascii_lowercase[last] + text


def model_of(graph: Graph, *, shapes: bool = False) -> onnx.ModelProto:
    """An ONNX model of a graph: short names, no documentation, nothing of this machine.

    Args:
        graph: The graph.
        shapes: Whether to write the shape of every intermediate value.
    """
    model = helper.make_model(
        _Writer(graph).run(shapes=shapes), opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
    )
    model.producer_name = "groundstate"
    onnx.checker.check_model(model)
    return model


def _attribute(name: str, value: Any) -> Any:
    if name == "to":
        return helper.np_dtype_to_tensor_dtype(np.dtype(value))
    return list(value) if isinstance(value, tuple) else value


def _info(name: str, value: Value) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), _dims(value.shape))


def _dims(shape: Shape) -> list[int | str]:
    return [str(d) if isinstance(d, Batch) else int(d) for d in shape]


def dtype_name(dtype: torch.dtype) -> str:
    """The header's name of a dtype, such as ``float32``."""
    return str(dtype).removeprefix("torch.")


def _described(spec: Spec, value: Value) -> dict[str, Any]:
    """Dtype and shape without the batch, as the graph has them: an axis that is up to the problem is told by its sizes."""
    return {"dtype": dtype_name(spec.dtype), "shape": _dims(value.shape[1:])}


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
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {name: nested(spec, values[name].shape[1:]) for name, spec in specs.items()},
        "required": list(specs),
        "additionalProperties": False,
    }


_MOST_ENTRIES = 1 << 24
"""Of a problem that brings its own sizes, by default: 64 MiB a tensor and a row."""


def largest(graph: Graph) -> list[int | str]:
    """Entries of the largest tensor that a step computes for one row, or the products of sizes of which one is that."""
    depends = graph.depending_on([name for name in graph.inputs if name.startswith(("state.", "noise."))])
    computed = [product(v.shape) for n in graph.needed() for v in n.outputs if v in depends]
    return [str(one) if one.powers else one.times for one in greatest(computed)]


def header_of(draft: Draft, stem: str) -> dict[str, Any]:
    """Everything that the file says of itself but how it was proven, see ``docs/artefact.md``."""
    tool = draft.tool or Tool()
    inputs = {name: Spec.of(t) for name, t in draft.inputs.items()}
    name = tool.name or re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-") or "energy"
    starts = draft.starts()
    steps = draft.unroll
    entries, graph = largest(draft.graphs["quiet"]), draft.graph
    answers = {k: graph.outputs[f"answer.{k}"] for k in draft.answers}
    open_ended = draft.sizes is not None
    described = ", ".join(inputs) or "nothing"
    return {
        "format": FORMAT_OF_SIZES if open_ended else FORMAT,
        "name": name,
        "title": tool.title or name,
        "description": tool.description
        or f"Finds {', '.join(draft.answers) or 'a state'} of low energy, given {described}.",
        "licence": tool.licence,
        "version": tool.version,
        "task": tool.task,
        "form": draft.form,
        "steps": steps,
        "trace_every": draft.trace_every,
        "batch": draft.fixed_batch,
        "entries": entries if open_ended else entries[0],
        "precision": draft.precision,
        "inputs": {k: _described(v, graph.inputs[k]) for k, v in inputs.items()},
        "answers": {k: _described(v, answers[k]) for k, v in draft.answers.items()},
        "state": {
            k: _described(v, graph.inputs[f"state.{k}"])
            | {"initial": starts[k].header(), "minimised": k in draft.state}
            for k, v in draft.state_specs().items()
        },
        "noise": {k: _described(Spec.of(t), graph.inputs[f"noise.{k}"]) for k, t in draft.state.items() if draft.kicks},
        "terms": [{"name": t, "description": tool.terms.get(t, "")} for t in draft.terms],
        "rules": [{"name": r, "description": tool.rules.get(r, "")} for r in draft.rule_names],
        "request": dict(tool.request) if tool.request is not None else _object(inputs, graph.inputs),
        "answer": dict(tool.answer) if tool.answer is not None else _object(draft.answers, answers),
        "defaults": {"restarts": 8, "max_steps": 32 * steps, "patience": 8 * steps, "lengthens": 1.0, "settled": 1e-3}
        | dict(tool.defaults),
        "limits": {"restarts": 4096, "max_steps": 65536, "batch": 65536}
        | ({"entries": _MOST_ENTRIES} if open_ended else {})
        | dict(tool.limits),
        "self_test": dict(tool.self_test) if tool.self_test is not None else None,
        "parity": {},
        "built_with": {p: _version(p) for p in ("groundstate", "torch", "onnx", "onnxruntime")},
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


def write(draft: Draft, model: onnx.ModelProto, path: Path) -> int:
    """Put the header into the model and the model at ``path``, at once or not at all; the file's size in bytes."""
    for old in list(model.metadata_props):
        model.metadata_props.remove(old)
    entries = {"groundstate": json.dumps(draft.header, ensure_ascii=False, allow_nan=False)}
    if draft.judge is not None:
        entries["groundstate.judge"] = base64.b64encode(draft.judge).decode("ascii")
    for key, value in entries.items():
        model.metadata_props.add(key=key, value=value)
    data = model.SerializeToString(deterministic=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".partial")
    partial = Path(temporary)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return len(data)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
