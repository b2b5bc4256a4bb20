"""What a solve returns."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from groundstate._question import Question


class Status(enum.Enum):
    """How a solve ended."""

    SOLVED = "solved"
    AMBIGUOUS = "ambiguous"
    INFEASIBLE = "infeasible"
    UNSOLVED = "unsolved"

    @property
    def advice(self) -> str:
        """What the status means, and what a caller can do next."""
        return _ADVICE[self]


_ADVICE = {
    Status.SOLVED: "The answer passes every rule.",
    Status.AMBIGUOUS: "Two or more different answers pass every rule; add to the request what tells them apart, or take any.",
    Status.INFEASIBLE: "The request contradicts itself, which is proven; change one of the things named.",
    Status.UNSOLVED: (
        "No answer was found within the budget, which proves nothing; a larger budget (`restarts`, `max_steps`) may find one."
    ),
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that an answer, or a request, breaks.

    Attributes:
        rule: The rule's name, as in `Solver.describe()["rules"]`.
        count: How often it is broken.
        message: Where and how, as a sentence.
        places: Paths into the request or the answer: ``grid[0][3]``.
    """

    rule: str
    count: int
    message: str
    places: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule, "count": self.count, "message": self.message, "places": list(self.places)}


@dataclass(frozen=True, slots=True)
class Alternative:
    """A different answer that passes every rule too.

    Attributes:
        answer: As the artefact's answer schema says.
        energy: Its energy.
        chains: Chains that came to rest there: how wide its basin is beside the others'.
    """

    answer: dict[str, Any]
    energy: float
    chains: int = 1

    def to_json(self) -> dict[str, Any]:
        return {"answer": self.answer, "energy": self.energy, "chains": self.chains}


@dataclass(frozen=True, slots=True)
class Attempt:
    """The resting place of lowest energy that was seen before the answer and is none.

    Attributes:
        energy: Its energy.
        broken: How many rules it breaks, counted as the file counts.
    """

    energy: float
    broken: int

    def to_json(self) -> dict[str, Any]:
        return {"energy": self.energy, "broken": self.broken}


@dataclass(frozen=True, slots=True)
class Solution:
    """The outcome of one problem.

    Attributes:
        status: How it ended.
        answer: The answer as the artefact's answer schema says (plain lists and numbers). For `Status.UNSOLVED` the
            configuration of lowest energy that was seen, which breaks `violations`; for `Status.INFEASIBLE` None.
        energy: The energy of that answer; None where there is none.
        violations: The rules that `answer` breaks, or by which the request is proven infeasible. Empty when solved.
        alternatives: Further different answers that pass every rule, lowest energy first.
        question: What would settle the matter where there are several answers or none; None where nothing is to be asked, where
            the call or the task does not ask, or where nothing that was tried would settle it.
        explanation: What was asked, what was found, how sure that is, and what was decided first and last: a few sentences.
        only: Whether the answer is proven to be the only one.
        decided: The update from which on each variable of the answer kept its value, earliest first.
        runner_up: The nearest wrong resting place; None where no other was seen.
        arrivals: Chains that came to rest at the answer.
        steps: Updates that the chain which found the answer had made, or the most that any chain made.
        chains: Chains that were started.
        seconds: Wall-clock time of this problem, from the call to the answer.
        seed: The seed that reproduces this.
        request: What was solved, as plain JSON: the request with the replies to its questions applied.
    """

    status: Status
    answer: dict[str, Any] | None
    energy: float | None
    violations: tuple[Violation, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    question: Question | None = None
    explanation: str = ""
    only: bool = False
    decided: Mapping[str, int] = field(default_factory=dict)
    runner_up: Attempt | None = None
    arrivals: int = 0
    steps: int = 0
    chains: int = 0
    seconds: float = field(default=0.0, compare=False)
    seed: int = 0
    request: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def solved(self) -> bool:
        """Whether `answer` passes every rule: the status is SOLVED or AMBIGUOUS."""
        return self.status in (Status.SOLVED, Status.AMBIGUOUS)

    @property
    def message(self) -> str:
        """The outcome in a sentence or two, fit to be quoted."""
        return " ".join([_ADVICE[self.status], *(violation.message for violation in self.violations)])

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record of everything. The same request and seed give the same bytes: times are left out."""
        return {
            "status": self.status.value,
            "message": self.message,
            "explanation": self.explanation,
            "answer": self.answer,
            "only": self.only,
            "energy": self.energy,
            "violations": [violation.to_json() for violation in self.violations],
            "alternatives": [other.to_json() for other in self.alternatives],
            "question": None if self.question is None else self.question.to_json(),
            "decided": dict(self.decided),
            "runner_up": None if self.runner_up is None else self.runner_up.to_json(),
            "steps": self.steps,
            "chains": self.chains,
            "arrivals": self.arrivals,
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Score:
    """What the energy and the rules say of somebody else's answer.

    Attributes:
        valid: Whether the answer passes every rule.
        energy: The energy at the answer's place in the landscape; None where the artefact cannot place answers.
        terms: That energy by named term.
        violations: The rules it breaks.
    """

    valid: bool
    energy: float | None
    terms: dict[str, float]
    violations: tuple[Violation, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "valid": self.valid,
            "energy": self.energy,
            "terms": self.terms,
            "violations": [violation.to_json() for violation in self.violations],
        }
