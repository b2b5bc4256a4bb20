"""The variables of a configuration: names, values and attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

Value = int | str
"""A JSON value of a variable."""


@dataclass(frozen=True)
class Layout:
    """Variables and their arrangement.

    Attributes:
        names: The variables, in the order of every configuration.
        values: All values that any variable takes; a configuration holds indices into this tuple.
        attributes: For each attribute, one label per variable, such as ``{"row": (0, 0, 1, 1), "column": (0, 1, 0, 1)}``.
        ordered: The attributes with positions on an axis as labels (whole numbers).
        grid: Rows and columns, if the variables form a grid in row-major order.
    """

    names: tuple[str, ...]
    values: tuple[Value, ...]
    attributes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ordered: tuple[str, ...] = ()
    grid: tuple[int, int] | None = None

    @classmethod
    def of_grid(
        cls, rows: int, columns: int, values: Sequence[Value], attributes: Mapping[str, Sequence[int]] | None = None
    ) -> Self:
        """A grid with cells ``r1c1`` … in row-major order; further attributes have one label per cell."""
        places = [(r, c) for r in range(rows) for c in range(columns)]
        return cls(
            tuple(f"r{r + 1}c{c + 1}" for r, c in places),
            tuple(values),
            {
                "row": tuple(r for r, _ in places),
                "column": tuple(c for _, c in places),
                **{name: tuple(labels) for name, labels in (attributes or {}).items()},
            },
            ("row", "column"),
            (rows, columns),
        )

    @classmethod
    def of_sequence(cls, names: Sequence[str], values: Sequence[Value]) -> Self:
        """Variables in a line, one after another."""
        return cls(tuple(names), tuple(values), {"place": tuple(range(len(names)))}, ("place",))

    @cached_property
    def index(self) -> dict[str, int]:
        """The index of each name in a configuration."""
        return {name: place for place, name in enumerate(self.names)}

    @property
    def counts(self) -> bool:
        """Whether all values are whole numbers, so that order and differences are meaningful."""
        return all(isinstance(value, int) and not isinstance(value, bool) for value in self.values)

    def groups(self, attribute: str) -> dict[int, tuple[int, ...]]:
        """The variables with each label of an attribute."""
        found: dict[int, list[int]] = {}
        for place, label in enumerate(self.attributes[attribute]):
            found.setdefault(label, []).append(place)
        return {label: tuple(places) for label, places in found.items()}

    def to_json(self) -> dict[str, Any]:
        """The layout as JSON."""
        return {
            "names": list(self.names),
            "values": list(self.values),
            "attributes": {name: list(labels) for name, labels in self.attributes.items()},
            "ordered": list(self.ordered),
            "grid": None if self.grid is None else list(self.grid),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The layout that `to_json` wrote."""
        return cls(
            tuple(raw["names"]),
            tuple(raw["values"]),
            {name: tuple(labels) for name, labels in raw["attributes"].items()},
            tuple(raw["ordered"]),
            None if raw["grid"] is None else (raw["grid"][0], raw["grid"][1]),
        )
