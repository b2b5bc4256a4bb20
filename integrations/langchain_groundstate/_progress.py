"""Progress of a descent, reported to callbacks."""

from __future__ import annotations

from collections.abc import Callable

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, dispatch_custom_event
from langchain_core.runnables import ensure_config

import groundstate as gs

Watch = Callable[[gs.Segment], None] | None

EVENT = "groundstate_progress"

_DEAF = (BaseCallbackHandler.on_custom_event, AsyncCallbackHandler.on_custom_event)


def progress(tool: str) -> Watch:
    """Report every segment to the callbacks of this run; None if no callback listens, which costs nothing.

    Call this in the context of the run. The returned function may be called anywhere.

    Args:
        tool: The tool's name.
    """
    config = ensure_config()
    handlers = getattr(config.get("callbacks"), "handlers", ())
    if not any(_listens(handler) for handler in handlers):
        return None

    def report(segment: gs.Segment) -> None:
        event = {
            "tool": tool,
            "steps": segment.steps,
            "chains": segment.chains,
            "energy": float(segment.energy.min()),
            "broken": int(segment.violations.sum(axis=1).min()),
        }
        dispatch_custom_event(EVENT, event, config=config)

    return report


def _listens(handler: BaseCallbackHandler) -> bool:
    return not handler.ignore_custom_event and type(handler).on_custom_event not in _DEAF
