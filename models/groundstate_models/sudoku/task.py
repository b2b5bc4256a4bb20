"""The Sudoku task: cells as characters, proofs of contradiction, an exact check that does not trust the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from groundstate import Fault, Header, RequestError, Task, TaskError, Violation
from groundstate_models.sudoku.board import BOARDS, EMPTY, SYMBOLS, Board

_IGNORED = "|+-, \t\r\n"
_KINDS = (("row", "rows"), ("column", "columns"), ("box", "boxes"))


class SudokuTask(Task):
    """Sudoku on the board that the artefact takes: ``{"grid": n lists of n digits}``, 0 for empty, is request and answer.

    Raises:
        TaskError: If the artefact takes no board, or one of an unsupported size.
    """

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self._board = _board_of(header)

    def contradictions(self, request: Mapping[str, Any]) -> list[Violation]:
        return self._repeats(_flat(request))

    def check(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Violation]:
        given, filled = _flat(request), _flat(answer)
        broken = []
        for cell, (wanted, digit) in enumerate(zip(given, filled, strict=True)):
            place = self._place(cell)
            if wanted and wanted != digit:
                broken.append(
                    Violation("givens", 1, f"{place} is {_said(digit)}, but {_said(wanted)} is given there.", (place,))
                )
        for cell, digit in enumerate(filled):
            if not 1 <= digit <= self._board.size:
                place = self._place(cell)
                broken.append(Violation("cells", 1, f"{place} holds no digit.", (place,)))
        return broken + self._repeats(filled)

    def explain(self, request: Mapping[str, Any]) -> Fault | None:
        grid = request.get("grid")
        tolist = getattr(grid, "tolist", None)
        rows = tolist() if callable(tolist) else grid
        if not isinstance(rows, list | tuple) or len(rows) in (0, self._board.size):
            return None
        if any(not isinstance(row, list | tuple) or len(row) != len(rows) for row in rows):
            return None
        if any(isinstance(cell, list | tuple) for row in rows for cell in row):
            return None
        return Fault("grid", self._misfit("board", len(rows) ** 2))

    def parse(self, text: str) -> dict[str, Any]:
        """A request from its cells, row by row: 1 to 9, then A to G; ``.``, 0, ``_`` or ``*`` for an empty one.

        Blanks, line breaks, commas and the lines of a drawn board are skipped.
        """
        cells = [character for character in text if character not in _IGNORED]
        n = self._board.size
        if len(cells) != n * n and {*SYMBOLS, *EMPTY}.issuperset(map(str.upper, cells)):
            raise RequestError([Fault("", self._misfit("puzzle", len(cells)))])
        if faults := self._foreign(cells):
            raise RequestError(faults)
        digits = [SYMBOLS.find(character.upper()) + 1 for character in cells]
        return {"grid": [digits[row : row + n] for row in range(0, n * n, n)]}

    def notation(self, answer: Mapping[str, Any]) -> str:
        return "".join(("0" + SYMBOLS)[digit] for digit in _flat(answer))

    def draw(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None) -> str:
        grid = (request if answer is None else answer)["grid"]
        n, high, wide = self._board.size, self._board.height, self._board.width
        rule = "+".join(["", *["-" * (2 * wide + 1)] * (n // wide), ""])
        lines = [rule]
        for r in range(n):
            row = [("." + SYMBOLS)[digit] for digit in grid[r]]
            lines.append("| " + " | ".join(" ".join(row[c : c + wide]) for c in range(0, n, wide)) + " |")
            if r % high == high - 1:
                lines.append(rule)
        return "\n".join(lines)

    def _repeats(self, digits: Sequence[int]) -> list[Violation]:
        """Digits that stand twice in a row, column or box. Empty cells (0) break nothing."""
        broken = []
        for index, cells in enumerate(self._board.units):
            present = [digits[cell] for cell in cells if digits[cell]]
            if len(set(present)) == len(present):
                continue
            kind, (one, many) = index % self._board.size, _KINDS[index // self._board.size]
            for digit in sorted({digit for digit in present if present.count(digit) > 1}):
                places = tuple(self._place(cell) for cell in cells if digits[cell] == digit)
                said = f"Digit {_said(digit)} stands {len(places)} times in {one} {kind + 1}: {' and '.join(places)}."
                broken.append(Violation(many, len(places) - 1, said, places))
        return broken

    def _foreign(self, cells: Sequence[str]) -> list[Fault]:
        allowed = {*self._board.symbols, *EMPTY}
        faults = [
            Fault(
                f"character {i + 1}",
                f"{character!r} is not allowed in a puzzle; use {self._board.spelt}, and . or 0 for an empty cell.",
            )
            for i, character in enumerate(cells)
            if character.upper() not in allowed
        ]
        others = sorted({*cells} & {*EMPTY} - {"0"})
        if self._board.size > 9 and "0" in cells and others:
            # Who counts digits from 0 to F writes a given there, which must not be taken for an empty cell.
            said = f"0 and {others[0]} cannot both stand for empty cells; digits are {self._board.spelt}, and never 0 to F."
            faults.append(Fault(f"character {cells.index('0') + 1}", said))
        return faults

    def _misfit(self, noun: str, count: int) -> str:
        """What to do with so many cells, which are not as many as the board has."""
        mine, side = self._board, math.isqrt(count)
        came = f"The {noun} has {count} cells; "
        takes = f"{self.header.name!r} takes a {mine.size}×{mine.size} board of {mine.size**2}"
        if side in BOARDS and side * side == count:
            return f"{came}{takes}, and the installed model {BOARDS[side].name!r} takes one of {count}."
        if side and side * side == count:
            return f"{came}{takes}, and boards of {side}×{side} are not supported."
        return f"{came}a {mine.size}×{mine.size} Sudoku has {mine.size**2}, row by row, with . or 0 for empty."

    def _place(self, cell: int) -> str:
        row, column = divmod(cell, self._board.size)
        return f"grid[{row}][{column}]"


def _board_of(header: Header) -> Board:
    shape = header.inputs["grid"].shape if "grid" in header.inputs else ()
    if len(shape) != 2 or shape[0] != shape[1]:
        raise TaskError(
            f"The artefact {header.name!r} has no square input 'grid', which the task {header.task!r} needs."
        )
    try:
        return Board.of(shape[0])
    except ValueError as error:
        raise TaskError(f"The artefact {header.name!r} cannot be used: {error}") from None


def _flat(request: Mapping[str, Any]) -> list[int]:
    return [digit for row in request["grid"] for digit in row]


def _said(digit: int) -> str:
    """A digit as it stands in requests, and as it is drawn where that differs."""
    return f"{digit} ({SYMBOLS[digit - 1]})" if 9 < digit <= len(SYMBOLS) else str(digit)
