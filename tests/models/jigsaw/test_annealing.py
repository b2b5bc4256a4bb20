import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstate_models.jigsaw.annealing import annealed, rows_of
from groundstate_models.jigsaw.layout import cost
from groundstate_models.jigsaw.puzzles import make
from groundstate_models.jigsaw.seams import FLOOR, Seams, find_seams
from tests.models.jigsaw.scenes import scene


def upright_seams(rows, columns, sure=8.0):
    """Seams of pieces 0, 1, 2 … laid row by row, each certain and without a rival."""
    count, true = rows * columns, np.arange(rows * columns).reshape(rows, columns)
    odds = np.full((2, count, count), FLOOR, np.float32)
    odds[0][true[:, :-1], true[:, 1:]] = sure
    odds[1][true[:-1], true[1:]] = sure
    return Seams(count, turned=False, odds=odds, likely=(odds > 0).astype(np.float32), worn=0.0), true


@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 5), st.booleans(), st.integers(0, 1))
def test_an_annealed_layout_holds_every_piece_once_and_is_no_worse_than_its_start(seed, rows, columns, turned, holes):
    rng = np.random.default_rng(seed)
    count = rows * columns - holes
    shape = (4 * count, 4 * count) if turned else (2, count, count)
    odds = rng.normal(0, 3, shape).astype(np.float32)
    seams = Seams(count, turned=turned, odds=odds, likely=1 / (1 + np.exp(-odds)), worn=0.0)
    grid = np.full(rows * columns, -1)
    grid[rng.permutation(rows * columns)[:count]] = np.arange(count)
    grid, turns = grid.reshape(rows, columns), rng.integers(0, 4, count) * turned
    found, ways = annealed(grid, turns, rows_of(seams), (0,), moves=200, seed=seed)
    assert sorted(found[found >= 0].tolist()) == list(range(count))
    assert np.array_equal(found == 0, grid == 0)
    assert ways[0] == turns[0]
    assert turned or not ways.any()
    assert cost(found, seams.upright(ways)[0]) <= cost(grid, seams.upright(turns)[0]) + 1e-3


def test_a_block_that_lies_beside_its_place_moves_back_as_a_whole():
    seams, true = upright_seams(6, 8)
    wrong = np.concatenate([true[:, 5:], true[:, :5]], axis=1)  # every seam but one in each row is closed
    found, _ = annealed(wrong, np.zeros(48, np.int64), rows_of(seams), (), moves=3000, seed=0)
    assert (found == true).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_pieces_that_are_turned_and_misplaced_come_to_their_turns_and_places(seed):
    puzzle = make(scene(112, 140, 4), 28, np.random.default_rng(seed), turned=True)
    seams = find_seams(puzzle.pieces, turned=True, worn=0)
    rng = np.random.default_rng(seed)
    true = np.empty(20, np.int64)
    true[puzzle.order] = np.arange(20)
    wrong, turns = true.copy(), puzzle.turns.copy()
    wrong[:8] = true[rng.permutation(8)]
    turns[wrong[:8]] = rng.integers(0, 4, 8)
    rows = rows_of(seams)
    tries = [annealed(wrong.reshape(4, 5), turns, rows, (), moves=6000, seed=number) for number in range(4)]
    grid, ways = min(tries, key=lambda one: cost(one[0], seams.upright(one[1])[0]))
    assert puzzle.perfect({"grid": grid.tolist(), "turns": (90 * ways).tolist()})
