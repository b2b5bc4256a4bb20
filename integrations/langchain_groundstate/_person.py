"""Ask a person through LangGraph's interrupts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import ensure_config
from langgraph.types import interrupt

import groundstate as gs
from langchain_groundstate._errors import CannotAskError

_REPLY = (
    'Resume with the id of an option, or {"option": <id of an option>}; {"option": null} takes the result as it is. '
    '"question": <id of the question> beside it guards against replying to another one.'
)


class Person:
    """Interrupts the graph with a question, and repeats it until the reply is valid.

    LangGraph reruns the asking code from its start for each reply, and matches replies to questions by order. Therefore the
    same questions must come in the same order. The solver caches them, or finds them again from the same seed.

    Args:
        tool: The tool's name.
    """

    def __init__(self, tool: str) -> None:
        self._tool = tool

    def __call__(self, question: gs.Question, solution: gs.Solution) -> str | None:
        _check_that_replies_arrive(solution)
        asked, refused = _asked(self._tool, question, solution), dict[str, str]()
        while True:
            reply = interrupt({**asked, **refused}, response_schema=_schema(question))
            try:
                return _read(question, reply)
            except gs.RequestError as error:
                refused = {"refused": " ".join(fault.message for fault in error.faults)}

    async def acall(self, question: gs.Question, solution: gs.Solution) -> str | None:
        return self(question, solution)


def _asked(tool: str, question: gs.Question, solution: gs.Solution) -> dict[str, Any]:
    """Everything that a person or a form needs to reply; JSON-ready."""
    return {
        "type": "groundstate_question",
        "tool": tool,
        "question": question.to_json(),
        "status": solution.status.value,
        "explanation": solution.explanation,
        "request": dict(solution.request),
        **_configuration(solution),
        "violations": [violation.to_json() for violation in solution.violations],
        "reply": _REPLY,
    }


def _configuration(solution: gs.Solution) -> dict[str, Any]:
    """The answer, or the closest attempt if there is one."""
    if solution.has_answer:
        return {"answer": solution.answer}
    return {"closest": None if solution.closest is None else solution.closest.answer}


def _schema(question: gs.Question) -> dict[str, Any]:
    """The schema of a reply, for forms."""
    choices = [{"const": option.id, "title": option.label} for option in question.options]
    return {
        "type": "object",
        "title": question.text,
        "properties": {
            "option": {"oneOf": [*choices, {"const": None, "title": "Take the result as it is."}]},
            "question": {"const": question.id, "description": "May be left out."},
        },
        "required": ["option"],
        "additionalProperties": False,
    }


def _read(question: gs.Question, reply: object) -> str | None:
    """The id of the option in a reply; None to take the result as it is.

    Raises:
        RequestError: If the reply is not valid, or belongs to another question.
    """
    if isinstance(reply, Mapping):
        if "option" not in reply or reply.keys() - {"option", "question"}:
            keys = ", ".join(repr(str(key)[:60]) for key in reply) or "nothing"
            raise gs.RequestError(
                [gs.Fault("", f"The reply has {keys}; it must have 'option', and may have 'question'.")]
            )
        if (meant := reply.get("question", question.id)) != question.id:
            is_open = f"the open question is {question.id!r} ({question.text})"
            message = f"The reply is for the question {str(meant)[:60]!r}; {is_open}."
            raise gs.RequestError([gs.Fault("", message)])
        reply = reply["option"]
    if reply is None:
        return None
    if isinstance(reply, bool) or not isinstance(reply, str | int):
        raise gs.RequestError([gs.Fault("", f"The option is of type {type(reply).__name__}; it must be a string.")])
    return question.option(str(reply)).id


def _check_that_replies_arrive(solution: gs.Solution) -> None:
    # LangGraph itself raises a KeyError outside a graph, and without a checkpointer it cannot resume.
    config = ensure_config().get("configurable", {})
    if "__pregel_scratchpad" not in config:
        where = "this call runs outside a graph"
    elif config.get("__pregel_checkpointer", True) is None:
        where = "this graph has none"
    else:
        return
    raise CannotAskError(
        "A question cannot be asked: on_question is 'interrupt', which needs a LangGraph graph with a checkpointer, and "
        f"{where}.",
        solution,
    )
