"""The dtypes of a graph's inputs and outputs, and of its computations."""

from __future__ import annotations

import ml_dtypes  # noqa: F401  # registers bfloat16 with numpy
import numpy as np
import torch

NUMPY = {
    torch.float32: np.float32,
    torch.float64: np.float64,
    torch.float16: np.float16,
    torch.int64: np.int64,
    torch.int32: np.int32,
    torch.uint8: np.uint8,
    torch.int8: np.int8,
    torch.bool: np.bool_,
}


"""The dtypes of tensors that enter or leave a graph."""


HALVES = {torch.float16: "float16", torch.bfloat16: "bfloat16"}
"""Dtypes that a graph computes in float32 and rounds after each operator: ONNX Runtime cannot compute in them on CPUs."""


COMPUTED = NUMPY | dict.fromkeys(HALVES, np.float32)
"""The dtypes of tensors inside a graph."""
