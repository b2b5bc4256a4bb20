"""Times as people say them, on a Wednesday: each is read with its meaning, or refused with a sentence that says what to write."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstate import RequestError
from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.echo import understood
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.spans import difference, intersection

TODAY = date(2025, 6, 4)
FORTNIGHT = Days(tuple(TODAY.toordinal() + step for step in range(15)), dated=True, today=TODAY)
WEEK = Days(tuple(range(5)), dated=False)


def reading(**request: Any) -> Any:
    return read({"activities": [{"name": "Plan", "duration": 60}], **request})


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("mon at lunch", "mon 12:00-13:00"),
        ("Tuesday lunchtime", "tue 12:00-13:00"),
        ("mon after lunch", "mon 13:00-24:00"),
        ("before lunch on Tuesday", "tue 0:00-12:00"),
        ("after work on tue", "tue 17:00-24:00"),
        ("tue during working hours", "tue 9:00-17:00"),
        ("by close of business Friday", "fri 0:00-17:00"),
        ("Tuesday or Thursday afternoon", "tue 12:00-18:00, thu 12:00-18:00"),
        ("mon morning or afternoon", "mon 6:00-18:00"),
        ("early afternoon on wed", "wed 12:00-15:00"),
        ("late morning Friday", "fri 10:00-12:00"),
        ("tue am", "tue 6:00-12:00"),
        ("Mon/Wed/Fri 9-11", "mon 9:00-11:00, wed 9:00-11:00, fri 9:00-11:00"),
        ("from Monday to Wednesday", "mon 0:00 - wed 24:00"),
        ("between Tuesday and Thursday 9-11", "tue 9:00-11:00, wed 9:00-11:00, thu 9:00-11:00"),
        ("Monday until Wednesday", "mon 0:00 - wed 24:00"),
        ("mo, we 9-10", "mon 9:00-10:00, wed 9:00-10:00"),
        ("weekdays except Wednesday", "mon 0:00 - tue 24:00, thu 0:00 - fri 24:00"),
        ("any day but Friday", "mon 0:00 - thu 24:00"),
        ("not on Mondays", "tue 0:00 - fri 24:00"),
        ("mon 9-12 except 10-11", "mon 9:00-10:00, mon 11:00-12:00"),
        ("9-12 weekdays but not tue and thu", "mon 9:00-12:00, wed 9:00-12:00, fri 9:00-12:00"),
        ("mon not before 10:00", "mon 10:00-24:00"),
        ("no later than 16:00 on tue", "tue 0:00-16:00"),
        ("tue 10am or later", "tue 10:00-24:00"),
        ("fri from 14:00 onwards", "fri 14:00-24:00"),
        ("tue 16:00 at the latest", "tue 0:00-16:00"),
        ("half past nine to quarter to eleven on tue", "tue 9:30-10:45"),
        ("Monday nine to five", "mon 9:00-17:00"),
        ("mon 9-5", "mon 9:00-17:00"),
        ("mon 12:30-1:30", "mon 12:30-13:30"),
        ("10 o'clock to noon tue", "tue 10:00-12:00"),
        ("tue 14h-16h30", "tue 14:00-16:30"),
        ("tue 14.30-16.00", "tue 14:30-16:00"),
        ("9-10 and 14-15 on Tuesday", "tue 9:00-10:00, tue 14:00-15:00"),
    ],
)
def test_windows_on_weekdays_as_said(said: str, meant: str) -> None:
    assert ", ".join(map(WEEK.span_text, WEEK.window(said))) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("the day after tomorrow", "06-06 0:00-24:00"),
        ("in two weeks", "06-18 0:00-24:00"),
        ("in a week", "06-11 0:00-24:00"),
        ("a week from Friday", "06-13 0:00-24:00"),
        ("Monday week", "06-16 0:00-24:00"),
        ("next two weeks", "06-04 0:00 - 06-06 24:00, 06-09 0:00 - 06-13 24:00, 06-16 0:00 - 06-17 24:00"),
        ("in the next 3 days", "06-04 0:00 - 06-06 24:00"),
        ("the next 4 working days", "06-04 0:00 - 06-06 24:00, 06-09 0:00-24:00"),
        ("within a week", "06-04 0:00 - 06-06 24:00, 06-09 0:00 - 06-10 24:00"),
        ("Tuesday and Thursday next week", "06-10 0:00-24:00, 06-12 0:00-24:00"),
        ("next week, Tuesday to Thursday 9-10", "06-10 9:00-10:00, 06-11 9:00-10:00, 06-12 9:00-10:00"),
        ("next two weeks on Mondays, 9-10", "06-09 9:00-10:00, 06-16 9:00-10:00"),
        ("next Tuesday or Thursday", "06-10 0:00-24:00, 06-12 0:00-24:00"),
        ("every other Tuesday", "06-10 0:00-24:00"),
        ("the week of June 16", "06-16 0:00 - 06-18 24:00"),
        ("the week after next", "06-16 0:00 - 06-18 24:00"),
        ("this weekend", "06-07 0:00 - 06-08 24:00"),
        ("next weekend", "06-14 0:00 - 06-15 24:00"),
        ("this afternoon", "06-04 12:00-18:00"),
        ("tonight", "06-04 18:00-22:00"),
        ("by the end of the week", "06-04 0:00 - 06-06 24:00"),
        ("early next week", "06-09 0:00 - 06-10 24:00"),
        ("the second Friday of June", "06-13 0:00-24:00"),
        ("the 10th, 9am-10am", "06-10 9:00-10:00"),
        ("next week except Wednesday", "06-09 0:00 - 06-10 24:00, 06-12 0:00 - 06-13 24:00"),
    ],
)
def test_windows_on_dates_as_said(said: str, meant: str) -> None:
    found = ", ".join(map(FORTNIGHT.span_text, FORTNIGHT.window(said)))
    assert found == re.sub(r"06-(?=\d\d )", "2025-06-", meant)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("mon 2-3", 'may be at night or in the afternoon; write "2:00-3:00" or "2pm-3pm"'),
        ("mon after 3", 'may be at night or in the afternoon; write "3:00" or "3pm"'),
        ("6/3", "may be a day and month in either order, or hours"),
        ("3.6.2025", "may be a day and month in either order, or hours"),
        ("around 10 on mon", 'is not exact; write a window, such as "9:30-10:30"'),
        ("mon night", 'passes midnight; write "mon 22:00 - tue 6:00"'),
        ("as soon as possible", 'is a preference, not a time: {"type": "earlier"'),
        ("in a couple of days", "is not a number"),
        ("first thing mon", "is not exact"),
        ("yesterday", "is Tuesday, 2025-06-03, and today is Wednesday, 2025-06-04"),
        ("last Monday", "is before today"),
        ("Friday at 3pm", "is one moment, and not a window"),
        ("mon 9-17 except 12-13, tue 9-12", "excludes several things"),
        ("onwards", "needs a time before it"),
        ("this Monday or Friday", "is Monday, 2025-06-02, and today is Wednesday"),
    ],
)
def test_what_has_no_exact_meaning_is_refused_with_what_to_write(said: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        FORTNIGHT.window(said)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("next two weeks", 10),
        ("next week except Wednesday", 4),
        ("Tuesday and Thursday next week", 2),
        ("the next 10 days", 10),
        ("weekdays except wed", 4),
        ("tomorrow and Friday", 2),
        ("in June", 19),
        ("next month", 23),
        ("June 10 or June 12", 2),
        ("next mon - next wed", 3),
    ],
)
def test_days_as_said(said: str, meant: int) -> None:
    found = reading(today=str(TODAY), days=said).days
    assert found.dated
    assert len(found.numbers) == meant


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("every other Monday", "is a recurrence"),
        ("tomorrow to friday", "goes from a date to a weekday"),
        ("next week mornings", "is not a day"),
        ("tomorrow except thu", "leaves no day"),
    ],
)
def test_days_that_mean_nothing_are_refused(said: str, why: str) -> None:
    with pytest.raises(RequestError, match=re.escape(why)):
        reading(today=str(TODAY), days=said)


@pytest.mark.parametrize(
    ("said", "first", "many"),
    [
        ("every morning", "2025-06-02 9:00-12:00", 14),
        ("every Tuesday 9-12", "2025-06-03 9:00-12:00", 2),
        ("every other Monday", "2025-06-02 9:00-17:00", 1),
        ("every other week on Tuesday", "2025-06-03 9:00-17:00", 1),
        ("biweekly", "2025-06-02 9:00-17:00", 1),
        ("Mon/Wed/Fri", "2025-06-02 9:00-17:00", 6),
        ("every weekday except Wednesday", "2025-06-02 9:00-17:00", 8),
    ],
)
def test_recurrence_as_said(said: str, first: str, many: int) -> None:
    activities = [{"name": "Plan", "duration": 60, "repeat": said}]
    schedule = read({"days": "2025-06-02/2025-06-15", "hours": "9:00-17:00", "activities": activities})
    assert len(schedule.activities) == many
    assert schedule.days.span_text(next(iter(schedule.activities.values())).window[0]) == first


def test_by_a_day_begins_today() -> None:
    """The first day that is named was the first day of all: two days of work by Wednesday were impossible on a Monday."""
    activities = [
        {"name": "Plan", "duration": "2 days", "window": "by Wednesday"},
        {"name": "Talk", "at": "Thursday 10:00-11:00"},
    ]
    schedule = read({"today": "2025-06-02", "hours": "9:00-17:00", "activities": activities})
    assert schedule.days.day_text(schedule.days.numbers[0]) == "2025-06-02"
    schedule = read(
        {"today": "2025-06-02", "activities": [{"name": "Plan", "duration": 60, "window": "before June 5"}]}
    )
    assert schedule.days.span_text(schedule.activities["Plan"].window[0]) == "2025-06-02 9:00-17:00"


def test_a_recurrence_with_a_time_of_day_is_told_about_at() -> None:
    with pytest.raises(RequestError, match='has a time of day; give it as "at"'):
        read({"days": "mon-fri", "activities": [{"name": "Plan", "duration": 60, "repeat": "every Tuesday at 10:00"}]})


def test_what_phrases_mean_is_part_of_what_was_understood() -> None:
    activities = [{"name": "Plan", "duration": 60, "window": "next two weeks, Mondays 9-5"}]
    said = understood(read({"today": str(TODAY), "activities": activities}))
    assert "mondays next two weeks is 2025-06-09 and 2025-06-16" in said
    assert "9-5 is 9:00-17:00" in said
    assert "lunch is 12:00-13:00" in understood(reading(days="mon", hours="lunch"))


def test_a_persons_own_zone_and_hours_are_part_of_what_was_understood() -> None:
    people = {
        "Ny": {"zone": "America/New_York", "free": "mon-fri 8:00-18:00"},
        "Del": {"zone": "Asia/Kolkata"},
        "Ada": {},
    }
    said = understood(reading(days="2025-03-24/2025-04-04", zone="Europe/Berlin", people=people))
    assert "Ny: America/New_York, free 13:00-23:00 from 2025-03-24, then 14:00-24:00 from 2025-03-31 here" in said
    assert "Del: Asia/Kolkata, free 0:00-24:00 here" in said
    assert "Ada" not in said


clocks = st.integers(7, 12)


@given(clocks, clocks)
def test_bare_hours_of_a_day_are_one_window_of_at_most_twelve_hours(first: int, last: int) -> None:
    if first == last:
        return
    ((low, high),) = WEEK.window(f"mon {first}-{last}")
    assert low == 60 * first
    assert (high - 60 * last) % 720 == 0
    assert 0 < high - low < 720


parts = st.sampled_from(["mon", "tue-thu", "9:00-12:00", "mon 10:00-15:00", "afternoon", "fri after 14:00"])


@given(parts, parts)
def test_except_takes_away_exactly_the_second_window(one: str, other: str) -> None:
    kept, gone = WEEK.window(one), WEEK.window(other)
    found = WEEK.window(f"{one} except {other}")
    assert found == difference(kept, gone)
    assert not intersection(found, gone)
