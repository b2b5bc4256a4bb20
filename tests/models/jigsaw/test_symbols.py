import random

import pytest

import groundstate as gs
from groundstate_models.jigsaw.symbols import BORDER, constraints_request, grid_of


def puzzle(rows, columns, seed):
    """Pieces of a square with random symbols along its seams, shuffled and turned."""
    draw = random.Random(seed)
    across = [[draw.choice("abcde") for _ in range(columns - 1)] for _ in range(rows)]
    down = [[draw.choice("abcde") for _ in range(columns)] for _ in range(rows - 1)]
    pieces = []
    for r in range(rows):
        for c in range(columns):
            sides = [
                down[r - 1][c] if r else BORDER,
                across[r][c] if c < columns - 1 else BORDER,
                down[r][c] if r < rows - 1 else BORDER,
                across[r][c - 1] if c else BORDER,
            ]
            turn = draw.randrange(4)
            pieces.append(sides[turn:] + sides[:turn])
    draw.shuffle(pieces)
    return pieces


def test_a_square_of_symbols_is_solved_by_constraints():
    pieces = puzzle(3, 3, seed=4)
    solution = gs.load("constraints").solve(constraints_request(pieces, rows=3, columns=3))
    assert solution.has_answer
    grid = grid_of(solution.answer, rows=3, columns=3)
    assert sorted(number for row in grid for number, _ in row) == list(range(9))
    laid = [[[pieces[number][(side - turn // 90) % 4] for side in range(4)] for number, turn in row] for row in grid]
    for r in range(3):
        for c in range(3):
            assert laid[r][c][1] == (laid[r][c + 1][3] if c < 2 else BORDER)
            assert laid[r][c][2] == (laid[r + 1][c][0] if r < 2 else BORDER)
    assert all(laid[0][c][0] == BORDER and laid[c][0][3] == BORDER for c in range(3))


def test_pieces_and_places_must_be_as_many():
    with pytest.raises(ValueError, match="There are 3 pieces for 4 places; there must be as many"):
        constraints_request([["a"] * 4] * 3, rows=2, columns=2)
    with pytest.raises(ValueError, match="Piece 1 has 3 sides; it must have 4, clockwise from the top"):
        constraints_request([["a"] * 4, ["a"] * 3], rows=1, columns=2)
