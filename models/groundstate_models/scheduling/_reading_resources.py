"""Read the people, rooms and travel times of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundstate import Fault
from groundstate_models.scheduling._reader import Reader
from groundstate_models.scheduling.choosing import wanted
from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.durations import gap
from groundstate_models.scheduling.frame import listed, nearest, spelt, zone_named
from groundstate_models.scheduling.schedule import Person, Room
from groundstate_models.scheduling.spans import Spans, intersection, union

ANY = "any"
"""Any room, in an activity."""

Blocks = tuple[tuple[str, Spans], ...]
"""Busy times, each with its place in the request."""


class ResourceReader(Reader):
    """Reads people, rooms and travel times."""

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
            name: Person(
                name, *self.person_availability(one, f"people.{name}"), home=one.get("home"), zone=one.get("zone")
            )
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
