"""A descent as one SVG picture: configurations at a few moments, and the energy under them.

It needs no fonts of its own and no network. What a configuration looks like is the task's to say (`Shows.svg`); without that the
picture is the energy alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from xml.sax.saxutils import escape

from groundstate._descent import Descent, follow
from groundstate._errors import RequestError
from groundstate._header import Header
from groundstate._problem import Segment
from groundstate._solution import Score, Solution
from groundstate._task import Reading
from groundstate._words import plural

MOMENTS = 4
"""Configurations that are drawn, beside the request."""

RISES = (
    "The bold line is the lowest energy so far. The energy itself may rise on the way: momentum, noise and growing multipliers "
    "carry a chain out of minima that are not answers."
)

_WIDTH, _MARGIN, _GAP, _PLOT = 900.0, 32.0, 22.0, 150.0
_LINE = 108
"""Characters of the note in a line."""

_STYLE = """
.gs-card{fill:#0f1524}
.gs-t{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px;fill:#c7d0e0}
.gs-h{font-size:17px;font-weight:700;fill:#fff}
.gs-q{fill:#8b96ab}
.gs-c{text-anchor:middle}
.gs-e{text-anchor:end}
.gs-axis{stroke:#2c3650;fill:none}
.gs-mark{stroke:#77829a;stroke-dasharray:2 4;fill:none}
.gs-energy{stroke:#77829a;stroke-width:1.2;stroke-linejoin:round;fill:none}
.gs-lowest{stroke:url(#gs-fall);stroke-width:2.6;stroke-linejoin:round;fill:none}
.gs-area{fill:url(#gs-under)}
.gs-dot{fill:#0f1524;stroke:#fff;stroke-width:2}
""".strip()

_DEFINITIONS = (
    '<linearGradient id="gs-fall"><stop offset="0" stop-color="#ffc65c"/><stop offset="1" stop-color="#58e0a4"/></linearGradient>'
    '<linearGradient id="gs-under" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#ffc65c" stop-opacity=".22"/>'
    '<stop offset="1" stop-color="#58e0a4" stop-opacity=".03"/></linearGradient>'
)

_SIZE = re.compile(r'<svg\b[^>]*?\bviewBox="\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)[\s,]+([\d.]+)\s*"', re.DOTALL)
_LENGTHS = re.compile(r'\s(?:x|y|width|height|role|xmlns)="[^"]*"')


class Solves(Protocol):
    """What a picture needs of a `Solver`."""

    header: Header

    def read(self, request: Mapping[str, Any]) -> Reading: ...

    def score(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Score: ...

    def svg(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> str | None: ...


def descent_of(solver: Solves, solution: Solution, segments: Sequence[Segment]) -> Descent | None:
    """The way of the best chain to a solution; None where nothing descended.

    Args:
        segments: What ``watch`` was called with.
    """
    reading = solver.read(solution.request)

    def failed(answer: dict[str, Any]) -> int | None:
        violations = reading.check(answer)
        if violations is None and solver.header.checks:
            try:
                score = solver.score(solution.request, answer)
            except RequestError:  # a configuration on the way need not be an answer that a caller could send
                return None
            violations = None if score.valid is None else list(score.violations)
        return None if violations is None else sum(one.count for one in violations)

    return follow(solver.header, segments, solution, reading.decode, failed)


def picture(solver: Solves, solution: Solution, segments: Sequence[Segment]) -> str | None:
    """The descent to a solution as the text of an SVG file; None where nothing descended."""
    descent = descent_of(solver, solution, segments)
    if descent is None:
        return None
    return descent_svg(descent, solver.header.title, lambda answer: solver.svg(solution.request, answer))


def descent_svg(descent: Descent, title: str, drawing: Callable[[Any], str | None]) -> str:
    """The text of an SVG file.

    Args:
        descent: What happened.
        title: What is being solved.
        drawing: An answer, or the request where it is None, as an SVG with a ``viewBox``; None where there is none.
    """
    moments = descent.telling(MOMENTS)
    pictures = _pictures(descent, moments, drawing)
    each = (_WIDTH - 2 * _MARGIN - _GAP * (len(pictures) - 1)) / max(1, len(pictures))
    tall = max((each * high / wide for _, _, _, wide, high in pictures), default=0.0)
    top = 84.0
    plot = top + (tall + 74 if pictures else 20)
    note = _lines(RISES) if descent.rises else []
    height = plot + _PLOT + 40 + 17 * len(note)
    facts = _facts(descent)
    parts = [_text("gs-h", _MARGIN, 38, title), _text("gs-q", _MARGIN, 59, facts)]
    for place, (head, detail, picture, wide, high) in enumerate(pictures):
        left = _MARGIN + place * (each + _GAP)
        parts.append(_nested(picture, left, top, each, each * high / wide))
        parts.append(_text("gs-c", left + each / 2, top + tall + 20, head))
        parts.append(_text("gs-c gs-q", left + each / 2, top + tall + 37, detail))
    parts += _curve(descent, moments, plot)
    parts += [_text("gs-q", _MARGIN, plot + _PLOT + 44 + 17 * line, text) for line, text in enumerate(note)]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {height:g}" width="{_WIDTH:g}" '
        f'height="{height:g}" role="img">'
    )
    return "\n".join(
        [
            opening,
            f"<title>{escape(title)}: a descent of the energy, {escape(facts)}</title>",
            f"<style>{_STYLE}</style>",
            f"<defs>{_DEFINITIONS}</defs>",
            f'<rect class="gs-card" width="{_WIDTH:g}" height="{height:g}" rx="12"/>',
            *parts,
            "</svg>\n",
        ]
    )


def number(value: float) -> str:
    """An energy in four digits."""
    return f"{value:.4g}".replace("-", "−")


def _facts(descent: Descent) -> str:
    solution = descent.solution
    facts = f"{solution.status} in {plural(solution.steps, 'step')}, {plural(solution.chains, 'chain')}"
    if not descent.began:
        return facts
    last = descent.steps[-1]
    which = "the" if last == solution.steps else f"the last {plural(last, 'step')} of the"
    return f"{facts}; shown: {which} best chain"


def _pictures(
    descent: Descent, moments: list[int], drawing: Callable[[Any], str | None]
) -> list[tuple[str, str, str, float, float]]:
    """Heading, detail, picture, width and height of every configuration; none where one of them cannot be drawn."""
    shown: list[tuple[str, str, object]] = [("the request", "", None)]
    for at in moments:
        if descent.answers[at] is not None:
            detail = f"energy {number(descent.energies[at])}{_failed(descent.failed[at])}"
            shown.append((f"step {descent.steps[at]}", detail, descent.answers[at]))
    found = []
    for head, detail, answer in shown:
        picture = drawing(answer)
        size = _SIZE.search(picture) if picture else None
        if picture is None or size is None:
            return []
        found.append((head, detail, picture, float(size[1]), float(size[2])))
    return found


def _failed(count: int | None) -> str:
    return "" if count is None else " · valid" if count == 0 else f" · {plural(count, 'violation')}"


def _nested(picture: str, x: float, y: float, width: float, height: float) -> str:
    """A whole SVG file as an element of another one."""
    start = picture.index("<svg")
    end = picture.index(">", start)
    head = _LENGTHS.sub("", picture[start:end])
    return f'{head} x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"{picture[end:].rstrip()}'


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="gs-t {kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _lines(text: str) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= _LINE:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _curve(descent: Descent, moments: list[int], top: float) -> Iterator[str]:
    energies, lowest, steps = descent.energies, descent.lowest, descent.steps
    low, high = min(energies), max(energies)
    left, right, bottom = _MARGIN + 60.0, _WIDTH - _MARGIN - 8.0, top + _PLOT

    def at(moment: int, values: tuple[float, ...] = energies) -> tuple[float, float]:
        fraction = (values[moment] - low) / ((high - low) or 1.0)
        return left + (right - left) * steps[moment] / (steps[-1] or 1), bottom - 10 - (_PLOT - 22) * fraction

    def path(values: tuple[float, ...]) -> str:
        return "L".join(f"{x:.1f} {y:.1f}" for x, y in (at(moment, values) for moment in range(len(values))))

    yield f'<path class="gs-axis" d="M{left:g} {top:g}V{bottom:g}H{right:g}"/>'
    yield f'<path class="gs-area" d="M{path(lowest)}V{bottom:g}H{left:g}Z"/>'
    for moment in moments:
        x, y = at(moment)
        yield f'<path class="gs-mark" d="M{x:.1f} {y:.1f}V{bottom:g}"/>'
    yield f'<path class="gs-energy" d="M{path(energies)}"/>'
    yield f'<path class="gs-lowest" d="M{path(lowest)}"/>'
    taken = -100.0
    for moment in moments:
        x, y = at(moment)
        yield f'<circle class="gs-dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        if x - taken > 52:
            anchor, x = ("gs-e", right + 8) if x > right - 20 else ("gs-c", x)
            yield _text(anchor, round(x, 1), bottom + 18, f"step {steps[moment]}")
            taken = x
    yield _text("gs-e gs-q", left - 8, round(at(energies.index(high))[1] + 4, 1), number(high))
    yield _text("gs-e gs-q", left - 8, round(at(energies.index(low))[1] + 4, 1), number(low))
    yield _text("gs-q", _MARGIN, top - 6, "energy")
