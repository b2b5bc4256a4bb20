"""Find the place of a captured operator in the user's source.

Recording places costs time, so a function is traced again, with places, only if one of its operators is refused.
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch
from torch import fx
from torch.fx.experimental.proxy_tensor import get_proxy_mode
from torch.utils._python_dispatch import TorchDispatchMode

from groundstate_export._errors import UnsupportedOperator

_FOREIGN = tuple(
    str(p) for p in (Path(torch.__file__).parent, Path(__file__).parent, Path(sysconfig.get_paths()["stdlib"]))
)
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>[^\n]+)\n\s*(?P<code>[^\n]*)')


def place_of(error: BaseException) -> str:
    """The innermost line of the user's code that an exception passed through, or an empty string."""
    return _place(_walked(error.__traceback__))


class Places(TorchDispatchMode):
    """While a function is traced, records in each node's ``meta["place"]`` the line of the user's code behind it.

    A node of a gradient has the line of its forward operator; autograd must be in anomaly mode, which records that line.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own has no types

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        mode = get_proxy_mode()
        nodes: fx.graph._node_list | tuple[()] = mode.tracer.graph.nodes if mode is not None else ()
        before: fx.Node | None = next(iter(reversed(nodes)), None)
        place = _current()
        try:
            result = func(*args, **(kwargs or {}))
        except UnsupportedOperator as refusal:
            raise refusal.at(place) from None
        made: Iterable[fx.Node] = takewhile(lambda node: node is not before, reversed(nodes))
        for new in made:
            new.meta["place"] = place
        return result


def current_place() -> str:
    """The innermost line of the user's code that runs now, or whose gradient runs; empty if there is none."""
    return _current()


def _current() -> str:
    node: Any = torch._C._current_autograd_node()  # noqa: SLF001  # anomaly mode has no public access to its records
    if node is not None:
        lines = "".join(node.metadata.get("traceback_", []))
        frames = [(m["file"], int(m["line"]), m["function"], m["code"]) for m in _FRAME.finditer(lines)]
        return _place(reversed(frames))
    return _place(_stack(sys._getframe(1)))  # noqa: SLF001  # `inspect.stack` reads every file on the way


_Frame = tuple[str, int, str, str]


def _stack(frame: FrameType | None) -> Iterator[_Frame]:
    while frame is not None:
        yield (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name, "")
        frame = frame.f_back


def _walked(trace: TracebackType | None) -> Iterator[_Frame]:
    for summary in reversed(traceback.extract_tb(trace)):
        yield (summary.filename, summary.lineno or 0, summary.name, summary.line or "")


def _place(frames: Iterable[_Frame]) -> str:
    for file, line, function, noted in frames:
        if not file.startswith(_FOREIGN) and not file.startswith("<"):
            code = (noted or traceback.FrameSummary(file, line, function).line or "").strip()
            # Without the folder: messages may end up in files.
            return f"{Path(file).name}:{line}, in {function}" + (f": `{code}`" if code else "")
    return ""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress PyTorch's warnings about its own internals, which users cannot act on."""
    logger = logging.getLogger("torch")
    level = logger.level
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="torch")
        warnings.filterwarnings("ignore", category=FutureWarning, module="torch")
        warnings.filterwarnings("ignore", message=".*was not found in the graph.*")
        warnings.filterwarnings("ignore", message="TF32 acceleration on top of oneDNN")
        warnings.filterwarnings("ignore", message="The .grad attribute of a Tensor that is not a leaf")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
