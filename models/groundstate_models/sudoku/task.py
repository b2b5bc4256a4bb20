"""The Sudoku task: 81 characters as notation, proofs of contradiction, an exact check that does not trust the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundstate import Fault, RequestError, Task, Violation

_LINES = ("row", "column", "box")
_EMPTY = ".0_*"
_IGNORED = "|+-, \t\r\n"


def _units() -> list[tuple[str, list[tuple[int, int]]]]:
    named = []
    for i in range(9):
        named.append((f"row {i + 1}", [(i, j) for j in range(9)]))
        named.append((f"column {i + 1}", [(j, i) for j in range(9)]))
        named.append((f"box {i + 1}", [(i // 3 * 3 + j // 3, i % 3 * 3 + j % 3) for j in range(9)]))
    return sorted(named, key=lambda unit: _LINES.index(unit[0].split()[0]))


_UNITS = _units()


def _place(cell: tuple[int, int]) -> str:
    return f"grid[{cell[0]}][{cell[1]}]"


def _repeats(grid: list[list[int]]) -> list[Violation]:
    """Digits that stand twice in a row, column or box. Empty cells (0) break nothing."""
    broken = []
    for name, cells in _UNITS:
        for digit in range(1, 10):
            holders = [cell for cell in cells if grid[cell[0]][cell[1]] == digit]
            if len(holders) > 1:
                places = tuple(map(_place, holders))
                broken.append(
                    Violation(
                        f"{name.split()[0]}s".replace("boxs", "boxes"),
                        len(holders) - 1,
                        f"Digit {digit} stands {len(holders)} times in {name}: {' and '.join(places)}.",
                        places,
                    )
                )
    return broken


class SudokuTask(Task):
    """9×9 Sudoku. Request and answer: ``{"grid": 9 lists of 9 digits}``, 0 for empty."""

    def contradictions(self, request: Mapping[str, Any]) -> list[Violation]:
        return _repeats(request["grid"])

    def check(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Violation]:
        given, grid = request["grid"], answer["grid"]
        changed = [(r, c) for r in range(9) for c in range(9) if given[r][c] and given[r][c] != grid[r][c]]
        broken = [
            Violation(
                "givens", 1, f"{_place((r, c))} is {grid[r][c]}, but {given[r][c]} is given there.", (_place((r, c)),)
            )
            for r, c in changed
        ]
        empty = [(r, c) for r in range(9) for c in range(9) if not 1 <= grid[r][c] <= 9]
        broken += [Violation("cells", 1, f"{_place(cell)} holds no digit.", (_place(cell),)) for cell in empty]
        return broken + _repeats(grid)

    def parse(self, text: str) -> dict[str, Any]:
        cells = [character for character in text if character not in _IGNORED]
        faults = [
            Fault(
                f"character {i + 1}",
                f"{character!r} is not allowed in a puzzle; use 1 to 9, and . or 0 for an empty cell.",
            )
            for i, character in enumerate(cells)
            if character not in "123456789" + _EMPTY
        ]
        if not faults and len(cells) != 81:
            faults = [
                Fault("", f"The puzzle has {len(cells)} cells; a 9×9 Sudoku has 81, row by row, with . or 0 for empty.")
            ]
        if faults:
            raise RequestError(faults)
        digits = [0 if character in _EMPTY else int(character) for character in cells]
        return {"grid": [digits[row : row + 9] for row in range(0, 81, 9)]}

    def notation(self, answer: Mapping[str, Any]) -> str:
        return "".join(str(digit) for row in answer["grid"] for digit in row)

    def draw(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None) -> str:
        grid = request["grid"] if answer is None else answer["grid"]
        rule = "+-------+-------+-------+"
        lines = [rule]
        for r in range(9):
            row = [str(d) if d else "." for d in grid[r]]
            lines.append("| " + " | ".join(" ".join(row[c : c + 3]) for c in (0, 3, 6)) + " |")
            if r % 3 == 2:
                lines.append(rule)
        return "\n".join(lines)
