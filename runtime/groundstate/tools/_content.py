"""The text of an outcome for a language model: deterministic, and short unless the full detail is requested."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypedDict

from groundstate import _words
from groundstate._question import Question
from groundstate._solution import Score, Solution, Status, Violation

Detail = Literal["brief", "full"]


class Asked(TypedDict):
    """A question with a reply: `id` and `text` of the question, and the id of the chosen option."""

    id: str
    text: str
    reply: str


_MOST = 6
"""Most violations to list if there is nothing else to report."""

_FEW = 2
"""Most violations to list beside an attempt or a question."""

_ALTERNATIVES = 4

_MESSAGES = {
    # The runtime's own sentence suggests options that only the developer can set.
    Status.UNSOLVED: "No answer was found within the budget, which proves nothing.",
    Status.AMBIGUOUS: "`answer` is one of several.",
}

_AGAIN = " The same request ends the same way: check it for mistakes, or tell the user."

_SCORED = {
    True: "The answer passes every check.",
    False: "The answer violates these checks.",
    None: "Nothing checks an answer here; its energy says how good it is (lower is better).",
}


def of_solution(
    solution: Solution, detail: Detail, notes: Sequence[str] = (), asked: Sequence[Asked] = ()
) -> dict[str, Any]:
    """Status, a sentence, the answer, the violations, the question with reply instructions, and the statistics.

    Args:
        detail: ``"brief"``: only what the model needs to continue; ``"full"``: everything.
        notes: Notes on coerced arguments.
        asked: Questions with replies; the outcome belongs to the request with these replies.
    """
    read: dict[str, Any] = {"read_as": list(notes)} if notes else {}
    if asked:
        read["asked"] = [dict(one) for one in asked]
    if detail == "full":
        return {**solution.to_json(), **read}
    record: dict[str, Any] = {
        "status": solution.status.value,
        "message": _MESSAGES.get(solution.status, solution.advice),
        **read,
    }
    open_ = solution.question is not None
    if solution.has_answer:
        record["answer"] = solution.answer
        record |= {} if solution.bound is None else {"optimal": solution.optimal}
        if solution.status is Status.SETTLED and solution.energy is not None:
            record["energy"] = float(f"{solution.energy:.6g}")
    elif solution.closest is not None and not open_:
        record["closest"] = solution.closest.answer
        why = "violates the checks named" if solution.violations else "has not converged"
        record["message"] += f"{_AGAIN} `closest` {why}; it is not an answer."
    if solution.alternatives and not open_:
        record["alternatives"] = [other.answer for other in solution.alternatives[:_ALTERNATIVES]]
        if len(solution.alternatives) > _ALTERNATIVES:
            record["further_alternatives"] = len(solution.alternatives) - _ALTERNATIVES
    if solution.violations:
        record["violations"] = _violations(
            solution.violations, _FEW if open_ or solution.closest is not None else _MOST
        )
    if solution.question is not None:
        record["question"] = of_question(solution.question)
    record["explanation"] = _words.clean(solution.explanation)
    return record


def of_question(question: Question) -> dict[str, Any]:
    """The question, its options (with the number of answers that each leaves, if its id says the rest), and how to reply."""
    labels = any(option.label != option.id for option in question.options)
    return {
        "id": question.id,
        "text": _words.clean(question.text),
        "options": [
            {
                "id": option.id,
                **({"label": _words.clean(option.label)} if labels else {"answers_left": option.answers_left}),
            }
            for option in question.options
        ],
        # No quotes: a quote is two characters in JSON, and takes more tokens than the quoted word.
        "reply": f"Ask the user or decide; call again with replies {{{question.id}: option id}} added.",
    }


def of_score(score: Score, detail: Detail, notes: Sequence[str] = ()) -> dict[str, Any]:
    """Whether the answer is valid, its energy to six digits, and its violations."""
    read: dict[str, Any] = {"read_as": list(notes)} if notes else {}
    if detail == "full":
        return {**score.to_json(), **read}
    record: dict[str, Any] = {"message": _SCORED[score.valid], **read}
    if score.valid is not None:
        record["valid"] = score.valid
    if score.energy is not None:
        record["energy"] = float(f"{score.energy:.6g}")
    if score.violations:
        record["violations"] = _violations(score.violations, _MOST)
    return record


def _violations(violations: Iterable[Violation], most: int) -> list[str]:
    return _words.first((_words.clean(f"{one.check}: {one.message}") for one in violations), most)
