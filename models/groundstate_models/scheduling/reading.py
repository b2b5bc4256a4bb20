"""Read a `Schedule` from JSON: look up names, parse times, refuse meaningless parts with their places."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from groundstate import Fault, RequestError
from groundstate_models.scheduling.frame import frame, listed, nearest, spelt
from groundstate_models.scheduling.preferences import Preference
from groundstate_models.scheduling.schedule import Activity, Person, Room, Schedule
from groundstate_models.scheduling.schema import LEAST_WEIGHT, MOST_ACTIVITIES, MOST_WEIGHT, OBJECTIVES
from groundstate_models.scheduling.spans import Span, Spans, intersection, union
from groundstate_models.scheduling.times import duration, gap

ANY = "any"
WORKING_HOURS = (9 * 60, 17 * 60)
MOST_FAULTS = 20

_T = TypeVar("_T")


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


class _Reader:
    def __init__(self, request: Mapping[str, Any]) -> None:
        self.request = request
        self.faults: list[Fault] = []
        self.days = frame(request, self.faults)
        self.everything = self.days.spans
        self.said_hours = "hours" in request
        self.hours = self.window(request["hours"], "hours") if self.said_hours else self.everything

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
            rules=tuple(self.preferences("rules", activities, people, rooms)),
            preferences=tuple(self.preferences("preferences", activities, people, rooms)),
            objective=request.get("objective", next(iter(OBJECTIVES))),
        )
        if travel:
            self.faults += _ways_missing(schedule)
        return schedule

    def fault(self, place: str, message: str) -> None:
        self.faults.append(Fault(place, message))

    def value(self, read_one: Callable[[Any], _T], raw: Any, place: str) -> _T | None:
        """The parsed text, or None and a fault."""
        try:
            return read_one(raw)
        except ValueError as error:
            self.fault(place, str(error))
            return None

    def window(self, raw: Any, place: str) -> Spans:
        found: list[Span] = []
        for where, text in spelt(raw, place):
            found += self.value(self.days.window, text, where) or ()
        return union(found)

    def names(self, raw: Any, place: str, known: Mapping[str, Any], noun: str) -> tuple[str, ...]:
        """Known names, each once."""
        found = [str(name) for name in listed(raw)]
        for name in found:
            if name not in known:
                known_ones = ", ".join(map(repr, list(known)[:8])) or "none"
                hint = nearest(name, list(known)) or f" Known are {known_ones}{', …' if len(known) > 8 else ''}."
                self.fault(place, f"There is no {noun} {name!r}.{hint}")
        return tuple(dict.fromkeys(name for name in found if name in known))

    def weight(self, raw: Mapping[str, Any], place: str) -> float:
        weight = raw.get("weight", 1)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
            message = f"{weight!r} is no weight; they are from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}."
            if isinstance(weight, float) and math.isinf(weight) and weight > 0:
                message += ' What must hold is a rule: put it under "rules", or leave out "optional".'
            self.fault(f"{place}.weight", message)
            return 1.0
        return float(weight)

    def people(self) -> dict[str, Person]:
        raw = self.request.get("people")
        if raw is None:
            used = [name for one in self.request["activities"] for name in listed(one.get("who", []))]
            raw = list(dict.fromkeys(map(str, used)))
        if not isinstance(raw, Mapping):
            raw = {name: {} for name in raw}
        return {
            name: Person(name, *self.availability(one, f"people.{name}"), home=one.get("home"))
            for name, one in raw.items()
        }

    def rooms(self) -> dict[str, Room]:
        raw = self.request.get("rooms")
        if raw is None:
            used = [name for one in self.request["activities"] for name in listed(one.get("room", []))]
            raw = [name for name in dict.fromkeys(map(str, used)) if name != ANY]
        if not isinstance(raw, Mapping):
            raw = {name: {} for name in raw}
        return {
            name: Room(
                name, *self.availability(one, f"rooms.{name}"), capacity=one.get("capacity"), place=one.get("place")
            )
            for name, one in raw.items()
        }

    def availability(self, raw: Mapping[str, Any], place: str) -> tuple[Spans, Spans]:
        free = self.window(raw["free"], f"{place}.free") if "free" in raw else self.everything
        return free, self.window(raw["busy"], f"{place}.busy") if "busy" in raw else ()

    def travel(self) -> dict[tuple[str, str], int]:
        ways: dict[tuple[str, str], int] = {}
        for here, row in self.request.get("travel", {}).items():
            for there, raw in row.items():
                minutes = self.value(gap, raw, f"travel.{here}.{there}")
                ways[here, there] = minutes or 0
        for (here, there), minutes in list(ways.items()):
            ways.setdefault((there, here), minutes)
        return ways

    def place(self, name: str | None, where: str, travel: Mapping[tuple[str, str], int]) -> None:
        places = list(dict.fromkeys(here for here, _ in travel))
        if name is not None and places and name not in places:
            self.fault(where, f"There is no way to or from {name!r} in travel.{nearest(name, places)}")

    def activities(self, people: Mapping[str, Person], rooms: Mapping[str, Room]) -> dict[str, Activity]:
        raws = self.request["activities"]
        known: dict[str, int] = {}
        for index, raw in enumerate(raws):
            if raw["name"] in known:
                self.fault(
                    f"activities[{index}].name",
                    f"{raw['name']!r} is also the name of activities[{known[raw['name']]}]; names are unique.",
                )
            known.setdefault(raw["name"], index)
        return {raw["name"]: self.activity(raw, index, known, people, rooms) for index, raw in enumerate(raws)}

    def activity(
        self,
        raw: Mapping[str, Any],
        index: int,
        known: Mapping[str, int],
        people: Mapping[str, Person],
        rooms: Mapping[str, Room],
    ) -> Activity:
        place = f"activities[{index}]"
        at, lasts = self.fixed(raw, place)
        who = self.names(raw.get("who", []), f"{place}.who", people, "person")
        wanted = listed(raw.get("room", []))
        if ANY in wanted and ANY not in rooms:
            if not rooms:
                self.fault(f"{place}.room", 'Any room would do, but the request has no "rooms".')
            wanted = list(rooms)
        chosen = self.names(wanted, f"{place}.room", rooms, "room")
        where = raw.get("place")
        for room in chosen:
            if where is not None and rooms[room].place not in (None, where):
                self.fault(
                    f"{place}.place",
                    f"{raw['name']} is at {where!r}, but its room {room!r} is at {rooms[room].place!r}.",
                )
        return Activity(
            name=raw["name"],
            index=index,
            duration=lasts,
            window=self.possible(raw, place),
            who=who,
            size=max(len(who), raw.get("size", 0)),
            rooms=chosen,
            place=where,
            after=self.names(raw.get("after", []), f"{place}.after", known, "activity"),
            gap=self.value(gap, raw.get("gap", 0), f"{place}.gap") or 0,
            at=at,
            optional=raw.get("optional", False),
            weight=self.weight(raw, place),
            windowed="window" in raw,
        )

    def fixed(self, raw: Mapping[str, Any], place: str) -> tuple[int | None, int]:
        """The fixed start of an activity, if given, and its duration."""
        lasting = self.value(duration, raw["duration"], f"{place}.duration") if "duration" in raw else None
        at: int | None = None
        end: int | None = None
        if "at" in raw:
            found = self.value(self.days.appointment, str(raw["at"]), f"{place}.at")
            if found is None:
                return None, lasting or 1
            at, end = found
        if at is not None and end is not None:
            if lasting not in (None, end - at):
                self.fault(f"{place}.at", f"{raw['at']!r} lasts {end - at} minutes, but the duration is {lasting}.")
            return at, end - at
        if "duration" not in raw:
            self.fault(place, f'{raw["name"]!r} has no duration; give minutes, or "1h30".')
        return at, lasting or 1

    def possible(self, raw: Mapping[str, Any], place: str) -> Spans:
        """The allowed times of an activity, from its window and the request's hours."""
        if "window" not in raw:
            return self.hours if self.said_hours or "at" in raw else self.working_hours
        found: list[Span] = []
        for where, text in spelt(raw["window"], f"{place}.window"):
            spans = self.value(self.days.window, text, where) or ()
            found += (intersection(spans, self.working_hours) or spans) if spans and self.loose(text) else spans
        return intersection(union(found), self.hours)

    def loose(self, text: str) -> bool:
        """Whether a window needs the hours of a day for its start or end, and the request has no hours."""
        kinds = "".join(word.kind for word in self.days.words(text))
        return not self.said_hours and not any(pair in kinds for pair in ("C-", "M-", "WC"))

    @property
    def working_hours(self) -> Spans:
        start, end = WORKING_HOURS
        return self.days.daily(start, end, "the hours of work")

    def preferences(
        self, key: str, activities: Mapping[str, Activity], people: Mapping[str, Person], rooms: Mapping[str, Room]
    ) -> Iterator[Preference]:
        for index, raw in enumerate(self.request.get(key, ())):
            place = f"{key}[{index}]"
            chosen: Sequence[str] = list(activities)
            if "activities" in raw:
                chosen = self.names(raw["activities"], f"{place}.activities", activities, "activity")
            if "who" in raw:
                who = self.names(raw["who"], f"{place}.who", people, "person")
                chosen = [name for name in chosen if set(who) & set(activities[name].who)]
            kind = raw["type"]
            for needs, kinds in (("window", ("within", "avoid")), ("room", ("room",))):
                if kind in kinds and needs not in raw:
                    self.fault(place, f"{kind!r} needs {needs!r}.")
                if kind not in kinds and needs in raw:
                    self.fault(f"{place}.{needs}", f"{kind!r} takes no {needs!r}.")
            yield Preference(
                kind=kind,
                where=place,
                activities=tuple(
                    name for name in chosen if kind not in ("room", "same_room") or activities[name].rooms
                ),
                weight=self.weight(raw, place),
                window=self.window(raw["window"], f"{place}.window") if "window" in raw else (),
                rooms=self.names(raw["room"], f"{place}.room", rooms, "room") if "room" in raw else (),
            )


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
