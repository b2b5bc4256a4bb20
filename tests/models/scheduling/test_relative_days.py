"""Days as people say them, from a date of today."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstate import RequestError
from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.relative import WEEKDAYS
from groundstate_models.scheduling.times import tokens

WEDNESDAY = date(2025, 6, 4)


def days_of(**request: Any) -> Days:
    return read({"today": str(WEDNESDAY), "activities": [{"name": "Plan", "duration": 60}], **request}).days


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("today", ["2025-06-04"]),
        ("tomorrow", ["2025-06-05"]),
        ("the day after tomorrow", ["2025-06-06"]),
        ("in 3 days", ["2025-06-07"]),
        ("in a week", ["2025-06-11"]),
        ("this Friday", ["2025-06-06"]),
        ("next Monday", ["2025-06-09"]),
        ("next Friday", ["2025-06-13"]),
        ("coming Monday", ["2025-06-09"]),
        ("this week", ["2025-06-04", "2025-06-05", "2025-06-06"]),
        ("next week", ["2025-06-09", "2025-06-10", "2025-06-11", "2025-06-12", "2025-06-13"]),
        ("June 10", ["2025-06-10"]),
        ("10th of June", ["2025-06-10"]),
        ("3 June", ["2026-06-03"]),
        ("Jun 3, 2027", ["2027-06-03"]),
        ("Feb 29", ["2028-02-29"]),
        ("Tuesday June 10", ["2025-06-10"]),
        (["mon", "tomorrow"], ["2025-06-05", "2025-06-09"]),
        ("mon-fri", ["2025-06-04", "2025-06-05", "2025-06-06", "2025-06-09", "2025-06-10"]),
    ],
)
def test_what_is_said_of_days_on_a_wednesday(said: Any, meant: list[str]) -> None:
    found = days_of(days=said)
    assert found.dated
    assert [found.day_text(day) for day in found.numbers] == meant


def test_windows_and_fixed_times_may_be_relative() -> None:
    activities = [
        {"name": "Call", "duration": 30, "window": "tomorrow 9:00-10:00"},
        {"name": "Lunch", "at": "next Monday 12:00-13:00"},
        {"name": "Talk", "duration": "1h", "window": "June 10 after 14:00"},
    ]
    schedule = read({"today": "2025-06-04", "activities": activities})
    said = [schedule.days.span_text(activity.window[0]) for activity in schedule.activities.values()]
    assert said[0] == "2025-06-05 9:00-10:00"
    assert schedule.days.moment_text(schedule.activities["Lunch"].at or 0) == "2025-06-09T12:00"
    assert said[2] == "2025-06-10 14:00-17:00"


def test_a_request_with_today_and_no_days_has_the_workdays_of_the_next_seven() -> None:
    found = days_of()
    assert [found.day_text(day) for day in found.numbers] == [
        "2025-06-04",
        "2025-06-05",
        "2025-06-06",
        "2025-06-09",
        "2025-06-10",
    ]


@pytest.mark.parametrize(
    ("request_", "place", "why"),
    [
        ({"days": "tomorrow"}, "days", "depends on the date of today; give"),
        ({"days": "June 3"}, "days", "has no year"),
        ({"today": "soon"}, "today", "'soon' in 'soon' is not a day or time"),
        ({"today": "tomorrow"}, "today", "depends on the date of today"),
        ({"today": "mon"}, "today", "'mon' is not a date"),
        (
            {"today": "2025-06-04", "days": "this Monday"},
            "days",
            "is Monday, 2025-06-02, and today is Wednesday, 2025-06-04",
        ),
        ({"today": "2025-06-04", "days": "June 31"}, "days", "'june 31' in 'June 31' is not a date"),
        ({"today": "2025-06-04", "days": "Feb 30"}, "days", "is not a date"),
        ({"today": "2025-06-04", "days": "Monday June 10"}, "days", "is a Tuesday, not 'monday'"),
        ({"today": "2025-06-07", "days": "this week"}, "days", "has no workday left"),
    ],
)
def test_what_means_no_day_is_refused(request_: dict[str, Any], place: str, why: str) -> None:
    with pytest.raises(RequestError) as error:
        read({"activities": [{"name": "Plan", "duration": 60}], **request_})
    assert any(fault.place == place and why in fault.message for fault in error.value.faults), error.value.faults


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 6))
def test_next_is_the_week_after_this_one_and_coming_is_within_seven_days(today: date, weekday: int) -> None:
    def day(text: str) -> date:
        (token,) = tokens(text, today)
        assert isinstance(token.value, date)
        return token.value

    name = WEEKDAYS[weekday]
    assert day(f"next {name}").isocalendar()[:2] == (today + timedelta(days=7)).isocalendar()[:2]
    assert 0 <= (day(f"coming {name}") - today).days < 7
    assert day(f"next {name}").weekday() == day(f"coming {name}").weekday() == weekday
