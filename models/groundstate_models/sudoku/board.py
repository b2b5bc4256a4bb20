"""The boards of Sudoku: their sizes, boxes and units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

SYMBOLS = "123456789ABCDEFG"
"""The symbols of the digits; 10 to 16 are A to G."""

EMPTY = ".0_*"
"""The symbol of an empty cell."""


@dataclass(frozen=True)
class Board:
    """A board whose boxes have ``height`` rows and ``width`` columns; `of` makes the supported ones.

    Cells are numbered row by row from 0, boxes likewise.
    """

    height: int
    width: int

    @staticmethod
    def of(size: int) -> Board:
        """The board of ``size`` rows and columns.

        Raises:
            ValueError: If that size is not supported.
        """
        if size not in BOARDS:
            *most, last = (f"{n}×{n}" for n in BOARDS)
            raise ValueError(
                f"Sudoku boards of {size}×{size} cells are not supported; those of {', '.join(most)} and {last} are."
            )
        return BOARDS[size]

    @cached_property
    def size(self) -> int:
        """Rows, columns, boxes, and digits."""
        return self.height * self.width

    @property
    def name(self) -> str:
        """Name of the installed model for this board."""
        return "sudoku" if self.size == 9 else f"sudoku_{self.size}x{self.size}"

    @property
    def symbols(self) -> str:
        """The symbols of the digits, from 1."""
        return SYMBOLS[: self.size]

    @property
    def spelt(self) -> str:
        """Those symbols in words."""
        return f"1 to {self.size}" if self.size < 10 else f"1 to 9 and A to {self.symbols[-1]}"

    @cached_property
    def places(self) -> tuple[str, ...]:
        """The place of each cell in a request."""
        return tuple(f"grid[{row}][{column}]" for row in range(self.size) for column in range(self.size))

    @cached_property
    def picks(self) -> tuple[Callable[[Sequence[int]], tuple[int, ...]], ...]:
        """For each unit, a function from the digits of all cells to those of its cells."""
        return tuple(itemgetter(*unit) for unit in self.units)

    @cached_property
    def _counters(self) -> tuple[tuple[int, ...], ...]:
        """For each cell and digit, a number that counts the digit in its units: a field of bits for each unit and digit."""
        n = self.size
        wide = n.bit_length() + 1  # a digit can stand in all cells of a unit
        found = [[0] * (n + 1) for _ in range(n * n)]
        for place, unit in enumerate(self.units):
            for cell in unit:
                for digit in range(1, n + 1):
                    found[cell][digit] += 1 << wide * (n * place + digit - 1)
        return tuple(map(tuple, found))

    @cached_property
    def _above_one(self) -> int:
        """The bits of all fields of `_counters` that are set where a digit is counted more than once."""
        n = self.size
        wide = n.bit_length() + 1
        return sum(((1 << wide) - 2) << wide * place for place in range(3 * n * n))

    def repeats(self, digits: Sequence[int]) -> bool:
        """Whether a digit stands twice in a row, column or box.

        Args:
            digits: The cells, row by row; 0 is empty. All from 0 to the board's size.
        """
        counted = sum([counters[digit] for counters, digit in zip(self._counters, digits, strict=True)])
        return bool(counted & self._above_one)

    @cached_property
    def units(self) -> tuple[tuple[int, ...], ...]:
        """The cells of each row, then of each column, then of each box; ``3 · size`` units of ``size`` cells."""
        n, high, wide = self.size, self.height, self.width
        rows = [tuple(range(n * r, n * r + n)) for r in range(n)]
        columns = [tuple(range(c, n * n, n)) for c in range(n)]
        corners = [n * r + c for r in range(0, n, high) for c in range(0, n, wide)]
        boxes = [tuple(corner + n * r + c for r in range(high) for c in range(wide)) for corner in corners]
        return (*rows, *columns, *boxes)

    @cached_property
    def peers(self) -> tuple[tuple[int, ...], ...]:
        """For each cell, the other cells of its units, in order: 20 cells on 9×9."""
        shared = [set[int]() for _ in range(self.size**2)]
        for unit in self.units:
            for cell in unit:
                shared[cell].update(unit)
        return tuple(tuple(sorted(cells - {cell})) for cell, cells in enumerate(shared))


BOARDS = {board.size: board for board in (Board(2, 2), Board(2, 3), Board(3, 3), Board(4, 4))}
"""The supported boards by their size: 4, 6, 9 and 16."""
