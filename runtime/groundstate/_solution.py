"""`Solution`, the result of a solve, and its parts."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from groundstate._question import Question


class Status(enum.StrEnum):
    """How a solve ended."""

    SOLVED = "solved"
    SETTLED = "settled"
    AMBIGUOUS = "ambiguous"
    INFEASIBLE = "infeasible"
    UNSOLVED = "unsolved"

    @property
    def advice(self) -> str:
        """The meaning of the status, and the caller's next step."""
        return _ADVICE[self]


_ADVICE = {
    Status.SOLVED: "The answer passes every check.",
    Status.SETTLED: "The descent reached a minimum of the energy; nothing proves that it is the lowest.",
    Status.AMBIGUOUS: "Two or more different answers pass every check; add to the request what tells them apart, or take any.",
    Status.INFEASIBLE: "The request contradicts itself, which is proven; change one of the things named.",
    Status.UNSOLVED: (
        "No answer was found within the budget, which proves nothing; a larger budget (`restarts`, `max_steps`) may find one."
    ),
}
_AMBIGUOUS_MINIMA = (
    "Two or more different configurations have about the lowest energy found; add to the request what tells them apart, "
    "or take any."
)


@dataclass(frozen=True, slots=True)
class Violation:
    """A check that an answer fails, or a contradiction in a request.

    Attributes:
        check: The check's name, as in `Solver.describe()["checks"]`.
        message: Where and how it fails, as a sentence.
        count: Number of failures.
        amount: The largest excess over the tolerance, for a check that measures; None for a check that counts.
        unit: Unit of the amount; None if it has none.
        places: Paths into the request or the answer: ``grid[0][3]``.
    """

    check: str
    message: str
    count: int = 1
    amount: float | None = None
    unit: str | None = None
    places: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record."""
        return {
            "check": self.check,
            "message": self.message,
            "count": self.count,
            "amount": self.amount,
            "unit": self.unit,
            "places": list(self.places),
        }


@dataclass(frozen=True, slots=True)
class Alternative:
    """A different answer, equally good.

    Attributes:
        answer: The answer, in the form of the artefact's answer schema.
        energy: Its energy.
        hits: Number of chains that reached it, a measure of the width of its basin.
    """

    answer: dict[str, Any]
    energy: float
    hits: int = 1

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record."""
        return {"answer": self.answer, "energy": self.energy, "hits": self.hits}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A configuration that is not an answer: it fails a check or has not converged.

    Attributes:
        answer: The configuration, in the form of an answer.
        energy: Its energy.
        violations: The checks that it fails, with counts or amounts; empty if it had merely not converged.
    """

    answer: dict[str, Any]
    energy: float
    violations: tuple[Violation, ...] = ()

    @property
    def violated(self) -> int:
        """Total number of failures over all checks."""
        return sum(violation.count for violation in self.violations)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record."""
        return {
            "answer": self.answer,
            "energy": self.energy,
            "violations": [violation.to_json() for violation in self.violations],
        }


Draw = Callable[[dict[str, Any] | None], str | None]
"""Draws an answer as SVG; None if the task has no pictures."""


Late = Callable[["Solution", str], Any]
"""Computes a field of a solution that is read for the first time."""

LATE = ("explanation", "decided", "runner_up")
"""The fields that explain a solution. Most callers read none of them, and computing them may take longer than the solve."""


class _Drawn:
    """Holds the drawing function. It is not a field, so that serialisers of fields (LangGraph) do not reach the solver.

    The same for the function that computes `LATE` fields when they are first read.
    """

    __slots__ = ("_draw", "_late")

    _draw: Draw | None
    _late: Late | None

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Called only for what is not set.
            late = getattr(self, "_late", None) if name in LATE else None
            if late is None:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            value = late(self, name)
            object.__setattr__(self, name, value)
            return value


