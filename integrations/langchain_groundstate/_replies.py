"""Select who replies to a question."""

from __future__ import annotations

import importlib.util
from typing import Literal

import groundstate as gs
from groundstate.tools import Replier, SolveOptions

OnQuestion = Literal["return", "interrupt"] | Replier
"""How a question is handled: it is returned, LangGraph interrupts to ask a person, or code replies."""


def replier(on_question: OnQuestion, tool: str, options: SolveOptions) -> Replier | None:
    """The replier; None if questions are returned.

    Args:
        tool: The tool's name, shown to the person.
        options: The tool's solve options.

    Raises:
        OptionError: If `on_question` is not one of the three, or contradicts the options.
    """
    if on_question == "return":
        return None
    if options.get("ask", True) is False:
        raise gs.OptionError(
            f"on_question is {on_question!r} and ask is False, so no question is asked; leave one of them out."
        )
    if callable(on_question):
        return on_question
    if on_question != "interrupt":
        raise gs.OptionError(f"on_question is {on_question!r}; it must be 'return', 'interrupt' or a callable.")
    if options.get("deadline") is not None:
        raise gs.OptionError(
            f"deadline is {options['deadline']!r} and on_question is 'interrupt': LangGraph runs the tool again for each "
            "reply, and with a deadline it might then ask something else. Bound it by restarts and max_steps instead."
        )
    if options.get("improve_for") is not None:
        # For the same reason, without the default of tools.
        options["improve_for"] = None
    if importlib.util.find_spec("langgraph") is None:
        raise gs.OptionError(
            "on_question is 'interrupt', which needs LangGraph; install it with: pip install 'groundstate[langgraph]'."
        )
    from langchain_groundstate._person import Person

    return Person(tool)
