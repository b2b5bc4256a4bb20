"""Durations, windows and moments as people and language models write them."""

from __future__ import annotations

import re
import sys
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.durations import DAY, LONGEST, duration, gap, printed_duration
from groundstate_models.scheduling.spans import Span, Spans, difference, inside, intersection, starts, total, union

WEEK = Days(tuple(range(5)), dated=False)
MARCH = Days(tuple(date(2025, 3, day).toordinal() for day in range(3, 15)), dated=True)
BERLIN = Days(MARCH.numbers, dated=True, zone=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        (45, 45), (45.0, 45), ("45", 45), ("45m", 45), ("90 min", 90), ("1h", 60), ("1h30", 90), ("1:30", 90), ("1.5 hours", 90),
        ("2 hours and 15 minutes", 135), ("half an hour", 30), ("an hour", 60),
        ("an hour and a half", 90), ("2 and a half hours", 150), ("a quarter of an hour", 15), ("three quarters of an hour", 45),
        ("PT45M", 45), ("PT1H30M", 90), ("P1D", DAY),
    ],
)  # fmt: skip
def test_durations(said: int | str, minutes: int) -> None:
    assert duration(said) == minutes


@given(st.integers(1, LONGEST))
def test_a_printed_duration_is_read_again(minutes: int) -> None:
    assert duration(printed_duration(minutes)) == minutes


@pytest.mark.parametrize("said", [0, "0h", -5, 1.5, True, "1.5", "soon", "1:75", "20 s", LONGEST + 1, "", "h"])
def test_what_is_no_duration_is_refused_and_quoted(said: object) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(said))):
        duration(said)  # type: ignore[arg-type]


def test_a_gap_may_be_zero() -> None:
    assert gap(0) == gap("0 min") == 0


@pytest.mark.parametrize(
    ("said", "spans"),
    [
        ("mon 9:00-12:00", "mon 9:00-12:00"),
        ("Monday, 9am to noon", "mon 9:00-12:00"),
        ("9:00-12:00 on Mon", "mon 9:00-12:00"),
        ("tue", "tue 0:00-24:00"),
        ("mon-wed 9-12", "mon 9:00-12:00, tue 9:00-12:00, wed 9:00-12:00"),
        ("mon, fri 1-3pm", "mon 13:00-15:00, fri 13:00-15:00"),
        ("Thursdays 9-5pm", "thu 9:00-17:00"),
        ("mon after 14:00", "mon 14:00-24:00"),
        ("mon until 9:30", "mon 0:00-9:30"),
        ("between 9 and 10:30 on tuesday", "tue 9:00-10:30"),
        ("mon 22:00 - tue 6:00", "mon 22:00 - tue 6:00"),
        ("before tue", "mon 0:00-24:00"),
        ("by tue", "mon 0:00 - tue 24:00"),
        ("before tue 12:00", "mon 0:00 - tue 12:00"),
        ("after thu", "fri 0:00-24:00"),
        ("from thu 12:00", "thu 12:00 - fri 24:00"),
        ("Monday during 11:30 to 12:00, 14:30 to 15:00", "mon 11:30-12:00, mon 14:30-15:00"),
        ("mon 9-10; tue 11-12", "mon 9:00-10:00, tue 11:00-12:00"),
        ("fri 22:00-0:00", "fri 22:00-24:00"),
        ("mon morning", "mon 6:00-12:00"),
        ("tue or wed morning", "tue 6:00-12:00, wed 6:00-12:00"),
        ("Tuesday afternoons", "tue 12:00-18:00"),
        ("wed in the evening", "wed 18:00-22:00"),
        ("weekdays 0-1", ", ".join(f"{day} 0:00-1:00" for day in ("mon", "tue", "wed", "thu", "fri"))),
    ],
)
def test_windows_on_weekdays(said: str, spans: str) -> None:
    assert ", ".join(map(WEEK.span_text, WEEK.window(said))) == spans


@pytest.mark.parametrize(
    ("said", "spans"),
    [
        ("2025-03-03T09:00/2025-03-03T12:00", "2025-03-03 9:00-12:00"),
        ("2025-03-03T09:00/PT3H", "2025-03-03 9:00-12:00"),
        ("2025-03-03 9:00-12:00", "2025-03-03 9:00-12:00"),
        ("Mon 2025-03-03 9am-12pm", "2025-03-03 9:00-12:00"),
        ("2025-W10-1 after 15:00", "2025-03-03 15:00-24:00"),
        ("2025-03-03 - 2025-03-04 9:00-10:00", "2025-03-03 9:00-10:00, 2025-03-04 9:00-10:00"),
        ("2025-03-03 22:00 - 2025-03-04 6:00", "2025-03-03 22:00 - 2025-03-04 6:00"),
        ("tue 9-10", "2025-03-04 9:00-10:00, 2025-03-11 9:00-10:00"),
        ("2025-03-14T20:00/2025-03-15T00:00", "2025-03-14 20:00-24:00"),
        ("2025-03-14 20:00 - 2025-03-15 00:00", "2025-03-14 20:00-24:00"),
    ],
)
def test_windows_on_dates(said: str, spans: str) -> None:
    assert ", ".join(map(MARCH.span_text, MARCH.window(said))) == spans


