"""The messages of onnx.proto that an artefact may contain, field by field, and its allowed operators and element types."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundstate._gate._wire import I32, I64, LEN, VARINT, kind

OPSET = 18
IR_VERSIONS = range(8, 11)

STRING = kind("StringStringEntryProto", (1, "key", LEN), (2, "value", LEN))
OPSET_ID = kind("OperatorSetIdProto", (1, "domain", LEN), (2, "version", VARINT))
MODEL = kind(
    "ModelProto",
    (1, "ir_version", VARINT),
    (2, "producer_name", LEN),
    (3, "producer_version", LEN),
    (4, "domain", LEN),
    (5, "model_version", VARINT),
    (6, "doc_string", LEN),
    (7, "graph", LEN),
    (8, "opset_import", LEN),
    (14, "metadata_props", LEN),
    repeated=(8, 14),
    barred={20: "training information", 25: "functions", 26: "a device configuration"},
)
GRAPH = kind(
    "GraphProto",
    (1, "node", LEN),
    (2, "name", LEN),
    (5, "initializer", LEN),
    (10, "doc_string", LEN),
    (11, "input", LEN),
    (12, "output", LEN),
    (13, "value_info", LEN),
    repeated=(1, 5, 11, 12, 13),
    barred={14: "quantization annotations", 15: "a sparse initialiser", 16: "metadata"},
)
NODE = kind(
    "NodeProto",
    (1, "input", LEN),
    (2, "output", LEN),
    (3, "name", LEN),
    (4, "op_type", LEN),
    (5, "attribute", LEN),
    (6, "doc_string", LEN),
    (7, "domain", LEN),
    repeated=(1, 2, 5),
    barred={8: "an overload", 9: "metadata", 10: "a device configuration"},
)
ATTRIBUTE = kind(
    "AttributeProto",
    (1, "name", LEN),
    (2, "f", I32),
    (3, "i", VARINT),
    (4, "s", LEN),
    (5, "t", LEN),
    (6, "g", LEN),
    (7, "floats", I32),
    (8, "ints", VARINT),
    (20, "type", VARINT),
    repeated=(7, 8),
    packed=(7, 8),
    barred={
        9: "strings",
        10: "tensors",
        11: "graphs",
        14: "a type",
        15: "types",
        21: "a reference",
        22: "a sparse tensor",
        23: "sparse tensors",
    },
)
TENSOR = kind(
    "TensorProto",
    (1, "dims", VARINT),
    (2, "data_type", VARINT),
    (4, "float_data", I32),
    (5, "int32_data", VARINT),
    (7, "int64_data", VARINT),
    (8, "name", LEN),
    (9, "raw_data", LEN),
    (10, "double_data", I64),
    packed=(1, 4, 5, 7, 10),
    barred={3: "a segment", 6: "text", 13: "external data", 14: "external data", 16: "metadata"},
)
VALUE = kind("ValueInfoProto", (1, "name", LEN), (2, "type", LEN))
TYPE = kind(
    "TypeProto", (1, "tensor_type", LEN), barred={4: "a sequence", 5: "a map", 8: "a sparse tensor", 9: "an optional"}
)
TENSOR_TYPE = kind("TypeProto.Tensor", (1, "elem_type", VARINT), (2, "shape", LEN))
SHAPE = kind("TensorShapeProto", (1, "dim", LEN), repeated=(1,))
DIMENSION = kind("TensorShapeProto.Dimension", (1, "dim_value", VARINT), (2, "dim_param", LEN))

DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("u1"),
    3: np.dtype("i1"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    9: np.dtype("?"),
    10: np.dtype("<f2"),
    11: np.dtype("<f8"),
}
"""TensorProto.DataType to NumPy dtype, for the types that an artefact may contain."""

OPERATORS = frozenset(
    {
        "Abs",
        "Acos",
        "Acosh",
        "Add",
        "And",
        "ArgMax",
        "ArgMin",
        "Asin",
        "Asinh",
        "Atan",
        "Atanh",
        "AveragePool",
        "BitwiseAnd",
        "BitwiseNot",
        "BitwiseOr",
        "BitwiseXor",
        "Cast",
        "Ceil",
        "Celu",
        "Clip",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Conv",
        "ConvTranspose",
        "Cos",
        "Cosh",
        "CumSum",
        "Div",
        "Einsum",
        "Elu",
        "Equal",
        "Erf",
        "Exp",
        "Expand",
        "Flatten",
        "Floor",
        "Gather",
        "GatherElements",
        "GatherND",
        "Gelu",
        "Gemm",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "Greater",
        "GreaterOrEqual",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "IsInf",
        "IsNaN",
        "LayerNormalization",
        "LeakyRelu",
        "Less",
        "LessOrEqual",
        "Log",
        "LogSoftmax",
        "MatMul",
        "Max",
        "MaxPool",
        "Mean",
        "Min",
        "Mish",
        "Mod",
        "Mul",
        "Neg",
        "Not",
        "OneHot",
        "Or",
        "PRelu",
        "Pad",
        "Pow",
        "Range",
        "Reciprocal",
        "ReduceL1",
        "ReduceL2",
        "ReduceLogSumExp",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "ReduceSumSquare",
        "Relu",
        "Reshape",
        "Resize",
        "Round",
        "ScatterElements",
        "ScatterND",
        "Selu",
        "Shape",
        "Sigmoid",
        "Sign",
        "Sin",
        "Sinh",
        "Size",
        "Slice",
        "Softmax",
        "Softplus",
        "Softsign",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Sum",
        "Tan",
        "Tanh",
        "ThresholdedRelu",
        "Tile",
        "TopK",
        "Transpose",
        "Trilu",
        "Unsqueeze",
        "Where",
        "Xor",
    }
)
"""Operators of ai.onnx that an artefact may use. All are deterministic functions of their inputs."""

CONTROL = frozenset({"If", "Loop"})
"""Control flow, which only the form 'loop' has."""

SIZED = frozenset({"ConstantOfShape", "Expand", "Tile"})
"""Operators with an input that is the output's shape, or factors of it."""

LENGTHENING = frozenset({"OneHot", "Pad", "Range", "Resize"})
"""Operators with an input that is a length or a limit."""
