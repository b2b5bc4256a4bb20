"""The graphs of a file: a session for each earlier stage, and every tensor as the header states it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import NoReturn

from groundstate._errors import ArtefactError
from groundstate._gate import Passed, examine
from groundstate._header import Header
from groundstate._session import Session


def inner_models(header: Header, metadata: Mapping[str, str]) -> dict[str, tuple[bytes, Passed]]:
    """The models that the metadata holds, by their keys: the graphs of earlier stages, and the checker. All pass the gate.

    Raises:
        ArtefactError: If one is missing or damaged, or holds what an artefact may not.
    """
    called = {stage.model: f"The graph of the stage {stage.name!r:.80}" for stage in header.stages}
    for key, what in called.items():
        if key not in metadata:
            raise ArtefactError(f"The artefact {header.name!r:.80} lacks {key!r:.80}. {what} should be there.")
    if header.checker_key in metadata:
        called[header.checker_key] = f"The checker of the artefact {header.name!r:.80}"
    found = {}
    for key, what in called.items():
        try:
            model = base64.b64decode(metadata[key], validate=True)
        except (binascii.Error, ValueError):
            raise ArtefactError(f"{what} is not base64; the file is damaged.") from None
        found[key] = model, examine(model, loop=False, source=what)
    return found


def stage_sessions(header: Header, models: Mapping[str, tuple[bytes, Passed]], device: str) -> list[Session]:
    """A session for each earlier stage."""
    sessions = []
    for stage in header.stages:
        model, passed = models[stage.model]
        what, wide = f"The graph of the stage {stage.name!r:.80}", stage.header.is_float64
        sessions.append(Session(model, device, what, passed=passed, float64=wide))
    return sessions


def hold_against(header: Header, session: Session, source: str) -> None:
    """Refuse a graph whose tensors are not those that the header names."""
    wanted, present = header.graph_inputs, session.inputs

    def refuse(what: str) -> NoReturn:
        raise ArtefactError(f"{source} is damaged: its graph {what}.")

    for name in sorted(set(wanted) ^ set(present)):
        refuse(f"{'has no' if name in wanted else 'has an unknown'} input {name!r}")
    for name, (dtype, shape) in wanted.items():
        found, sizes = present[name]
        pairs = zip(sizes, shape, strict=False)
        same = len(sizes) == len(shape) and all(a == b or (isinstance(a, str) and b == "batch") for a, b in pairs)
        if found != dtype or not same:
            text = f"{dtype} of shape ({', '.join(map(str, shape))})"
            refuse(f"has an input {name!r} that is not {text}, as the header says")
    for name in sorted({*header.graph_outputs, "trace"} - set(session.outputs)):
        refuse(f"has no output {name!r}, which its header names")
    for name, (dtype, shape) in header.graph_outputs.items():
        sizes = session.shapes[name]
        # A graph may leave lengths open; what it states must be what the header states.
        stated = zip(sizes[1:], shape, strict=False)
        same = bool(header.sizes) or not sizes or len(sizes) - 1 == len(shape) or name == "steps"
        if session.types[name] != dtype or not same or (not header.sizes and any(_apart(*pair) for pair in stated)):
            text = f"{dtype} of shape (batch{''.join(f', {n}' for n in shape)})"
            refuse(f"has an output {name!r} that is not {text}, as the header says")
    for name, sizes in session.shapes.items():
        if (name == "trace" or name.startswith("path.")) and not _fits(sizes, len(header.traced)):
            refuse(
                f"has an output {name!r} of shape ({', '.join(map(str, sizes))}), and the header's 'steps' "
                f"{header.steps} and 'trace_every' {header.trace_every} make {len(header.traced)} columns"
            )


def _apart(stated: int | str | None, wanted: int) -> bool:
    return isinstance(stated, int) and stated != wanted


def _fits(sizes: tuple[int | str | None, ...], columns: int) -> bool:
    """Whether a shape has so many columns, or leaves open how many."""
    return len(sizes) > 1 and (sizes[1] == columns or not isinstance(sizes[1], int))
