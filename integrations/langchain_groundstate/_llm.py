"""Let a language model reply to questions."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.runnables import Runnable

import groundstate as gs

_log = logging.getLogger(__name__)

_SYSTEM = (
    "A solver found several answers to a problem, or none, and asks which option to take. Reply with the option's id, "
    "or with {none!r} if nothing that you know decides it."
)


class LLMReplier:
    """Replies to questions with a chat model's choice. Made by `ask_llm`."""

    def __init__(self, chat_model: BaseChatModel, instructions: str | None) -> None:
        self._model, self._instructions = chat_model, instructions

    def __call__(self, question: gs.Question, solution: gs.Solution) -> str | None:
        return _chosen(question, self._bound(question).invoke(self._prompt(question, solution)))

    async def acall(self, question: gs.Question, solution: gs.Solution) -> str | None:
        """The same without blocking the event loop."""
        return _chosen(question, await self._bound(question).ainvoke(self._prompt(question, solution)))

    def _bound(self, question: gs.Question) -> Runnable[LanguageModelInput, Any]:
        schema = {
            "title": "reply",
            "description": "The reply to the question.",
            "type": "object",
            "properties": {"option": {"type": "string", "enum": [*_ids(question), _none(question)]}},
            "required": ["option"],
            "additionalProperties": False,
        }
        # Include the raw reply, so that an unparsable reply raises nothing.
        return self._model.with_structured_output(schema, include_raw=True)

    def _prompt(self, question: gs.Question, solution: gs.Solution) -> LanguageModelInput:
        system = _SYSTEM.format(none=_none(question))
        asked = {
            "request": dict(solution.request),
            "found": solution.explanation,
            "question": question.text,
            "options": [
                {"id": option.id, "label": option.label, "answers_left": option.answers_left}
                for option in question.options
            ],
        }
        return [
            SystemMessage(f"{system}\n\n{self._instructions}" if self._instructions else system),
            HumanMessage(json.dumps(asked, ensure_ascii=False)),
        ]


def ask_llm(chat_model: BaseChatModel, *, instructions: str | None = None) -> LLMReplier:
    """A chat model that replies to questions in place of a person: the value of ``on_question``.

    It sees the problem, the result, the question and its options, and replies by structured output. A reply that is not an
    option leaves the question open.

    Args:
        chat_model: A model with `with_structured_output`.
        instructions: The basis for its decision: the user's wishes or messages.
    """
    return LLMReplier(chat_model, instructions)


def _ids(question: gs.Question) -> list[str]:
    return [option.id for option in question.options]


def _none(question: gs.Question) -> str:
    """The word for "no option", distinct from every option's id."""
    word = "none"
    while word in _ids(question):
        word += " of these"
    return word


def _chosen(question: gs.Question, raw: Any) -> str | None:
    parsed = raw.get("parsed") if isinstance(raw, Mapping) else None
    option = parsed.get("option") if isinstance(parsed, Mapping) else None
    if option in _ids(question):
        return str(option)
    if option != _none(question):
        _log.warning(
            "The chat model's reply to the question %s is not an option; the question stays open.", question.id
        )
    return None
