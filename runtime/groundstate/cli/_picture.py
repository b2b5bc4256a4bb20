"""`groundstate solve --picture`: a descent as one SVG that needs no fonts of its own and no network.

Drawn directly, not exported from a terminal: every character has its own place, so the boards stand straight in any monospaced
font, and the curve is a curve.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from groundstate._words import plural
from groundstate.cli import _board
from groundstate.cli._board import Cells, Kind
from groundstate.cli._descent import Descent, rules
from groundstate.cli.console import duration, number

_COLUMN, _ROW = 7.4, 15.0
_MARGIN, _GAP = 32, 26
_PLOT = 150
_LEAST_WIDTH = 640
_BOARDS = 4
_HORIZONTAL, _VERTICAL = frozenset("─┌┐└┘├┤┬┴┼"), frozenset("│┌┐└┘├┤┬┴┼")

_STYLE = """
.card{fill:#0f1524}
text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:12px;fill:#c7d0e0}
.h{font-size:17px;font-weight:700;fill:#fff}
.q{fill:#8b96ab}
.c{text-anchor:middle}
.e{text-anchor:end}
.b text{font-size:13px}
.given{fill:#fff;font-weight:700}
.settled{fill:#58e0a4}
.moving{fill:#77829a}
.changed{fill:#ffc65c;font-weight:700}
.frame{fill:#55607a}
.rule{stroke:#3d4962;fill:none}
.axis{stroke:#2c3650;fill:none}
.mark{stroke:#77829a;stroke-dasharray:2 4;fill:none}
.line{stroke:url(#fall);stroke-width:2.5;stroke-linejoin:round;fill:none}
.area{fill:url(#under)}
.dot{fill:#0f1524;stroke:#fff;stroke-width:2}
""".strip()

_DEFINITIONS = (
    '<linearGradient id="fall"><stop offset="0" stop-color="#ffc65c"/><stop offset="1" stop-color="#58e0a4"/></linearGradient>'
    '<linearGradient id="under" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#ffc65c" stop-opacity=".22"/>'
    '<stop offset="1" stop-color="#58e0a4" stop-opacity=".03"/></linearGradient>'
)


def draw(descent: Descent, title: str) -> str:
    """A picture of a descent: the boards of a few moments, and the energy under them.

    Args:
        title: What is being solved.

    Returns:
        The text of an SVG file.
    """
    moments = descent.telling(_BOARDS)
    boards = _boards(descent, moments)
    each = max((max(map(len, cells)) for _, _, cells in boards), default=0) * _COLUMN
    each = max(each, 25 * _COLUMN)
    width = max(_LEAST_WIDTH, 2 * _MARGIN + len(boards) * each + (len(boards) - 1) * _GAP)
    tall = max((len(cells) for _, _, cells in boards), default=0) * _ROW
    top = 84
    plot = top + (tall + 74 if boards else 20)
    height = plot + _PLOT + 50
    told = _told(descent)
    parts = [
        f'<text class="h" x="{_MARGIN}" y="38">{escape(title)}</text>',
        f'<text class="q" x="{_MARGIN}" y="59">{escape(told)}</text>',
        *(_legend(width) if boards else []),
    ]
    for place, (head, detail, cells) in enumerate(boards):
        left = _MARGIN + place * (each + _GAP)
        middle = left + each / 2
        parts.append(f'<g class="b" transform="translate({left:g} {top})">{"".join(_cells(cells))}</g>')
        parts.append(f'<text class="c" x="{middle:g}" y="{top + tall + 20:g}">{escape(head)}</text>')
        parts.append(f'<text class="c q" x="{middle:g}" y="{top + tall + 37:g}">{escape(detail)}</text>')
    parts += _curve(descent, moments, plot, width)
    size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>{escape(title)}: a descent of the energy, {escape(told)}</title>",
            f"<style>{_STYLE}</style>",
            f"<defs>{_DEFINITIONS}</defs>",
            f'<rect class="card" width="{width:g}" height="{height:g}" rx="12"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _told(descent: Descent) -> str:
    solution, last = descent.solution, descent.steps[-1]
    steps, chains = plural(solution.steps, "step"), plural(solution.chains, "chain")
    told = f"{solution.status.value} in {steps}, {chains}, {duration(solution.seconds)}; all cells move at once"
    if not descent.began:
        return told
    which = "the" if last == solution.steps else f"the last {plural(last, 'step')} of the"
    return f"{told}; shown: {which} best chain"


def _boards(descent: Descent, moments: list[int]) -> list[tuple[str, str, Cells]]:
    """Heading, detail and cells of every board to draw."""
    if descent.given is None:
        return []
    given = _board.classify(descent.given, [descent.given])[0]
    boards = [("the request", "what is given", given)]
    for moment in moments:
        head = " · ".join([f"step {descent.steps[moment]}", *rules(descent.broken(moment))])
        boards.append((head, f"energy {number(descent.energies[moment])}", descent.boards[moment]))
    return [(head, detail, _board.ruled(cells)) for head, detail, cells in boards]


def _legend(width: float) -> Iterator[str]:
    x = width - _MARGIN
    for kind, told in (
        (Kind.SETTLED, "settled"),
        (Kind.CHANGED, "just changed"),
        (Kind.MOVING, "still moving"),
        (Kind.GIVEN, "given"),
    ):
        yield f'<text class="e {kind.value}" x="{x:g}" y="38">{told}</text>'
        x -= (len(told) + 2) * 7.3


def _cells(cells: Cells) -> Iterator[str]:
    def x(column: int) -> float:
        return (column + 0.5) * _COLUMN

    strokes = []
    for r, row in enumerate(cells):
        for first, last in _stretches([character in _HORIZONTAL for character, _ in row]):
            strokes.append(f"M{x(first):g} {(r + 0.5) * _ROW:g}H{x(last):g}")
    for c in range(max(map(len, cells))):
        column = [c < len(row) and row[c][0] in _VERTICAL for row in cells]
        for first, last in _stretches(column):
            strokes.append(f"M{x(c):g} {(first + 0.5) * _ROW:g}V{(last + 0.5) * _ROW:g}")
    yield f'<path class="rule" d="{"".join(strokes)}"/>'
    lines = _HORIZONTAL | _VERTICAL | {" "}
    for r, row in enumerate(cells):
        y = (r + 0.5) * _ROW + 4.3
        for c, (character, kind) in enumerate(row):
            if character not in lines:
                yield f'<text class="c {kind.value}" x="{x(c):g}" y="{y:g}">{escape(character)}</text>'


def _stretches(marked: list[bool]) -> Iterator[tuple[int, int]]:
    """First and last place of every stretch of two or more."""
    start = None
    for place, mark in enumerate([*marked, False]):
        if mark and start is None:
            start = place
        elif not mark and start is not None:
            if place - start > 1:
                yield start, place - 1
            start = None


def _curve(descent: Descent, moments: list[int], top: float, width: float) -> Iterator[str]:
    energies, steps = descent.energies, descent.steps
    low, high = min(energies), max(energies)
    left, right, bottom = _MARGIN + 60.0, width - _MARGIN - 8.0, top + _PLOT

    def at(moment: int) -> tuple[float, float]:
        fraction = (energies[moment] - low) / ((high - low) or 1.0)
        return left + (right - left) * steps[moment] / steps[-1], bottom - 10 - (_PLOT - 22) * fraction

    points = "L".join(f"{x:.1f} {y:.1f}" for x, y in map(at, range(len(energies))))
    yield f'<path class="axis" d="M{left:g} {top:g}V{bottom:g}H{right:g}"/>'
    yield f'<path class="area" d="M{points}V{bottom:g}H{left:g}Z"/>'
    for moment in moments:
        x, y = at(moment)
        yield f'<path class="mark" d="M{x:.1f} {y:.1f}V{bottom:g}"/>'
    yield f'<path class="line" d="M{points}"/>'
    taken = -100.0
    for moment in moments:
        x, y = at(moment)
        yield f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        if x - taken > 52:
            anchor, x = ("e", right + 8) if x > right - 20 else ("c", x)
            yield f'<text class="{anchor}" x="{x:.1f}" y="{bottom + 18:g}">step {steps[moment]}</text>'
            taken = x
    yield f'<text class="e q" x="{left - 8:g}" y="{at(energies.index(high))[1] + 4:.1f}">{number(high)}</text>'
    yield f'<text class="e q" x="{left - 8:g}" y="{at(energies.index(low))[1] + 4:.1f}">{number(low)}</text>'
    yield f'<text class="q" x="{_MARGIN}" y="{top - 6:g}">energy</text>'
