"""The Sudoku task: cells as characters, proofs of contradiction, and an exact check independent of the graph."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import (
    Asks,
    Attempt,
    Change,
    Fault,
    Header,
    Patch,
    Reading,
    RequestError,
    Shows,
    Task,
    TaskError,
    Understands,
    Violation,
    pointer,
)
from groundstate_models.sudoku.board import BOARDS, EMPTY, SYMBOLS, Board
from groundstate_models.sudoku.drawing import board_svg, board_text
from groundstate_models.sudoku.refuting import contradiction, likeliest
from groundstate_models.sudoku.singles import settled_by_singles, singles

NODES = 4
"""States of the board that a proof may look at for each unit of effort: about a millisecond on 9×9."""

FILLED_FROM = 16
"""Size of the boards on which the energy gets the digits that follow by `singles` too: chains rarely fill 150 open cells."""

MOST_NAMED = 8
"""Most contradictory givens that a message lists."""

LOOKED = 1_000
"""Units of effort for the order in which givens are tried without."""

_IGNORED = "|+-, \t\r\n"
_KINDS = (("row", "rows"), ("column", "columns"), ("box", "boxes"))


class SudokuReading(Reading, Asks, Shows):
    """A puzzle. Request and answer are ``{"grid": n lists of n digits}``, 0 for empty.

    Args:
        board: The artefact's board.
    """

    most_options = 8  # any of many givens may be the wrong one

    def __init__(self, header: Header, request: dict[str, Any], board: Board) -> None:
        super().__init__(header, request)
        self._board = board
        self._given = _flat(request)

    @property
    def contradictions(self) -> list[Violation]:
        return self._repeats(self._given) if self._board.repeats(self._given) else []

    def proof(self, effort: int) -> list[Violation]:
        cells = contradiction(self._given, self._board, NODES * effort)
        if cells is None:
            return []
        named = [f"{_digit_text(self._given[cell])} in {self._words(cell)}" for cell in cells]
        text = f"These digits contradict each other: {', '.join(named)}."
        if len(cells) > MOST_NAMED:  # the places name them all
            text = f"{len(cells)} of the {sum(map(bool, self._given))} givens contradict each other."
        return [Violation("givens", text, len(cells), places=tuple(map(self._place, cells)))]

    def encode(self) -> dict[str, NDArray[Any]]:
        n = self._board.size
        given = self._given if n < FILLED_FROM else singles(self._given, self._board, crossing=True) or self._given
        return {"grid": np.array(given, self.header.inputs["grid"].dtype).reshape(n, n)}

    def check(self, answer: dict[str, Any]) -> list[Violation]:
        given, filled, size = self._given, _flat(answer), self._board.size
        if (
            min(filled) >= 1
            and max(filled) <= size
            and filled == [wanted or digit for wanted, digit in zip(given, filled, strict=True)]
            and not self._board.repeats(filled)
        ):
            return []
        broken = []
        for cell, (wanted, digit) in enumerate(zip(given, filled, strict=True)):
            if wanted and wanted != digit:
                place = self._place(cell)
                broken.append(
                    Violation(
                        "givens",
                        f"{place} is {_digit_text(digit)}, but {_digit_text(wanted)} is given there.",
                        places=(place,),
                    )
                )
        for cell, digit in enumerate(filled):
            if not 1 <= digit <= self._board.size:
                place = self._place(cell)
                broken.append(Violation("cells", f"{place} holds no digit.", places=(place,)))
        return broken + self._repeats(filled)

    def unique(self, answer: dict[str, Any]) -> bool:
        del answer
        return settled_by_singles(self._given, self._board)

    def variables(self, answer: dict[str, Any]) -> dict[str, int]:
        """The digit of every open cell."""
        filled = _flat(answer)
        return {self._place(cell): filled[cell] for cell, digit in enumerate(self._given) if not digit}

    def choices(self, variable: str) -> list[int]:
        """The digits that do not occur in the cell's row, column or box."""
        given, cell = self._given, self._cell(variable)
        seen = {given[other] for unit in self._board.units if cell in unit for other in unit}
        return [digit for digit in range(1, self._board.size + 1) if digit not in seen]

    def fix(self, variable: str, value: Any) -> Patch:
        row, column = divmod(self._cell(variable), self._board.size)
        path = pointer("grid", row, column)
        return ({"op": "test", "path": path, "value": 0}, {"op": "replace", "path": path, "value": value})

    def ask(self, variable: str) -> str:
        return f"Which digit stands in {self._words(self._cell(variable))}?"

    def called(self, variable: str, value: Any) -> str:
        return f"{_digit_text(value)} in {self._words(self._cell(variable))}"

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> list[Change]:
        """The givens, those in the most violated rows, columns and boxes first; of others, see `refuting.likeliest`.

        If digits repeat, or a contradiction is proven, only the digits named.
        """
        given, board = self._given, self._board
        named = Counter(place for violation in violations for place in violation.places)
        trouble = [sum(named[self._place(cell)] for cell in unit) for unit in board.units]
        worst = Counter[int]()
        for count, unit in zip(trouble, board.units, strict=True):
            for cell in unit:
                worst[cell] += count
        cells = [cell for cell, digit in enumerate(given) if digit and (attempt or named[self._place(cell)])]
        cells.sort(key=lambda cell: -worst[cell])
        if not self._repeats(given):
            cells = likeliest(given, board, cells, NODES * LOOKED)
        return [self._erased(cell, given[cell]) for cell in cells]

    def decided(self, since: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        steps = since["grid"].ravel().tolist()
        return {self._place(cell): steps[cell] for cell, digit in enumerate(self._given) if not digit}

    def summary(self) -> str:
        n, givens = self._board.size, sum(map(bool, self._given))
        return f"a {n}×{n} Sudoku with {givens} givens"

    def notation(self, answer: dict[str, Any]) -> str:
        return "".join(("0" + SYMBOLS)[digit] for digit in _flat(answer))

    def draw(self, answer: dict[str, Any] | None) -> str:
        return board_text(self._board, self.request["grid"], None if answer is None else answer["grid"])

    def svg(self, answer: dict[str, Any] | None) -> str:
        return board_svg(self._board, self.request["grid"], None if answer is None else answer["grid"])

    def _repeats(self, digits: Sequence[int]) -> list[Violation]:
        """Digits that repeat in a row, column or box. Empty cells (0) are ignored."""
        broken = []
        for index, (cells, pick) in enumerate(zip(self._board.units, self._board.picks, strict=True)):
            all_ = pick(digits)
            if len(set(all_)) == len(all_):
                continue
            present = [digit for digit in all_ if digit]
            if len(set(present)) == len(present):
                continue
            kind, (one, many) = index % self._board.size, _KINDS[index // self._board.size]
            for digit in sorted({digit for digit in present if present.count(digit) > 1}):
                places = tuple(self._place(cell) for cell in cells if digits[cell] == digit)
                message = (
                    f"Digit {_digit_text(digit)} stands {len(places)} times in {one} {kind + 1}: {_listed(places)}."
                )
                broken.append(Violation(many, message, len(places) - 1, places=places))
        return broken

    def _place(self, cell: int) -> str:
        return self._board.places[cell]

    def _cell(self, place: str) -> int:
        row, column = (int(index) for index in place.removeprefix("grid[").removesuffix("]").split("]["))
        return row * self._board.size + column

    def _words(self, cell: int) -> str:
        row, column = divmod(cell, self._board.size)
        return f"row {row + 1}, column {column + 1}"

    def _erased(self, cell: int, digit: int) -> Change:
        row, column = divmod(cell, self._board.size)
        path = pointer("grid", row, column)
        patch = ({"op": "test", "path": path, "value": digit}, {"op": "replace", "path": path, "value": 0})
        place = self._place(cell)
        return Change(f"without {place}", f"Without the {_digit_text(digit)} in {self._words(cell)}.", patch)


class SudokuTask(Task, Understands):
    """Sudoku on the artefact's board, see `SudokuReading`.

    Raises:
        TaskError: If the artefact has no board, or one of an unsupported size.
    """

    reading = SudokuReading

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self._board = _board_of(header)

    def read(self, request: dict[str, Any]) -> SudokuReading:
        return SudokuReading(self.header, request, self._board)

    def coerce(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """Coerce cells in one list or text, rows as text, and other symbols for an empty cell to rows of digits."""
        grid, n, notes = request.get("grid"), self._board.size, list[str]()
        if isinstance(grid, str) and not grid.lstrip().startswith("["):
            try:
                return {**request, **self.parse(grid)}, ["grid: The text was read as cells, row by row."]
            except RequestError:
                return request, []
        if isinstance(grid, list) and len(grid) == n * n and not any(isinstance(cell, list | dict) for cell in grid):
            grid = [grid[start : start + n] for start in range(0, n * n, n)]
            notes.append(f"grid: {n * n} cells in one list were read row by row.")
        if not isinstance(grid, list) or len(grid) != n:
            return request, []
        if all(isinstance(row, str) for row in grid):
            texts = [[character for character in row if character not in _IGNORED] for row in grid]
            if any(len(text) != n or self._foreign(text) for text in texts):
                return request, []
            return {**request, **self.parse("".join(map("".join, texts)))}, [
                "grid: Each text was read as the cells of a row."
            ]
        if any(isinstance(row, list) and any(_blank(cell) for cell in row) for row in grid):
            notes.append("grid: Empty cells were read as 0.")
            grid = [[0 if _blank(cell) else cell for cell in row] if isinstance(row, list) else row for row in grid]
        return {**request, "grid": grid}, notes

    def parse(self, text: str) -> dict[str, Any]:
        """A request from its cells, row by row: 1 to 9, then A to G; ``.``, 0, ``_`` or ``*`` is an empty cell.

        Blanks, line breaks, commas and rulers are skipped.
        """
        cells = [character for character in text if character not in _IGNORED]
        n = self._board.size
        if len(cells) != n * n:
            strange = dict.fromkeys(cell for cell in cells if cell.upper() not in {*SYMBOLS, *EMPTY})
            which = ", ".join(map(repr, list(strange)[:3]))
            raise RequestError(
                [Fault("", self._misfit("puzzle", len(cells)) + (f" Not cells: {which}." if which else ""))]
            )
        if faults := self._foreign(cells):
            raise RequestError(faults)
        digits = [SYMBOLS.find(character.upper()) + 1 for character in cells]
        return {"grid": [digits[row : row + n] for row in range(0, n * n, n)]}

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
            # With digits from 0 to F, 0 is a given. It must not be read as an empty cell.
            message = f"0 and {others[0]} cannot both stand for empty cells; digits are {self._board.spelt}, and never 0 to F."
            faults.append(Fault(f"character {cells.index('0') + 1}", message))
        return faults

    def _misfit(self, noun: str, count: int) -> str:
        """Advice for a number of cells that does not fit the board."""
        mine, side = self._board, math.isqrt(count)
        came = f"The {noun} has {count} cells; "
        takes = f"{self.header.name!r} takes a {mine.size}×{mine.size} board of {mine.size**2}"
        if side in BOARDS and side * side == count:
            return f"{came}{takes}, and the installed model {BOARDS[side].name!r} takes one of {count}."
        if side and side * side == count:
            return f"{came}{takes}, and boards of {side}×{side} are not supported."
        return f"{came}a {mine.size}×{mine.size} Sudoku has {mine.size**2}, row by row, with . or 0 for empty."


def _board_of(header: Header) -> Board:
    shape = header.inputs["grid"].shape if "grid" in header.inputs else ()
    if len(shape) != 2 or shape[0] != shape[1]:
        raise TaskError(f"The artefact {header.name!r} needs a square input 'grid' for the task {header.task!r}.")
    try:
        return Board.of(shape[0])
    except ValueError as error:
        raise TaskError(f"The artefact {header.name!r} cannot be used: {error}") from None


def _flat(request: Mapping[str, Any]) -> list[int]:
    return list(chain.from_iterable(request["grid"]))


def _blank(cell: object) -> bool:
    """Whether a value is a common symbol for an empty cell other than 0."""
    return cell is None or (isinstance(cell, str) and cell.strip() in ("", *EMPTY.replace("0", "")))


def _listed(places: Sequence[str]) -> str:
    """The first few places, as words of a sentence."""
    few = [*places[:3], f"{len(places) - 3} more"] if len(places) > 4 else places
    return " and ".join(few)


def _digit_text(digit: int) -> str:
    """A digit as in requests, and its symbol if that differs."""
    return f"{digit} ({SYMBOLS[digit - 1]})" if 9 < digit <= len(SYMBOLS) else str(digit)
