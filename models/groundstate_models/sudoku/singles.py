"""Cells that follow from the others, one by one: where they fill the board, a puzzle has at most one answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from groundstate_models.sudoku.board import Board


def settled_by_singles(given: Sequence[int], board: Board) -> bool:
    """Whether `singles` fill the board from the givens; the full board is then the only possible answer.

    Nothing is assumed; False proves nothing.

    Args:
        given: The cells row by row; 0 is empty.
        board: The board.
    """
    found = singles(given, board)
    return found is not None and all(found)


def singles(given: Sequence[int], board: Board, *, crossing: bool = False) -> list[int] | None:
    """The givens and the digits that follow from them by naked and hidden singles; None if they contradict each other.

    Args:
        given: The cells row by row; 0 is empty.
        board: The board.
        crossing: Whether locked candidates are excluded too, see `locked`.
    """
    open_ = [(1 << board.size) - 1] * board.size**2
    known = [False] * len(open_)
    follows = [(cell, 1 << digit - 1) for cell, digit in enumerate(given) if digit]
    while follows:
        if not placed(follows, open_, known, board):
            return None
        follows = hidden(open_, known, board)
        while crossing and not follows and locked(open_, known, board):
            left = (cell for cell, bits in enumerate(open_) if not known[cell] and not bits & (bits - 1))
            follows = [(cell, open_[cell]) for cell in left] + hidden(open_, known, board)
    return [bits.bit_length() if one else 0 for bits, one in zip(open_, known, strict=True)]


def placed(waiting: list[tuple[int, int]], open_: list[int], known: list[bool], board: Board) -> bool:
    """Place digits and the naked singles that follow; False if a cell has no candidate left.

    Args:
        waiting: Cells and the bits of their digits; empty at the end.
        open_: The bits of each cell's candidates, which change, as the next does.
        known: Whether each cell has its digit.
        board: The board.
    """
    while waiting:
        cell, bit = waiting.pop()
        if known[cell] and open_[cell] == bit:
            continue
        if not open_[cell] & bit:
            return False
        known[cell], open_[cell] = True, bit
        for peer in board.peers[cell]:
            if open_[peer] & bit:
                open_[peer] &= ~bit
                if not open_[peer]:
                    return False
                if not open_[peer] & (open_[peer] - 1):
                    waiting.append((peer, open_[peer]))
    return True


def locked(open_: list[int], known: Sequence[bool], board: Board) -> bool:
    """Exclude the digits that a unit needs where another one crosses it from the other's remaining cells.

    Returns:
        Whether any candidate was excluded.
    """
    excluded = False
    for own, other, shared in crossings(board):
        needed = 0
        for cell in shared:
            needed |= open_[cell]
        for cell in own:
            needed &= ~open_[cell]
        if needed:
            for cell in other:
                if open_[cell] & needed and not known[cell]:
                    open_[cell] &= ~needed
                    excluded = True
    return excluded


@cache
def crossings(board: Board) -> list[tuple[tuple[int, ...], ...]]:
    """Pairs of units that share several cells: the cells of the first alone, of the second alone, and of both."""
    return [
        (tuple(set(own) - set(other)), tuple(set(other) - set(own)), tuple(set(own) & set(other)))
        for own in board.units
        for other in board.units
        if own != other and len(set(own) & set(other)) > 1
    ]


def hidden(open_: Sequence[int], known: Sequence[bool], board: Board) -> list[tuple[int, int]]:
    """Digits with only one possible cell in a row, column or box."""
    found = []
    for unit in board.units:
        once = twice = 0
        for cell in unit:
            twice |= once & open_[cell]
            once |= open_[cell]
        if alone := once & ~twice:
            found += [(cell, open_[cell] & alone) for cell in unit if not known[cell] and open_[cell] & alone]
    return found
