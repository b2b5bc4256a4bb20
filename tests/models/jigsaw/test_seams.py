import numpy as np
import pytest

from groundstate_models.jigsaw import seams
from groundstate_models.jigsaw.features import CHANNELS, SCALARS
from groundstate_models.jigsaw.strips import DEEP, cut, strips
from tests.models.jigsaw.scenes import scene


def test_the_network_in_numpy_says_what_it_says_in_pytorch():
    torch = pytest.importorskip("torch")
    from groundstate_models.jigsaw.network import SeamNetwork

    network = SeamNetwork()
    network.load_state_dict({name: torch.from_numpy(weight) for name, weight in seams.weights().items()})
    draw = torch.Generator().manual_seed(0)
    along = torch.randn(40, CHANNELS, 23, generator=draw)
    across = torch.randn(40, 2, 2 * DEEP, generator=draw)
    whole = torch.randn(40, SCALARS, generator=draw)
    with torch.no_grad():
        wanted = network(along, across, whole).numpy()
    found = seams.network(along.numpy(), across.numpy(), whole.numpy(), seams.weights())
    assert np.allclose(found, wanted, atol=1e-4)


def test_the_network_has_at_most_100_000_weights():
    assert sum(weight.size for weight in seams.weights().values()) <= 100_000


@pytest.mark.parametrize("turned", [False, True])
def test_true_seams_are_likely_and_others_are_not(turned):
    pieces = cut(scene(28 * 4, 28 * 5, seed=5), 28, 28)
    found = seams.find_seams(pieces, turned=turned)
    _, (right, below) = found.upright(np.zeros(20, np.int64))
    inner = np.array([piece for piece in range(20) if piece % 5 < 4])
    assert np.median(right[inner, inner + 1]) > 0.9
    assert np.median(below[np.arange(15), np.arange(15) + 5]) > 0.9
    assert right.sum() < 1.3 * len(inner)


def test_turned_pieces_have_the_seams_of_upright_ones():
    pieces = cut(scene(28 * 3, 28 * 3, seed=6), 28, 28)
    turns = np.array([0, 1, 2, 3, 0, 1, 2, 3, 0])
    turned = np.stack([np.rot90(piece, turn) for piece, turn in zip(pieces, turns, strict=True)])
    straight = seams.find_seams(pieces, turned=True, worn=0).upright(np.zeros(9, np.int64))[0]
    back = seams.find_seams(turned, turned=True, worn=0).upright(turns)[0]
    assert np.allclose(straight, back, atol=1e-3)


def test_probabilities_of_a_side_leave_room_for_no_neighbour():
    odds = np.array([[seams.FLOOR, 3.0, 1.0], [0.0, seams.FLOOR, -2.0], [5.0, 2.0, seams.FLOOR]], np.float32)
    found = seams.probabilities(odds)
    assert (found.diagonal() == 0).all()
    by_row = np.exp(3) / (1 + np.exp(3) + np.exp(1))
    by_column = np.exp(3) / (1 + np.exp(3) + np.exp(2))
    assert np.isclose(found[0, 1], np.sqrt(by_row * by_column))
    rows, columns = seams.alone(odds)
    assert np.allclose(rows[1], 1 / (1 + 1 + np.exp(-2)), atol=1e-5)
    assert (columns < 1).all()


def test_a_loop_of_likely_seams_backs_a_doubtful_one():
    odds = np.full((2, 4, 4), seams.FLOOR, np.float32)
    odds[0, 0, 1] = odds[0, 0, 3] = 0.0  # right of 0: 1 or 3, as likely
    odds[0, 2, 3] = odds[1, 0, 2] = odds[1, 1, 3] = 6.0  # 2 below 0, 3 below 1, 3 right of 2
    alone = seams.probabilities(odds[0])
    backed = seams.around(odds)[0]
    assert backed[0, 1] > 0.9 > alone[0, 1]
    assert backed[0, 1] > 3 * backed[0, 3]


@pytest.mark.parametrize("worn", [0, 1, 2])
def test_how_worn_pieces_are_is_found_out(worn):
    pieces = cut(scene(28 * 8, 28 * 10, seed=8), 28, 28, worn)
    assert abs(seams.estimate_worn(strips(pieces)) - worn) <= 1
    if worn == 0:
        assert seams.estimate_worn(strips(pieces)) == 0


def test_how_worn_turned_pieces_are_is_found_out_too():
    rng = np.random.default_rng(0)
    pieces = cut(scene(28 * 8, 28 * 10, seed=8), 28, 28)
    turned = np.stack([np.rot90(piece, turn) for piece, turn in zip(pieces, rng.integers(0, 4, 80), strict=True)])
    assert seams.estimate_worn(strips(turned), turned=True) == 0
