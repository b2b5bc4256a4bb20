"""The list of energies: where each comes from, and how to build it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.energies.checkout import Checkout
from torch import Tensor

from groundstate_export import GradientDescent, Rule


@dataclass(frozen=True)
class Example:
    """What is exported.

    Attributes:
        energy: ``energy(state, **inputs)`` of shape ``(batch,)``.
        state: An example of what is minimised, batch first.
        inputs: Examples of everything else that differs from row to row.
        rule: How the state descends.
        batches: Batch sizes to compare at.
    """

    energy: Callable[..., Any]
    state: Tensor | dict[str, Tensor]
    inputs: dict[str, Tensor] = field(default_factory=dict)
    rule: Rule = field(default_factory=lambda: GradientDescent(0.01))
    batches: tuple[int, ...] = (1, 3, 8)


@dataclass(frozen=True)
class Entry:
    """One row of the table.

    Attributes:
        number: Its row in the list of 34 public energies that the project promised to try.
        name: The energy, as its authors call it.
        source: The repository, ``owner/name``, or the package, ``name version``.
        commit: The commit that was tried; empty for a package.
        note: What differs from its use in the repository.
        build: Makes the example from an import of the checkout.
    """

    number: int
    name: str
    source: str
    commit: str
    note: str
    build: Callable[[Checkout], Example]


ENTRIES: list[Entry] = []


def entry(
    number: int, name: str, source: str, commit: str = "", note: str = ""
) -> Callable[[Callable[[Checkout], Example]], Callable[[Checkout], Example]]:
    """Add a builder to the list."""

    def add(build: Callable[[Checkout], Example]) -> Callable[[Checkout], Example]:
        ENTRIES.append(Entry(number, name, source, commit, note, build))
        return build

    return add
