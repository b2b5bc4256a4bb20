"""Progress of a descent, told to callbacks."""

from __future__ import annotations

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, dispatch_custom_event
from langchain_core.runnables import ensure_config

import groundstate as gs
from langchain_groundstate._replies import Watch

EVENT = "groundstate_progress"

_DEAF = (BaseCallbackHandler.on_custom_event, AsyncCallbackHandler.on_custom_event)


def progress(tool: str) -> Watch:
    """Tells the callbacks of this run about every segment; None where none of them listens, so that it costs nothing.

    Must be called in the context of the run. What it returns may be called anywhere.

    Args:
        tool: The name of the tool that solves.
    """
    config = ensure_config()
    handlers = getattr(config.get("callbacks"), "handlers", ())
    if not any(_listens(handler) for handler in handlers):
        return None

    def tell(segment: gs.Segment) -> None:
        told = {
            "tool": tool,
            "steps": segment.steps,
            "chains": segment.chains,
            "energy": float(segment.energy.min()),
            "broken": int(segment.violations.sum(axis=1).min()),
        }
        dispatch_custom_event(EVENT, told, config=config)

    return tell


def _listens(handler: BaseCallbackHandler) -> bool:
    return not handler.ignore_custom_event and type(handler).on_custom_event not in _DEAF
