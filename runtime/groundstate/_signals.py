"""Exceptions of signal handlers, such as a time limit or a shutdown. They can occur anywhere and belong to the program."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any


def from_signal(error: BaseException) -> bool:
    """Whether a signal handler raised an exception, which therefore must propagate."""
    codes = {code for number in signal.valid_signals() if (code := _code_of(signal.getsignal(number))) is not None}
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in codes:
            return True
        trace = trace.tb_next
    return False


def _code_of(handler: Callable[[int, FrameType | None], Any] | int | None) -> CodeType | None:
    code = getattr(getattr(handler, "__func__", handler), "__code__", None)
    return code if isinstance(code, CodeType) else None
