"""A file's description beyond its tensors: words, numbers, and the acceptance of answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Check:
    """A check of answers.

    Args:
        description: A sentence that states when it holds.
        tolerance: The largest amount that passes, in ``unit``; None for a check that counts.
        unit: The amount's unit, such as ``mm``; None for a count, or for a number without a unit.

    Raises:
        ValueError: The tolerance is negative or not finite.
    """

    description: str = ""
    tolerance: float | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        if self.tolerance is not None and not (self.tolerance >= 0 and math.isfinite(self.tolerance)):
            raise ValueError(f"tolerance is {self.tolerance!r}; it must be 0 or more and finite, or None.")


@dataclass(frozen=True)
class Accept:
    """Which chains have an answer.

    Args:
        checks: The checks that must hold: ``"all"``, ``"none"``, or their names.
        converged: Whether the residual must be below ``defaults["residual_tolerance"]``.
        polish: Segments that an acceptable chain continues for; its acceptable configuration of lowest energy becomes
            the answer.

    Raises:
        ValueError: Nothing is required, or ``polish`` is not a whole number of at least 0.
    """

    checks: Literal["all", "none"] | Sequence[str] = "all"
    converged: bool = False
    polish: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.checks, str) and self.checks not in {"all", "none"}:
            raise ValueError(f'checks is {self.checks!r}; it must be "all", "none" or a list of names.')
        if (self.checks == "none" or len(self.checks) == 0) and not self.converged:
            raise ValueError("Accept requires neither checks nor convergence, so anything would be an answer.")
        if not isinstance(self.polish, int) or isinstance(self.polish, bool) or self.polish < 0:
            raise ValueError(f"polish is {self.polish!r}; it must be a whole number of at least 0.")

    def header(self) -> dict[str, Any]:
        checks = self.checks if isinstance(self.checks, str) else list(self.checks) or "none"
        return {"checks": checks, "converged": bool(self.converged), "polish": self.polish}


@dataclass(frozen=True)
class Card:
    """The words and numbers of the header that do not follow from tensors. See ``docs/artefact.md``.

    Attributes:
        name: The name that users type; None for the file's stem.
        title: A line for people; None for the name.
        description: Written for a language model that decides whether to call the tool.
        licence: An SPDX identifier, such as ``Apache-2.0``.
        version: The model's version.
        task: An entry point of the group ``groundstate.tasks`` that encodes, decodes and checks; None if the schema suffices.
        request: JSON schema of the caller's request; None to derive it from the inputs.
        answer: JSON schema of the answer; None to derive it from the answers.
        terms: A sentence for each term of the energy.
        checks: For each check a sentence, or a `Check` with a tolerance and a unit.
        defaults: ``restarts``, ``max_steps``, ``patience``, ``luby_exponent``, ``residual_tolerance``; missing ones are chosen.
        limits: ``restarts``, ``max_steps``, ``batch``, ``elements``; missing ones are chosen.
        self_test: ``{"request": …, "answer": …}``, or None.
        knowledge: JSON that the task needs beside the graph, such as learned rules, or None.
    """

    name: str | None = None
    title: str | None = None
    description: str | None = None
    licence: str = ""
    version: str = "0"
    task: str | None = None
    request: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    terms: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, str | Check] = field(default_factory=dict)
    defaults: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    self_test: Mapping[str, Any] | None = None
    knowledge: Mapping[str, Any] | None = None

    def described_checks(self) -> dict[str, Check]:
        """Each check with its sentence, tolerance and unit."""
        return {name: Check(one) if isinstance(one, str) else one for name, one in self.checks.items()}
