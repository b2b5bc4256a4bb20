"""Dtypes: of tensors that enter or leave a graph, and of what is computed inside it."""

from __future__ import annotations

import ml_dtypes  # noqa: F401  # from it numpy knows bfloat16
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


"""What a tensor is that enters or leaves a graph."""


HALVES = {torch.float16: "float16", torch.bfloat16: "bfloat16"}
"""Dtypes that a graph computes in as float32, rounded after each operator: ONNX Runtime has no arithmetic of theirs on CPUs."""


COMPUTED = NUMPY | dict.fromkeys(HALVES, np.float32)
"""What a tensor is inside a graph."""
