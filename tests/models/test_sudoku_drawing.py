"""Boards drawn as text and as pictures."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from groundstate_models.sudoku.board import BOARDS, SYMBOLS
from groundstate_models.sudoku.data import generate
from groundstate_models.sudoku.drawing import board_svg, board_text, conflicts

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("size", BOARDS)
def test_text_and_picture_show_every_digit_in_its_place(size: int) -> None:
    board = BOARDS[size]
    made = generate(2, 0, 5, board=board) if size < 16 else generate(0, 0, 5, board=board, easy=2, givens=140)
    given, full = (part[0].reshape(size, size).tolist() for part in (made.puzzle, made.solution))
    for answer in (None, full):
        shown = given if answer is None else answer
        text = board_text(board, given, answer)
        assert "".join(re.findall(r"[.0-9A-G]", text)) == "".join(("." + SYMBOLS)[d] for row in shown for d in row)
        assert len({len(line) for line in text.splitlines()}) == 1
        root = ET.fromstring(board_svg(board, given, answer))
        digits = root.findall(f"{SVG}text")
        assert "".join(str(digit.text) for digit in digits) == "".join(
            SYMBOLS[d - 1] for row in shown for d in row if d
        )
        kinds = [digit.get("class") for digit in digits]
        assert kinds.count("given") == np.count_nonzero(given)
        assert "wrong" not in kinds


def test_what_stands_twice_or_replaces_a_given_is_marked() -> None:
    given = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 4]]
    assert conflicts(BOARDS[4], given, given) == set()
    answer = [[2, 1, 3, 4], [3, 4, 1, 2], [1, 2, 4, 3], [4, 3, 2, 4]]
    assert conflicts(BOARDS[4], given, answer) == {0, 3, 10, 12, 15}
    kinds = [text.get("class") for text in ET.fromstring(board_svg(BOARDS[4], given, answer)).findall(f"{SVG}text")]
    assert [place for place, kind in enumerate(kinds) if kind == "wrong"] == [0, 3, 10, 12, 15]
    assert kinds.count("filled") == 11
