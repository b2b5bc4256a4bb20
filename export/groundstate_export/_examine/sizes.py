"""Named sizes: the lengths of the examples' axes, and how a number that differs between two examples depends on them.

In the first two examples every size is a different prime. A whole number that differs between their graphs therefore factors
uniquely into a constant and powers of sizes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from groundstate_export._errors import BadArgument
from groundstate_export._ir.dimensions import BATCH, Powers, Size, gathered
from groundstate_export._ir.graph import Array, Dimension

Axes = Mapping[str, Sequence[str | None]]
"""The names of each input's axes after the batch; None for an axis of fixed length."""

Example = tuple[Mapping[str, Tensor], Mapping[str, Tensor]]
"""Inputs and state, batch first."""


_FACTORS = 4
"""Sizes that a number is proportional to, or to the inverse of, with repetition."""

_ROUNDING = 4 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Sizes:
    """The sizes of examples.

    Attributes:
        lengths: The length of each size in every example.
        places: For each size an input with an axis of that size, and the axis (after the batch).
    """

    lengths: dict[str, tuple[int, ...]]
    places: dict[str, tuple[str, int]]

    @classmethod
    def of(cls, axes: Axes, examples: Sequence[Example]) -> Sizes:
        """Read the sizes off examples.

        Args:
            axes: The names of the inputs' axes.
            examples: Two examples to read the sizes from, and at least one to verify the result.

        Raises:
            BadArgument: The names do not fit the inputs, the examples do not fit the names, or the lengths are ambiguous.
        """
        _alike(examples)
        _names(axes, examples[0][0])
        found = cls({}, {})
        for name, named in axes.items():
            for axis, size in enumerate(named):
                if size is None:
                    continue
                lengths = tuple(inputs[name].shape[axis + 1] for inputs, _ in examples)
                source, _ = found.places.setdefault(size, (name, axis))
                if found.lengths.setdefault(size, lengths) != lengths:
                    raise BadArgument(
                        f"The size {size!r} is {_listed(found.lengths[size])} in {source!r} and {_listed(lengths)} in "
                        f"{name!r}, at the example and at those of resized; both must have the same length in each example."
                    )
        _primes(found.lengths)
        _distinct(found.lengths)
        found._cover(examples)
        return found

    def examples(self) -> list[dict[str, int]]:
        """The lengths of all sizes in each example."""
        return [dict(zip(self.lengths, found, strict=True)) for found in zip(*self.lengths.values(), strict=True)]

    def read(self, one: int, other: int) -> Dimension:
        """The dimension behind a number of the first example and its counterpart in the second: a number, or a product of sizes.

        Raises:
            ValueError: It is neither.
        """
        if one == other:
            return one
        powers = tuple(sorted((size, self._power(size, one, other)) for size in self.lengths)) if one * other else ()
        if powers and min(power for _, power in powers) >= 0:
            times = one // math.prod(self.lengths[size][0] ** power for size, power in powers)
            found = Size(times, tuple((size, power) for size, power in powers if power))
            if (self.at(found, 0), self.at(found, 1)) == (one, other):
                return found
        raise ValueError(f"{one} and {other} are not multiples of sizes")

    def _power(self, size: str, one: int, other: int) -> int:
        """The power of a size in two numbers, if there is one, for any constant factor.

        Powers of the size's first prime that occur in both numbers cancel. The exception is another size whose second length
        is that prime.
        """
        prime = self.lengths[size][0]
        brought = (self._power(name, one, other) for name, (_, second, *_) in self.lengths.items() if second == prime)
        return _multiplicity(prime, one) - _multiplicity(prime, other) + sum(brought)

    def factor(self, one: Array, other: Array) -> Powers | None:
        """The powers of sizes by which every number of the second example is larger than in the first; None if there are none."""
        there = one != 0
        if not np.array_equal(there, other != 0) or not there.any():
            return None
        with np.errstate(invalid="ignore"):
            grown = other[there].astype(np.float64) / one[there]
        steps = [(size, sign) for size in self.lengths for sign in (1, -1)]
        for count in range(1, _FACTORS + 1):
            for tried in itertools.combinations_with_replacement(steps, count):
                ratios = ((self.lengths[size][1] / self.lengths[size][0]) ** sign for size, sign in tried)
                if np.abs(grown / math.prod(ratios) - 1.0).max() < _ROUNDING:
                    return gathered(tried)
        return None

    def at(self, dimension: Dimension, place: int) -> int:
        """The value of a dimension in an example."""
        if isinstance(dimension, int):
            return dimension
        powers = dimension.powers if isinstance(dimension, Size) else ()
        return dimension.times * math.prod(int(self.lengths[size][place] ** power) for size, power in powers)

    def _cover(self, examples: Sequence[Example]) -> None:
        """Refuse an axis that is neither of fixed length nor a product of sizes."""
        for tensor, shapes in _shapes(examples).items():
            for axis, lengths in enumerate(zip(*shapes, strict=True)):
                try:
                    dimension = self.read(*lengths[:2])
                except ValueError:
                    dimension = lengths[0]
                if any(self.at(dimension, place) != length for place, length in enumerate(lengths)):
                    remedy = (
                        "give the energy an input with an axis of this length, which it need not use, and name that axis in axes"
                        if tensor.startswith("state")
                        else "name it in axes"
                    )
                    raise BadArgument(
                        f"Axis {axis + 1} of {tensor} is {_listed(lengths)} long at the example and at those of resized. That is "
                        f"neither one length nor a product of {', '.join(self.lengths)}. If it is a size, {remedy}."
                    )


def _multiplicity(prime: int, number: int) -> int:
    count = 0
    while number % prime == 0:
        number, count = number // prime, count + 1
    return count


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


def _primes(lengths: Mapping[str, tuple[int, ...]]) -> None:
    for place in (0, 1):
        taken: dict[int, str] = {}
        for size, found in lengths.items():
            length = found[place]
            if length < 2 or any(length % n == 0 for n in range(2, math.isqrt(length) + 1)):
                raise BadArgument(
                    f"The size {size!r} is {length} at {_place(place)}; it must be a prime there, so that each number in the "
                    "energy's graph has a unique meaning."
                )
            if length in taken:
                raise BadArgument(
                    f"The sizes {taken[length]!r} and {size!r} are both {length} at {_place(place)}; they must be different "
                    "primes."
                )
            taken[length] = size


def _distinct(lengths: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse a size that does not change, sizes that swap their lengths, and a size that no further example verifies."""
    following = {first: second for first, second, *_ in lengths.values()}
    for size, (first, second, *proof) in lengths.items():
        end = second
        while end != first and end in following:
            end = following[end]
        if end == first:
            raise BadArgument(
                f"The size {size!r} is {first} at the example and {second} at resized[0]. It must be a different prime there, "
                "and two sizes must not swap their lengths, or their product would not change."
            )
        if set(proof) <= {first, second}:
            raise BadArgument(
                f"The size {size!r} is {first} and {second} at the first two examples, and has no other length at a further one. "
                "Further examples verify the first two; give it another length there."
            )


def _place(place: int) -> str:
    return "the example" if place == 0 else f"resized[{place - 1}]"


def _listed(lengths: Iterable[int]) -> str:
    return ", ".join(map(str, lengths))
