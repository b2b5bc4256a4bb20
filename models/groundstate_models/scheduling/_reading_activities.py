"""Read the activities of a request: when each may take place, how long it lasts, who and which room it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from groundstate_models.scheduling._reader import Reader
from groundstate_models.scheduling._reading_resources import ANY
from groundstate_models.scheduling.choosing import Choice, wanted
from groundstate_models.scheduling.durations import DAY, LONGEST, duration, gap, in_days, printed_duration
from groundstate_models.scheduling.frame import listed, spelt
from groundstate_models.scheduling.schedule import Activity, Person, Room
from groundstate_models.scheduling.schema import MOST_ACTIVITIES
from groundstate_models.scheduling.spans import Span, Spans, intersection, total, union
from groundstate_models.scheduling.token import Clock, Token


class ActivityReader(Reader):
    """Reads activities."""

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
