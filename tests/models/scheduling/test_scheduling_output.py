"""Answers as JSON, as iCalendar files, and drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from groundstate_models.scheduling.answer import answer, printed
from groundstate_models.scheduling.check import cost, placements, violations
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.drawing import draw
from groundstate_models.scheduling.durations import DAY
from groundstate_models.scheduling.ics import calendar
from groundstate_models.scheduling.picture import picture
from groundstate_models.scheduling.preferences import Placement
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.schema import ANSWER, EXAMPLE

EXAMPLE_ANSWER: dict[str, Any] = ANSWER["examples"][0]
STAMP = datetime(2025, 1, 1, tzinfo=UTC)
LATE = {"days": "mon", "hours": "22-24", "activities": [{"name": "late", "duration": 90}]}


def names(longest: int) -> st.SearchStrategy[str]:
    """Names that a request may have."""
    shown = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Zl", "Zp"])
    return st.text(shown, min_size=1, max_size=longest)


def test_the_example_of_the_answer_answers_that_of_the_request() -> None:
    Draft202012Validator(ANSWER).validate(EXAMPLE_ANSWER)
    schedule = read(EXAMPLE)
    assert violations(schedule, EXAMPLE_ANSWER) == []
    placed, _ = placements(schedule, EXAMPLE_ANSWER)
    assert {"broken": [], **printed(schedule, placed)} == EXAMPLE_ANSWER


def test_an_answer_tells_what_is_left_out_and_broken() -> None:
    schedule = read(EXAMPLE)
    placed = {
        "Plan": Placement(DAY + 14 * 60, DAY + 15 * 60, "Blue"),
        "Review": Placement(DAY + 900, DAY + 990, "Blue"),
    }
    found = printed(schedule, placed)
    assert found["left_out"] == ["Lunch"]
    assert found["broken"] == ["Plan is at tue 14:00-15:00, which is to be avoided: tue 0:00-24:00."]
    assert found["cost"] == 3.0
    assert cost(schedule, found).key("most") == (1.0, 2.0, DAY + 990)
    assert cost(schedule, found).key("earliest_end") == (1.0, DAY + 990, 2.0)
    assert cost(schedule, found).key("preferences") == (3.0, DAY + 990)


def test_an_end_at_midnight_is_read_again() -> None:
    problem = compiled(read(LATE))
    found = answer(problem, {"late": "mon 22:30"})
    assert found["activities"][0]["end"] == "mon 24:00"
    assert violations(problem.schedule, found) == []
    dated = read(LATE | {"days": "2025-03-03"})
    found = answer(compiled(dated), {"late": "2025-03-03T22:30"})
    assert found["activities"][0]["end"] == "2025-03-04T00:00"
    assert violations(dated, found) == []


@settings(max_examples=30, deadline=None)
@given(
    name=names(90),
    zone=st.sampled_from([None, "Europe/Berlin", "America/New_York"]),
    start=st.integers(0, DAY - 60).map(lambda minute: minute // 5 * 5),
)
def test_icalendar_files_are_read_again(name: str, zone: str | None, start: int) -> None:
    icalendar = pytest.importorskip("icalendar")
    request = {
        "days": "2025-07-01",
        "hours": "0-24",
        "rooms": ["Blue; room, 2"],
        "activities": [{"name": name, "duration": 55, "who": ["Ada", "Bob"], "room": "any"}],
    } | ({"zone": zone} if zone else {})
    schedule = read(request)
    minute = schedule.days.numbers[0] * DAY + start
    found = printed(schedule, {name: Placement(minute, minute + 55, "Blue; room, 2")})
    made = calendar(schedule, found, stamp=STAMP)
    assert made == calendar(schedule, found, stamp=STAMP), "the same bytes"
    assert all(len(line) <= 75 for line in made.split(b"\r\n")), "RFC 5545, 3.1"
    (event,) = icalendar.Calendar.from_ical(made).walk("VEVENT")
    assert str(event["SUMMARY"]) == name
    assert str(event["LOCATION"]) == "Blue; room, 2"
    assert str(event["DESCRIPTION"]) == "With Ada, Bob."
    begins = event["DTSTART"].dt
    assert begins == schedule.days.when(minute)
    assert (begins.tzinfo is None) == (zone is None)
    assert (event["DTEND"].dt - begins).total_seconds() == 55 * 60


def test_weekdays_become_dates_of_a_week() -> None:
    icalendar = pytest.importorskip("icalendar")
    schedule = read(EXAMPLE)
    with pytest.raises(ValueError, match="a calendar needs dates"):
        calendar(schedule, EXAMPLE_ANSWER)
    events = icalendar.Calendar.from_ical(calendar(schedule, EXAMPLE_ANSWER, week=date(2025, 3, 6))).walk("VEVENT")
    assert [event["DTSTART"].dt for event in events] == [datetime(2025, 3, 3, 9), datetime(2025, 3, 3, 13)]  # noqa: DTZ001
    assert len({str(event["UID"]) for event in events}) == 2


def test_a_week_is_drawn_with_days_side_by_side() -> None:
    assert draw(read(EXAMPLE), EXAMPLE_ANSWER | {"activities": EXAMPLE_ANSWER["activities"][:1]}).splitlines() == [
        "       Mon                Tue",
        " 9:00  ┌───────────────┐",
        "       │Plan           │",
        "       │9:00-10:00     │",
        "       │Blue · Ada, Bob│",
        "10:00  └───────────────┘",
        "left out: Lunch",
    ]


def test_what_is_asked_for_is_drawn_where_it_is_fixed_and_listed_where_it_is_not() -> None:
    lines = draw(read(EXAMPLE), None).splitlines()
    assert lines[1:4] == [
        "12:00  ┌──────────────────────┐",
        "       │Lunch                 │",
        "       │12:00-12:45 · Ada, Bob│",
    ]
    assert lines[-5:] == [
        "Plan, 1 h, Ada, Bob, Blue or Green",
        "Review, 1 h 30 min, Ada, Blue",
        "Ada is busy: mon 10:00-11:00",
        "Bob is free: mon 9:00-13:00, tue 14:00-24:00",
        "Green is busy: tue 0:00-24:00",
    ]
    open_ = {"activities": [{"name": "Plan", "duration": 60, "window": "mon", "optional": True}]}
    assert draw(read(open_), None) == "Plan, 1 h, mon 9:00-17:00, optional"


def test_dates_are_shown_whole() -> None:
    """A newcomer saw 'Tue 2025-03-0' and 'Wed 2025-03-'."""
    request = {"days": "2025-03-03/2025-03-05", "activities": [{"name": "Plan", "duration": 60}]}
    answer = {"activities": [{"name": "Plan", "start": "2025-03-04T09:00"}]}
    assert draw(read(request), answer).splitlines()[0] == "       Mon 2025-03-03  Tue 2025-03-04  Wed 2025-03-05"
    shown = picture(read(request), answer)
    assert all(f">{day}</text>" in shown for day in ("Mon 2025-03-03", "Tue 2025-03-04", "Wed 2025-03-05"))


def test_people_are_in_the_drawing_and_in_the_picture() -> None:
    request = {"days": "mon", "activities": [{"name": "Plan", "duration": "2h", "who": ["Ada", "Bob"]}]}
    answer = {"activities": [{"name": "Plan", "start": "mon 9:00"}]}
    assert "│Ada, Bob" in draw(read(request), answer)
    assert ">Ada, Bob</text>" in picture(read(request), answer)


def test_activities_at_one_time_stand_side_by_side_and_those_that_touch_share_a_line() -> None:
    names = {"a": 0, "b": 0, "c": 15, "d": 30}
    activities = [{"name": name, "duration": 30 if name != "a" else 15} for name in names]
    schedule = read({"days": "mon", "activities": activities})
    placed = {
        name: Placement(540 + begin, 540 + begin + schedule.activities[name].duration) for name, begin in names.items()
    }
    lines = draw(schedule, printed(schedule, placed)).splitlines()
    assert lines[1:] == [
        " 9:00  ┌──────────┐┌a─────────┐",
        "       │b         │├──────────┤",
        "       ├──────────┤│c         │",
        "       │d         │└──────────┘",
        "10:00  └──────────┘",
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(names(40), st.integers(0, 600), st.integers(1, 200)), min_size=1, max_size=8))
def test_whatever_the_names_pictures_are_well_formed_and_name_everything(some: list[tuple[str, int, int]]) -> None:
    activities = {name: (begin, lasts) for name, begin, lasts in some}
    request = {
        "days": "mon",
        "hours": "0-24",
        "activities": [{"name": name, "duration": lasts} for name, (_, lasts) in activities.items()],
    }
    schedule = read(request)
    found = printed(schedule, {name: Placement(begin, begin + lasts) for name, (begin, lasts) in activities.items()})
    drawn = draw(schedule, found)
    assert all(len(line) < 10 + 28 * len(activities) for line in drawn.split("\n"))
    shown = ET.fromstring(picture(schedule, found, "A <week> & more"))
    groups = shown.iter("{http://www.w3.org/2000/svg}g")
    titles = [str(group.findtext("{http://www.w3.org/2000/svg}title")) for group in groups]
    assert sorted(title.rsplit(" · ", 1)[0] for title in titles) == sorted(activities)


def test_a_picture_has_a_card_and_needs_nothing_else() -> None:
    shown = picture(read(EXAMPLE), EXAMPLE_ANSWER)
    assert '<rect class="card"' in shown
    assert "http" not in shown.replace("http://www.w3.org/2000/svg", "")
    assert "2 days, 2 of 3 activities" in shown
    assert "left out: Lunch" in shown
    assert picture(read(EXAMPLE), None).count("<g>") == 1, "what is fixed"
