"""Durations are real on every day of the year: held against minutes of UTC, which no clock changes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from groundstate import RequestError
from groundstate_models.constraints.backtracking import solutions
from groundstate_models.constraints.problem import Problem
from groundstate_models.scheduling.answer import answer
from groundstate_models.scheduling.check import violations
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.ics import calendar
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.spans import total

ZONES = {"Europe/Berlin": 2025, "America/New_York": 2025, "Australia/Lord_Howe": 2025}
"""Zones and years: an hour forward in March and back in October, in March and November, and half an hour in the south."""

ODD = {
    "America/Santiago": (2025, 4, 5),
    "Africa/Cairo": (2025, 4, 25),
    "America/Havana": (2025, 11, 2),
    "Pacific/Apia": (2011, 12, 31),
}
"""Zones whose clocks change at midnight, and one that left out a day: a date beside the change."""


def year(zone: str) -> list[date]:
    first = date(ZONES[zone], 1, 1)
    return [first + timedelta(days=number) for number in range(365)]


def changes(zone: str) -> list[date]:
    """Days on which the offset at midnight is not that of the next."""
    offsets = [datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone)).utcoffset() for d in year(zone)]
    return [day for day, one, then in zip(year(zone), offsets, offsets[1:], strict=False) if one != then]


def minutes_of(day: date, zone: ZoneInfo) -> list[datetime]:
    """All minutes of a date, in UTC, from nothing but the zone."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    around = (noon + timedelta(minutes=number) for number in range(-40 * 60, 40 * 60))
    return [minute for minute in around if minute.astimezone(zone).date() == day]


def sampled() -> Iterator[Any]:
    """The days of clock changes and those beside them, and every twelfth other day; all of them every night."""
    for zone in ZONES:
        near = {day + timedelta(days=more) for day in changes(zone) for more in (-1, 0, 1)}
        for number, day in enumerate(year(zone)):
            marks = () if day in near or number % 12 == 0 else (pytest.mark.nightly,)
            yield pytest.param(zone, day, id=f"{zone} {day}", marks=marks)


EVERY_DAY = pytest.mark.parametrize(("zone", "day"), list(sampled()))


@EVERY_DAY
def test_a_window_holds_the_minutes_whose_clock_is_in_it(zone: str, day: date) -> None:
    where, draw = ZoneInfo(zone), random.Random(day.toordinal())
    days = Days((day.toordinal(),), dated=True, zone=where)
    minutes = minutes_of(day, where)
    clocks = [minute.astimezone(where).strftime("%H:%M") for minute in minutes]
    assert total(days.spans) == len(minutes)
    for minute in [*range(0, len(minutes), 7), *range(60, 240)]:
        number = days.spans[0][0] + minute
        assert days.when(number).astimezone(UTC) == minutes[minute]
        assert days.moment(days.moment_text(number)) == number
        assert days.day(number) == day.toordinal()
    for _ in range(40):
        low, high = sorted(draw.sample(range(1, 16 * 12), 2))
        first, last = (f"{5 * clock // 60:02d}:{5 * clock % 60:02d}" for clock in (low, high))
        text = f"{day} {first}-{last}"
        if clocks.count(first) == 1 and clocks.count(last) == 1:
            assert total(days.window(text)) == clocks.index(last) - clocks.index(first)
        elif clocks.count(first) > 1 or clocks.count(last) > 1:
            with pytest.raises(ValueError, match="exists twice"):
                days.window(text)
        elif not clocks.count(first):
            with pytest.raises(ValueError, match="does not exist"):
                days.window(text)


@EVERY_DAY
def test_meetings_fit_exactly_where_real_minutes_do(zone: str, day: date) -> None:
    """Meetings of one person in a window given in UTC: they fit where their sum does, or do not, and are as long as asked."""
    draw = random.Random(day.toordinal())
    night = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for _ in range(3):
        start = night + timedelta(minutes=30 * draw.randrange(8))
        free = 30 * draw.randint(2, 6)
        lasts = [30 * draw.randint(1, 4) for _ in range(draw.randint(1, 2))]
        window = f"{start:%Y-%m-%dT%H:%M}Z/{start + timedelta(minutes=free):%Y-%m-%dT%H:%M}Z"
        request = {
            "zone": zone,
            "activities": [
                {"name": f"m{number}", "duration": minutes, "who": "Ada", "window": window}
                for number, minutes in enumerate(lasts)
            ],
        }
        check_against_real_minutes(request, start, free, lasts)


