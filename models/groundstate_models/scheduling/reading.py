"""Read a `Schedule` from JSON: look up names, parse times, refuse meaningless parts with their places.

Long because each property of a request has its reader, with the sentences that refuse it.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from groundstate import Fault, RequestError
from groundstate_models.scheduling.choosing import Choice, wanted
from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.frame import frame, listed, nearest, spelt, zone_named
from groundstate_models.scheduling.limits import KINDS as LIMITS
from groundstate_models.scheduling.limits import Limit
from groundstate_models.scheduling.preferences import Preference
from groundstate_models.scheduling.schedule import Activity, Person, Room, Schedule
from groundstate_models.scheduling.schema import LEAST_WEIGHT, MOST_ACTIVITIES, MOST_WEIGHT, OBJECTIVES, RULE_KINDS
from groundstate_models.scheduling.series import Series
from groundstate_models.scheduling.spans import Span, Spans, intersection, total, union
from groundstate_models.scheduling.times import (
    DAY,
    LONGEST,
    Clock,
    Token,
    duration,
    gap,
    in_days,
    long_duration,
    printed_duration,
)

ANY = "any"
WORKING_HOURS = (9 * 60, 17 * 60)
MOST_FAULTS = 20

_T = TypeVar("_T")

Blocks = tuple[tuple[str, Spans], ...]
"""Busy times, each with its place in the request."""


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
        self.series = Series.of(request["activities"], self.days, self.faults)
        self.everything = self.days.spans
        if any(self.overnight(raw, day) for raw, _, day, _ in self.series.raws):
            self.everything = union((start, end + DAY) for start, end in self.days.spans)
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

    def fault(self, place: str, message: str) -> None:
        fault = Fault(place, message)
        if fault not in self.faults:  # the activities of a series have the same faults
            self.faults.append(fault)

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
        if noun == "activity":
            found = [one for name in found for one in self.series.names.get(name, [name])]
        for name in found:
            if name not in known:
                known_ones = ", ".join(map(repr, list(known)[:8])) or "none"
                hint = nearest(name, list(known)) or f" Known are {known_ones}{', …' if len(known) > 8 else ''}."
                self.fault(place, f"There is no {noun} {name!r}.{hint}")
        return tuple(dict.fromkeys(name for name in found if name in known))

    def weight(self, raw: Mapping[str, Any], place: str) -> float:
        weight = raw.get("weight", 1)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
            message = f"{weight!r} is not a weight; they are from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}."
            if isinstance(weight, float) and math.isinf(weight) and weight > 0:
                message += ' What must hold is a rule: put it under "rules", or leave out "optional".'
            self.fault(f"{place}.weight", message)
            return 1.0
        return float(weight)

    def people(self) -> dict[str, Person]:
        raw = self.request.get("people")
        if raw is None:
            used: list[str] = []
            for text in (str(text) for one in self.request["activities"] for text in listed(one.get("who", []))):
                choice = wanted(text, None)
                used += [text] if choice is None else choice.names or ()
            raw = list(dict.fromkeys(used))
        if not isinstance(raw, Mapping):
            raw = {name: {} for name in raw}
        return {
            name: Person(name, *self.person_availability(one, f"people.{name}"), home=one.get("home"))
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

    def person_availability(self, raw: Mapping[str, Any], place: str) -> tuple[Spans, Spans, Blocks]:
        """When a person is free and busy; with a zone of their own, their texts are in it."""
        if "zone" not in raw:
            return self.availability(raw, place)
        own = self.own_days(str(raw["zone"]), f"{place}.zone")
        if own is None:
            return self.everything, (), ()
        common, self.days = self.days, own
        free, busy, blocks = self.availability({"free": "0:00-24:00", **raw}, place)
        self.days = common
        moved = tuple((where, self.shifted(own, spans)) for where, spans in blocks)
        return self.shifted(own, free), self.shifted(own, busy), moved

    def own_days(self, name: str, place: str) -> Days | None:
        """The days of the request in another zone, with the day before and after; None and a fault if that means nothing."""
        faults: list[Fault] = []
        zone = zone_named(name, faults, place)
        self.faults += faults
        if zone is None:
            return None
        if self.days.zone is None or not self.days.dated:
            self.fault(place, 'A person with a zone needs a request with "zone" and dates as "days".')
            return None
        numbers = sorted({day + more for day in self.days.numbers for more in (-1, 0, 1)})
        return Days(tuple(numbers), dated=True, zone=zone, today=self.days.today)

    def shifted(self, own: Days, spans: Spans) -> Spans:
        """Spans of other days as minutes of the request."""
        here = self.days
        moved = [
            tuple(here.clocks.instant(own.when(minute).astimezone(here.zone)) for minute in span) for span in spans
        ]
        return intersection(union((start, end) for start, end in moved), self.everything)

    def availability(self, raw: Mapping[str, Any], place: str) -> tuple[Spans, Spans, Blocks]:
        free = self.window(raw["free"], f"{place}.free") if "free" in raw else self.everything
        texts = spelt(raw["busy"], f"{place}.busy") if "busy" in raw else ()
        blocks = tuple((where, union(self.value(self.days.window, text, where) or ())) for where, text in texts)
        return free, union(span for _, spans in blocks for span in spans), blocks

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
        raws = self.series.raws
        if len(raws) > MOST_ACTIVITIES:
            message = (
                f"With repeats there are {len(raws)} activities; there may be {MOST_ACTIVITIES}. Shorten the days."
            )
            self.fault("activities", message)
            return {}
        known: dict[str, int] = {}
        for raw, index, _, _ in raws:
            if raw["name"] in known:
                self.fault(
                    f"activities[{index}].name",
                    f"{raw['name']!r} is also the name of activities[{known[raw['name']]}]; names are unique.",
                )
            known.setdefault(raw["name"], index)
        return {
            raw["name"]: self.activity(raw, index, day, series, known, people, rooms)
            for raw, index, day, series in raws
        }

    def activity(
        self,
        raw: Mapping[str, Any],
        index: int,
        day: int | None,
        series: str | None,
        known: Mapping[str, int],
        people: Mapping[str, Person],
        rooms: Mapping[str, Room],
    ) -> Activity:
        place = f"activities[{index}]"
        window = self.possible(raw, place)
        working = self.working_time(raw, place, window)
        if working is not None:
            raw = {**raw, "duration": min(working, LONGEST)}
        at, lasts = self.fixed(raw, place) if day is None else self.fixed_on(raw, place, day)
        who, choices = self.attendance(raw, place, people)
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
        if day is not None and at is None:
            window = intersection(window, (self.days.whole(day),))
        least, most = (self.value(gap, raw[key], f"{place}.{key}") if key in raw else None for key in ("gap", "within"))
        if least is not None and most is not None and most < least:
            told = f"{printed_duration(most)} at most are less than the gap of {printed_duration(least)} at least."
            self.fault(f"{place}.within", told)
        return Activity(
            name=raw["name"],
            index=index,
            duration=lasts,
            window=window,
            who=who,
            size=max(len(who) + sum(choice.most for choice in choices), raw.get("size", 0)),
            rooms=chosen,
            place=where,
            after=self.before(raw, place, known, day),
            gap=least or 0,
            at=at,
            optional=raw.get("optional", False),
            weight=self.weight(raw, place),
            windowed="window" in raw,
            choices=choices,
            within=most,
            series=series,
            pauses=working is not None,
        )

    def working_time(self, raw: Mapping[str, Any], place: str, window: Spans) -> int | None:
        """Minutes of a duration in days, if its days are shorter than 24 hours, so that it pauses in between; else None."""
        many = in_days(raw.get("duration", 0))
        if many is None or not window:
            return None
        lengths = sorted(total(intersection(window, (self.days.whole(day),))) for day in self.days.numbers)
        lengths = [length for length in lengths if length]
        usual = lengths[len(lengths) // 2]
        if usual >= DAY - 60:
            return None
        minutes = round(many * usual)
        if minutes > LONGEST or minutes < 1:
            self.fault(f"{place}.duration", f"{raw['duration']!r} is not from 1 minute to {LONGEST // 60} h of work.")
        return max(1, minutes)

    def attendance(
        self, raw: Mapping[str, Any], place: str, people: Mapping[str, Person]
    ) -> tuple[tuple[str, ...], tuple[Choice, ...]]:
        """The people who must be there, and those to choose."""
        plain: list[str] = []
        choices: list[Choice] = []
        for where, text in spelt(raw.get("who", []), f"{place}.who"):
            choice = wanted(text, list(people))
            if choice is None:
                plain.append(text)
                continue
            named = tuple(people) if choice.names is None else self.names(list(choice.names), where, people, "person")
            if choice.weight:
                choices += [Choice(0, 1, (name,), choice.weight) for name in named]
                continue
            most = len(named) if choice.most is None else choice.most
            if max(choice.least, most) > len(named):
                self.fault(where, f"{text!r} asks for {max(choice.least, most)} people, and there are {len(named)}.")
                continue
            if most < choice.least:
                self.fault(where, f"{text!r} asks for at least {choice.least} and at most {most} people.")
            choices.append(Choice(choice.least, most, named))
        who = self.names(plain, f"{place}.who", people, "person")
        free = [replace(one, among=tuple(name for name in one.among if name not in who)) for one in choices]
        for before, after in zip(choices, free, strict=True):
            if len(after.among) < before.least:
                self.fault(
                    f"{place}.who", f"{before.in_words()}: {', '.join(who)} is there anyway, so too few are left."
                )
        return who, tuple(one for one in free if one.among)

    def before(self, raw: Mapping[str, Any], place: str, known: Mapping[str, Any], day: int | None) -> tuple[str, ...]:
        """The activities before this one; of a series with days, that of the same day."""
        days = {one["name"]: its for one, _, its, _ in self.series.raws}
        found: list[str] = []
        for name in listed(raw.get("after", [])):
            times = self.series.names.get(str(name), [])
            same = [one for one in times if day is not None and days[one] == day]
            found += self.names(same or [name], f"{place}.after", known, "activity")
        return tuple(dict.fromkeys(found))

    def overnight(self, raw: Mapping[str, Any], day: int | None) -> bool:
        """Whether an activity of a series has fixed times that pass midnight, such as 22:00-6:00."""
        if day is None or "at" not in raw:
            return False
        try:
            clocks = [word.value.minute for word in self.days.words(str(raw["at"])) if isinstance(word.value, Clock)]
        except ValueError:
            return False
        return len(clocks) == 2 and clocks[1] <= clocks[0]

    def fixed_on(self, raw: Mapping[str, Any], place: str, day: int) -> tuple[int | None, int]:
        """As `fixed`, for times of day on a day."""
        if "at" not in raw:
            return self.fixed(raw, place)
        text = str(raw["at"])
        words: Sequence[Token] = self.value(self.days.words, text, f"{place}.at") or ()
        clocks = [word.value.minute for word in words if isinstance(word.value, Clock)]
        if "".join(word.kind for word in words) not in ("C", "C-C"):
            self.fault(
                f"{place}.at", f'{text!r} is not a time of day, which a repeated activity needs; write "9:00-10:00".'
            )
            return None, 1
        try:
            start = self.days.clocks.edge(day, clocks[0], text)
            end = None
            if len(clocks) == 2:
                end = self.days.clocks.edge(day + (clocks[1] <= clocks[0]), clocks[1], text, ends=True)
        except ValueError as error:
            self.fault(f"{place}.at", str(error))
            return None, 1
        if end is not None:
            return start, end - start
        if "duration" not in raw:
            self.fault(place, f'{raw["name"]!r} has no duration; give minutes, or "1h30".')
        return start, self.value(duration, raw.get("duration", 1), f"{place}.duration") or 1

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
            who: Sequence[str] = ()
            if "activities" in raw:
                chosen = self.names(raw["activities"], f"{place}.activities", activities, "activity")
            named = chosen
            if "who" in raw:
                who = self.names(raw["who"], f"{place}.who", people, "person")
                chosen = [name for name in chosen if set(who) & set(activities[name].who)]
            kind = raw["type"]
            if kind in LIMITS:
                continue
            self.fits(raw, key, place)
            staffed = (
                tuple(_choosing(named, who, activities)) if kind in ("within", "avoid", "earlier", "later") else ()
            )
            yield Preference(
                kind=kind,
                where=place,
                activities=tuple(
                    name for name in chosen if kind not in ("room", "same_room") or activities[name].rooms
                ),
                weight=self.weight(raw, place),
                window=self.window(raw["window"], f"{place}.window") if "window" in raw else (),
                rooms=self.names(raw["room"], f"{place}.room", rooms, "room") if "room" in raw else (),
                people=tuple(who) if staffed else (),
                staffed=staffed,
            )

    def fits(self, raw: Mapping[str, Any], key: str, place: str) -> None:
        """Faults of a rule or preference whose properties do not fit its type."""
        kind = raw["type"]
        if key == "rules":
            if kind not in RULE_KINDS and kind not in LIMITS:
                rules = ", ".join(map(repr, (*RULE_KINDS, *LIMITS)))
                self.fault(f"{place}.type", f"{kind!r} is not allowed here; one of {rules} is.")
            if "weight" in raw:
                self.fault(f"{place}.weight", 'A rule has no weight; put it under "preferences".')
        for needs, kinds in (("window", ("within", "avoid")), ("room", ("room",))):
            if kind in kinds and needs not in raw:
                self.fault(place, f"{kind!r} needs {needs!r}.")
            if kind not in kinds and needs in raw:
                self.fault(f"{place}.{needs}", f"{kind!r} takes no {needs!r}.")
        takes = {"work": {"at_most", "at_least", "per"}, "days_in_a_row": {"at_most"}, "rest": {"time"}}.get(
            kind, set()
        )
        for name in ("at_most", "at_least", "per", "time"):
            if name in raw and name not in takes:
                self.fault(f"{place}.{name}", f"{kind!r} takes no {name!r}.")

    def limits(self, key: str, activities: Mapping[str, Activity], people: Mapping[str, Person]) -> Iterator[Limit]:
        """Limits of each person's work, hard from "rules" and soft from "preferences"."""
        for index, raw in enumerate(self.request.get(key, ())):
            if raw["type"] not in LIMITS:
                continue
            place, kind = f"{key}[{index}]", raw["type"]
            self.fits(raw, key, place)
            needs = {"rest": ("time",), "days_in_a_row": ("at_most",)}.get(kind, ())
            for name in needs:
                if name not in raw:
                    self.fault(place, f"{kind!r} needs {name!r}.")
            if kind == "work" and not {"at_most", "at_least"} & set(raw):
                self.fault(place, "'work' needs 'at_most' or 'at_least', a number of activities or hours.")
            least, most = (self.amount(raw.get(bound), f"{place}.{bound}") for bound in ("at_least", "at_most"))
            minutes = {one[1] for one in (least, most) if one is not None}
            if len(minutes) > 1:
                self.fault(place, "'at_least' and 'at_most' must both be numbers of activities, or both hours.")
            if least and most and least[0] > most[0]:
                self.fault(place, "'at_least' is more than 'at_most'.")
            chosen = (
                self.names(raw["activities"], f"{place}.activities", activities, "activity")
                if "activities" in raw
                else tuple(activities)
            )
            yield Limit(
                kind=kind,
                where=place,
                who=self.names(raw["who"], f"{place}.who", people, "person") if "who" in raw else tuple(people),
                activities=frozenset(chosen),
                weight=self.weight(raw, place) if key == "preferences" else None,
                least=None if least is None else least[0],
                most=None if most is None else most[0],
                minutes=True in minutes,
                per=raw.get("per", "all"),
                time=(self.value(duration, raw["time"], f"{place}.time") or 0) if "time" in raw else 0,
            )

    def amount(self, raw: Any, place: str) -> tuple[int, bool] | None:
        """A number of activities, or minutes and True."""
        if raw is None:
            return None
        if isinstance(raw, str) and not raw.strip().isdecimal():
            lasts = self.value(long_duration, raw, place)
            return None if lasts is None else (lasts, True)
        number = int(raw)
        if number < 0:
            self.fault(place, f"{raw!r} is below 0.")
        return number, False


def _choosing(names: Sequence[str], who: Sequence[str], activities: Mapping[str, Activity]) -> Iterator[str]:
    """The activities for which one of some people may be chosen."""
    for name in names:
        if any(set(who) & set(choice.among) for choice in activities[name].choices):
            yield name


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
