import numpy as np

from groundstate_models.jigsaw.puzzles import make
from tests.models.jigsaw.scenes import scene


def solved(puzzle):
    grid = [[None] * puzzle.shape[1] for _ in range(puzzle.shape[0])]
    for piece, cell in enumerate(puzzle.order.tolist()):
        grid[cell // puzzle.shape[1]][cell % puzzle.shape[1]] = piece
    return {"grid": grid, "turns": (90 * puzzle.turns).tolist()}


def test_the_true_layout_is_perfect_and_so_it_is_when_turned_as_a_whole():
    puzzle = make(scene(80, 100), 20, np.random.default_rng(0), turned=True)
    answer = solved(puzzle)
    assert puzzle.perfect(answer)
    assert puzzle.neighbours(answer) == 1.0
    grid = [list(row) for row in zip(*answer["grid"][::-1], strict=True)]
    turned = {"grid": grid, "turns": [(turn + 90) % 360 for turn in answer["turns"]]}
    assert puzzle.perfect(turned)
    assert puzzle.neighbours(turned) == 1.0


def test_two_exchanged_pieces_cost_their_neighbours():
    puzzle = make(scene(80, 100), 20, np.random.default_rng(0))
    answer = solved(puzzle)
    grid = answer["grid"]
    grid[0][0], grid[2][2] = grid[2][2], grid[0][0]
    assert not puzzle.perfect(answer)
    assert puzzle.neighbours(answer) == 1 - 6 / 31


def test_equal_pieces_may_be_exchanged():
    puzzle = make(scene(80, 100), 20, np.random.default_rng(0))
    puzzle.pieces[3] = puzzle.pieces[7]
    answer = solved(puzzle)
    flat = {cell: (r, c) for r, row in enumerate(answer["grid"]) for c, cell in enumerate(row)}
    (a, b), (c, d) = flat[3], flat[7]
    answer["grid"][a][b], answer["grid"][c][d] = 7, 3
    assert puzzle.perfect(answer)


def test_equal_pieces_stand_for_each_other_when_neighbours_are_counted():
    picture = scene(84, 112, 5)
    picture[28:56, 28:84] = 200  # pieces 5 and 6 of the picture
    puzzle = make(picture, 28, np.random.default_rng(0))
    grid = [[0] * 4 for _ in range(3)]
    for piece, cell in enumerate(puzzle.order.tolist()):
        grid[cell // 4][cell % 4] = piece
    grid[1][1], grid[1][2] = grid[1][2], grid[1][1]
    assert puzzle.neighbours({"grid": grid}) == 1.0
    assert puzzle.neighbours({"grid": grid}, strict=True) == (17 - 7) / 17
    grid[0][0], grid[2][3] = grid[2][3], grid[0][0]
    assert puzzle.neighbours({"grid": grid}) == (17 - 4) / 17
