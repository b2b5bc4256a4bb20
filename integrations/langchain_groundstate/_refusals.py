"""Errors that a language model can act on, as tool exceptions of LangChain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from langchain_core.tools import ToolException
from pydantic import ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

import groundstate as gs
from groundstate.tools import LLMTool, SolveTool
from langchain_groundstate._errors import CannotAskError


@contextmanager
def translated(tool: LLMTool) -> Iterator[None]:
    """Turn the errors of groundstate, which the model can correct or report, into a `ToolException`; other errors propagate."""
    try:
        yield
    except CannotAskError as error:
        # Only the developer can correct it. Until then the model gets the result, and can reply to the question itself.
        found = tool.reply(error.solution).text if isinstance(tool, SolveTool) else ""
        raise ToolException(f"{error} Tell the user. The result so far: {found}") from error
    except gs.GroundstateError as error:
        raise ToolException(tool.refusal(error)) from error


def explain(error: ValidationError | ValidationErrorV1) -> str:
    """Faults by field, for tools whose ``args_schema`` was replaced by a pydantic class."""
    faults = [f"- {'.'.join(map(str, fault['loc']))}: {fault['msg']}." for fault in error.errors()[:8]]
    return "\n".join(["The arguments are not valid. Correct this and call the tool again:", *faults])
