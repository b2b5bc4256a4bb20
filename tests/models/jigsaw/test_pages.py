import gzip
from pathlib import Path

import numpy as np
import pytest

from groundstate_models.jigsaw import pages


def test_every_package_of_fonts_and_texts_has_a_licence_and_a_split():
    listed = pages.catalogue()
    for entries in listed.values():
        assert all(entry["package"] and entry["licence"] and entry["scripts"] for entry in entries)
        assert {entry["test"] for entry in entries} == {True, False}
    names = [entry["package"] for entries in listed.values() for entry in entries]
    assert len(set(names)) == len(names)


def test_words_of_a_manual_page_have_no_markup(tmp_path):
    source = '.TH LS 1\n.SH NAME\nls \\- \\fBlist\\fR files\\[em]all of them\n.\\" a remark\n'
    (tmp_path / "man1").mkdir()
    (tmp_path / "man1" / "ls.1.gz").write_bytes(gzip.compress(source.encode()))
    assert pages.words(tmp_path) == ["ls", "list", "filesall", "of", "them"]
    with pytest.raises(RuntimeError, match="There are no manual pages in"):
        pages.words(tmp_path / "man1" / "none")


def test_pages_and_maps_are_drawn_from_the_fonts_and_texts_of_their_split(tmp_path):
    font_manager = pytest.importorskip("matplotlib.font_manager")
    font = font_manager.findfont("DejaVu Sans")
    for entries in pages.catalogue().values():
        for entry in entries:
            folder = tmp_path / entry["package"] / "man1"
            folder.mkdir(parents=True)
            (folder / "one.1.gz").write_bytes(gzip.compress(b"some words of a text"))
            (folder / "one.ttf").write_bytes(Path(font).read_bytes())
    press = pages.Press(tmp_path, training=True)
    page, drawn = press.page(np.random.default_rng(3), 200), press.map(np.random.default_rng(1), 200)
    assert page.shape == drawn.shape == (200, 200, 3)
    assert page.std() > 10
    assert drawn.std() > 10
    assert (press.page(np.random.default_rng(3), 200) == page).all()
