"""What can go wrong in an export.

```
ExportError
├── BadArgument           an argument of `export` has the wrong type, name or shape
├── BadEnergy             the energy cannot be descended: wrong shape, not finite, random, or its chains influence each other
├── UnsupportedOperator   the captured graph holds an operator that has no translation to ONNX
└── ParityError           the file would not say what PyTorch says
```

Every one of them leaves no file behind.
"""

from __future__ import annotations


class ExportError(Exception):
    """The export was refused."""


class BadArgument(ExportError, ValueError):  # noqa: N818  # the name says what is wrong, the base that it is an error
    """An argument of `export` has the wrong type, name or shape."""


class BadEnergy(ExportError, ValueError):  # noqa: N818
    """The energy (or `decode`, `rules`, `embed`) is not a function that can be descended and exported."""


class UnsupportedOperator(ExportError, NotImplementedError):  # noqa: N818
    """The captured graph holds an operator that has no translation to ONNX.

    Attributes:
        operator: Its name, such as ``aten.linalg_det``.
        reason: Why, and the way round.
        place: Where in the user's source it stands, such as ``energy.py:31, in forward: `y.sort()` ``; empty where unknown.
    """

    def __init__(self, operator: str, reason: str, place: str = "") -> None:
        super().__init__(f"The operator {operator}{f' ({place})' if place else ''} cannot be exported: {reason}")
        self.operator, self.reason, self.place = operator, reason, place
        self.index = -1  # of the instruction in its program, by which its place is found

    def at(self, place: str) -> UnsupportedOperator:
        """The same refusal with its place, where that is not known yet."""
        return self if self.place or not place else UnsupportedOperator(self.operator, self.reason, place)


class ParityError(ExportError, ArithmeticError):
    """The file would not say what PyTorch says.

    Attributes:
        output: The graph output that differs.
        batch: The batch size at which it does.
        seed: The seed at which it does.
        error: How far apart the two are, relative to the largest element of the reference.
        tolerance: What was allowed.
    """

    def __init__(self, output: str, batch: int, seed: int, error: float, tolerance: float, detail: str = "") -> None:
        super().__init__(
            f"The output {output!r} differs from PyTorch by {error:.3g} (relative to its largest element) at batch {batch} and "
            f"seed {seed}; {tolerance:.3g} is allowed. {detail}No file was written. Most often one operator of the energy "
            "behaves differently in ONNX Runtime; export parts of the energy alone to find it."
        )
        self.output, self.batch, self.seed, self.error, self.tolerance = output, batch, seed, error, tolerance
