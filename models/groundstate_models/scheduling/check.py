"""The exact check of an answer against a schedule, in the request's terms. It is independent of the search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from groundstate import Violation
from groundstate_models.scheduling import staffing
from groundstate_models.scheduling.durations import DAY, printed_duration
from groundstate_models.scheduling.preferences import Placement, spans_text
from groundstate_models.scheduling.schedule import FAR, Activity, Person, Resource, Room, Schedule
from groundstate_models.scheduling.spans import inside, overlap
from groundstate_models.scheduling.times import printed_clock

RULES = {
    "activities": "Every activity that is not optional takes place once.",
    "windows": "Activities take place within their windows and hours, and at their fixed times.",
    "people": "Nobody is in two activities at once, or in one while not available.",
    "rooms": "Activities are in rooms that they may have, that are free, large enough, and hold one at a time.",
    "travel": "Between two activities of a person there is time for the way, and for the gap.",
    "order": "Activities begin after those that have to be over before, where both take place.",
    "staff": "Enough people are chosen for each activity, from those who may be.",
    "limits": "Nobody works more, rests less, or works more days in a row than allowed.",
    "rules": "The rules of the request hold.",
}
"""Descriptions of the checks, by name."""

Placed = dict[str, Placement]


def violations(schedule: Schedule, answer: Mapping[str, Any]) -> list[Violation]:
    """The rules of a request that an answer violates. The answer has passed `schema.ANSWER`."""
    placed, broken = placements(schedule, answer)
    broken += _missing(schedule, placed)
    for name, one in placed.items():
        broken += _window(schedule, schedule.activities[name], one)
        broken += _room(schedule, schedule.activities[name], one)
    for person in schedule.people.values():
        broken += _person(schedule, person, placed)
    broken += staffing.violations(schedule, placed)
    for room in schedule.rooms.values():
        broken += _room_twice(schedule, room, placed)
    broken += _order(schedule, placed)
    for rule in schedule.rules:
        for _, sentence in rule.broken(schedule.activities, placed, schedule.days):
            broken.append(Violation("rules", sentence, places=(rule.where,)))
    return broken


def placements(schedule: Schedule, answer: Mapping[str, Any]) -> tuple[Placed, list[Violation]]:
    """The placements of an answer, and its faults."""
    placed: Placed = {}
    broken: list[Violation] = []
    for index, one in enumerate(answer["activities"]):
        name, where = one["name"], f"activities[{index}]"
        activity = schedule.activities.get(name)
        if activity is None:
            broken.append(Violation("activities", f"{name} is not an activity of the request.", places=(where,)))
            continue
        if name in placed:
            broken.append(Violation("activities", f"{name} takes place twice.", places=(where,)))
            continue
        try:
            start = schedule.days.moment(one["start"])
            end = activity.end(start)
            other = (
                "end" in one and one["end"] != schedule.days.end_text(end) and schedule.days.moment(one["end"]) != end
            )
        except ValueError as error:
            broken.append(Violation("windows", f"{name}: {error}", places=(where,)))
            continue
        if other:
            lasts = printed_duration(activity.duration)
            wrong = f"{name} lasts {lasts}, but is to take place from {one['start']} to {one['end']}."
            broken.append(Violation("windows", wrong, places=(where,)))
        chosen = staffing.chosen(activity, one.get("who", ()))
        placed[name] = Placement(start, end, one.get("room"), chosen)
    both = [name for name in answer.get("left_out", ()) if name in placed]
    broken += [Violation("activities", f"{name} takes place, and is left out.", places=("left_out",)) for name in both]
    return placed, broken


@dataclass(frozen=True)
class Cost:
    """The cost of a schedule.

    Attributes:
        left_out: Weight of the optional activities that do not take place.
        broken: Weight of the violated preferences.
        end: End of the last activity, in minutes of `Days`; 0 if no activity takes place.
        sentences: The violated preferences, in words.
    """

    left_out: float
    broken: float
    end: int
    sentences: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return self.left_out + self.broken

    def key(self, objective: str) -> tuple[float, ...]:
        """The key of an objective; smaller is better."""
        match objective:
            case "most":
                return (self.left_out, self.broken, self.end)
            case "earliest_end":
                return (self.left_out, self.end, self.broken)
        return (self.total, self.end)


def cost(schedule: Schedule, answer: Mapping[str, Any]) -> Cost:
    """The cost of a valid answer."""
    placed, _ = placements(schedule, answer)
    left_out = sum(a.weight for a in schedule.activities.values() if a.optional and a.name not in placed)
    broken = [one for p in schedule.preferences for one in p.broken(schedule.activities, placed, schedule.days)]
    broken += staffing.costs(schedule, placed)
    end = max((one.end for one in placed.values()), default=0)
    return Cost(left_out, sum(weight for weight, _ in broken), end, tuple(sentence for _, sentence in broken))


def _missing(schedule: Schedule, placed: Placed) -> Iterator[Violation]:
    for activity in schedule.activities.values():
        if not activity.optional and activity.name not in placed:
            yield Violation("activities", f"{activity.name} does not take place.", places=(activity.where,))


def _window(schedule: Schedule, activity: Activity, one: Placement) -> Iterator[Violation]:
    days, span = schedule.days, (one.start, one.end)
    when = f"{activity.name} takes place at {days.span_text(span)}"
    if activity.at is not None and activity.at != one.start:
        fixed = (
            f"{activity.name} starts at {days.moment_text(one.start)}, but is fixed at {days.moment_text(activity.at)}."
        )
        yield Violation("windows", fixed, places=(f"{activity.where}.at",))
    pieces = activity.work(*span)
    whole = len(pieces) > 0 and pieces[0][0] == one.start and one.end - one.start < FAR
    if not whole or not all(inside(piece, activity.window) for piece in pieces):
        yield Violation(
            "windows", f"{when}, outside {spans_text(activity.window, days)}.", places=(activity.says_when,)
        )
    if schedule.slot is not None and activity.at is None and schedule.days.clock(one.start) % schedule.slot:
        late = f"{activity.name} starts at {days.moment_text(one.start)}, which is not a multiple of {schedule.slot} minutes."
        yield Violation("windows", late, places=("slot",))


def _unavailable(schedule: Schedule, who: Resource, activity: Activity, one: Placement) -> str | None:
    """The reason why a person or a room is not available."""
    days = schedule.days
    for span in activity.work(one.start, one.end):
        if (busy := overlap(span, who.busy)) is not None:
            return f"{who.name} is busy at {days.span_text(busy)}"
        if not inside(span, who.open):
            return (
                f"{who.name} is free only at {spans_text(who.open, days)}" if who.open else f"{who.name} is never free"
            )
    return None


def _room(schedule: Schedule, activity: Activity, one: Placement) -> Iterator[Violation]:
    if not activity.rooms:
        if one.room is not None:
            yield Violation("rooms", f"{activity.name} needs no room, but is in {one.room}.", places=(activity.where,))
        return
    if one.room not in activity.rooms:
        held = f"is in {one.room}" if one.room is not None else "has no room"
        wrong = f"{activity.name} {held}; it may be in {' or '.join(activity.rooms)}."
        yield Violation("rooms", wrong, places=(f"{activity.where}.room",))
    room = schedule.rooms.get(one.room or "")
    if room is None:
        return
    if room.capacity is not None and activity.size > room.capacity:
        many = f"{activity.name} has {activity.size} people, and {room.name} holds {room.capacity}."
        yield Violation("rooms", many, places=(f"rooms.{room.name}.capacity",))
    if (why := _unavailable(schedule, room, activity, one)) is not None:
        taken = f"{activity.name} is in {room.name} at {schedule.days.span_text((one.start, one.end))}, but {why}."
        yield Violation("rooms", taken, places=(f"rooms.{room.name}",))


def _person(schedule: Schedule, person: Person, placed: Placed) -> Iterator[Violation]:
    mine = [
        (placed[activity.name], activity) for activity in schedule.attending[person.name] if activity.name in placed
    ]
    if schedule.staffed:
        mine += [(one, schedule.activities[name]) for name, one in placed.items() if person.name in one.who]
    mine.sort(key=lambda pair: pair[0].start)
    for one, activity in mine:
        if (why := _unavailable(schedule, person, activity, one)) is not None:
            when = schedule.days.span_text((one.start, one.end))
            sentence = f"{person.name} is needed for {activity.name} at {when}, but {why}."
            yield Violation("people", sentence, places=(f"people.{person.name}",))
        yield from _from_home(schedule, person, activity, one)
    for one_of_two, other_of_two in combinations(mine, 2):
        yield from _one_after_the_other(schedule, person, one_of_two, other_of_two)


def _from_home(schedule: Schedule, person: Person, activity: Activity, one: Placement) -> Iterator[Violation]:
    begins = schedule.begins(person.name, schedule.days.day(one.start)) if person.home is not None else None
    where = _place(schedule, activity, one)
    way = schedule.way(person.home, where)
    if begins is not None and one.start < begins + way:
        far = (
            f"{person.name} sets out from {person.home} at {schedule.days.moment_text(begins)} and needs {way} minutes to "
            f"{where}, but {activity.name} starts at {schedule.days.moment_text(one.start)}."
        )
        yield Violation("travel", far, places=(f"people.{person.name}.home",))


_Happening = tuple[Placement, Activity]


def _one_after_the_other(schedule: Schedule, person: Person, one: _Happening, other: _Happening) -> Iterator[Violation]:
    """Violations of two activities of a person, given in order of time."""
    (before, first), (after, then) = one, other
    places = (first.where, then.where)
    if after.start < before.end:
        yield Violation("people", _twice(schedule, f"{person.name} is in", one, other), places=places)
        return
    here, there = _place(schedule, first, before), _place(schedule, then, after)
    least, left = max(schedule.gap, schedule.way(here, there)), after.start - before.end
    if left < least:
        way = f"from {here} to {there}" if least > schedule.gap else "between two activities"
        short = (
            f"{person.name} needs {least} minutes {way}, but {then.name} starts at "
            f"{schedule.days.moment_text(after.start)}, {left} minutes after {first.name} ends."
        )
        yield Violation("travel", short, places=places)


def _twice(schedule: Schedule, who: str, one: _Happening, other: _Happening) -> str:
    days = schedule.days
    both = " and ".join(
        f"{activity.name} ({printed_clock(days.clock(placed.start))}-{printed_clock(days.clock(placed.end) or DAY)})"
        for placed, activity in (one, other)
    )
    at = max(one[0].start, other[0].start)
    return f"{who} two activities at {days.moment_text(at)}: {both}."


def _place(schedule: Schedule, activity: Activity, one: Placement) -> str | None:
    return schedule.place(activity, one.room if one.room in schedule.rooms else None)


def _room_twice(schedule: Schedule, room: Room, placed: Placed) -> Iterator[Violation]:
    mine = [(one, schedule.activities[name]) for name, one in placed.items() if one.room == room.name]
    for one, other in combinations(sorted(mine, key=lambda pair: pair[0].start), 2):
        if other[0].start < one[0].end:
            where = (one[1].where, other[1].where)
            yield Violation("rooms", _twice(schedule, f"{room.name} holds", one, other), places=where)


def _order(schedule: Schedule, placed: Placed) -> Iterator[Violation]:
    days = schedule.days
    for name, one in placed.items():
        activity = schedule.activities[name]
        for before in activity.after:
            place = (f"{activity.where}.after",)
            if before in placed and one.start < placed[before].end + activity.gap:
                gap = f" and {activity.gap} minutes have gone" if activity.gap else ""
                early = (
                    f"{name} starts at {days.moment_text(one.start)}, before {before} is over{gap} "
                    f"({days.moment_text(placed[before].end + activity.gap)})."
                )
                yield Violation("order", early, places=place)
            if before in placed and activity.within is not None and one.start > placed[before].end + activity.within:
                late = f"{name} starts at {days.moment_text(one.start)}, more than {printed_duration(activity.within)}"
                ends = days.end_text(placed[before].end)
                yield Violation("order", f"{late} after the end of {before} ({ends}).", places=place)
