"""Replies to questions: a stateless call carries all of them, and each is held against the question that the request brings."""

from __future__ import annotations

import copy
import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from threading import Lock
from typing import Any

from groundstate._errors import Fault, RequestError
from groundstate._request import plain
from groundstate._solution import Solution

_REMEMBERED = 64
"""Questions kept: a caller who replies sends the request again, and it need not be solved again to know what was asked."""


class Dialogue:
    """Applies replies. Remembers what was asked of equal requests; nothing depends on it but time."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Solution] = OrderedDict()
        self._lock = Lock()

    def settle(
        self,
        request: Mapping[str, Any],
        answers: Mapping[str, str],
        options: Hashable,
        solve: Callable[[Mapping[str, Any]], Solution],
        *,
        recall: bool,
    ) -> Solution:
        """Solve a request with replies to the questions that it brings, one after another.

        Args:
            answers: From a question's id to the id of an option.
            options: What else the outcome depends on.
            solve: Solves a request, and asks.
            recall: Whether the outcome for the request itself may be one that is remembered.

        Raises:
            RequestError: If a reply is to no question that the request brings, or is none of its options.
        """
        if not isinstance(answers, Mapping):
            said = f"This is of type {type(answers).__name__}; it must map the ids of questions to the ids of options."
            raise RequestError([Fault("answers", said)])
        left = {str(name): str(reply) for name, reply in answers.items()}
        current: Mapping[str, Any] = request
        while True:
            solution = self._recalled(current, options) if recall or left else None
            if solution is None:
                solution = solve(current)
                self._remember(current, options, solution)
            if not left:
                return solution
            question = solution.question
            if question is None or question.id not in left:
                raise RequestError([_stale(name, solution) for name in left])
            current = question.option(left.pop(question.id)).apply(solution.request)

    def _recalled(self, request: Mapping[str, Any], options: Hashable) -> Solution | None:
        if not self._known:
            return None
        with self._lock:
            known = self._known.get((_text(request), options))
        # A caller may change what it is given.
        return copy.deepcopy(known)

    def _remember(self, request: Mapping[str, Any], options: Hashable, solution: Solution) -> None:
        if solution.question is None:
            return
        with self._lock:
            self._known[_text(request), options] = copy.deepcopy(solution)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


def _text(request: Mapping[str, Any]) -> str:
    try:
        return json.dumps(plain(request), sort_keys=True, default=str)
    except (RecursionError, TypeError, ValueError):
        return ""  # what is no JSON is refused where it is solved, and never remembered


def _stale(name: str, solution: Solution) -> Fault:
    question = solution.question
    if question is None:
        asks = f"the request now ends as {solution.status.value!r} and asks nothing"
    else:
        options = ", ".join(repr(option.id) for option in question.options)
        asks = f"the request now brings the question {question.id!r} ({question.text} Options: {options})"
    return Fault(
        f"answers.{name}", f"There is no such question: {asks}. Send the request as it was, and reply to that."
    )
