"""Small artefacts of format 4, put together node by node: the runtime is tested without the exporter.

`Graph` builds a segment; `artefact` adds the header and returns the bytes of the file.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DTYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
}


class Graph:
    """An ONNX graph in the making. Methods take and return names of tensors; Python numbers become constants."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: str, shape: Sequence[int | str]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, DTYPES[dtype], ["batch", *shape]))
        return name

    def output(self, name: str, tensor: str, dtype: str, shape: Sequence[int | str]) -> None:
        self.nodes.append(helper.make_node("Identity", [tensor], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, DTYPES[dtype], ["batch", *shape]))

    def constant(self, value: object, dtype: type = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype), name))
        return name

    def __call__(self, kind: str, *inputs: str | float, **attributes: Any) -> str:
        names = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [name], **attributes))
        return name

    def sum(self, *tensors: str) -> str:
        total = tensors[0]
        for one in tensors[1:]:
            total = self("Add", total, one)
        return total

    def square(self, tensor: str) -> str:
        return self("Mul", tensor, tensor)

    def column(self, tensor: str, index: int) -> str:
        """Column ``index`` of ``(batch, n)``, as ``(batch,)``."""
        return self("Gather", tensor, self.constant(index, np.int64), axis=1)

    def columns(self, *tensors: str) -> str:
        """``(batch,)`` tensors beside each other, ``(batch, n)``."""
        wide = [self("Unsqueeze", tensor, self.constant([1], np.int64)) for tensor in tensors]
        return self("Concat", *wide, axis=1)

    def model(self, metadata: Mapping[str, str] | None = None) -> bytes:
        graph = helper.make_graph(self.nodes, "segment", self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])
        for key, value in (metadata or {}).items():
            model.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def former(fields: Mapping[str, Any], version: int) -> dict[str, Any]:
    """The same header in format 2 or 3."""
    old = dict(fields) | {
        "format": version,
        "rules": [{k: c[k] for k in ("name", "description")} for c in fields["checks"]],
    }
    defaults, limits = dict(fields["defaults"]), dict(fields["limits"])
    defaults["lengthens"], defaults["settled"] = defaults.pop("luby_exponent"), defaults.pop("residual_tolerance")
    limits["entries"] = limits.pop("elements")
    old |= {"entries": old.pop("elements"), "defaults": defaults, "limits": limits}
    for name in ("checks", "accept", "stages"):
        del old[name]
    return old if version > 2 else old | {"entries": max(old["entries"])}


def spec(shape: Sequence[int | str] = (), dtype: str = "float32", **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), **more}


def header(**changes: Any) -> dict[str, Any]:
    """A header of format 4 without checks, with these fields changed."""
    return {
        "format": 4, "name": "toy", "title": "Toy", "description": "A toy.", "licence": "", "version": "0", "task": None,
        "form": "unrolled", "steps": 8, "trace_every": 8, "batch": None, "elements": [2], "precision": "float32",
        "inputs": {}, "state": {}, "noise": {}, "answers": {}, "terms": [{"name": "energy", "description": ""}],
        "checks": [], "accept": {"checks": "none", "converged": True, "polish": 0}, "stages": [],
        "request": {"type": "object"}, "answer": {"type": "object"},
        "defaults": {"restarts": 8, "max_steps": 512, "patience": 256, "luby_exponent": 1.0, "residual_tolerance": 1e-4},
        "limits": {"restarts": 4096, "max_steps": 1 << 20, "batch": 4096, "elements": 1 << 20},
        "self_test": None, "parity": {}, "built_with": {},
    } | changes  # fmt: skip


def number(shape: Sequence[int] = ()) -> dict[str, Any]:
    """The schema of a tensor of numbers."""
    schema: dict[str, Any] = {"type": "number"}
    for length in reversed(shape):
        schema = {"type": "array", "items": schema, "minItems": length, "maxItems": length}
    return schema


def properties(**schemas: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": schemas, "required": list(schemas), "additionalProperties": False}


def artefact(graph: Graph, fields: Mapping[str, Any], **metadata: bytes) -> bytes:
    """The file of a graph and its header; further models, by their key, go into the metadata."""
    models = {key.replace("__", "."): base64.b64encode(model).decode() for key, model in metadata.items()}
    return graph.model({"groundstate": json.dumps(fields), **models})


Slope = Callable[[Graph, str], tuple[str, str]]
"""From ``y (batch, n)`` to the energy ``(batch,)`` and its gradient ``(batch, n)``."""


def descent(
    slope: Slope,
    *,
    inputs: Mapping[str, dict[str, Any]],
    size: int,
    steps: int,
    step_size: float,
    scale_name: str = "step_scale",
) -> Graph:
    """A segment of gradient descent: all inputs and outputs but answers, violations and excess.

    Args:
        scale_name: Of the input that multiplies the step size; ``"rate"`` before format 4.
    """
    g = Graph()
    for name, one in inputs.items():
        g.input(name, one["dtype"], one["shape"])
    y = g.input("state.y", "float32", [size])
    scale = g("Unsqueeze", g.input(scale_name, "float32", []), g.constant([1], np.int64))
    first = ""
    for step in range(steps):
        energy, gradient = slope(g, y)
        first = first if step else energy
        y = g("Sub", y, g("Mul", g("Mul", gradient, step_size), scale))
    finish(g, slope, y, first, size)
    return g


def finish(g: Graph, slope: Slope, y: str, first: str, size: int) -> None:
    """The outputs that every segment has, where ``y`` is the state after it and ``first`` the energy before it."""
    energy, gradient = slope(g, y)
    residual = g("Sqrt", g("ReduceSum", g.square(gradient), g.constant([1], np.int64), keepdims=0))
    g.output("next.y", y, "float32", [size])
    g.output("energy", energy, "float32", [])
    g.output("terms", g.columns(energy), "float32", [1])
    g.output("residual", residual, "float32", [])
    g.output("trace", g.columns(first), "float32", [1])


def checks(g: Graph, *amounts: tuple[str, float]) -> None:
    """The outputs ``violations`` and ``excess`` of amounts ``(batch,)``, each with its tolerance."""
    over = [g("Max", g("Sub", amount, tolerance), 0.0) for amount, tolerance in amounts]
    excess = g.columns(*over)
    g.output("violations", g("Cast", g("Greater", excess, 0.0), to=TensorProto.INT64), "int64", [len(amounts)])
    g.output("excess", excess, "float32", [len(amounts)])
