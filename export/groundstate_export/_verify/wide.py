"""Run the caller's code in float64, although it names float32 itself: ``x.float()``, ``torch.linspace(0, 1, 9) @ x``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_MAKING = frozenset({
    torch.tensor, torch.as_tensor, torch.scalar_tensor, torch.zeros, torch.ones, torch.full, torch.empty, torch.eye,
    torch.linspace, torch.logspace, torch.arange, torch.hann_window, torch.hamming_window, torch.blackman_window,
})  # fmt: skip
"""Functions that make tensors of the default dtype."""


class Wide(TorchFunctionMode):
    """Replaces float32 by float64 wherever the caller's code asks for it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is Tensor.float:
            return args[0].double()
        args = tuple(torch.float64 if a is torch.float32 else a for a in args)
        if kwargs.get("dtype") is torch.float32:
            kwargs["dtype"] = torch.float64
        result = func(*args, **kwargs)
        if func in _MAKING and "dtype" not in kwargs and isinstance(result, Tensor) and result.dtype == torch.float32:
            return func(*args, dtype=torch.float64, **kwargs)
        return result
