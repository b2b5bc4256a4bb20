"""The page of supported operators, from the cases that prove it: ``python -m tests.export.support_table > docs/operators.md``."""

from __future__ import annotations

import sys

from tests.export.battery import Case
from tests.export.cases import CASES

INTRODUCTION = """\
# Operators

The operators that an energy may use. Each line is a case of the tests: an energy in which the state flows through the
operator. It is exported with its gradient, run in ONNX Runtime, and compared with PyTorch at several batch sizes, to a
relative error of 1e-5 (where float32 PyTorch itself is further than that from float64, float64 decides).
{exported} of the {total} cases are exported and match; the other {refused} are refused: no file is written, and the
message names the operator, its line in your source, and a workaround.

Other operators are tested in the same way at every export: an operator without a translation is refused by
name, and a file that differs from PyTorch is not written.

Subgradients are PyTorch's: the gradient of a norm at zero is zero, equal largest elements share or take the gradient
as PyTorch has it, and a NaN that PyTorch computes for `where(x > 0, x.sqrt(), 0)` is a NaN here too. Where several
elements of a sort, `topk`, `median` or `kthvalue` are equal, PyTorch may give the gradient to any of them; the file
gives it to the first. The gradient of the determinant of a singular matrix is the true one, where PyTorch's is zero.

Half precision inside an energy is computed in float32 and rounded after every operator. Matrices of `det`, `inv`,
`solve` and `cholesky` have at most 16 rows; the elimination is unrolled. Complex numbers are pairs of real ones, a
Fourier transform is a product with a matrix of cosines and sines. A write in place, also through a view, makes a new
tensor.

This page is written by `python -m tests.export.support_table > docs/operators.md`, and a test fails when it is out of
date.
"""


def _line(name: str, case: Case) -> str:
    if case.because:
        return f"| {name} | refused: {case.because} |"
    return f"| {name} | exported |"


def page() -> str:
    """The page, as Markdown."""
    refused = sum(bool(case.because) for case in CASES.values())
    parts = [INTRODUCTION.format(total=len(CASES), refused=refused, exported=len(CASES) - refused)]
    subjects: dict[str, list[str]] = {}
    for title, case in CASES.items():
        subject, name = title.split(": ", 1)
        subjects.setdefault(subject, []).append(_line(name, case))
    for subject, lines in subjects.items():
        parts.append(f"## {subject}\n\n| case | |\n|---|---|\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.write(page())
