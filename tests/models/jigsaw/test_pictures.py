import base64

import numpy as np
import pytest

from groundstate import OptionError, RequestError
from groundstate_models.jigsaw.pictures import assembled, encoded, opened, read_pieces
from tests.models.jigsaw.scenes import scene


def test_a_picture_comes_from_a_file_base64_or_a_data_uri(tmp_path):
    picture = scene(20, 30)
    content = encoded(picture, "png")
    path = tmp_path / "one.png"
    path.write_bytes(content)
    text = base64.b64encode(content).decode()
    for source in (str(path), text, "data:image/png;base64," + text):
        assert (opened(source, "image") == picture).all()


def test_tiles_are_numbered_row_by_row(tmp_path):
    picture = scene(20, 30)
    path = tmp_path / "tiles.png"
    path.write_bytes(encoded(picture, "png"))
    pieces = read_pieces({"image": str(path), "rows": 2, "columns": 3}, 100)
    assert (pieces[4] == picture[10:20, 10:20]).all()


def test_a_finished_picture_turns_its_pieces_clockwise_and_leaves_holes_grey():
    pieces = np.stack([scene(10, 10, seed) for seed in range(3)])
    found = assembled(pieces, [[2, None], [0, 1]], [0, 90, 0])
    assert (found[:10, 10:] == 128).all()
    assert (found[10:, 10:] == np.rot90(pieces[1], -1)).all()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "Send either `pieces` or one `image` of shuffled tiles."),
        ({"pieces": ["a.png", "b.png"]}, "There is no file 'a.png'."),
        ({"pieces": ["a.png"]}, "One piece is a picture already; a jigsaw needs at least 2."),
        ({"pieces": ["a.png"] * 5000}, "There are 5,000 pieces; at most 1,000 are allowed."),
        ({"image": "a.png"}, "One `image` of shuffled tiles needs `rows`: how many tiles it has."),
        ({"pieces": ["QUJD" * 30, "QUJD" * 30]}, "is not a picture; a file or base64 of PNG or JPEG is needed."),
        ({"pieces": ["?" * 5000, "?" * 5000]}, "This is neither a file nor base64."),
    ],
)
def test_bad_pictures_are_refused_in_one_sentence(request_, said):
    with pytest.raises(RequestError) as caught:
        read_pieces(request_, 1000)
    (fault,) = caught.value.faults
    assert said in fault.message


def test_pieces_of_two_sizes_are_named():
    sent = [base64.b64encode(encoded(scene(20, width), "png")).decode() for width in (20, 20, 22)]
    with pytest.raises(
        RequestError, match="Piece 2 has 22 × 20 pixels and piece 0 has 20 × 20; all must have one size"
    ):
        read_pieces({"pieces": sent}, 1000)


def test_files_of_other_kinds_are_not_written():
    with pytest.raises(OptionError, match="jigsaw writes no files of the kind 'doc'; it writes png"):
        encoded(scene(10, 10), "doc")
