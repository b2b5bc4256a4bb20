"""Protobuf's wire format, read strictly: one canonical spelling of every message, or an error with its path.

ONNX Runtime reads files with a lenient parser: repeated singular fields are merged, unknown fields are kept, numbers may be
padded. The same bytes could then mean one thing here and another there, so everything but the spelling that every protobuf
writer produces is refused (https://protobuf.dev/programming-guides/encoding).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

VARINT, I64, LEN, I32 = 0, 1, 2, 5
"""Wire types. Groups (3 and 4) are refused."""

_NUMBERED = frozenset({VARINT, LEN})
"""Wire types that begin with a number."""

_SHORT = 127
"""The greatest number that takes one byte."""

_KINDS = {VARINT: "a number", I64: "8 bytes", LEN: "text or a message", I32: "4 bytes"}


class WireError(Exception):
    """The bytes are not a canonical message. The text is a clause that follows the message's name."""


class Kind(NamedTuple):
    """The allowed contents of a message.

    Attributes:
        name: The message's name in onnx.proto.
        fields: From a field's number to its name and its wire types.
        repeated: Numbers of the fields that may occur more than once.
        barred: What the fields hold that onnx.proto has and an artefact may not, for messages.
        tags: From the number that precedes a field's value to the field's number, its wire type, and its bit if it may occur only
            once, else 0.
    """

    name: str
    fields: Mapping[int, tuple[str, frozenset[int]]]
    repeated: frozenset[int]
    barred: Mapping[int, str]
    tags: Mapping[int, tuple[int, int, int]]


def kind(
    name: str,
    *fields: tuple[int, str, int],
    repeated: tuple[int, ...] = (),
    packed: tuple[int, ...] = (),
    barred: Mapping[int, str] | None = None,
) -> Kind:
    """Describe a message.

    Args:
        name: The message's name.
        fields: Number, name and wire type of every field that is allowed.
        repeated: Numbers of the fields that may occur more than once.
        packed: Numbers of the fields whose elements may also be packed into one run of bytes.
        barred: What the fields hold that onnx.proto has and an artefact may not.
    """
    types = {n: (label, frozenset({wire, LEN} if n in packed else {wire})) for n, label, wire in fields}
    often = frozenset(repeated) | frozenset(packed)
    tags = {n << 3 | wire: (n, wire, 0 if n in often else 1 << n) for n, (_, wires) in types.items() for wire in wires}
    return Kind(name, types, often, barred or {}, tags)


Field = tuple[int, int, int, int]
"""Number, wire type, and either (value, 0) or the (start, end) of the bytes."""


def fields(data: bytes, start: int, end: int, what: Kind, most: int | None = None) -> list[Field]:
    """The fields of a message.

    Args:
        data: The whole file.
        start: Where the message begins.
        end: Where it ends.
        what: The fields that it may hold.
        most: Number of fields after which reading stops; None for no limit.

    Returns:
        The fields in order.

    Raises:
        WireError: A field is unknown, repeated, of the wrong type, padded or reaches past the end.
    """
    found: list[Field] = []
    add, tags = found.append, what.tags
    seen = 0
    at, stop = start, math.inf if most is None else most
    while at < end and len(found) < stop:
        tag = data[at]
        at += 1
        if tag > _SHORT:
            tag, at = _varint(data, at - 1, end)
        known = tags.get(tag)
        if known is None:
            raise WireError(_unfit(tag >> 3, tag & 7, what))
        number, wire, once = known
        if once:
            if seen & once:
                raise WireError(f"{what.name}.{what.fields[number][0]} twice")
            seen |= once
        if wire in _NUMBERED:
            if at < end and data[at] <= _SHORT:
                value = data[at]
                at += 1
            else:
                value, at = _varint(data, at, end)
            if wire == VARINT:
                add((number, wire, value, 0))
                continue
        else:
            value = 8 if wire == I64 else 4
        begin = at
        at += value
        if at > end:
            raise WireError(f"{what.name}.{what.fields[number][0]} that reaches past the end")
        add((number, wire, begin, at))
    return found


def _unfit(number: int, wire: int, what: Kind) -> str:
    if number in what.barred:
        return f"{what.barred[number]} (field {number} of {what.name}), which an artefact may not have"
    if number not in what.fields:
        return f"a field {number} of {what.name}, which is unknown or not allowed"
    name, wires = what.fields[number]
    return f"{what.name}.{name} as wire type {wire}; it must be {_wanted(wires)}"


def _wanted(wires: frozenset[int]) -> str:
    return " or ".join(_KINDS[wire] for wire in sorted(wires))


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a base-128 number of at most 64 bits without padding. Returns it and its end."""
    value = shift = 0
    while True:
        if at >= end or shift > 63:
            raise WireError("a number that does not end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    if shift and not byte:  # a zero alone is the number 0
        raise WireError("a number that is padded with zeros")
    if value >> 64:
        raise WireError("a number of more than 64 bits")
    return value, at


def varints(data: bytes, start: int, end: int) -> list[int]:
    """Packed numbers.

    Raises:
        WireError: One of them does not end, or is padded.
    """
    found = []
    at = start
    while at < end:
        value, at = _varint(data, at, end)
        found.append(value)
    return found


def signed(value: int) -> int:
    """Interpret a number as int64 in two's complement."""
    return value - (1 << 64) if value >> 63 else value


def text(data: bytes, start: int, end: int, where: str) -> str:
    """A field of text.

    Raises:
        WireError: It is not UTF-8 or holds a NUL.
    """
    try:
        found = data[start:end].decode()
    except UnicodeDecodeError:
        raise WireError(f"{where} that is not UTF-8") from None
    if "\0" in found:
        raise WireError(f"{where} with a NUL character")
    return found
