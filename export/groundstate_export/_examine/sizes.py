"""Named sizes: the lengths of the examples' axes, and the lengths that depend on them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy  # type: ignore[import-untyped]  # it has no types
from torch import Tensor

from groundstate_export._errors import BadArgument
from groundstate_export._ir import lengths as numbers
from groundstate_export._ir.dimensions import BATCH
from groundstate_export._ir.values import Shape

Axes = Mapping[str, Sequence[str | None]]
"""The names of each input's axes after the batch; None for an axis of fixed length."""

Example = tuple[Mapping[str, Tensor], Mapping[str, Tensor]]
"""Inputs and state, batch first."""


_MOST_FACTORS = 4
"""Sizes in the product that an axis without a name may be, with repetition."""


@dataclass(frozen=True)
class Sizes:
    """The sizes of examples.

    Attributes:
        lengths: The length of each size in every example.
        named: The names of the inputs' axes.
    """

    lengths: dict[str, tuple[int, ...]]
    named: Axes

    @classmethod
    def of(cls, axes: Axes, examples: Sequence[Example]) -> Sizes:
        """Read the sizes off examples.

        Args:
            axes: The names of the inputs' axes.
            examples: At least two examples.

        Raises:
            BadArgument: The names do not fit the inputs, the examples do not fit the names, or the lengths do not differ.
        """
        _alike(examples)
        _names(axes, examples[0][0])
        found, sources = cls({}, axes), dict[str, str]()
        for name, named in axes.items():
            for axis, size in enumerate(named):
                if size is None:
                    continue
                lengths = tuple(inputs[name].shape[axis + 1] for inputs, _ in examples)
                source = sources.setdefault(size, name)
                if found.lengths.setdefault(size, lengths) != lengths:
                    raise BadArgument(
                        f"The size {size!r} is {_listed(found.lengths[size])} in {source!r} and {_listed(lengths)} in "
                        f"{name!r}, at the example and at those of resized; both must have the same length in each example."
                    )
        _vary(found.lengths)
        found._cover(examples)
        return found

    def examples(self) -> list[dict[str, int]]:
        """The lengths of all sizes in each example."""
        return [dict(zip(self.lengths, found, strict=True)) for found in zip(*self.lengths.values(), strict=True)]

    def nominal(self) -> dict[str, int]:
        """Different lengths of at least 2 for all sizes, each from an example: from one example, if one has such lengths."""
        together = zip(*self.lengths.values(), strict=True)
        for found in itertools.chain(together, itertools.product(*self.lengths.values())):
            if min(found) >= 2 and len(set(found)) == len(found):
                return dict(zip(self.lengths, found, strict=True))
        raise BadArgument(
            f"The sizes are {_listed_sizes(self.examples())}; give an example in which every size is at least 2 and no two are "
            "equal."
        )

    def shape(self, name: str, shapes: Sequence[tuple[int, ...]]) -> Shape | None:
        """A tensor's shape in terms of sizes, from its shapes in all examples; None if an axis is not a product of sizes."""
        names = self.named.get(name, [None] * len(shapes[0]))
        found = [
            self.dimension(lengths) if known is None else numbers.length(self.nominal()[known], numbers.size(known))
            for known, lengths in zip(names, zip(*shapes, strict=True), strict=True)
        ]
        return None if any(d is None for d in found) else tuple(d for d in found if d is not None)

    def dimension(self, lengths: Sequence[int]) -> int | None:
        """A length from its values in all examples: a number, or a number times sizes."""
        if len(set(lengths)) == 1:
            return lengths[0]
        nominal = self.nominal()
        found: list[tuple[int, tuple[str, ...]]] = []
        for count in range(1, _MOST_FACTORS + 1):
            for names in itertools.combinations_with_replacement(self.lengths, count):
                products = [math.prod(self.lengths[name][k] for name in names) for k in range(len(lengths))]
                times = lengths[0] // products[0]
                if times and all(times * one == wanted for one, wanted in zip(products, lengths, strict=True)):
                    found.append((times, names))
        if not found:
            return None
        times, names = min(found, key=lambda one: (len(one[1]), one[0]))
        return numbers.length(
            times * math.prod(nominal[name] for name in names), times * sympy.Mul(*map(numbers.size, names))
        )

    def _cover(self, examples: Sequence[Example]) -> None:
        """Refuse an axis that is neither of fixed length nor a product of sizes."""
        for tensor, shapes in _shapes(examples).items():
            for axis, lengths in enumerate(zip(*shapes, strict=True)):
                if self.dimension(lengths) is None:
                    remedy = (
                        "give the energy an input with an axis of this length, which it need not use, and name that axis in axes"
                        if tensor.startswith("state")
                        else "name it in axes"
                    )
                    raise BadArgument(
                        f"Axis {axis + 1} of {tensor} is {_listed(lengths)} long at the example and at those of resized. That is "
                        f"neither one length nor a product of {', '.join(self.lengths)}. If it is a size, {remedy}."
                    )


