"""Preferences: the share of a preference's weight that a placement of an activity, or of a pair, costs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.spans import Spans, inside, overlap


@dataclass(frozen=True)
class Placement:
    """Place and time of an activity, in minutes of `Days`, and the people chosen for it."""

    start: int
    end: int
    room: str | None = None
    who: tuple[str, ...] = ()


class Windowed(Protocol):
    """The preferences' view of an activity."""

    @property
    def name(self) -> str: ...
    @property
    def duration(self) -> int: ...
    @property
    def window(self) -> Spans: ...


@dataclass(frozen=True)
class Preference:
    """One preference or rule of a request, about some activities. Absent activities violate nothing.

    Attributes:
        kind: One of `schema.KINDS`.
        where: Its place in the request.
        activities: Names of its activities.
        weight: Cost of each violating activity, or pair if it is about pairs.
        window: For "within" and "avoid".
        rooms: For "room".
        people: The people that it is about; empty for all.
        staffed: Activities that count if one of these people is chosen for them.
    """

    kind: str
    where: str
    activities: tuple[str, ...]
    weight: float = 1.0
    window: Spans = ()
    rooms: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    staffed: tuple[str, ...] = ()

    @property
    def pairs(self) -> bool:
        """Whether it is about pairs of activities."""
        return self.kind in ("same_room", "same_day", "different_day", "same_time", "together")

    def share(self, activity: Windowed, placed: Placement) -> float:
        """Share of its weight that the placement of one activity costs, from 0 to 1; 0 if it is about pairs."""
        span = (placed.start, placed.end)
        match self.kind:
            case "earlier" | "later":
                first, last = activity.window[0][0], activity.window[-1][1] - activity.duration
                late = min(1.0, max(0.0, (placed.start - first) / (last - first))) if last > first else 0.0
                return late if self.kind == "earlier" or last <= first else 1.0 - late
            case "within":
                return float(not inside(span, self.window))
            case "avoid":
                return float(overlap(span, self.window) is not None)
            case "room":
                return float(placed.room not in self.rooms)
        return 0.0

    def key(self, placed: Placement, days: Days) -> Hashable:
        """The property that a pair should share, or not share."""
        match self.kind:
            case "same_room":
                return placed.room
            case "same_time":
                return days.clock(placed.start)
            case "together":
                return placed.start
        return days.day(placed.start)

    def pair_broken(self, one: Placement, other: Placement, days: Days) -> bool:
        return (self.key(one, days) == self.key(other, days)) == (self.kind == "different_day")

    def broken(
        self, activities: Mapping[str, Windowed], placed: Mapping[str, Placement], days: Days
    ) -> Iterator[tuple[float, str]]:
        """Its cost in a schedule, with a sentence for each violating activity or pair."""
        names = [name for name in self.activities if name in placed]
        if self.pairs:
            for one, other in combinations(names, 2):
                if self.pair_broken(placed[one], placed[other], days):
                    yield self.weight, self._pair_said(one, other, placed)
            return
        for name in names:
            share = self.share(activities[name], placed[name])
            if share:
                yield self.weight * share, self._said(name, placed[name], days)
        for name in self.staffed:
            for person in placed[name].who if name in placed else ():
                if person in self.people and (share := self.share(activities[name], placed[name])):
                    yield self.weight * share, f"{person}: {self._said(name, placed[name], days)}"

    def _pair_said(self, one: str, other: str, placed: Mapping[str, Placement]) -> str:
        match self.kind:
            case "same_room":
                return (
                    f"{one} and {other} are not in the same room, but in {placed[one].room} and {placed[other].room}."
                )
            case "same_day":
                return f"{one} and {other} are not on the same day."
            case "same_time":
                return f"{one} and {other} are not at the same time of day."
            case "together":
                return f"{one} and {other} do not start together."
        return f"{one} and {other} are on the same day."

    def _said(self, name: str, placed: Placement, days: Days) -> str:
        when = f"{name} is at {days.span_text((placed.start, placed.end))}"
        match self.kind:
            case "within":
                return f"{when}, not within {spans_text(self.window, days)}."
            case "avoid":
                return f"{when}, which is to be avoided: {spans_text(self.window, days)}."
            case "room":
                return f"{name} is in {placed.room or 'no room'}, not in {' or '.join(self.rooms)}."
        return f"{when}, which could be {self.kind}."


def spans_text(window: Spans, days: Days, most: int = 4) -> str:
    """The first few spans, as words."""
    shown = [days.span_text(span) for span in window[:most]]
    return ", ".join([*shown, *([f"and {len(window) - most} more"] if len(window) > most else [])])
