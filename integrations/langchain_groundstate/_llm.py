"""Questions to a language model: the energy asks, the model replies."""

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
    "A solver found several answers to a problem, or none, and asks what is to hold. Reply with the id of the option "
    "that is wanted, and with {none!r} if nothing that you know decides it."
)


class LLMReplier:
    """Replies to questions with what a chat model chooses. Made by `ask_llm`."""

    def __init__(self, chat_model: BaseChatModel, instructions: str | None) -> None:
        self._model, self._instructions = chat_model, instructions

    def __call__(self, question: gs.Question, solution: gs.Solution) -> str | None:
        return _chosen(question, self._bound(question).invoke(self._said(question, solution)))

    async def acall(self, question: gs.Question, solution: gs.Solution) -> str | None:
        """The same without blocking the event loop."""
        return _chosen(question, await self._bound(question).ainvoke(self._said(question, solution)))

    def _bound(self, question: gs.Question) -> Runnable[LanguageModelInput, Any]:
        schema = {
            "title": "reply",
            "description": "The reply to the question.",
            "type": "object",
            "properties": {"option": {"type": "string", "enum": [*_ids(question), _none(question)]}},
            "required": ["option"],
            "additionalProperties": False,
        }
        # The raw reply too, so that one which cannot be parsed raises nothing.
        return self._model.with_structured_output(schema, include_raw=True)

    def _said(self, question: gs.Question, solution: gs.Solution) -> LanguageModelInput:
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

    It sees the problem, what was found, the question and its options, and replies by structured output. What is none of the
    options leaves the question as it is.

    Args:
        chat_model: A model that knows `with_structured_output`.
        instructions: What it is to decide by: what the user wants, or said.
    """
    return LLMReplier(chat_model, instructions)


def _ids(question: gs.Question) -> list[str]:
    return [option.id for option in question.options]


def _none(question: gs.Question) -> str:
    """How the model says that it chooses none: a word that is no option's."""
    word = "none"
    while word in _ids(question):
        word += " of these"
    return word


def _chosen(question: gs.Question, said: Any) -> str | None:
    parsed = said.get("parsed") if isinstance(said, Mapping) else None
    option = parsed.get("option") if isinstance(parsed, Mapping) else None
    if option in _ids(question):
        return str(option)
    if option != _none(question):
        _log.warning("The chat model's reply to the question %s is none of its options; it stays open.", question.id)
    return None