def _shapes(examples: Sequence[Example]) -> dict[str, list[tuple[int, ...]]]:
    """The shapes of each tensor in all examples, without the batch."""
    return {
        f"{('inputs', 'state')[what]}[{name!r}]": [tuple(example[what][name].shape[1:]) for example in examples]
        for what in (0, 1)
        for name in examples[0][what]
    }


def _alike(examples: Sequence[Example]) -> None:
    for place, (what, group) in itertools.product(range(1, len(examples)), enumerate(("inputs", "state"))):
        wanted, found = ({n: f"{t.dtype} of {t.dim()} axes" for n, t in examples[k][what].items()} for k in (0, place))
        for name in sorted(wanted.keys() | found.keys()):
            if wanted.get(name) != found.get(name):
                raise BadArgument(
                    f"{_place(place)} has {found.get(name, 'nothing')} as {group}[{name!r}], and the example has "
                    f"{wanted.get(name, 'nothing')}. Both must have the same tensors, in different sizes."
                )


def _names(axes: Axes, inputs: Mapping[str, Tensor]) -> None:
    if not isinstance(axes, Mapping):
        raise BadArgument(f"axes is {type(axes).__name__}; it must be a dict from inputs to the names of their axes.")
    for name, named in axes.items():
        if name not in inputs:
            raise BadArgument(
                f"axes names {name!r}, which is not an input; the inputs are {', '.join(map(repr, inputs))}."
            )
        count = inputs[name].dim() - 1
        if isinstance(named, str) or not isinstance(named, Sequence) or len(named) != count:
            raise BadArgument(
                f"axes[{name!r}] is {named!r}; it must contain a name, or None, for each of the {count} axes after the batch."
            )
        for size in named:
            named_well = isinstance(size, str) and size.isidentifier() and size.isascii() and size != BATCH
            if size is not None and not named_well:
                raise BadArgument(
                    f"axes[{name!r}] names {size!r}; a size's name must be an ASCII identifier other than {BATCH!r}."
                )
    if not any(size for named in axes.values() for size in named):
        raise BadArgument("axes names no size; for a file of one size omit axes and resized.")


def _vary(lengths: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a size that no further example verifies, and sizes that cannot be told apart."""
    for name, found in lengths.items():
        if len(set(found)) == 1:
            raise BadArgument(
                f"The size {name!r} is {found[0]} at the example and at those of resized. Give it another length at one of them, "
                "at which the file is compared with PyTorch."
            )
    for one, other in itertools.combinations(lengths, 2):
        if lengths[one] == lengths[other]:
            raise BadArgument(
                f"The sizes {one!r} and {other!r} are both {_listed(lengths[one])} at the example and at those of resized; give "
                "an example in which they differ, or both one name."
            )


def _place(place: int) -> str:
    return "the example" if place == 0 else f"resized[{place - 1}]"


def _listed(lengths: Iterable[int]) -> str:
    return ", ".join(map(str, lengths))


def _listed_sizes(examples: Iterable[Mapping[str, int]]) -> str:
    return "; ".join(", ".join(f"{name} {found}" for name, found in one.items()) for one in examples)
