"""Replies to questions: a stateless call carries all of them, and each is held against the question that the request brings."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any

from groundstate._errors import Fault, RequestError
from groundstate._meaning import Meaning
from groundstate._solution import Solution

_REMEMBERED = 64
"""Questions kept: a caller who replies sends the request again, and it need not be solved again to know what was asked."""


class Replies:
    """Applies replies. Remembers what was asked of equal requests; nothing depends on it but time.

    Args:
        read: What a request means.
    """

    def __init__(self, read: Callable[[Mapping[str, Any]], Meaning]) -> None:
        self._read = read
        self._known: OrderedDict[Hashable, Solution] = OrderedDict()
        self._lock = Lock()

    def settle(
        self,
        request: Mapping[str, Any],
        replies: Mapping[str, str],
        options: Hashable,
        solve: Callable[[Meaning], Solution],
        *,
        recall: bool,
    ) -> Solution:
        """Solve a request with replies to the questions that it brings, one after another.

        Args:
            replies: From a question's id to the id of an option.
            options: What else the outcome depends on.
            solve: Solves a request that was read, and asks.
            recall: Whether the outcome for the request itself may be one that is remembered.

        Raises:
            RequestError: If a reply is to no question that the request brings, or is none of its options.
        """
        if not isinstance(replies, Mapping):
            said = f"This is of type {type(replies).__name__}; it must map the ids of questions to the ids of options."
            raise RequestError([Fault("replies", said)])
        left = {str(name): str(reply) for name, reply in replies.items()}
        current: Mapping[str, Any] = request
        while True:
            meaning = self._read(current)
            solution = self._recalled(meaning, options) if recall or left else None
            if solution is None:
                solution = solve(meaning)
                self._remember(meaning, options, solution)
            if not left:
                return solution
            question = solution.question
            if question is None or question.id not in left:
                raise RequestError([_stale(name, solution) for name in left])
            current = question.option(left.pop(question.id)).apply(solution.request)

    def forget(self) -> None:
        """In a forked child: the lock may be held by a thread that is not here."""
        self._lock = Lock()

    def _recalled(self, meaning: Meaning, options: Hashable) -> Solution | None:
        if not self._known:
            return None
        with self._lock:
            known = self._known.get((_text(meaning), options))
        # A caller may change what it is given.
        return copy.deepcopy(known)

    def _remember(self, meaning: Meaning, options: Hashable, solution: Solution) -> None:
        if solution.question is None:
            return
        kept = copy.deepcopy(solution)
        with self._lock:
            self._known[_text(meaning), options] = kept
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


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
