"""The errors of an export.

```
ExportError
├── BadArgument           an argument of `export` has the wrong type, name or shape
├── BadEnergy             the energy cannot be descended: wrong shape, not finite, random, or its chains influence each other
├── UnsupportedOperator   the captured graph contains an operator without a translation to ONNX
└── ParityError           the file's outputs differ from PyTorch's
```

None of them leaves a file behind.
"""

from __future__ import annotations


class ExportError(Exception):
    """The export was refused."""


class BadArgument(ExportError, ValueError):  # noqa: N818  # the name states the problem, the base that it is an error
    """An argument of `export` has the wrong type, name or shape."""


class BadEnergy(ExportError, ValueError):  # noqa: N818
    """The energy (or `decode`, `checks`, `encode_answer`) cannot be descended and exported."""


class UnsupportedOperator(ExportError, NotImplementedError):  # noqa: N818
    """The captured graph contains an operator without a translation to ONNX.

    Attributes:
        operator: Its name, such as ``aten.linalg_det``.
        reason: The reason, and a workaround.
        place: Its place in the user's source, such as ``energy.py:31, in forward: `y.sort()` ``; empty if unknown.
    """

    def __init__(self, operator: str, reason: str, place: str = "") -> None:
        super().__init__(f"The operator {operator}{f' ({place})' if place else ''} cannot be exported: {reason}")
        self.operator, self.reason, self.place = operator, reason, place
        self.index = -1  # of the instruction in its program, which determines the place

    def at(self, place: str) -> UnsupportedOperator:
        """The same refusal with a place, unless it has one."""
        return self if self.place or not place else UnsupportedOperator(self.operator, self.reason, place)


class ParityError(ExportError, ArithmeticError):
    """The file's outputs differ from PyTorch's.

    Attributes:
        output: The graph output that differs.
        batch: The batch size of the comparison.
        seed: The seed of the comparison.
        error: The relative difference, on the scale of the reference's largest element.
        tolerance: The allowed difference.
    """

    def __init__(
        self, output: str, batch: int, seed: int, error: float, tolerance: float, detail: str = "", cause: str = ""
    ) -> None:
        cause = cause or (
            "The most common cause is one operator of the energy that behaves differently in ONNX Runtime; export parts of the "
            "energy to find it."
        )
        super().__init__(
            f"The output {output!r} differs from PyTorch by {error:.3g} (relative to its largest element) at batch {batch} and "
            f"seed {seed}; {tolerance:.3g} is allowed. {detail}No file was written. {cause}"
        )
        self.output, self.batch, self.seed, self.error, self.tolerance = output, batch, seed, error, tolerance
