"""Questions: what would settle a problem that has several answers, or none, and what each reply would change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundstate._errors import Fault, RequestError
from groundstate._request import plain
from groundstate._words import did_you_mean

Patch = tuple[Mapping[str, Any], ...]
"""A JSON Patch (RFC 6902): operations on a request, in their order."""


@dataclass(frozen=True, slots=True)
class Change:
    """A way to change a request, which may or may not help.

    Attributes:
        id: Unique among the changes of a request.
        label: What it does, as a sentence for people.
        patch: The change.
    """

    id: str
    label: str
    patch: Patch


@dataclass(frozen=True, slots=True)
class Option:
    """One reply to a question: a change of the request that has been solved, down to a checked answer.

    Attributes:
        id: What to reply with; unique within its question.
        label: The same for people.
        patch: What it changes in the request.
        answers_left: Of the different answers found, how many it leaves possible.
    """

    id: str
    label: str
    patch: Patch
    answers_left: int

    def apply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The changed request; the one given stays as it is.

        Raises:
            RequestError: If the request is not the one that the question is about.
        """
        return patched(request, self.patch)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready record."""
        patch = [dict(one) for one in self.patch]
        return {"id": self.id, "label": self.label, "answers_left": self.answers_left, "patch": patch}


@dataclass(frozen=True, slots=True)
class Question:
    """What the landscape leaves open, in words, with options.

    Attributes:
        id: Tells questions apart: the same for the same request, options of the call, and seed.
        text: The question, as a sentence.
        about: The path of what it asks about, as in `Option.patch` and in answers: ``grid[0][3]``; empty where it is about
            several things in the request.
        options: The replies, at least one.
        answers_found: How many different answers were found that the options tell apart.
    """

    id: str
    text: str
    about: str
    options: tuple[Option, ...]
    answers_found: int

    def option(self, reply: str) -> Option:
        """The option that a reply means, by its id or its label, whatever the case.

        Raises:
            RequestError: If it means none; the message lists what may be replied.
        """
        said = str(reply).strip().casefold()
        for option in self.options:
            if said in (option.id.casefold(), option.label.casefold()):
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
    """A question, named by what it says and of which request."""
    said = [plain(request), text, about, [option.to_json() for option in options]]
    named = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:8]
    return Question(f"q{named}", text, about, tuple(options), found)


def patched(request: Mapping[str, Any], patch: Patch) -> dict[str, Any]:
    """A request with a JSON Patch applied, as plain JSON.

    Raises:
        RequestError: If the patch does not fit it.
    """
    import jsonpatch  # with what it brings as long to import as this package

    try:
        changed: dict[str, Any] = jsonpatch.apply_patch(plain(request), [dict(one) for one in patch])
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
        told = "; ".join(f"{one['op']} {one['path']}" for one in patch)
        said = f"This option ({told}) is of another request than this one; take it from the question that this request brings."
        raise RequestError([Fault("", said)]) from None
    return changed


def pointer(*path: str | int) -> str:
    """A JSON Pointer (RFC 6901) to a place: ``/variables/a~1b``."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
