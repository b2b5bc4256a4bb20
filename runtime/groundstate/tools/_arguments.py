"""What the arguments of a call mean: a request to solve or an answer to score, replies to questions, and how they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from groundstate._errors import Fault, RequestError
from groundstate._solver import Solver
from groundstate.tools._lenient import coerced

SOLVE, SCORE = ACTIONS = ("solve", "score")


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one call, read.

    Attributes:
        request: The request, for the runtime to validate.
        replies: From the ids of questions to the ids of options.
        answer: The answer to score; None where the request is to be solved.
        notes: A sentence for each kind of argument that was read differently than sent.
    """

    request: Any
    replies: dict[str, str] = field(default_factory=dict)
    answer: Any = None
    notes: tuple[str, ...] = ()


def read(
    solver: Solver, schema: Mapping[str, Any], arguments: Any, *, takes_replies: bool, takes_answers: bool
) -> Call:
    """Read the arguments of a solve tool. The request is copied only where it is changed: the runtime copies it once.

    Args:
        schema: The schema of the arguments.
        takes_replies: Whether ``replies`` is the tool's own argument, and no property of the request.
        takes_answers: The same of ``action`` and ``answer``.

    Raises:
        RequestError: If the tool's own arguments are wrong. The request is left to the runtime.
    """
    try:
        sent, notes = solver.coerce(arguments)
        sent, more = coerced(schema, sent)
    except RecursionError:
        return Call(arguments)  # the runtime refuses it in its own words
    notes = [*notes, *more]
    if not isinstance(sent, Mapping):
        return Call(sent, notes=tuple(notes))
    rest = dict(sent)
    replies = rest.pop("replies", None) or {} if takes_replies else {}
    if not isinstance(replies, Mapping):
        text = "This must map the id of a question to the id of an option; leave it out if nothing was asked."
        raise RequestError([Fault("replies", text)])
    if not takes_answers:
        return Call(rest, dict(replies), notes=tuple(notes))
    action, answer = rest.pop("action", None) or SOLVE, rest.pop("answer", None)
    if action not in ACTIONS:
        raise RequestError([Fault("action", f"{str(action)[:60]!r} is not an action; use 'solve' or 'score'.")])
    if action == SOLVE:
        return Call(rest, dict(replies), notes=tuple(notes))
    if answer is None:
        raise RequestError([Fault("answer", "This is missing; the action 'score' needs the answer to check.")])
    answer, more = coerced(solver.header.answer, answer, "answer")
    return Call(rest, dict(replies), answer, (*notes, *more))