def check_against_real_minutes(request: dict[str, Any], start: datetime, free: int, lasts: list[int]) -> None:
    schedule = read(request)
    found = [] if contradictions(schedule) else solutions(Problem.of((made := compiled(schedule)).request), 1)
    assert bool(found) == (sum(lasts) <= free), request
    if not found:
        return
    given = answer(made, found[0])
    assert violations(schedule, given) == []
    over = start
    for one in given["activities"]:
        begins, ends = (datetime.fromisoformat(one[key]) for key in ("start", "end"))
        assert (ends - begins).total_seconds() == 60 * lasts[int(one["name"][1:])]
        assert over <= begins
        over = ends
    assert over <= start + timedelta(minutes=free)


def plan(request: dict[str, Any]) -> list[Any]:
    schedule = read({"zone": "Europe/Berlin", **request})
    if contradictions(schedule):
        return []
    made = compiled(schedule)
    return [answer(made, found)["activities"] for found in solutions(Problem.of(made.request), 1)]


def meeting(lasts: str, window: str, **more: Any) -> dict[str, Any]:
    return {"activities": [{"name": "Night", "duration": lasts, "window": window, **more}]}


def test_what_was_held_out() -> None:
    assert not plan(meeting("2h", "2025-03-30T00:30Z/2025-03-30T01:30Z")), "one real hour"
    assert not plan(meeting("8h", "2025-03-29 22:00 - 2025-03-30 6:00")), "seven real hours"
    assert plan(meeting("7h", "2025-03-29 22:00 - 2025-03-30 6:00"))
    assert plan(meeting("3h", "2025-10-26T00:00Z/2025-10-26T03:00Z"))
    two = [
        {"name": name, "duration": "1h", "who": "Ada", "window": "2025-10-26T00:00Z/2025-10-26T02:00Z"} for name in "ab"
    ]
    ((first, second),) = plan({"activities": two})
    assert first["end"] == second["start"] == "2025-10-26T02:00+01:00"


@pytest.mark.parametrize("at", ["2025-03-30T02:30", "2025-03-30 2:30", "Sun 2025-03-30 2:30-4:00"])
def test_a_time_that_does_not_exist_is_refused_with_the_reason(at: str) -> None:
    with pytest.raises(RequestError, match=r"2:30 on 2025-03-30 in .* does not exist: .* from 2:00 to 3:00"):
        plan({"days": "2025-03-30", "activities": [{"name": "Night", "duration": "1h30", "at": at}]})


def test_a_time_that_exists_twice_is_refused_with_both() -> None:
    request = {"days": "2025-10-26", "activities": [{"name": "Night", "duration": 30, "at": "2025-10-26T02:30"}]}
    with pytest.raises(RequestError, match=r"exists twice.*Write 2025-10-26T02:30\+02:00 or 2025-10-26T02:30\+01:00"):
        plan(request)
    for at in ("2025-10-26T02:30+02:00", "2025-10-26T02:30+01:00"):
        request["activities"][0]["at"] = at  # type: ignore[index]
        assert plan(request)[0][0]["start"] == at


def test_hours_of_every_day_that_a_change_makes_unclear_are_refused() -> None:
    hours = {"hours": "2:30-6:00", **meeting("1h", "2025-03-30")}
    with pytest.raises(RequestError, match="does not exist"):
        plan({"days": ["2025-03-29", "2025-03-30"], **hours})
    assert plan({"days": "2025-03-30", "hours": "0:00-2:00", **meeting("2h", "2025-03-30")}), "a window may end there"


def test_a_slot_counts_on_the_clock_of_every_part_of_a_day() -> None:
    found = plan({"slot": "2h", **meeting("30m", "2025-03-30 3:00 - 2025-03-30 5:00")})
    assert found[0][0]["start"] == "2025-03-30T04:00+02:00"


@pytest.mark.parametrize(("zone", "day"), list(ODD.items()))
def test_days_whose_midnight_moves_are_as_long_as_they_are(zone: str, day: tuple[int, int, int]) -> None:
    where = ZoneInfo(zone)
    dates = [date(*day) + timedelta(days=more) for more in (-1, 0, 1)]
    days = Days(tuple(one.toordinal() for one in dates), dated=True, zone=where)
    for one in dates:
        begin, end = days.whole(one.toordinal())
        minutes = minutes_of(one, where)
        assert end - begin == len(minutes)
        assert not minutes or days.when(begin).astimezone(UTC) == minutes[0]


def test_what_a_calendar_gets_lasts_as_long_as_was_asked() -> None:
    schedule = read({"zone": "Europe/Berlin", **meeting("7h", "2025-03-29 22:00 - 2025-03-30 6:00")})
    made = compiled(schedule)
    text = calendar(schedule, answer(made, solutions(Problem.of(made.request), 1)[0])).decode()
    assert "DTSTART:20250329T210000Z" in text
    assert "DTEND:20250330T040000Z" in text


def test_years_before_whole_minutes_are_refused() -> None:
    with pytest.raises(RequestError, match="whole minutes away from UTC"):
        read({"zone": "Europe/Amsterdam", "days": "1920-05-03", "activities": [{"name": "a", "duration": 30}]})
