"""A short proof that a puzzle has at most one answer, if one exists: every cell follows from the others, one by one."""

from __future__ import annotations

from collections.abc import Sequence

from groundstate_models.sudoku.board import Board


def settled_by_singles(given: Sequence[int], board: Board) -> bool:
    """Whether naked and hidden singles alone fill the board from the givens; the full board is then the only possible answer.

    Nothing is assumed; False proves nothing.

    Args:
        given: The cells row by row; 0 is empty.
        board: The board.
    """
    open_ = [(1 << board.size) - 1] * board.size**2
    known = [False] * len(open_)
    follows = [(cell, 1 << digit - 1) for cell, digit in enumerate(given) if digit]
    while follows:
        if not placed(follows, open_, known, board):
            return False
        follows = hidden(open_, known, board)
    return all(known)


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
