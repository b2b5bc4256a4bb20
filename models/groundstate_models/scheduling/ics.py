"""An answer as an iCalendar file (RFC 5545), for any calendar program. Needs the package icalendar: `groundstate[calendar]`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from groundstate_models.scheduling.schedule import Schedule

if TYPE_CHECKING:
    from icalendar import Event


def calendar(
    schedule: Schedule, answer: Mapping[str, Any], *, week: date | None = None, stamp: datetime | None = None
) -> bytes:
    """An iCalendar file of an answer.

    Times of a request with a zone are written in UTC. Others float: they are local to the reader.

    Args:
        schedule: The schedule that the answer is for.
        answer: See `schema.ANSWER`.
        week: Any date in the week of the weekdays; required if the request has no dates.
        stamp: Creation time of the file; default: now. With a stamp, the same answer gives the same bytes.

    Raises:
        ImportError: If the package icalendar is missing.
        ValueError: If the days are weekdays and no week is given.
    """
    try:
        from icalendar import Calendar
    except ImportError:
        raise ImportError("iCalendar files need the package icalendar: pip install 'groundstate[calendar]'.") from None
    if not schedule.days.dated and week is None:
        raise ValueError(
            "The days of the request are weekdays, and a calendar needs dates; ask for dates, such as 2025-03-03."
        )
    made = Calendar()
    made.add("prodid", "-//groundstate//scheduling//EN")
    made.add("version", "2.0")
    for one in answer["activities"]:
        made.add_component(_event(schedule, one, week, stamp or datetime.now(UTC)))
    return bytes(made.to_ical())


def _event(schedule: Schedule, one: Mapping[str, Any], week: date | None, stamp: datetime) -> Event:
    from icalendar import Event

    start = schedule.days.moment(one["start"])
    lasts = schedule.activities[one["name"]].duration
    begins = schedule.days.when(start, week)
    if begins.tzinfo is not None:
        begins = begins.astimezone(UTC)
    event = Event()
    event.add("uid", hashlib.sha256(f"{one['name']} {begins.isoformat()}".encode()).hexdigest()[:32] + "@groundstate")
    event.add("dtstamp", stamp)
    event.add("dtstart", begins)
    event.add("dtend", begins + timedelta(minutes=lasts))
    event.add("summary", one["name"])
    if where := ", ".join(str(one[key]) for key in ("room", "place") if key in one):
        event.add("location", where)
    if who := schedule.activities[one["name"]].who:
        event.add("description", f"With {', '.join(who)}.")
    return event
