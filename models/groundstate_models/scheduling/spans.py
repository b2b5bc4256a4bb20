"""Sets of minutes as half-open spans ``(start, end)``: sorted, apart from one another, none empty."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]
Spans = tuple[Span, ...]


def union(spans: Iterable[Span]) -> Spans:
    """The union of some spans; touching spans are merged."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return tuple(merged)


def intersection(one: Spans, other: Spans) -> Spans:
    """The intersection of two sets."""
    both: list[Span] = []
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            both.append((start, end))
        if one[i][1] <= other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(both)


def difference(one: Spans, taken: Spans) -> Spans:
    """The minutes of one set without those of another."""
    left: list[Span] = []
    for span in one:
        start, end = span
        for low, high in taken:
            if high <= start or low >= end:
                continue
            if start < low:
                left.append((start, low))
            start = high
        if start < end:
            left.append((start, end))
    return tuple(left)


def inside(span: Span, spans: Spans) -> bool:
    """Whether all minutes of a span are in a set."""
    return any(start <= span[0] and span[1] <= end for start, end in spans)


def overlap(span: Span, spans: Spans) -> Span | None:
    """The first span of a set that overlaps a span."""
    return next((other for other in spans if other[0] < span[1] and span[0] < other[1]), None)


def starts(spans: Spans, duration: int) -> Spans:
    """The starts of an interval of length ``duration`` inside a set."""
    return tuple((start, end - duration + 1) for start, end in spans if end - start >= duration)


def total(spans: Spans) -> int:
    """The number of minutes."""
    return sum(end - start for start, end in spans)
