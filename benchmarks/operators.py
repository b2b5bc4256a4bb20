"""Cost of ONNX Runtime's operators on a CPU: the table behind `groundstate_export._optimise.cost`.

    python benchmarks/operators.py

One thread; ``(8, 729, 16)`` float32, which fits a second-level cache. A figure is nanoseconds per element of the result: the
median of sixty runs, minus the cost of an empty run (an operator on one element).
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort

SHAPE = (8, 729, 16)
RANDOM = np.random.default_rng(0)


def session(nodes: list[Any], feeds: dict[str, Any], constants: dict[str, Any]) -> ort.InferenceSession:
    def info(name: str, value: Any) -> Any:
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)

    graph = helper.make_graph(
        nodes, "operator", [info(k, v) for k, v in feeds.items()], [helper.make_empty_tensor_value_info("out")],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def seconds(op: str, feeds: dict[str, Any], constants: dict[str, Any] | None = None, **attributes: Any) -> float:
    constants = constants or {}
    node = helper.make_node(op, [*feeds, *constants], ["out"], **attributes)
    run = session([node], feeds, constants)
    binding = run.io_binding()
    for name, value in feeds.items():
        binding.bind_ortvalue_input(name, ort.OrtValue.ortvalue_from_numpy(value))
    binding.bind_output("out")
    times = []
    for _ in range(60):
        begin = time.perf_counter()
        run.run_with_iobinding(binding)
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def normal(*shape: int) -> Any:
    return RANDOM.standard_normal(shape).astype(np.float32)


def main() -> None:
    x, y = normal(*SHAPE), normal(*SHAPE)
    positive, mask = np.abs(x) + 0.1, x > 0
    rows = RANDOM.integers(0, 729, (8, 729, 1))
    places = np.stack([np.broadcast_to(np.arange(8)[:, None], (8, 729)), rows[..., 0]], -1)
    base = seconds("Neg", {"x": normal(1)})
    cases: dict[str, float] = {op: seconds(op, {"x": x}) for op in (
        "Neg", "Relu", "Abs", "Exp", "Sigmoid", "Tanh", "Erf", "Softplus", "Sin", "Sign", "Elu", "Softmax"
    )}  # fmt: skip
    cases |= {op: seconds(op, {"x": positive}) for op in ("Sqrt", "Log", "Reciprocal")}
    cases |= {op: seconds(op, {"x": x, "y": y}) for op in ("Add", "Mul", "Max", "Greater")}
    cases |= {
        "Pow": seconds("Pow", {"x": positive, "y": y}),
        "Mul, row of 16": seconds("Mul", {"x": x, "y": normal(16)}),
        "Mul, column": seconds("Mul", {"x": x, "y": normal(8, 729, 1)}),
        "Mul, number": seconds("Mul", {"x": x, "y": normal()}),
        "Where": seconds("Where", {"c": mask, "x": x, "y": y}),
        "Transpose": seconds("Transpose", {"x": x}, perm=[0, 2, 1]),
        "ReduceSum, last axis": seconds("ReduceSum", {"x": x}, {"axes": [2]}) ,
        "MatMul, 16 to 16": seconds("MatMul", {"x": x}, {"w": normal(16, 16)}),
        "MatMul, 1 to 16": seconds("MatMul", {"x": normal(8, 729, 1)}, {"w": normal(1, 16)}),
        "LayerNormalization": seconds("LayerNormalization", {"x": x}, {"scale": normal(16)}),
        "GatherElements": seconds("GatherElements", {"x": x, "i": np.broadcast_to(rows, SHAPE).copy()}, axis=1),
        "GatherND": seconds("GatherND", {"x": x, "i": rows}, batch_dims=1),
        "ScatterElements": seconds(
            "ScatterElements", {"x": x, "i": np.broadcast_to(rows, SHAPE).copy(), "y": y}, axis=1, reduction="add"
        ),
        "ScatterND": seconds("ScatterND", {"x": x, "i": places, "y": y}, reduction="add"),
    }  # fmt: skip
    print(f"ONNX Runtime {ort.__version__}, {x.size:,} elements\n\n| operator | ns per element |\n|---|---|")
    for name, took in sorted(cases.items(), key=lambda case: case[1]):
        print(f"| {name} | {1e9 * max(took - base, 0.0) / x.size:.2f} |")


if __name__ == "__main__":
    main()
