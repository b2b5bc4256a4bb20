"""Functions in float64: as exact as numpy's, although ONNX Runtime computes them in float32 only."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from torch import Tensor

from groundstate_export import GradientDescent, export
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Batch
from groundstate_export._lower.operators.double import function
from groundstate_export._write.model import model_of

WIDE = np.concatenate([s * np.geomspace(1e-12, 700.0, 4000) for s in (-1.0, 1.0)])
UNIT = np.concatenate(
    [s * np.concatenate([np.geomspace(1e-12, 1.0, 3000), 1.0 - np.geomspace(1e-15, 0.5, 1000)]) for s in (-1.0, 1.0)]
)
REFERENCES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "Atan": (np.arctan, np.concatenate([WIDE, 1e6 * WIDE, [0.0, 1.0, -1.0]])),
    "Asin": (np.arcsin, UNIT),
    "Acos": (np.arccos, UNIT),
    "Tan": (np.tan, WIDE[np.abs(WIDE) < 1.5]),
    "Sinh": (np.sinh, WIDE),
    "Cosh": (np.cosh, WIDE),
    "Asinh": (np.arcsinh, 1e3 * WIDE),
    "Acosh": (np.arccosh, 1.0 + np.geomspace(1e-12, 1e6, 4000)),
    "Atanh": (np.arctanh, UNIT[np.abs(UNIT) < 1.0]),
    "Erf": (np.vectorize(math.erf), WIDE),
}


@pytest.mark.parametrize("op", REFERENCES)
def test_a_function_has_a_relative_error_of_1e_14(op: str) -> None:
    reference, points = REFERENCES[op]
    graph = Graph()
    graph.outputs = {"found": function(graph, op, graph.input("x", np.float64, (Batch(),)))}
    session = ort.InferenceSession(model_of(graph).SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": points})
    wanted = reference(points)
    assert (np.abs(found - wanted) <= 1e-14 * np.abs(wanted)).all()


def test_an_energy_of_angles_is_exported_in_float64(tmp_path: Path) -> None:
    def energy(y: Tensor, x: Tensor) -> Tensor:
        one, other = y.unflatten(1, (2, 2)).unbind(1)
        angle = torch.atan2(one[:, 1], one[:, 0]) - torch.acos(other[:, 0].tanh()) + torch.erf(other[:, 1])
        return (angle - x).square() + y.square().sum(1)

    report = export(
        energy, inputs={"x": torch.rand(3).double()}, state=torch.randn(3, 4).double(), rule=GradientDescent(0.05), unroll=2,
        path=tmp_path / "angles.onnx",
    )  # fmt: skip
    assert max(report.errors.values()) < 1e-10
