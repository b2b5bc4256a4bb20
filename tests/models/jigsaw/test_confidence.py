import numpy as np

from groundstate_models.jigsaw.confidence import CAPPED, confidence, doubtful, parts
from groundstate_models.jigsaw.seams import FLOOR


def certain(rows, columns):
    pieces = rows * columns
    grid = np.arange(pieces).reshape(rows, columns)
    odds = np.full((2, pieces, pieces), FLOOR, np.float32)
    odds[0][grid[:, :-1], grid[:, 1:]] = 9.0
    odds[1][grid[:-1], grid[1:]] = 9.0
    return grid, odds, (odds > 0).astype(np.float32)


def never(one, other):
    del one, other
    return False


def test_parts_are_what_doubtful_seams_leave_together():
    grid, _, likely = certain(3, 4)
    assert parts(grid, likely) == 1
    likely[0][grid[:, 1], grid[:, 2]] = 0.1
    assert parts(grid, likely) == 2
    assert parts(np.where(grid == 5, -1, grid), likely) == 2


def test_a_layout_of_certain_seams_is_surer_than_one_with_a_seam_that_does_not_fit():
    grid, odds, likely = certain(4, 5)
    sure = confidence(grid, odds, likely, 0.0, turned=False, alike=never)
    wrong = grid.copy()
    wrong[0, 0], wrong[3, 4] = grid[3, 4], grid[0, 0]
    unsure = confidence(wrong, odds, likely, 0.0, turned=False, alike=never)
    assert unsure <= CAPPED
    assert unsure < sure


def test_two_parts_that_only_the_frame_holds_are_never_called_sure():
    grid, odds, likely = certain(4, 6)
    odds[0][grid[:, 2], grid[:, 3]] = 0.0
    likely[0][grid[:, 2], grid[:, 3]] = 0.3
    assert confidence(grid, odds, likely, 0.0, turned=False, alike=never) <= CAPPED


def test_doubtful_seams_are_named_worst_first():
    grid, _, likely = certain(2, 3)
    likely[0][0, 1], likely[1][2, 5] = 0.4, 0.2
    assert [(one, other) for _, one, other in doubtful(grid, likely)] == [(2, 5), (0, 1)]


def test_a_layout_in_the_wrong_frame_is_never_called_sure():
    grid, odds, likely = certain(4, 5)
    shifted = np.roll(grid, 2, 0)
    odds[1][grid[3], grid[0]] = 2.0  # the ends of the frame seem to fit each other too
    likely[1][grid[3], grid[0]] = 0.9
    assert confidence(shifted, odds, likely, 0.0, turned=False, alike=never) <= CAPPED
