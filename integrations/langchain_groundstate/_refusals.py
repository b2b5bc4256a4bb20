"""Errors that a language model can act on, in its terms: what was wrong, where, and what to send instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from langchain_core.tools import ToolException
from pydantic import ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

import groundstate as gs
from langchain_groundstate import _content


@contextmanager
def translated(tool: str, shape: str) -> Iterator[None]:
    """Turn what the model can correct into a `ToolException`; every other error is left to rise.

    Args:
        tool: The tool's name.
        shape: What its arguments must be, in a line.
    """
    try:
        yield
    except gs.RequestError as error:
        lines = [
            f"{tool} refused the arguments and did nothing. Correct this and call it again:",
            *(f"- {fault}" for fault in _content.first(error.faults)),
            f"The arguments must be {shape}.",
        ]
        raise ToolException("\n".join(lines)) from error
    except gs.OptionError as error:
        raise ToolException(f"{tool} cannot run as it is set up: {error} Tell the user; do not retry.") from error


def explain(error: ValidationError | ValidationErrorV1) -> str:
    """Fields and what is wrong with them, for tools whose ``args_schema`` was replaced by a pydantic class."""
    faults = _content.first(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}." for fault in error.errors())
    return "\n".join(
        ["The arguments are not valid. Correct this and call the tool again:", *(f"- {f}" for f in faults)]
    )
