"""Exceptions that handlers of signals raise: a time limit, a shutdown. They may come up anywhere, and are the program's own."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any


def from_signal(error: BaseException) -> bool:
    """Whether an exception was raised by the handler of a signal: it is the program's then, and nobody else's."""
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
