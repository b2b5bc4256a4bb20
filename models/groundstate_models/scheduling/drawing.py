"""A schedule drawn for a terminal: days side by side, hours downwards, activities as boxes with their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.times import printed_clock
from groundstate_models.scheduling.week import Block, Column, lanes, week

LEAST_WIDTH = 12
MOST_WIDTH = 26
MOST_ROWS = 48

_JOINED = {("└", "┌"): "├", ("┘", "┐"): "┤"}
"""What stands where one box ends and the next begins."""


def draw(schedule: Schedule, answer: Mapping[str, Any] | None) -> str:
    """Lines of text; what is left out stands below. Without an answer, what the request fixes is drawn."""
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
    """The lines of a day, all as wide: its title, and one for every step."""
    longest = max((len(text) for block in column.blocks for text in block.label), default=0)
    width = min(MOST_WIDTH, max(LEAST_WIDTH, longest + 2))
    beside = lanes(column.blocks, step)
    across = width * (max(beside, default=0) + 1)
    canvas = [[" "] * across for _ in range(rows)]
    for block, lane in zip(column.blocks, beside, strict=True):
        top = (block.start - begin) // step
        bottom = max(-(-(block.end - begin) // step), top + 1)
        _box(canvas, top, bottom, lane * width, width, block)
    return [f"{column.title[:across]:{across}}", *("".join(cells) for cells in canvas)]


def _box(canvas: list[list[str]], top: int, bottom: int, at: int, width: int, block: Block) -> None:
    """A box from one line to another, both included, with as much of its label as there is room for."""
    inner = width - 2
    label = [text if len(text) <= inner else f"{text[: inner - 1]}…" for text in block.label]
    for row in range(top + 1, bottom):
        text = label[row - top - 1] if row - top <= len(label) else ""
        canvas[row][at : at + width] = f"│{text:{inner}}│"
    # One line high, it has its name in its upper side.
    upper = f"{label[0]:─<{inner}}" if bottom - top == 1 else "─" * inner
    for row, side in ((top, f"┌{upper}┐"), (bottom, f"└{'─' * inner}┘")):
        before = canvas[row][at : at + width]
        canvas[row][at : at + width] = [_JOINED.get((old, new), new) for old, new in zip(before, side, strict=True)]
