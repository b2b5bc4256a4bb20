"""Symbols: the named sizes of a problem while a function is traced.

PyTorch carries symbolic lengths through a trace, and asks for the example's values only where Python has to decide. Each such
decision is recorded: a function that turns a size into a number, or whose path differs at another example, is refused.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import sympy  # type: ignore[import-untyped]  # it has no types
import torch
from torch._dynamo.source import ConstantSource
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import DimDynamic, ShapeEnv

from groundstate_export._callers_code import current_place
from groundstate_export._errors import BadEnergy
from groundstate_export._examine.sizes import Sizes
from groundstate_export._ir.lengths import Length, Number, length, size
from groundstate_export._ir.program import Condition
from groundstate_export._ir.values import Shape

REMEDY = (
    "Use sizes through the shapes of tensors: write the loop with operators on whole tensors, and a branch with masks "
    "(`torch.arange(n) < k`)."
)

_ASKING = tuple(
    str(Path(torch.__file__).parent / name)
    for name in (
        "__init__.py",
        "fx/experimental/sym_node.py",
        "fx/experimental/symbolic_shapes.py",
        "fx/experimental/recording.py",
    )
)  # fmt: skip
"""PyTorch's own code between a decision and its record."""


class _Environment(ShapeEnv):
    """Records where a decision is made."""

    def __init__(self) -> None:
        super().__init__(duck_shape=False)
        self.places: list[tuple[Any, Any, str, bool]] = []

    def evaluate_expr(self, orig_expr: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().evaluate_expr(orig_expr, *args, **kwargs)
        if not isinstance(orig_expr, bool) and getattr(orig_expr, "free_symbols", None):
            self.places.append((orig_expr, found, current_place(), _decides(sys._getframe(1))))  # noqa: SLF001
        return found


_BOUNDS = frozenset({
    "_compute_slice_index", "slice_forward", "meta_select", "topk_meta", "pool2d_shape_check", "pool3d_shape_check",
    "_pad1d_common", "_pad2d_common", "_pad3d_common",
})  # fmt: skip
"""PyTorch's functions that compare a size with a bound, beyond which they raise or return another length."""

_NEAR = 4
"""Frames between such a function and the comparison."""


def _decides(frame: FrameType | None) -> bool:
    """Whether a comparison decides what is computed: it is the caller's, or PyTorch's with a bound.

    PyTorch's other inequalities choose between ways of doing the same, such as a layout in memory.
    """
    while frame is not None and (frame.f_code.co_filename.startswith(_ASKING) or __file__ == frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None or not frame.f_code.co_filename.startswith(str(Path(torch.__file__).parent)):
        return frame is not None
    for _ in range(_NEAR):
        if frame is None:
            return False
        if frame.f_code.co_name in _BOUNDS:
            return True
        frame = frame.f_back
    return False


class Symbols:
    """The symbols of the sizes in some shapes.

    Attributes:
        environment: PyTorch's environment of symbols; None if no shape depends on a size.
    """

    def __init__(self, shapes: Iterable[Shape]) -> None:
        lengths = [d for shape in shapes for d in shape if isinstance(d, Length)]
        self.values: dict[str, int] = {
            str(d): int(d) for d in sorted(lengths, key=str) if d.expression.is_Symbol
        }  # every named size is an axis of an input or a state
        self.environment = _Environment() if lengths else None
        self._own: dict[Any, Any] = {}
        self._names: dict[Any, Any] = {}
        for name, value in self.values.items():
            assert self.environment is not None
            symbol = self.environment.create_symbol(value, ConstantSource(name), DimDynamic.DYNAMIC, None)
            self._own[size(name)], self._names[symbol] = symbol, size(name)

    def mode(self) -> FakeTensorMode:
        """PyTorch's mode of tensors without values."""
        mode = FakeTensorMode(
            allow_non_fake_inputs=True, shape_env=self.environment, static_shapes=self.environment is None
        )
        if self.environment is not None:
            mode.cache_enabled = False  # with symbols the keys cost more than the operators
        return mode

    def torch(self, d: Any) -> Any:
        """A length as PyTorch's."""
        if not isinstance(d, Length):
            return d
        assert self.environment is not None
        return self.environment.create_symintnode(d.expression.xreplace(self._own), hint=int(d))

    def number(self, found: Any) -> Any:
        """A number of the trace, which may depend on sizes."""
        if isinstance(found, torch.SymInt):
            expression = self._named(found.node.expr)
            return length(int(found.node.hint), expression)
        if isinstance(found, torch.SymFloat):
            return Number(float(found.node.hint), self._named(found.node.expr))
        return found

    def _named(self, expression: Any) -> Any:
        return expression.xreplace(self._names)

    def check(self, what: str) -> None:
        """Refuse a function that turned a size into a number.

        Raises:
            BadEnergy: It did.
        """
        if self.environment is None:
            return
        for symbol, name in self._names.items():
            fixed = self.environment.replacements.get(symbol)
            if fixed is not None and fixed != symbol:
                asked = ((e, found, p) for e, found, p, _ in self.environment.places if symbol in e.free_symbols)
                place = next((p for e, found, p in asked if not _truth(found) or (_fixes(e) and bool(found))), "")
                other = self._named(fixed)
                reason = (
                    f"turns the size {name} into the number {other}" if fixed.is_Integer else f"needs {name} = {other}"
                )
                raise BadEnergy(
                    f"{what} {reason}{f' ({place})' if place else ''}, so the file would be of that size only. {REMEDY}"
                )

    def conditions(self) -> list[Condition]:
        """The conditions that decided the path, as far as they may differ at other sizes."""
        if self.environment is None:
            return []
        found: dict[Any, Condition] = {}
        for expression, value, place, decides in self.environment.places:
            truth = expression if value is True or value == sympy.true else sympy.Not(expression)
            held = self._named(truth if _truth(value) else sympy.Eq(expression, value))
            if held.free_symbols and (decides or _fixes(held)):
                found.setdefault(held, Condition(held, place))
        return list(found.values())

    @contextlib.contextmanager
    def square_roots(self) -> Iterator[None]:
        """`math.sqrt` of a size, which would otherwise turn it into a number."""
        if self.environment is None:
            yield
            return
        own = math.sqrt

        def root(x: Any) -> Any:
            return torch._sym_sqrt(x) if isinstance(x, (torch.SymInt, torch.SymFloat)) else own(x)  # type: ignore[attr-defined]  # noqa: SLF001

        with mock.patch.object(math, "sqrt", root):
            yield


def hold(conditions: Iterable[Condition], sizes: Sizes, what: str) -> None:
    """Refuse a function whose path differs at another example.

    Raises:
        BadEnergy: It does.
    """
    for one in conditions:
        for lengths in sizes.examples():
            if not bool(one.expression.xreplace({size(name): sympy.Integer(n) for name, n in lengths.items()})):
                at = ", ".join(f"{name} = {n}" for name, n in lengths.items())
                raise BadEnergy(
                    f"{what} takes another path at another size{f' ({one.place})' if one.place else ''}: {one.expression} "
                    f"holds at the example and not at {at}. {REMEDY}"
                )


def _truth(value: Any) -> bool:
    return isinstance(value, (bool, sympy.logic.boolalg.BooleanAtom))


def _fixes(expression: Any) -> bool:
    return isinstance(expression, sympy.Eq)
