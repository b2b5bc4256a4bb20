"""Pairs of a person's possible placements that exclude each other: too little time for the way, or too little rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.preferences import Placement
from groundstate_models.scheduling.schedule import Schedule

Literal = tuple[str, str]


@dataclass(frozen=True)
class Spots:
    """Possible placements of a person by one variable.

    Attributes:
        values: The values of the variable.
        start, end: In minutes, for each value.
        places: Of each value; None if unknown.
    """

    values: tuple[str, ...]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    places: tuple[str | None, ...]

    @classmethod
    def of(cls, some: Iterable[tuple[str, Placement, str | None]]) -> Spots:
        """Values with their placements and places."""
        values, placed, places = zip(*some, strict=True)
        return cls(values, np.array([one.start for one in placed]), np.array([one.end for one in placed]), places)


TooClose = Callable[[Spots, Spots], NDArray[np.bool_]]
"""Which placements by two variables exclude each other, ``(len(one), len(other))``."""


def short_ways(schedule: Schedule) -> TooClose:
    """Too little time for the way from the earlier place to the later one."""

    def close(one: Spots, other: Spots) -> NDArray[np.bool_]:
        mine, theirs = (list(dict.fromkeys(spots.places)) for spots in (one, other))
        rows, columns = (
            [places.index(place) for place in spots.places] for places, spots in ((mine, one), (theirs, other))
        )
        forth = np.array([[schedule.way(here, there) for there in theirs] for here in mine])[np.ix_(rows, columns)]
        back = np.array([[schedule.way(there, here) for there in theirs] for here in mine])[np.ix_(rows, columns)]
        ahead = one.start[:, None] <= other.start
        late = np.where(ahead, other.start - one.end[:, None] < forth, one.start[:, None] - other.end < back)
        return np.asarray(late, bool)

    return close


def tired(days: Days, rest: int) -> TooClose:
    """Less rest, in minutes, between different days."""

    def close(one: Spots, other: Spots) -> NDArray[np.bool_]:
        mine, theirs = (np.array([days.day(start) for start in spots.start.tolist()]) for spots in (one, other))
        apart = np.maximum(other.start - one.end[:, None], one.start[:, None] - other.end)
        return np.asarray((mine[:, None] != theirs) & (apart < rest), bool)

    return close


def conflicts(spots: Mapping[str, Spots], too_close: TooClose) -> Iterator[list[Literal]]:
    """Sets of literals, of two variables each, of which at most one can hold."""
    for (first, one), (second, other) in combinations(spots.items(), 2):
        close = too_close(one, other)
        against: dict[bytes, list[int]] = {}
        for row in np.flatnonzero(close.any(1)).tolist():
            against.setdefault(close[row].tobytes(), []).append(row)
        for rows in against.values():
            theirs = sorted(other.values[column] for column in np.flatnonzero(close[rows[0]]).tolist())
            yield [*((first, one.values[row]) for row in rows), *((second, value) for value in theirs)]
