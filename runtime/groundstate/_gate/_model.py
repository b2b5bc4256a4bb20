"""Checks a file as a whole: version, operator set, graph and metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from groundstate._gate._graphs import Graphs
from groundstate._gate._limits import Limits
from groundstate._gate._messages import IR_VERSIONS, MODEL, OPSET, OPSET_ID, STRING
from groundstate._gate._reader import Reader, RefusedError, refusal
from groundstate._gate._wire import WireError, fields


@dataclass(frozen=True, slots=True)
class Passed:
    """The gate's reading of an accepted file.

    Attributes:
        metadata: The model's metadata.
        nodes: Nodes in all its graphs.
        loops: Whether there is a loop.
    """

    metadata: Mapping[str, str]
    nodes: int
    loops: bool


@dataclass(slots=True)
class _Model:
    version: int = 0
    graph: tuple[int, int] | None = None
    opsets: list[tuple[str, int]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


def read_model(data: bytes, *, loop: bool, limits: Limits) -> Passed:
    """Check a whole file.

    Raises:
        RefusedError: Something in it is not allowed.
    """
    reader = Reader(data, limits)
    model = _read(reader)
    if model.graph is None:
        raise RefusedError("is damaged or not an ONNX model: it has no graph")
    if model.version not in IR_VERSIONS:
        accepted = f"{IR_VERSIONS[0]} to {IR_VERSIONS[-1]} are accepted"
        raise refusal(f"the IR version {model.version}; {accepted}")
    if model.opsets != [("", OPSET)]:
        found = ", ".join(f"{domain or 'ai.onnx'} {number}" for domain, number in model.opsets) or "none"
        raise refusal(f"the operator sets {found:.200}; an artefact has ai.onnx {OPSET} alone")
    graphs = Graphs(reader, loop=loop)
    graphs.check(*model.graph)
    return Passed(model.metadata, reader.nodes, bool(graphs.loops))


def _read(reader: Reader) -> _Model:
    model, size = _Model(), 0
    try:
        found = fields(reader.data, 0, len(reader.data), MODEL)
    except WireError as error:
        raise RefusedError(f"is damaged or not an ONNX model: it has {error}") from None
    for number, _, a, b in found:
        match number:
            case 1:
                model.version = a
            case 7:
                model.graph = a, b
            case 8:
                model.opsets.append(_opset(reader, a, b))
            case 14:
                size += b - a
                if size > reader.limits.metadata:
                    raise refusal(f"more than {reader.limits.metadata:,} bytes of metadata, the most that is accepted")
                _entry(reader, a, b, model.metadata)
            case 2 | 3 | 4 | 6:
                reader.text(a, b, "text", "The model")
            case _:
                pass
    return model


def _opset(reader: Reader, start: int, end: int) -> tuple[str, int]:
    domain, version = "", 0
    for number, _, a, b in reader.fields(start, end, OPSET_ID, "An operator set"):
        if number == 1:
            domain = reader.text(a, b, "a domain", "An operator set")
        else:
            version = a
    return ("" if domain == "ai.onnx" else domain), version


def _entry(reader: Reader, start: int, end: int, metadata: dict[str, str]) -> None:
    key = text = ""
    for number, _, a, b in reader.fields(start, end, STRING, "The metadata"):
        if number == 1:
            key = reader.text(a, b, "a key", "The metadata")
        else:
            text = reader.text(a, b, "text", f"The metadata {key!r:.40}")
    if key in metadata:
        raise refusal(f"the key {key!r:.60} twice", "The metadata")
    metadata[key] = text
