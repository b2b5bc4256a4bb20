"""Edge-matching puzzles with symbols: their rules are exact, so the model ``constraints`` solves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BORDER = "-"
"""The symbol for sides on the frame only."""


def constraints_request(
    pieces: Sequence[Sequence[str]], *, rows: int, columns: int, turned: bool = True, border: str | None = BORDER
) -> dict[str, Any]:
    """A request for the model ``constraints``: every piece in one place, equal symbols across every seam.

    Args:
        pieces: The symbols of each piece's top, right, bottom and left side.
        rows: Rows of the finished puzzle.
        columns: Columns of the finished puzzle.
        turned: Whether pieces may be turned.
        border: The symbol of the frame; None if the frame may have any symbol.

    Raises:
        ValueError: If the numbers of pieces and places differ, or a piece does not have four sides.
    """
    if len(pieces) != rows * columns:
        raise ValueError(f"There are {len(pieces)} pieces for {rows * columns} places; there must be as many.")
    for number, piece in enumerate(pieces):
        if len(piece) != 4:
            raise ValueError(f"Piece {number} has {len(piece)} sides; it must have 4, clockwise from the top.")
    ways = {
        f"{number} turned {90 * turn}": [piece[(side - turn) % 4] for side in range(4)]
        for number, piece in enumerate(pieces)
        for turn in range(4 if turned else 1)
    }
    variables: dict[str, list[str]] = {}
    constraints: list[dict[str, Any]] = []
    symbols = sorted({symbol for piece in pieces for symbol in piece} - {border})
    for row in range(rows):
        for column in range(columns):
            seams = _seams(row, column, rows, columns)
            fits = [way for way, sides in ways.items() if _fits(sides, seams, border)]
            variables[_cell(row, column)] = fits
            for side, seam in enumerate(seams):
                if seam is None:
                    continue
                variables.setdefault(seam, symbols)
                constraints += [
                    {
                        "type": "implies",
                        "if": [{"variable": _cell(row, column), "value": way}],
                        "then": [{"variable": seam, "value": ways[way][side]}],
                    }
                    for way in fits
                ]
    for number in range(len(pieces)):
        here = [
            {"variable": name, "value": way}
            for name, values in variables.items()
            for way in values
            if way.partition(" turned ")[0] == str(number) and way in ways
        ]
        constraints.append({"type": "count", "of": here, "exactly": 1})
    return {"variables": variables, "constraints": constraints}


def grid_of(answer: Mapping[str, Any], *, rows: int, columns: int) -> list[list[tuple[int, int]]]:
    """The number of the piece and its clockwise turn in degrees in each place, from the answer of ``constraints``."""
    grid = []
    for row in range(rows):
        ways = [answer["values"][_cell(row, column)].split(" turned ") for column in range(columns)]
        grid.append([(int(number), int(turn)) for number, turn in ways])
    return grid


def _cell(row: int, column: int) -> str:
    return f"row {row + 1}, column {column + 1}"


def _seams(row: int, column: int, rows: int, columns: int) -> list[str | None]:
    """The names of the seams at the top, right, bottom and left of a place; None at the frame."""
    return [
        f"below row {row}, column {column + 1}" if row else None,
        f"right of row {row + 1}, column {column + 1}" if column < columns - 1 else None,
        f"below row {row + 1}, column {column + 1}" if row < rows - 1 else None,
        f"right of row {row + 1}, column {column}" if column else None,
    ]


def _fits(sides: Sequence[str], seams: Sequence[str | None], border: str | None) -> bool:
    if border is None:
        return True
    return all((symbol == border) == (seam is None) for symbol, seam in zip(sides, seams, strict=True))
