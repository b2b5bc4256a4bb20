"""Draw a schedule as an SVG card, readable on light and dark pages, without fonts or network access."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.times import printed_clock
from groundstate_models.scheduling.week import Block, Column, lanes, week

COLOURS = ("#58e0a4", "#ffc65c", "#7db7ff", "#ff8fa3", "#c79bff", "#5ed7e6", "#f2a65a", "#a8d86e")
_MARGIN, _HOURS, _TOP = 28, 52, 92
_LANE, _GAP = 148, 10
_HOUR = 64
_LINE = 15
_LETTER = 7.4
_LEAST_WIDTH = 460

_STYLE = """
.card{fill:#0f1524}
text{font-family:ui-sans-serif,system-ui,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;font-size:12px;fill:#c7d0e0}
.h{font-size:17px;font-weight:700;fill:#fff}
.d{font-size:13px;font-weight:600;fill:#c7d0e0}
.q{fill:#8b96ab}
.t{fill:#aab4c8}
.n{font-weight:600;fill:#fff}
.e{text-anchor:end}
.day{fill:#151d30}
.rule{stroke:#2c3650;stroke-width:1}
""".strip()


def picture(schedule: Schedule, answer: Mapping[str, Any] | None, title: str = "Schedule") -> str:
    """The text of an SVG file. Without an answer, the fixed activities are drawn.

    Args:
        schedule: The schedule that the answer is for.
        answer: See `schema.ANSWER`.
        title: The title.
    """
    shown = week(schedule, answer)
    widths = [_LANE * (max(lanes(column.blocks, _LINE), default=0) + 1) for column in shown.columns]
    tall = (shown.end - shown.begin) / 60 * _HOUR
    left_out = list(answer.get("left_out", ())) if answer is not None else []
    width = max(_LEAST_WIDTH, 2 * _MARGIN + _HOURS + sum(widths) + _GAP * (len(widths) - 1))
    height = _TOP + tall + _MARGIN + (26 if left_out else 0)
    summary = _summary(schedule, shown.columns, answer)
    body: list[str] = []
    for hour in range(shown.begin, shown.end + 1, 60):
        y = _TOP + (hour - shown.begin) / 60 * _HOUR
        body.append(f'<path class="rule" d="M{_MARGIN + _HOURS} {y:g}H{width - _MARGIN:g}"/>')
        body.append(f'<text class="e q" x="{_MARGIN + _HOURS - 10}" y="{y + 4:g}">{printed_clock(hour)}</text>')
    x = float(_MARGIN + _HOURS)
    days: list[str] = []
    for column, across in zip(shown.columns, widths, strict=True):
        days.append(f'<rect class="day" x="{x:g}" y="{_TOP}" width="{across}" height="{tall:g}" rx="6"/>')
        body.append(f'<text class="d" x="{x + 4:g}" y="{_TOP - 12}">{escape(column.title)}</text>')
        body += _blocks(column, x, shown.begin)
        x += across + _GAP
    if left_out:
        body.append(f'<text class="q" x="{_MARGIN}" y="{height - 20:g}">left out: {escape(", ".join(left_out))}</text>')
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}: {escape(summary)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="card" width="{width:g}" height="{height:g}" rx="12"/>',
            f'<text class="h" x="{_MARGIN}" y="38">{escape(title)}</text>',
            f'<text class="q" x="{_MARGIN}" y="58">{escape(summary)}</text>',
            *days,
            *body,
            "</svg>\n",
        ]
    )


def _summary(schedule: Schedule, columns: tuple[Column, ...], answer: Mapping[str, Any] | None) -> str:
    days = f"{len(columns)} day{'s' if len(columns) != 1 else ''}"
    if answer is None:
        return f"{days}, what is fixed"
    return f"{days}, {len(answer['activities'])} of {len(schedule.activities)} activities"


def _blocks(column: Column, left: float, begin: int) -> Iterator[str]:
    for block, lane in zip(column.blocks, lanes(column.blocks, _LINE), strict=True):
        x, y = left + lane * _LANE + 3, _TOP + (block.start - begin) / 60 * _HOUR + 1
        tall = max(_LINE, (block.end - block.start) / 60 * _HOUR - 2)
        colour = COLOURS[block.index % len(COLOURS)]
        wide = _LANE - 6
        yield f"<g><title>{escape(' · '.join(block.label))}</title>"
        yield f'<rect x="{x:g}" y="{y:g}" width="{wide}" height="{tall:g}" rx="4" fill="{colour}" fill-opacity=".2"/>'
        yield f'<rect x="{x:g}" y="{y:g}" width="4" height="{tall:g}" rx="2" fill="{colour}"/>'
        yield from _label(block, x + 11, y, tall, wide - 16)
        yield "</g>"


def _label(block: Block, x: float, y: float, tall: float, wide: float) -> Iterator[str]:
    room, most = int((tall - 2) // _LINE) or 1, int(wide / _LETTER)
    # In the middle of a box with one line, near the top of others.
    first = y + (tall / 2 + 4 if room == 1 else _LINE)
    for line, text in enumerate(block.lines(room)):
        shown = text if len(text) <= most else f"{text[: most - 1]}…"
        yield f'<text class="{"t" if line else "n"}" x="{x:g}" y="{first + line * _LINE:g}">{escape(shown)}</text>'
