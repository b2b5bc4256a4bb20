"""Operators that are refused for a specific reason, with a workaround."""

from __future__ import annotations

from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call

_SPECTRAL = "ONNX has no eigenvalues or singular values; write a power iteration with a fixed number of steps."

_REASONS = {
    "mode": "ONNX cannot count values; compare with all possible values, `(x.unsqueeze(-1) == values).sum(-2)`.",
    "linalg_matrix_exp": "the number of terms of its series depends on the values; write a series of fixed length.",
    "linalg_qr": "ONNX has no factorisations; for small matrices use `torch.linalg.cholesky` of `a.mT @ a`.",
    "linalg_lu": "ONNX has no factorisations; for small matrices use `torch.linalg.solve`.",
    "linalg_lstsq": "ONNX has no factorisations; solve the normal equations, `torch.linalg.solve(a.mT @ a, a.mT @ b)`.",
    **dict.fromkeys(("_linalg_eigh", "_linalg_eigvals", "linalg_eig", "linalg_eigvals", "_linalg_svd"), _SPECTRAL),
    "_ctc_loss": "its recursion is inside one PyTorch operator; write it with `logsumexp`.",
    "masked_scatter": "the place of a value depends on the number of places set before it; use `torch.where`.",
    "bincount": "it counts across the batch; compare with the classes, `(x.unsqueeze(-1) == torch.arange(n)).sum(1)`.",
    "histc": "it counts across the batch; compare with the bounds of the bins.",
}


@handles(*_REASONS)
def _refused(low: Lowering, call: Call) -> None:
    raise low.refuse(call, _REASONS[call.name])
