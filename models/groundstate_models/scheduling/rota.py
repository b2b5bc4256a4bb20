"""Draw a roster for a terminal: a line for each person, a column for each day, the activities by their first letters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from groundstate_models.scheduling.check import placements
from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.times import printed_clock

FREE = "·"


def rota(schedule: Schedule, answer: Mapping[str, Any]) -> str:
    """Lines of text, with the meaning of the letters below."""
    placed, _ = placements(schedule, answer)
    days = schedule.days.numbers
    titles = {name: schedule.activities[name].series or name for name in placed}
    letters = abbreviations(list(dict.fromkeys(titles.values())))
    cells: dict[tuple[str, int], list[str]] = {}
    times: dict[str, dict[str, None]] = {}
    for name, one in sorted(placed.items(), key=lambda pair: pair[1].start):
        ends = printed_clock(schedule.days.clock(one.end) or 1440)
        times.setdefault(titles[name], {})[f"{printed_clock(schedule.days.clock(one.start))}-{ends}"] = None
        for person in (*schedule.activities[name].who, *one.who):
            cells.setdefault((person, schedule.days.day(one.start)), []).append(letters[titles[name]])
    heads = [_head(schedule, day) for day in days]
    lines = [
        ["", *heads],
        *([who, *("".join(cells.get((who, day), [FREE])) for day in days)] for who in schedule.people),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(days) + 1)]
    drawn = ["  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    legend = ", ".join(f"{letters[title]} {title} {' or '.join(list(some)[:2])}" for title, some in times.items())
    left_out = answer.get("left_out", ())
    return "\n".join([*drawn, "", legend, *([f"left out: {', '.join(left_out)}"] if left_out else [])])


def _head(schedule: Schedule, day: int) -> str:
    if not schedule.days.dated:
        return schedule.days.day_text(day).capitalize()
    when = date.fromordinal(day)
    return f"{when:%a} {when.day}"


def abbreviations(titles: list[str]) -> dict[str, str]:
    """The shortest beginning of each title that no other one has."""
    found: dict[str, str] = {}
    for title in titles:
        others = [other for other in titles if other != title]
        found[title] = next(
            (title[:size] for size in range(1, len(title)) if not any(o.startswith(title[:size]) for o in others)),
            title,
        )
    return found
