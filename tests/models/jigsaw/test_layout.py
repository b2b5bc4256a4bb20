import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from groundstate_models.jigsaw import layout
from groundstate_models.jigsaw.seams import FLOOR


def odds_of(rng, pieces):
    odds = rng.normal(0, 3, (2, pieces, pieces)).astype(np.float32)
    odds[:, np.arange(pieces), np.arange(pieces)] = FLOOR
    return odds


@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 4), st.integers(0, 2))
def test_exchanges_are_those_of_trying_every_pair(seed, rows, columns, holes):
    rng = np.random.default_rng(seed)
    pieces = rows * columns - min(holes, rows * columns - 2)
    odds = odds_of(rng, pieces)
    grid = np.full(rows * columns, -1)
    grid[rng.permutation(rows * columns)[:pieces]] = np.arange(pieces)
    grid = grid.reshape(rows, columns)
    found = {(one, other): more for more, one, other in layout.exchanges(grid, odds, 2.0)}
    found = {tuple(sorted(pair)): more for pair, more in found.items()}
    for one in range(pieces):
        for other in range(one + 1, pieces):
            more = layout.cost(layout.exchanged(grid, one, other), odds) - layout.cost(grid, odds)
            assert ((one, other) in found) == (more <= 2.0) or abs(more - 2.0) < 1e-4
            if (one, other) in found:
                assert abs(found[one, other] - more) < 1e-4


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 4), st.booleans())
def test_an_improved_grid_holds_every_piece_once_and_fixed_ones_where_they_are_fixed(seed, rows, columns, full):
    rng = np.random.default_rng(seed)
    pieces = rows * columns - (0 if full else 1)
    odds = odds_of(rng, pieces)
    fixed = {0: (int(rng.integers(rows)), int(rng.integers(columns)))}
    grid = layout.snapped(rng.uniform(-1, 4, (pieces, 2)), (rows, columns), fixed)
    for found in (grid, layout.improved(grid, odds, fixed)):
        assert sorted(found[found >= 0].tolist()) == list(range(pieces))
        assert found[fixed[0]] == 0


def test_places_off_the_lattice_snap_to_the_nearest_one():
    place = np.array([[r, c] for r in range(3) for c in range(4)], float) + np.array([5.3, -2.4])
    assert (layout.snapped(place, (3, 4), {}) == np.arange(12).reshape(3, 4)).all()


def test_the_mean_field_repairs_a_grid_with_pieces_in_wrong_places():
    rows, columns = 4, 5
    odds = np.full((2, 20, 20), FLOOR, np.float32)
    true = np.arange(20).reshape(rows, columns)
    odds[0][true[:, :-1], true[:, 1:]] = 5.0
    odds[1][true[:-1], true[1:]] = 5.0
    wrong = true.copy()
    wrong[0, 0], wrong[3, 4], wrong[1, 2] = true[3, 4], true[1, 2], true[0, 0]
    assert (layout.improved(wrong, odds, {}) == true).all()


@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 4))
def test_moves_are_those_of_trying_every_empty_place(seed, rows, columns):
    rng = np.random.default_rng(seed)
    pieces = rows * columns - 2
    odds = odds_of(rng, pieces)
    grid = np.full(rows * columns, -1)
    grid[rng.permutation(rows * columns)[:pieces]] = np.arange(pieces)
    grid = grid.reshape(rows, columns)
    found = layout.moves(grid, odds, 2.0)
    wanted = 0
    for cell in np.argwhere(grid < 0).tolist():
        for piece in range(pieces):
            other = np.where(grid == piece, -1, grid)
            other[tuple(cell)] = piece
            more = layout.cost(other, odds) - layout.cost(grid, odds)
            wanted += more <= 2.0
            assert more > 2.0 - 1e-4 or any(one == piece and abs(cost - more) < 1e-4 for cost, one in found)
    assert abs(wanted - len(found)) <= 1


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(2, 4))
def test_frames_are_the_layouts_cut_elsewhere(seed, rows, columns):
    rng = np.random.default_rng(seed)
    pieces = rows * columns - 1
    odds = odds_of(rng, pieces)
    grid = rng.permutation(np.append(np.arange(pieces), -1)).reshape(rows, columns)
    found = layout.frames(grid, odds)
    assert len(found) == rows + columns - 2
    for more, down, across in found:
        other = np.roll(grid, (down, across), (0, 1))
        assert abs(layout.cost(other, odds) - layout.cost(grid, odds) - more) < 1e-3
