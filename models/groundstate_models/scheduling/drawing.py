"""Draw a schedule for a terminal: days side by side, hours downwards, activities as boxes with their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from groundstate_models.scheduling.durations import printed_duration
from groundstate_models.scheduling.preferences import spans_text
from groundstate_models.scheduling.rota import rota
from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.times import printed_clock
from groundstate_models.scheduling.week import Block, Column, lanes, week

LEAST_WIDTH = 12
MOST_WIDTH = 26
MOST_ROWS = 48

_JOINED = {("└", "┌"): "├", ("┘", "┐"): "┤"}
"""The character where one box ends and the next begins."""


def draw(schedule: Schedule, answer: Mapping[str, Any] | None) -> str:
    """Lines of text, with absent activities below. Without an answer, fixed activities are drawn and the others listed."""
    if answer is None:
        fixed = any(activity.at is not None for activity in schedule.activities.values())
        drawn = [_drawn(schedule, None), ""] if fixed else []
        return "\n".join([*drawn, *_asked(schedule)])
    if len(schedule.days.numbers) > 1 and any(activity.choices for activity in schedule.activities.values()):
        return rota(schedule, answer)
    return _drawn(schedule, answer)


def _asked(schedule: Schedule) -> Iterator[str]:
    """The open activities of a request, and the unavailable times of its people and rooms."""
    days = schedule.days
    for activity in schedule.activities.values():
        if activity.at is None:
            parts = [
                activity.name,
                printed_duration(activity.duration),
                ", ".join(activity.who),
                " or ".join(activity.rooms),
            ]
            parts += [spans_text(activity.window, days)] if activity.windowed and activity.window else []
            yield ", ".join(part for part in (*parts, "optional" if activity.optional else "") if part)
    for one in (*schedule.people.values(), *schedule.rooms.values()):
        if one.busy:
            yield f"{one.name} is busy: {spans_text(one.busy, days)}"
        if one.open != days.spans:
            yield f"{one.name} is free: {spans_text(one.open, days) or 'never'}"


def _drawn(schedule: Schedule, answer: Mapping[str, Any] | None) -> str:
    shown = week(schedule, answer)
    step = next(step for step in (15, 30, 60) if (shown.end - shown.begin) // step <= MOST_ROWS or step == 60)
    minutes = range(shown.begin, shown.end + 1, step)
    days = [_day(column, shown.begin, step, len(minutes)) for column in shown.columns]
    hours = ["", *(printed_clock(minute) if minute % 60 == 0 else "" for minute in minutes)]
    lines = [f"{hour:>5}  {'  '.join(row)}".rstrip() for hour, *row in zip(hours, *days, strict=True)]
    if answer is not None and answer.get("left_out"):
        lines.append(f"left out: {', '.join(answer['left_out'])}")
    return "\n".join(lines)


def _day(column: Column, begin: int, step: int, rows: int) -> list[str]:
    """The lines of a day, with equal width: its title, and one line for every step."""
    inside = [block.lines(_height(block, begin, step) - 1) for block in column.blocks]
    longest = max((len(text) for lines in inside for text in lines), default=0)
    beside = lanes(column.blocks, step)
    many = max(beside, default=0) + 1
    width = max(min(MOST_WIDTH, max(LEAST_WIDTH, longest + 2)), -(-len(column.title) // many))
    across = width * many
    canvas = [[" "] * across for _ in range(rows)]
    for block, lane in zip(column.blocks, beside, strict=True):
        top = (block.start - begin) // step
        bottom = top + _height(block, begin, step)
        _box(canvas, top, bottom, lane * width, width, block)
    return [f"{column.title:{across}}", *("".join(cells) for cells in canvas)]


def _height(block: Block, begin: int, step: int) -> int:
    """From the line of a block's start to that of its end."""
    return max(-(-(block.end - begin) // step) - (block.start - begin) // step, 1)


def _box(canvas: list[list[str]], top: int, bottom: int, at: int, width: int, block: Block) -> None:
    """A box from one line to another, both included, with as much of its label as fits."""
    inner = width - 2
    label = [text if len(text) <= inner else f"{text[: inner - 1]}…" for text in block.lines(max(bottom - top - 1, 1))]
    for row in range(top + 1, bottom):
        text = label[row - top - 1] if row - top <= len(label) else ""
        canvas[row][at : at + width] = f"│{text:{inner}}│"
    # A box of one line has its name in its upper side.
    upper = f"{label[0]:─<{inner}}" if bottom - top == 1 else "─" * inner
    for row, side in ((top, f"┌{upper}┐"), (bottom, f"└{'─' * inner}┘")):
        before = canvas[row][at : at + width]
        canvas[row][at : at + width] = [_JOINED.get((old, new), new) for old, new in zip(before, side, strict=True)]
