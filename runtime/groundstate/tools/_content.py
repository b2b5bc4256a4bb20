"""What a language model reads of an outcome: the same for the same outcome, and short unless all of it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypedDict

from groundstate._question import Question
from groundstate._solution import Score, Solution, Status, Violation

Detail = Literal["brief", "full"]


class Asked(TypedDict):
    """A question that was replied to during a call, by whoever sits behind it: `id` and `text` of the question, and the reply."""

    id: str
    text: str
    reply: str


_FAULTS = 8
"""Faults of a request listed one by one."""

_MOST = 6
"""Violations listed where that is all there is to say."""

_FEW = 2
"""Violations listed beside an attempt, or beside a question about them."""

_ALTERNATIVES = 4

_MESSAGES = {
    # The runtime's own sentence advises options that only the developer can set.
    Status.UNSOLVED: "No answer was found within the budget, which proves nothing.",
    Status.AMBIGUOUS: "`answer` is one of several that are as good.",
}

_AGAIN = " The same request ends the same way: check it for mistakes, or tell the user."


def of_solution(
    solution: Solution, detail: Detail, notes: Sequence[str] = (), asked: Sequence[Asked] = ()
) -> dict[str, Any]:
    """Status, a sentence, the answer, what is broken, the question and how to reply to it, what happened.

    Args:
        detail: ``"brief"``: what a model needs to go on; ``"full"``: everything.
        notes: How arguments were read where not as they came.
        asked: What was replied during the call; the outcome is that of the request so changed.
    """
    read: dict[str, Any] = {"read_as": list(notes)} if notes else {}
    if asked:
        read["asked"] = [dict(one) for one in asked]
    if detail == "full":
        return {**solution.to_json(), **read}
    said: dict[str, Any] = {
        "status": solution.status.value,
        "message": _MESSAGES.get(solution.status, solution.status.advice),
        **read,
    }
    open_ = solution.question is not None
    if solution.has_answer:
        said["answer"] = solution.answer
    elif solution.closest is not None and not open_:
        said["closest"] = solution.closest.answer
        named = "fails the checks named" if solution.violations else "has not converged"
        said["message"] += f"{_AGAIN} `closest` {named} and is no answer."
    if solution.alternatives and not open_:
        said["alternatives"] = [other.answer for other in solution.alternatives[:_ALTERNATIVES]]
        if len(solution.alternatives) > _ALTERNATIVES:
            said["further_alternatives"] = len(solution.alternatives) - _ALTERNATIVES
    if solution.violations:
        said["violations"] = _violations(solution.violations, _FEW if open_ or solution.closest is not None else _MOST)
    if solution.question is not None:
        said["question"] = of_question(solution.question)
    said["explanation"] = solution.explanation
    return said


def of_question(question: Question) -> dict[str, Any]:
    """The question, its options (with how many of the answers found each leaves, where its id says all else), how to reply."""
    labels = any(option.label != option.id for option in question.options)
    return {
        "id": question.id,
        "text": question.text,
        "options": [
            {"id": option.id, **({"label": option.label} if labels else {"answers_left": option.answers_left})}
            for option in question.options
        ],
        # Without quotes, each of which is two characters of JSON and more tokens than the word that it quotes.
        "reply": f"Ask the user, or decide; then call again with the same arguments and replies {{{question.id}: option id}}.",
    }


def of_score(score: Score, detail: Detail) -> dict[str, Any]:
    """Whether the answer is valid, its energy to six digits, and what it breaks."""
    if detail == "full":
        return score.to_json()
    said: dict[str, Any] = {"valid": score.valid}
    if score.energy is not None:
        said["energy"] = float(f"{score.energy:.6g}")
    if score.violations:
        said["violations"] = _violations(score.violations, _MOST)
    return said


def first(items: Iterable[object], most: int = _FAULTS) -> list[str]:
    """The first few as text, and how many more there are."""
    texts = [str(item) for item in items]
    return texts if len(texts) <= most else [*texts[:most], f"and {len(texts) - most} more"]


def _violations(violations: Iterable[Violation], most: int) -> list[str]:
    return first((f"{violation.check}: {violation.message}" for violation in violations), most)
