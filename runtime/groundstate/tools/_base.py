"""The base of every tool for a language model: name, schemas, calls, refusals."""

from __future__ import annotations

import asyncio
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from groundstate import _words
from groundstate._errors import BusyError, ClosedError, Fault, GroundstateError, OptionError, RequestError
from groundstate._question import Question
from groundstate._solution import Score, Solution

_FAULTS = 5
"""Most faults to list in a refusal; the rest are counted."""

_SHAPE = 400
"""Most characters of a refusal for the shape of the arguments."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The result of a tool call.

    Attributes:
        record: The record for the model, JSON-ready.
        outcome: The whole outcome, for programs.
    """

    record: dict[str, Any]
    outcome: Solution | Score | None

    @property
    def text(self) -> str:
        """The record as compact JSON."""
        return json.dumps(self.record, separators=(",", ":"), ensure_ascii=False)

    @property
    def question(self) -> Question | None:
        """The open question, if there is one."""
        return self.outcome.question if isinstance(self.outcome, Solution) else None


class LLMTool(ABC):
    """A tool for a language model.

    Attributes:
        name: The name for the model: at most 64 letters, digits, ``_`` and ``-``.
        title: The name for people.
        description: Purpose and use of the tool, for the model.
        schema: The JSON schema of its arguments (an object), shortened for a language model.
        accepts: The full schema of its arguments.
        returns: The JSON schema of its records (objects).
    """

    name: str
    title: str
    description: str
    schema: dict[str, Any]
    accepts: dict[str, Any]
    returns: dict[str, Any]

    @abstractmethod
    def call(self, arguments: Mapping[str, Any]) -> Reply:
        """Run the tool.

        Raises:
            RequestError: If the arguments do not fit the schema. `refusal` is the text for the model.
        """

    async def acall(self, arguments: Mapping[str, Any]) -> Reply:
        """`call` without blocking the event loop."""
        return await asyncio.to_thread(self.call, arguments)

    def respond(self, arguments: Mapping[str, Any] | str) -> str:
        """The text for the model after a call: a result or a refusal. For frameworks that only take text.

        Args:
            arguments: An object, or its JSON text, which some providers send.
        """
        try:
            return self.call(_parsed(arguments) if isinstance(arguments, str) else arguments).text
        except GroundstateError as error:
            return self.refusal(error)

    def refusal(self, error: GroundstateError) -> str:
        """An error for the model: the fault, its place, and the correction; or that nobody but the user can correct it."""
        if isinstance(error, BusyError | ClosedError):
            why = f"{error.active:,} calls are in progress" if isinstance(error, BusyError) else "it was restarted"
            return f"{self.name} did nothing: {why}. Call it again with the same arguments in a second."
        if isinstance(error, OptionError):
            return f"{self.name} cannot run with its setup: {_words.clean(str(error))} Tell the user; do not retry."
        if not isinstance(error, RequestError):
            text = _words.shortened(_words.clean(str(error)), _SHAPE)
            return f"{self.name} failed, and not by these arguments: {text} Tell the user; do not retry."
        return "\n".join(
            [
                f"{self.name} refused the arguments and did nothing. Correct this and call it again:",
                *(f"- {_words.clean(fault)}" for fault in _words.first(error.faults, _FAULTS)),
                f"The arguments must be {self._shape(error)}.",
            ]
        )

    def _shape(self, error: RequestError) -> str:
        """The shape of the arguments on one line: all of them if that is short, else the faulty ones."""
        whole = _words.schema_in_words(self.accepts)
        if len(whole) <= _SHAPE:
            return whole
        properties = self.accepts.get("properties", {})
        wrong = dict.fromkeys(re.split(r"[.\[]", fault.place, maxsplit=1)[0] for fault in error.faults)
        parts = [
            f'"{name}": {_words.shortened(_words.schema_in_words(properties[name], self.accepts), _SHAPE)}'
            for name in wrong
            if name in properties
        ]
        if parts:
            return "{" + ", ".join([*parts[:2], "…"]) + "}"
        required = self.accepts.get("required", ())
        names = [f'"{name}"{"" if name in required else " (optional)"}' for name in properties]
        return f"an object with {_words.listed(names)}"

    def as_function(self) -> Callable[..., dict[str, Any]]:
        """A plain callable ``f(**arguments) -> dict`` with name, docstring and ``schema``, for frameworks without an adapter."""

        def call(**arguments: Any) -> dict[str, Any]:
            return self.call(arguments).record

        call.__name__ = call.__qualname__ = self.name
        call.__doc__ = self.description
        call.schema = {"name": self.name, "description": self.description, "parameters": self.schema}  # type: ignore[attr-defined]
        return call


def tool_name(verb: str, name: str) -> str:
    """A name with characters and length that every provider of language models accepts."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", f"{verb}_{name}")[:64]


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RequestError([Fault("", f"The arguments are not valid JSON; they begin with {text[:60]!r}.")]) from None
