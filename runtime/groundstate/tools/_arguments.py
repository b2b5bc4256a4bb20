"""Parse the arguments of a call: a request to solve or an answer to score, and replies to questions."""

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
    """The parsed arguments of one call.

    Attributes:
        request: The request, for the runtime to validate.
        replies: Question ids to option ids.
        answer: The answer to score; None to solve the request.
        notes: One sentence per kind of coercion.
    """

    request: Any
    replies: dict[str, str] = field(default_factory=dict)
    answer: Any = None
    notes: tuple[str, ...] = ()


def read(
    solver: Solver, schema: Mapping[str, Any], arguments: Any, *, takes_replies: bool, takes_answers: bool
) -> Call:
    """Parse the arguments of a solve tool. Only changed parts of the request are copied; the runtime copies the rest.

    Args:
        schema: The schema of the arguments.
        takes_replies: Whether ``replies`` is the tool's own argument, and not a property of the request.
        takes_answers: The same for ``action`` and ``answer``.

    Raises:
        RequestError: If the tool's own arguments are wrong. The runtime checks the request.
    """
    try:
        sent, notes = solver.coerce(arguments)
        sent, more = coerced(schema, sent)
    except RecursionError:
        return Call(arguments)  # the runtime refuses it with its own message
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
