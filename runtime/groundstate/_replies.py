"""Replies to questions: a stateless call carries all of them, and each is held against the question that the request brings."""

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
"""Questions kept: a caller who replies sends the request again, and it need not be solved again to know what was asked."""


class Replies:
    """Remembers what was asked of equal requests; nothing depends on it but time."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Solution] = OrderedDict()
        self._lock = Lock()

    def recalled(self, meaning: Meaning, options: Hashable) -> Solution | None:
        """The solution of an equal request with equal options, if it asked something and is still remembered."""
        if not self._known:
            return None
        with self._lock:
            known = self._known.get((_text(meaning), options))
        # A caller may change what it is given.
        return copy.deepcopy(known)

    def remember(self, meaning: Meaning, options: Hashable, solution: Solution) -> None:
        """Keep a solution that asks something."""
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
    """The replies of a call, from the ids of questions to those of options.

    Raises:
        RequestError: If they are of another shape.
    """
    if not isinstance(replies, Mapping | None):
        said = f"This is of type {type(replies).__name__}; it must map the ids of questions to the ids of options."
        raise RequestError([Fault("replies", said)])
    return {str(name): str(reply) for name, reply in (replies or {}).items()}


def applied(left: dict[str, str], solution: Solution) -> dict[str, Any]:
    """The request after the reply to a solution's question, which is taken out of those left.

    Raises:
        RequestError: If none of the replies is to this question, or it is none of its options.
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
