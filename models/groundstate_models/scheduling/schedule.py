"""The typed reading of a request: what is to be placed, when it may be, who and which rooms it takes.

All times are whole minutes as `Days` counts them. `reading.read` makes a `Schedule` of JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.preferences import Preference
from groundstate_models.scheduling.spans import Spans, difference, intersection


@dataclass(frozen=True)
class Resource:
    """Somebody or something that takes part in one activity at a time.

    Attributes:
        open: When the request lets it be available: `free`, or all of its days.
        busy: When it is not, all the same.
    """

    name: str
    open: Spans
    busy: Spans

    @property
    def available(self) -> Spans:
        return difference(self.open, self.busy)


@dataclass(frozen=True)
class Person(Resource):
    """Somebody whom activities need, and the place where each of their days begins."""

    home: str | None = None


@dataclass(frozen=True)
class Room(Resource):
    """A room, the most people that it holds (None where that is not said), and where it is."""

    capacity: int | None = None
    place: str | None = None


@dataclass(frozen=True)
class Activity:
    """Something to be placed.

    Attributes:
        index: Its number in the request.
        duration: In minutes, at least 1.
        window: When it may take place.
        who: People it needs.
        size: How many people there are.
        rooms: Those to choose from; empty if it needs none.
        place: Where it is, if no room says so.
        after: Activities that have to be over, and ``gap`` minutes gone, before it begins, where they take place.
        at: When it has to start; None where that is open.
        optional: Whether it may be left out, which costs ``weight``.
        windowed: Whether the request gives it a window of its own; else that is the hours.
    """

    name: str
    index: int
    duration: int
    window: Spans
    who: tuple[str, ...] = ()
    size: int = 0
    rooms: tuple[str, ...] = ()
    place: str | None = None
    after: tuple[str, ...] = ()
    gap: int = 0
    at: int | None = None
    optional: bool = False
    weight: float = 1.0
    windowed: bool = True

    @property
    def where(self) -> str:
        """Its place in the request."""
        return f"activities[{self.index}]"

    @property
    def says_when(self) -> str:
        """The place of its window in the request."""
        return f"{self.where}.window" if self.windowed else "hours"


@dataclass(frozen=True)
class Schedule:
    """A request that means something.

    Attributes:
        hours: Outside of which nothing takes place; all minutes where the request does not say.
        slot: Starts are multiples of so many minutes of the day; None where the request does not say.
        gap: Least minutes between two activities of a person.
        travel: Minutes from place to place.
        rules: What has to hold besides; their weights mean nothing.
    """

    days: Days
    hours: Spans
    slot: int | None
    gap: int
    people: Mapping[str, Person]
    rooms: Mapping[str, Room]
    travel: Mapping[tuple[str, str], int]
    activities: Mapping[str, Activity]
    rules: tuple[Preference, ...] = ()
    preferences: tuple[Preference, ...] = ()
    objective: str = "most"
    _begins: dict[tuple[str, int], int | None] = field(init=False, repr=False, compare=False, default_factory=dict)

    def way(self, here: str | None, there: str | None) -> int:
        """Minutes from one place to another; 0 where either is not known."""
        if here is None or there is None or here == there:
            return 0
        return self.travel.get((here, there), 0)

    def place(self, activity: Activity, room: str | None) -> str | None:
        """Where an activity is that has a room."""
        return (self.rooms[room].place if room is not None else None) or activity.place

    def begins(self, person: str, day: int) -> int | None:
        """The first minute of a day on which somebody is available; None if there is none."""
        if (person, day) not in self._begins:
            open_hours = intersection(self.people[person].available, self.hours)
            today = intersection(open_hours, (self.days.whole(day),))
            self._begins[person, day] = today[0][0] if today else None
        return self._begins[person, day]

    @cached_property
    def attending(self) -> Mapping[str, tuple[Activity, ...]]:
        """The activities of each person."""
        return {
            person: tuple(activity for activity in self.activities.values() if person in activity.who)
            for person in self.people
        }
