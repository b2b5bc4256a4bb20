"""The numbers of rows that a graph runs with on a device."""

from __future__ import annotations

from groundstate._header import Header

BUCKETS = (1, 4, 16, 64, 128, 256, 512, 1024, 2048, 4096)
"""Rows of a run. Below 64 a device has hardly more work with more rows, so there the buckets are further apart."""

MOST_ELEMENTS = 1 << 28
"""Largest number of elements of a step's largest tensor over all rows of a run."""


def buckets(header: Header) -> tuple[int, ...]:
    """The numbers of rows that a graph runs with, ascending."""
    if header.batch is not None:
        return (header.batch,)
    most = max(MOST_ELEMENTS // max(header.largest, 1), 1)
    return tuple(n for n in BUCKETS if n <= most)
