"""The typed form of a request: activities, their times, people and rooms.

All times are whole minutes of `Days`. `reading.read` makes a `Schedule` from JSON.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from groundstate_models.scheduling.choosing import Choice
from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.limits import Limit
from groundstate_models.scheduling.preferences import Preference
from groundstate_models.scheduling.spans import Spans, difference, intersection, starts, union

FAR = 10**7
"""Minutes to the end of an activity that does not end within its window."""


@dataclass(frozen=True)
class Resource:
    """A person or a room, which takes part in one activity at a time.

    Attributes:
        open: Its available times in the request: `free`, or all days.
        busy: Its busy times, which are excluded.
        blocks: The same by text of the request, each with its place.
    """

    name: str
    open: Spans
    busy: Spans
    blocks: tuple[tuple[str, Spans], ...] = ()

    @property
    def available(self) -> Spans:
        return difference(self.open, self.busy)


@dataclass(frozen=True)
class Person(Resource):
    """A person.

    Attributes:
        home: The place where each of their days begins.
        zone: The zone of their own texts, if it is not that of the request.
    """

    home: str | None = None
    zone: str | None = None


@dataclass(frozen=True)
class Room(Resource):
    """A room, its capacity (None if not given), and its place."""

    capacity: int | None = None
    place: str | None = None


AnyResource = TypeVar("AnyResource", bound=Resource)


@dataclass(frozen=True)
class Activity:
    """An activity to schedule.

    Attributes:
        index: Its number in the request.
        duration: In minutes, at least 1.
        window: Its allowed times.
        who: The people in it.
        size: Number of people.
        rooms: Possible rooms; empty if it needs none.
        place: Its place, if it has no room.
        after: Activities that must end at least ``gap`` minutes before it begins, if they take place.
        at: Its fixed start; None if open.
        optional: Whether it may be absent, at a cost of ``weight``.
        windowed: Whether it has its own window; otherwise its window is the hours.
        choices: The people to choose for it, beside `who`.
        within: It begins at most this many minutes after the end of each activity of `after`, if both take place; None if open.
        series: Its name in the request, if it is one of a series there; else None.
        pauses: Whether it pauses outside its window, so that it may take several days; its duration is the time of work.
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
    choices: tuple[Choice, ...] = ()
    within: int | None = None
    series: str | None = None
    pauses: bool = False

    def end(self, start: int) -> int:
        """The end for a start; with pauses, when so many minutes of its window have passed, or the far future."""
        if not self.pauses:
            return start + self.duration
        left = self.duration
        for begin, over in self.window:
            begin = max(begin, start)  # noqa: PLW2901
            if over - begin >= left > 0:
                return begin + left
            left -= max(0, over - begin)
        return start + FAR

    def work(self, start: int, end: int) -> Spans:
        """The parts of its time in which somebody is needed."""
        return intersection(self.window, ((start, end),)) if self.pauses else ((start, end),)

    def starts(self, free: Spans) -> Spans:
        """The starts at which all its work is in a set of minutes."""
        if not self.pauses:
            return starts(free, self.duration)
        # Minutes of work are numbered without the pauses.
        numbered: list[tuple[int, int, int]] = []
        count = 0
        for begin, over in self.window:
            numbered.append((count, begin, over))
            count += over - begin
        possible = union(
            (first + start - begin, first + end - begin)
            for first, begin, over in numbered
            for start, end in intersection(free, ((begin, over),))
        )
        return union(
            (begin + start - first, begin + end - first)
            for first, begin, over in numbered
            for start, end in intersection(starts(possible, self.duration), ((first, first + over - begin),))
        )

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
    """A valid request.

    Attributes:
        hours: Times of all activities; all minutes if not given.
        slot: Starts are multiples of this many minutes of the day; None if not given.
        gap: Least minutes between two activities of a person.
        travel: Minutes from place to place.
        rules: Further hard rules; their weights have no meaning.
        limits: Hard and soft limits of each person's work.
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
    limits: tuple[Limit, ...] = ()
    _begins: dict[tuple[str, int], int | None] = field(init=False, repr=False, compare=False, default_factory=dict)

    def without(self, gone: Collection[str]) -> Schedule:
        """The schedule without some activities."""
        kept = {
            name: replace(activity, after=tuple(before for before in activity.after if before not in gone))
            for name, activity in self.activities.items()
            if name not in gone
        }
        return replace(self, activities=kept)

    def unblocked(self, places: Collection[str]) -> Schedule:
        """The schedule without the busy times at some places of the request."""

        def free(one: AnyResource) -> AnyResource:
            left = tuple(block for block in one.blocks if block[0] not in places)
            return replace(one, blocks=left, busy=union(span for _, spans in left for span in spans))

        people = {name: free(one) for name, one in self.people.items()}
        return replace(self, people=people, rooms={name: free(one) for name, one in self.rooms.items()})

    @cached_property
    def staffed(self) -> bool:
        """Whether people are chosen for activities, or their work is limited."""
        return bool(self.limits) or any(activity.choices for activity in self.activities.values())

    @cached_property
    def ranked(self) -> bool:
        """Whether a schedule has a cost."""
        soft = any(limit.weight is not None for limit in self.limits)
        return (
            soft
            or bool(self.preferences)
            or any(
                activity.optional or any(choice.weight for choice in activity.choices)
                for activity in self.activities.values()
            )
        )

    def way(self, here: str | None, there: str | None) -> int:
        """Minutes from one place to another; 0 if either is unknown."""
        if here is None or there is None or here == there:
            return 0
        return self.travel.get((here, there), 0)

    def place(self, activity: Activity, room: str | None) -> str | None:
        """Place of an activity in a room."""
        return (self.rooms[room].place if room is not None else None) or activity.place

    def begins(self, person: str, day: int) -> int | None:
        """The first available minute of a person on a day; None if there is none."""
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
