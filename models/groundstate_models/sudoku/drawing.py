"""Draw boards as lines of text, or as an SVG picture without fonts or network access."""

from __future__ import annotations

from collections.abc import Sequence

from groundstate_models.sudoku.board import SYMBOLS, Board

Grid = Sequence[Sequence[int]]
"""``n`` rows of ``n`` digits, 0 for an empty cell."""

CELL = 26
_MARGIN = 4

_STYLE = (
    ".sudoku text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:15px;"
    "text-anchor:middle}.sudoku .board{fill:#0f1524}"
    ".sudoku .thin{stroke:#2c3650;fill:none}.sudoku .thick{stroke:#55607a;stroke-width:1.6;fill:none}"
    ".sudoku .given{fill:#fff;font-weight:700}.sudoku .filled{fill:#58e0a4}.sudoku .wrong{fill:#ffc65c;font-weight:700}"
)
"""Every selector begins with the picture's own class, so that the picture can be nested in another one."""


def board_text(board: Board, given: Grid, answer: Grid | None = None) -> str:
    """The givens, or an answer, as lines of text; ``.`` is an empty cell."""
    n, high, wide = board.size, board.height, board.width
    frame = "+".join(["", *["-" * (2 * wide + 1)] * (n // wide), ""])
    lines = [frame]
    for r, digits in enumerate(given if answer is None else answer):
        row = [("." + SYMBOLS)[digit] for digit in digits]
        lines.append("| " + " | ".join(" ".join(row[c : c + wide]) for c in range(0, n, wide)) + " |")
        if r % high == high - 1:
            lines.append(frame)
    return "\n".join(lines)


def board_svg(board: Board, given: Grid, answer: Grid | None = None) -> str:
    """The givens, or an answer, as the text of an SVG file.

    Givens are white. Digits of the answer are green, or amber if they repeat in a row, column or box, or replace a given.
    """
    n, size = board.size, board.size * CELL + 2 * _MARGIN
    filled = given if answer is None else answer
    wrong = conflicts(board, given, filled)
    parts = []
    for kind, steps in (("thin", (1, 1)), ("thick", (board.height, board.width))):
        rows = [f"M{_MARGIN} {_MARGIN + r * CELL}H{size - _MARGIN}" for r in range(0, n + 1, steps[0])]
        columns = [f"M{_MARGIN + c * CELL} {_MARGIN}V{size - _MARGIN}" for c in range(0, n + 1, steps[1])]
        parts.append(f'<path class="{kind}" d="{"".join([*rows, *columns])}"/>')
    for r, digits in enumerate(filled):
        for c, digit in enumerate(digits):
            if not digit:
                continue
            cell = r * n + c
            kind = "wrong" if cell in wrong else "given" if given[r][c] else "filled"
            x, y = _MARGIN + (c + 0.5) * CELL, _MARGIN + (r + 0.5) * CELL + 5
            parts.append(f'<text class="{kind}" x="{x:g}" y="{y:g}">{SYMBOLS[digit - 1]}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="sudoku" viewBox="0 0 {size} {size}" width="{size}" height="{size}" '
        'role="img">'
        f"<title>Sudoku, {n}×{n}</title><style>{_STYLE}</style>"
        f'<rect class="board" width="{size}" height="{size}" rx="6"/>{"".join(parts)}</svg>\n'
    )


def conflicts(board: Board, given: Grid, filled: Grid) -> set[int]:
    """The cells (numbered row by row) whose digit repeats in a row, column or box, or replaces a given."""
    digits = [digit for row in filled for digit in row]
    fixed = [digit for row in given for digit in row]
    found = {cell for cell, digit in enumerate(fixed) if digit and digits[cell] != digit}
    for unit in board.units:
        places: dict[int, list[int]] = {}
        for cell in unit:
            if digits[cell]:
                places.setdefault(digits[cell], []).append(cell)
        found.update(cell for cells in places.values() if len(cells) > 1 for cell in cells)
    return found
