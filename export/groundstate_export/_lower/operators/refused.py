"""Operators that are refused for a reason of their own, with the way round."""

from __future__ import annotations

from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call

_SPECTRAL = (
    "ONNX has no eigenvalues or singular values; a power iteration of a fixed number of steps is made of products."
)

_REASONS = {
    "mode": "ONNX counts no values; compare with the values that there may be, `(x.unsqueeze(-1) == values).sum(-2)`.",
    "linalg_matrix_exp": "how many terms its series takes depends on the values; write a series of fixed length.",
    "linalg_qr": "ONNX has no factorisations; `torch.linalg.cholesky` of `a.mT @ a` is written out for small matrices.",
    "linalg_lu": "ONNX has no factorisations; `torch.linalg.solve` is written out for small matrices.",
    "linalg_lstsq": "ONNX has no factorisations; solve the normal equations, `torch.linalg.solve(a.mT @ a, a.mT @ b)`.",
    **dict.fromkeys(("_linalg_eigh", "_linalg_eigvals", "linalg_eig", "linalg_eigvals", "_linalg_svd"), _SPECTRAL),
    "_ctc_loss": "its recursion runs inside one operator of PyTorch's; write it with `logsumexp`.",
    "masked_scatter": "where a value lands depends on how many places are set before it; use `torch.where`.",
    "bincount": "it counts across the batch; compare with the classes, `(x.unsqueeze(-1) == torch.arange(n)).sum(1)`.",
    "histc": "it counts across the batch; compare with the bounds of the bins.",
}


@handles(*_REASONS)
def _refused(low: Lowering, call: Call) -> None:
    raise low.refuse(call, _REASONS[call.name])
