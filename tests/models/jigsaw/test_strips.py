import numpy as np

from groundstate_models.jigsaw.strips import BOTTOM, LEFT, RIGHT, TOP, cut, expectation, mismatch, strips
from tests.models.jigsaw.scenes import scene


def test_cutting_drops_what_is_left_over_and_wear_takes_every_side():
    pieces = cut(scene(65, 100), 30, 30, worn=2)
    assert pieces.shape == (6, 26, 26, 3)
    assert (pieces[0] == scene(65, 100)[2:28, 2:28]).all()


def test_strips_run_clockwise_from_the_boundary_inward():
    piece = np.zeros((1, 9, 9, 3), np.uint8)
    piece[0, 0, 0] = 255  # the top left corner: first of the top, last of the left
    top, right, bottom, left = strips(piece, depth=3)
    assert top[0, 0, 0, 0] > 0.9
    assert left[0, -1, 0, 0] > 0.9
    assert right.max() == 0
    assert bottom.max() == 0


def test_turning_a_piece_moves_its_strips_to_the_next_sides():
    piece = scene(20, 20)[None]
    turned = np.rot90(piece, -1, axes=(1, 2))
    for side in range(4):
        assert np.allclose(strips(piece)[side], strips(turned)[(side + 1) % 4])


def test_true_neighbours_are_the_most_compatible_by_hand():
    pieces = cut(scene(24 * 4, 24 * 5, seed=3), 24, 24)
    sides = [expectation(strip, 0) for strip in strips(pieces)]
    across = mismatch(sides[RIGHT], sides[LEFT])
    np.fill_diagonal(across, np.inf)
    inner = [piece for piece in range(20) if piece % 5 < 4]
    assert np.mean(across[inner].argmin(axis=1) == np.array(inner) + 1) > 0.9
    down = mismatch(sides[BOTTOM], sides[TOP])
    np.fill_diagonal(down, np.inf)
    assert np.mean(down[:15].argmin(axis=1) == np.arange(15) + 5) > 0.9
