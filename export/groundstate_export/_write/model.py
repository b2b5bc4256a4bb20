"""Write: the graph as a self-describing ONNX file."""

from __future__ import annotations

import base64
import itertools
import json
import os
import string
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper

from groundstate_export._ir.graph import Graph
from groundstate_export._ir.lengths import Length
from groundstate_export._ir.values import Batch, Node, Shape, Value
from groundstate_export._unroll.segment import Segment
from groundstate_export._unroll.unroll import distinct
from groundstate_export._write.weights import Weights

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
        # A node's outputs may get their names while the node is written.
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
        # Our nodes with subgraphs list captured values among their inputs; ONNX nodes do not.
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
    """An ONNX model of a graph: short names, no documentation, nothing about this machine.

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


def checker_of(segment: Segment) -> bytes | None:
    """The small model that checks answers, serialised; None if there are neither checks nor an encoding."""
    graph = segment.graphs.checker
    if graph is None:
        return None
    alone = replace(graph, nodes=list(graph.nodes))
    alone.outputs = distinct(alone, graph.outputs)
    return bytes(model_of(alone).SerializeToString(deterministic=True))


def _attribute(name: str, value: Any) -> Any:
    if name == "to":
        return helper.np_dtype_to_tensor_dtype(np.dtype(value))
    return list(value) if isinstance(value, tuple) else value


def _info(name: str, value: Value) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), dims(value.shape))


def dims(shape: Shape) -> list[int | str]:
    return [str(d) if isinstance(d, (Batch, Length)) else int(d) for d in shape]


def write(model: onnx.ModelProto, header: Mapping[str, Any], models: Mapping[str, bytes], path: Path) -> int:
    """Add the header and further models to the model, and write the file atomically.

    Args:
        model: The graph.
        header: The file's description.
        models: Serialised models by their metadata key, such as ``groundstate.checker``.
        path: The file.

    Returns:
        The file's size in bytes.
    """
    for old in list(model.metadata_props):
        model.metadata_props.remove(old)
    properties = {"groundstate": json.dumps(header, ensure_ascii=False, allow_nan=False)}
    properties |= {key: base64.b64encode(content).decode("ascii") for key, content in models.items()}
    for key, value in properties.items():
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
