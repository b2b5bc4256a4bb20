"""Pictures that are too large to unpack, and callers that may not read files of the host."""

import base64
import io
import resource

import numpy as np
import pytest
from PIL import Image

import groundstate as gs
from tests.models.jigsaw.test_jigsaw_task import puzzle_of


def bomb(side: int) -> str:
    """A PNG of some kilobytes and ``side`` × ``side`` pixels, as base64."""
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    "request_", [lambda: {"image": bomb(30_000), "rows": 5, "columns": 5}, lambda: {"pieces": [bomb(6000)] * 900}]
)
def test_a_picture_that_unpacks_to_gigabytes_is_refused_before(request_) -> None:
    solver, sent = gs.load("jigsaw"), request_()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(gs.RequestError, match=r"pixels; at most 40,000,000 pixels|pixels are allowed|is not a picture"):
        solver.solve(sent, deadline=5)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_files_of_the_host_are_read_only_where_the_host_allows_it(tmp_path) -> None:
    path = tmp_path / "tiles.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (112, 140, 3), np.uint8)).save(path)
    sent = {"image": str(path), "rows": 4, "columns": 5}
    assert gs.load("jigsaw").read(sent)
    closed = gs.load("jigsaw", ceilings=gs.Ceilings(files=False))
    for name in (str(path), str(tmp_path / "not there.png"), "/etc/passwd"):
        with pytest.raises(gs.RequestError, match="This is no base64; this server reads no files"):
            closed.read({**sent, "image": name})
    assert closed.read(puzzle_of(3, 3, seed=1).request())


@pytest.mark.parametrize("name", ["rows", "columns"])
def test_a_grid_of_billions_of_places_is_refused(name) -> None:
    with pytest.raises(gs.RequestError, match=rf"{name}: 4,000,000,000 is not allowed here; at most 1,000 is"):
        gs.load("jigsaw").read({**puzzle_of(2, 2, seed=1).request(), name: 4_000_000_000})


def test_a_file_without_end_is_no_picture() -> None:
    with pytest.raises(gs.RequestError, match=r"There is no file '/dev/zero'|no base64|neither"):
        gs.load("jigsaw").read({"image": "/dev/zero", "rows": 4, "columns": 5})
