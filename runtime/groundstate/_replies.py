"""Replies to questions. A stateless call carries all replies; each is matched to the question for its request."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from threading import Lock
from typing import Any

from groundstate._errors import Fault, RequestError
from groundstate._meaning import Meaning
from groundstate._solution import Solution

_REMEMBERED = 64
"""Number of cached solutions with a question: a reply comes with its request, which need not be solved again."""


class Replies:
    """Cache of solutions with a question, by request. It affects time only, not results."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Solution] = OrderedDict()
        self._lock = Lock()

    def recalled(self, meaning: Meaning, options: Hashable) -> Solution | None:
        """The cached solution of an equal request with equal options; None if there is none."""
        if not self._known:
            return None
        with self._lock:
            known = self._known.get((_text(meaning), options))
        # Copied, because a caller may change it.
        return copy.deepcopy(known)

    def remember(self, meaning: Meaning, options: Hashable, solution: Solution) -> None:
        """Cache a solution that has a question."""
        if solution.question is None:
            return
        kept = copy.deepcopy(solution)
        with self._lock:
            self._known[_text(meaning), options] = kept
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def forget(self) -> None:
        """In a forked child: the lock may be held by a thread that is not here."""
        self._lock = Lock()


def given(replies: Mapping[str, str] | None) -> dict[str, str]:
    """The replies of a call: option ids by question id.

    Raises:
        RequestError: If they are not a mapping.
    """
    if not isinstance(replies, Mapping | None):
        message = f"This is of type {type(replies).__name__}; it must map the ids of questions to the ids of options."
        raise RequestError([Fault("replies", message)])
    return {str(name): str(reply) for name, reply in (replies or {}).items()}


def applied(left: dict[str, str], solution: Solution) -> dict[str, Any]:
    """Apply the reply to a solution's question and remove it from ``left``. Returns the changed request.

    Raises:
        RequestError: If there is no reply to this question, or the reply matches no option.
    """
    question = solution.question
    if question is None or question.id not in left:
        raise RequestError([_stale(name, solution) for name in left])
    return question.option(left.pop(question.id)).apply(solution.request)


def _text(meaning: Meaning) -> str:
    return json.dumps(meaning.request, sort_keys=True)


def _stale(name: str, solution: Solution) -> Fault:
    question = solution.question
    if question is None:
        asks = f"the request now ends as {solution.status.value!r} and asks nothing"
    else:
        options = ", ".join(repr(option.id) for option in question.options)
        asks = f"the request now brings the question {question.id!r} ({question.text} Options: {options})"
    return Fault(
        f"replies.{name}", f"There is no such question: {asks}. Send the request as it was, and reply to that."
    )
