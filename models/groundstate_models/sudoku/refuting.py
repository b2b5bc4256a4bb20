"""Proofs that givens contradict each other, and which may be wrong: a bounded complete search, which returns no answers.

A cell with the fewest candidates is tried with each of them, and naked and hidden singles follow. If every branch ends in a
contradiction, there is no answer. The givens that a contradiction needs are found by leaving out one after another.
"""

from __future__ import annotations

from collections.abc import Sequence

from groundstate_models.sudoku.board import Board
from groundstate_models.sudoku.singles import hidden, placed


class _Spent(Exception):  # noqa: N818 - it is no error
    """The bound on the work is reached."""


class Refuter:
    """Refutes givens within a bound on the work.

    Args:
        board: The board.
        nodes: The most states of the board to look at.

    Attributes:
        left: The states that may still be looked at.
    """

    def __init__(self, board: Board, nodes: int) -> None:
        self.board, self.left = board, nodes
        self._answers, self._most = 0, 1

    def refutes(self, given: Sequence[int]) -> bool:
        """Whether the givens are proven to have no answer; False proves nothing."""
        return self.answers(given, 1) == 0

    def answers(self, given: Sequence[int], most: int) -> int | None:
        """The number of answers, counted up to ``most``; None if the work runs out."""
        self._answers, self._most = 0, most
        open_ = [(1 << self.board.size) - 1] * self.board.size**2
        known = [False] * len(open_)
        try:
            self._counted([(cell, 1 << digit - 1) for cell, digit in enumerate(given) if digit], open_, known)
        except _Spent:
            return None
        return self._answers

    def _counted(self, waiting: list[tuple[int, int]], open_: list[int], known: list[bool]) -> None:
        """Count the answers with these digits; `open_` and `known` change."""
        self.left -= 1
        if self.left < 0:
            raise _Spent
        while waiting:
            if not placed(waiting, open_, known, self.board):
                return
            waiting = hidden(open_, known, self.board)
        free = [cell for cell, done in enumerate(known) if not done]
        if not free:
            self._answers += 1
            return
        cell = min(free, key=lambda one: open_[one].bit_count())
        for digit in range(self.board.size):
            if open_[cell] >> digit & 1 and self._answers < self._most:
                self._counted([(cell, 1 << digit)], open_[:], known[:])


def likeliest(given: Sequence[int], board: Board, cells: Sequence[int], nodes: int) -> list[int]:
    """Cells whose givens may be wrong, those first that another digit would turn into a puzzle with exactly one answer.

    A published puzzle has one answer, so a cell without such a digit is probably not the wrong one.

    Args:
        given: The cells row by row; 0 is empty.
        board: The board.
        cells: The cells to sort.
        nodes: The most states of the board to look at; cells that are not looked at keep their order, at the end.
    """
    look = Refuter(board, nodes)
    found = []
    for cell in cells:
        near = {given[other] for other in board.peers[cell]}
        digits = (digit for digit in range(1, board.size + 1) if digit not in near and digit != given[cell])
        boards = ([digit if place == cell else other for place, other in enumerate(given)] for digit in digits)
        if any(look.left > 0 and look.answers(one, 2) == 1 for one in boards):
            found.append(cell)
    return [*found, *(cell for cell in cells if cell not in found)]


def contradiction(given: Sequence[int], board: Board, nodes: int) -> list[int] | None:
    """Cells whose givens contradict each other; None if nothing is proven.

    The set is minimal, unless the work for that runs out.

    Args:
        given: The cells row by row; 0 is empty.
        board: The board.
        nodes: The most states of the board for the proof; each given may take as many again.
    """
    first = Refuter(board, nodes)
    if not first.refutes(given):
        return None
    kept, spent = list(given), 16 * (nodes - first.left) + 64
    for cell, digit in enumerate(given):
        if digit:
            fewer = [0 if place == cell else other for place, other in enumerate(kept)]
            if Refuter(board, spent).refutes(fewer):
                kept = fewer
    return [cell for cell, digit in enumerate(kept) if digit]
