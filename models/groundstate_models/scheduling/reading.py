"""Read a `Schedule` from JSON: look up names, parse times, refuse meaningless parts with their places."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from groundstate import Fault, RequestError
from groundstate_models.scheduling._reading_activities import ActivityReader
from groundstate_models.scheduling._reading_resources import ResourceReader
from groundstate_models.scheduling._reading_wishes import WishReader
from groundstate_models.scheduling.durations import duration, gap
from groundstate_models.scheduling.preferences import Preference
from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.schema import MOST_ACTIVITIES, OBJECTIVES

MOST_FAULTS = 20


def read(request: Mapping[str, Any]) -> Schedule:
    """The schedule of a request that has passed `schema.REQUEST`.

    Raises:
        RequestError: If parts of it are meaningless; with every place, and the nearest known name.
    """
    activities = request["activities"]
    if len(activities) > MOST_ACTIVITIES:
        message = (
            f"There are {len(activities)} activities; there may be {MOST_ACTIVITIES}. Split them into several requests."
        )
        raise RequestError([Fault("activities", message)])
    reader = _Reader(request)
    schedule = reader.schedule()
    if reader.faults:
        raise RequestError(reader.faults[:MOST_FAULTS])
    return schedule


class _Reader(ResourceReader, ActivityReader, WishReader):
    def schedule(self) -> Schedule:
        request = self.request
        rooms = self.rooms()
        people = self.people()
        activities = self.activities(people, rooms)
        travel = self.travel()
        for person in people.values():
            self.place(person.home, f"people.{person.name}.home", travel)
        for room in rooms.values():
            self.place(room.place, f"rooms.{room.name}.place", travel)
        for activity in activities.values():
            self.place(activity.place, f"{activity.where}.place", travel)
        for character, name in _unprintable([*activities, *people, *rooms, *(here for here, _ in travel)]):
            self.fault("", f"The name {name!r} has the character {character!r}, which cannot be shown; leave it out.")
        schedule = Schedule(
            days=self.days,
            hours=self.hours,
            slot=self.value(duration, request["slot"], "slot") if "slot" in request else None,
            gap=self.value(gap, request.get("gap", 0), "gap") or 0,
            people=people,
            rooms=rooms,
            travel=travel,
            activities=activities,
            rules=(
                *self.preferences("rules", activities, people, rooms),
                *(Preference(kind, place, tuple(names)) for kind, place, names in self.series.rules),
            ),
            preferences=tuple(self.preferences("preferences", activities, people, rooms)),
            objective=request.get("objective", next(iter(OBJECTIVES))),
            limits=(
                *self.limits("rules", activities, people),
                *self.limits("preferences", activities, people),
            ),
        )
        if travel:
            self.faults += _ways_missing(schedule)
        return schedule


def _unprintable(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Names with characters that break lines, terminals or XML, with the first such character."""
    for name in dict.fromkeys(names):
        for character in name:
            if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or character in "\ufffe\uffff":
                yield character, name
                break


def _ways_missing(schedule: Schedule) -> Iterator[Fault]:
    """Pairs of places that a person may travel between, without a travel time in the request."""
    seen: set[frozenset[str]] = set()
    for person, activities in schedule.attending.items():
        places: dict[str, str] = {}
        if (home := schedule.people[person].home) is not None:
            places[home] = f"people.{person}.home"
        for activity in activities:
            for room in activity.rooms or (None,):
                place = schedule.place(activity, room)
                if place is not None:
                    places.setdefault(place, f"{activity.where}.place" if room is None else f"rooms.{room}.place")
        for here in places:
            for there, where in places.items():
                pair = frozenset((here, there))
                if len(pair) == 2 and pair not in seen and (here, there) not in schedule.travel:
                    seen.add(pair)
                    yield Fault(
                        where,
                        f"travel does not say how long it takes from {here!r} to {there!r}, where {person} may go.",
                    )
