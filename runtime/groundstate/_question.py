"""Questions for problems with several answers or none, and the change of the request behind each reply."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundstate._errors import Fault, RequestError
from groundstate._json_values import plain
from groundstate._words import did_you_mean

Patch = tuple[Mapping[str, Any], ...]
"""A JSON Patch (RFC 6902): operations on a request, in order."""


@dataclass(frozen=True, slots=True)
class Change:
    """A way to change a request, which may or may not help.

    Attributes:
        id: Unique among the changes of a request.
        label: Its effect, as a sentence for people.
        patch: The change.
    """

    id: str
    label: str
    patch: Patch


@dataclass(frozen=True, slots=True)
class Option:
    """One possible reply to a question: a change of the request. The changed request has been solved.

    Attributes:
        id: The reply to send; unique within its question.
        label: The same for people.
        patch: The change of the request.
        answers_left: Number of the answers found that remain possible.
    """

    id: str
    label: str
    patch: Patch
    answers_left: int

    def apply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the changed request, without modifying the given one.

        Raises:
            RequestError: If the question is about a different request.
        """
        return patched(request, self.patch)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record."""
        patch = [dict(one) for one in self.patch]
        return {"id": self.id, "label": self.label, "answers_left": self.answers_left, "patch": patch}


@dataclass(frozen=True, slots=True)
class Question:
    """A question about what the landscape leaves open, with options.

    Attributes:
        id: Identifies the question; equal requests, call options and seeds give equal ids.
        text: The question, as a sentence.
        about: The path of the variable, as in `Option.patch` and in answers: ``grid[0][3]``; empty if the question is about
            several parts of the request.
        options: The replies, at least one.
        answers_found: Number of different answers that the options distinguish.
    """

    id: str
    text: str
    about: str
    options: tuple[Option, ...]
    answers_found: int

    def option(self, reply: str) -> Option:
        """Find the option by its id or its label, ignoring case.

        Raises:
            RequestError: If no option matches; the message lists the options.
        """
        wanted = str(reply).strip().casefold()
        for option in self.options:
            if wanted in (option.id.casefold(), option.label.casefold()):
                return option
        ids = [option.id for option in self.options]
        hint = did_you_mean(str(reply), ids)
        known = ", ".join(map(repr, ids))
        raise RequestError(
            [Fault(f"replies.{self.id}", f"{str(reply)[:60]!r} is none of the options, which are {known}.{hint}")]
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record."""
        return {
            "id": self.id,
            "text": self.text,
            "about": self.about,
            "answers_found": self.answers_found,
            "options": [option.to_json() for option in self.options],
        }


def question(request: Mapping[str, Any], text: str, about: str, options: Sequence[Option], found: int) -> Question:
    """Build a question whose id hashes its content and its request."""
    content = [plain(request), text, about, [option.to_json() for option in options]]
    named = hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:8]
    return Question(f"q{named}", text, about, tuple(options), found)


def patched(request: Mapping[str, Any], patch: Patch) -> dict[str, Any]:
    """Apply a JSON Patch to a request. Returns plain JSON.

    Raises:
        RequestError: If the patch does not fit the request.
    """
    import jsonpatch  # the import takes as long as that of this package

    try:
        changed: dict[str, Any] = jsonpatch.apply_patch(plain(request), [dict(one) for one in patch])
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
        operations = "; ".join(f"{one['op']} {one['path']}" for one in patch)
        message = (
            f"This option ({operations}) is of another request than this one; "
            "take it from the question that this request brings."
        )
        raise RequestError([Fault("", message)]) from None
    return changed


def pointer(*path: str | int) -> str:
    """A JSON Pointer (RFC 6901) to a place: ``/variables/a~1b``."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