@pytest.mark.parametrize(
    ("days", "said", "why"),
    [
        (WEEK, "mon teatime", "'teatime' in 'mon teatime' is not a day or time"),
        (WEEK, "mon 12:00-9:00", "ends at 9:00, no later than it starts"),
        (WEEK, "mon 9:00-9:00", "no later than it starts"),
        (WEEK, "mon 25:00-26:00", "'25:00' in 'mon 25:00-26:00' is not a time of day"),
        (WEEK, "mon 13pm-14pm", "is not a time of day"),
        (WEEK, "mon 9:00:30-10:00", "has seconds"),
        (WEEK, "sat", "none of the days of this request, which are mon, tue, wed, thu, fri"),
        (WEEK, "2025-03-03", 'give "days" as dates'),
        (WEEK, "mon 10:00", "is one moment, and not a window"),
        (WEEK, "", "names no day and no time"),
        (WEEK, "tue 9:00 - mon 10:00", "ends before it starts"),
        (MARCH, "2025-03-30", "none of the days of this request"),
        (MARCH, "2025-02-30", "is not a date"),
        (MARCH, "0001-01-01", "from 1900 to 2999"),
        (MARCH, "Tue 2025-03-03 9-10", "is a Monday, not 'tue'"),
        (MARCH, "2025-03-03T09:00:30/2025-03-03T10:00", "whole minutes"),
    ],
)
def test_windows_that_mean_nothing_are_refused_with_the_reason(days: Days, said: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        days.window(said)


@pytest.mark.parametrize("days", [WEEK, MARCH, BERLIN])
@given(day=st.integers(0, 4), minute=st.integers(0, DAY - 1))
def test_a_printed_moment_is_read_again(days: Days, day: int, minute: int) -> None:
    moment = days.numbers[day] * DAY + minute
    assert days.moment(days.moment_text(moment)) == moment
    if minute:
        assert days.moment(days.end_text(moment)) == moment
    assert days.moment(days.end_text(moment // DAY * DAY + DAY)) == moment // DAY * DAY + DAY


@pytest.mark.parametrize("days", [WEEK, MARCH])
@given(span=st.tuples(st.integers(0, 5 * DAY - 1), st.integers(1, 2 * DAY)))
def test_a_printed_span_is_read_again(days: Days, span: tuple[int, int]) -> None:
    begin = days.numbers[0] * DAY
    start, end = span[0], min(sum(span), 5 * DAY)
    assert days.window(days.span_text((begin + start, begin + end))) == ((begin + start, begin + end),)


def test_times_with_a_zone_are_turned_into_that_of_the_request() -> None:
    assert (
        BERLIN.moment("2025-03-03T09:00Z")
        == BERLIN.moment("2025-03-03T10:00")
        == BERLIN.moment("2025-03-03T10:00+01:00")
    )
    assert BERLIN.moment_text(BERLIN.moment("2025-03-03T10:00")) == "2025-03-03T10:00+01:00"


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda s: (s[0], s[0] + s[1])), max_size=5).map(
    union
)


def minutes(some: Spans) -> set[int]:
    return {minute for start, end in some for minute in range(start, end)}


@given(spans, spans, st.integers(1, 6))
def test_spans_are_sets_of_minutes(one: Spans, other: Spans, lasts: int) -> None:
    assert minutes(intersection(one, other)) == minutes(one) & minutes(other)
    assert minutes(difference(one, other)) == minutes(one) - minutes(other)
    assert minutes(union((*one, *other))) == minutes(one) | minutes(other)
    assert minutes(starts(one, lasts)) == {m for m in range(40) if inside((m, m + lasts), one)}
    assert total(one) == len(minutes(one))
    for some in (union((*one, *other)), intersection(one, other), difference(one, other)):
        apart: list[Span] = list(some)
        assert all(start < end for start, end in apart)
        assert all(before[1] <= after[0] for before, after in pairwise(apart))


@pytest.mark.parametrize("part", ["mon 9:00-10:00, ", "mon 9, ", "9-", "9:00-10:00 ", "mon-", "tue "])
def test_a_long_text_is_read_in_work_that_grows_with_its_length_and_quoted_by_its_beginning(part: str) -> None:
    """144 kB of busy times took 14 s. A quadratic reader would make a hundred times as many calls for ten times the text."""

    def calls(many: int) -> int:
        made, message = 0, ""

        def count(*_: object) -> None:
            nonlocal made
            made += 1

        sys.setprofile(count)
        try:
            WEEK.window(part * many)
        except ValueError as error:
            message = str(error)
        finally:
            sys.setprofile(None)
        assert len(message) < 400
        return made

    assert calls(8_000) < 20 * max(calls(800), 1_000)


def test_a_text_longer_than_any_calendar_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="at most 200000 are read"):
        WEEK.window("mon 9:00-10:00, " * 60_000)
    with pytest.raises(ValueError, match="is not a duration"):
        duration("1h" * 100_000)
