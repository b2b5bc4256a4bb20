"""Drawings as cells with roles, so that terminal and picture use the same colours."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import click


class Kind(enum.Enum):
    """The role of a character in a drawing."""

    FRAME = "frame"
    GIVEN = "given"
    MOVING = "moving"
    CHANGED = "changed"
    SETTLED = "settled"


Cells = list[list[tuple[str, Kind]]]

_ANSI: dict[Kind, dict[str, object]] = {
    Kind.FRAME: {"dim": True},
    Kind.GIVEN: {"bold": True},
    Kind.MOVING: {"dim": True},
    Kind.CHANGED: {"fg": "yellow", "bold": True},
    Kind.SETTLED: {"fg": "green"},
}

_CORNERS = {
    "1010": "┘", "1001": "└", "0110": "┐", "0101": "┌", "1110": "┤", "1101": "├", "1011": "┴", "0111": "┬", "1111": "┼",
    "1100": "│", "0011": "─",
}  # fmt: skip
"""Box characters by the directions of their lines: up, down, left, right."""


def comparable(drawings: Sequence[str]) -> bool:
    """Whether all drawings have the same layout."""
    shapes = {tuple(map(len, drawing.splitlines())) for drawing in drawings}
    return len(shapes) == 1


def classify(given: str, drawings: Sequence[str]) -> list[Cells]:
    """Give every character in a series of drawings its role.

    Args:
        given: The drawing of the request, of the same layout.
        drawings: The drawings of its answers, in order of time.
    """
    series = [drawing.splitlines() for drawing in drawings]
    if not comparable([given, *drawings]):
        return [[[(c, Kind.SETTLED) for c in line] for line in lines] for lines in series]
    boards: list[Cells] = []
    base = given.splitlines()
    last_change = [
        [
            max((t for t in range(1, len(series)) if series[t][r][c] != series[t - 1][r][c]), default=0)
            for c in range(len(line))
        ]
        for r, line in enumerate(base)
    ]
    for t, lines in enumerate(series):
        board: Cells = []
        for r, line in enumerate(lines):
            row: list[tuple[str, Kind]] = []
            for c, character in enumerate(line):
                if character == base[r][c]:
                    kind = Kind.GIVEN if character.isalnum() else Kind.FRAME
                elif t and series[t - 1][r][c] != character:
                    kind = Kind.CHANGED
                else:
                    kind = Kind.MOVING if last_change[r][c] > t else Kind.SETTLED
                row.append((character, kind))
            board.append(row)
        boards.append(board)
    return boards


def ruled(cells: Cells) -> Cells:
    """The drawing with ``+``, ``-`` and ``|`` of a frame replaced by box-drawing characters."""

    def at(r: int, c: int) -> str:
        inside = 0 <= r < len(cells) and 0 <= c < len(cells[r])
        return cells[r][c][0] if inside and cells[r][c][1] is Kind.FRAME else " "

    def line(r: int, c: int) -> str:
        up, down, left, right = at(r - 1, c) in "|+", at(r + 1, c) in "|+", at(r, c - 1) in "-+", at(r, c + 1) in "-+"
        match at(r, c):
            case "+":
                return _CORNERS.get("".join(str(int(side)) for side in (up, down, left, right)), "+")
            case "-" if left and right:
                return "─"
            case "|" if up or down:
                return "│"
        return cells[r][c][0]

    return [[(line(r, c), kind) for c, (_, kind) in enumerate(row)] for r, row in enumerate(cells)]


def runs(row: list[tuple[str, Kind]]) -> list[tuple[str, Kind]]:
    """Runs of neighbours with the same role; spaces belong to the character before them."""
    merged: list[tuple[str, Kind]] = []
    for character, kind in row:
        if merged and (merged[-1][1] is kind or character == " "):
            merged[-1] = (merged[-1][0] + character, merged[-1][1])
        else:
            merged.append((character, kind))
    return merged


def ansi(cells: Cells) -> list[str]:
    """Lines for a terminal; `click.echo` removes the colours if there is no terminal."""
    return ["".join(click.style(text, **_ANSI[kind]) for text, kind in runs(row)) for row in cells]  # type: ignore[arg-type]