@dataclass(frozen=True, slots=True, repr=False)
class Solution(_Drawn):
    """The outcome of one problem.

    Attributes:
        status: How the solve ended.
        answer: The answer, in the form of the artefact's answer schema (plain lists and numbers); None unless the status is
            SOLVED, SETTLED or AMBIGUOUS.
        energy: The energy of the answer; None without an answer.
        closest: For `Status.UNSOLVED`, the lowest-energy configuration seen; None otherwise, or if no energy was finite.
        violations: The checks that `closest` fails, or the contradictions of an infeasible request; empty if there is an answer.
        alternatives: Further different answers, equally good, lowest energy first.
        question: A question that decides between several answers, or makes an answer possible. None if it is not needed, if the
            call or the task does not ask, or if no change that was tried helps.
        explanation: A few sentences: the request, the result, its certainty, and the variables decided first and last. As
            `decided` and `runner_up`, it is computed when it is first read; an error of the task's code then rises there.
        checked: Whether the answer passed checks; False for a minimum of an energy without checks.
        unique: Whether the answer is proven to be the only one.
        optimal: Whether it is proven that no answer costs less; False if answers have no cost.
        bound: A proven lower bound on the cost of every answer; None if there is none.
        decided: For each variable of the answer, the update from which it kept its value; earliest first.
        runner_up: The lowest-energy configuration that is not an answer, seen before the first answer; None if there was none.
        hits: Number of chains that reached the answer.
        steps: Updates made by the chain that found the answer; without an answer, the most made by any chain.
        chains: Number of chains started.
        seconds: Wall-clock time of this problem, from the call to the answer.
        seed: The seed that reproduces this solution.
        request: The solved request as plain JSON, after the replies to its questions.
    """

    status: Status
    answer: dict[str, Any] | None
    energy: float | None
    closest: Attempt | None = None
    violations: tuple[Violation, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    question: Question | None = None
    explanation: str = ""
    checked: bool = True
    unique: bool = False
    optimal: bool = False
    bound: float | None = None
    decided: Mapping[str, int] = field(default_factory=dict)
    runner_up: Attempt | None = None
    hits: int = 0
    steps: int = 0
    chains: int = 0
    seconds: float = field(default=0.0, compare=False)
    seed: int = 0
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def solved(self) -> bool:
        """Whether `answer` passes every check: the status is SOLVED, or AMBIGUOUS among answers that were checked."""
        return self.status in (Status.SOLVED, Status.AMBIGUOUS) and self.checked

    @property
    def has_answer(self) -> bool:
        """Whether there is an answer: the status is SOLVED, SETTLED or AMBIGUOUS."""
        return self.answer is not None

    @property
    def advice(self) -> str:
        """The meaning of the status, and the caller's next step; without checks, it names none."""
        unchecked = self.status is Status.AMBIGUOUS and not self.checked
        return _AMBIGUOUS_MINIMA if unchecked else self.status.advice

    @property
    def message(self) -> str:
        """The outcome in one or two sentences."""
        return " ".join([self.advice, *(violation.message for violation in self.violations)])

    def __repr__(self) -> str:
        parts = [self.status.value]
        if self.energy is not None:
            parts.append(f"energy {self.energy:.4g}")
        if self.alternatives:
            parts.append(f"{len(self.alternatives) + 1} answers")
        if self.closest is not None:
            parts.append(f"closest of energy {self.closest.energy:.4g} violates {self.closest.violated}")
        if self.question is not None:
            parts.append(f"asks {self.question.text!r:.60}")
        if self.chains:
            parts.append(f"{self.steps} steps, {self.chains} chains")
        return f"<Solution {', '.join(parts)}, {self.seconds * 1000:.1f} ms>"

    def _repr_svg_(self) -> str | None:
        """The picture of the answer that notebooks show."""
        draw = getattr(self, "_draw", None)
        return None if draw is None else draw(self.answer)

    def drawn_by(self, draw: Draw | None) -> Solution:
        """Set the function that draws this solution in notebooks. Returns the same solution."""
        object.__setattr__(self, "_draw", draw)
        return self

    def explained_by(self, late: Late) -> None:
        """Have `LATE` fields computed when they are first read. For the maker of this solution."""
        object.__setattr__(self, "_late", late)
        for name in LATE:
            object.__delattr__(self, name)

    def changed(self, **changes: Any) -> Solution:
        """A copy with changed fields and the same drawing function. What has not been computed stays so."""
        copied = object.__new__(type(self))
        for name in (*type(self).__slots__, *_Drawn.__slots__):
            with suppress(AttributeError):
                object.__setattr__(copied, name, object.__getattribute__(self, name))
        for name, value in changes.items():
            object.__setattr__(copied, name, value)
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        # The drawing function belongs to the task and is not pickled.
        return type(self), tuple(getattr(self, one.name) for one in fields(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> Solution:
        copied = {one.name: deepcopy(getattr(self, one.name), memo) for one in fields(self)}
        return type(self)(**copied).drawn_by(getattr(self, "_draw", None))

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record of the solution. It omits times, so the same request and seed give the same bytes."""
        return {
            "status": self.status.value,
            "message": self.message,
            "explanation": self.explanation,
            "answer": self.answer,
            "closest": None if self.closest is None else self.closest.to_json(),
            "unique": self.unique,
            "optimal": self.optimal,
            "bound": self.bound,
            "energy": self.energy,
            "violations": [violation.to_json() for violation in self.violations],
            "alternatives": [other.to_json() for other in self.alternatives],
            "question": None if self.question is None else self.question.to_json(),
            "decided": dict(self.decided),
            "runner_up": None if self.runner_up is None else self.runner_up.to_json(),
            "steps": self.steps,
            "chains": self.chains,
            "hits": self.hits,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Score:
    """The energy and the violations of a given answer.

    Attributes:
        valid: Whether the answer passes every check; None if there are no checks.
        energy: The energy of the answer's configuration; None if the artefact cannot encode answers.
        terms: The energy of each term, by name.
        violations: The checks that it fails.
    """

    valid: bool | None
    energy: float | None
    terms: dict[str, float]
    violations: tuple[Violation, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record."""
        return {
            "valid": self.valid,
            "energy": self.energy,
            "terms": self.terms,
            "violations": [violation.to_json() for violation in self.violations],
        }
