from groundstate_models.jigsaw.data import catalogue, held_out


def test_every_photograph_has_a_package_and_a_licence():
    photographs = catalogue()
    assert len(photographs) > 150
    assert all(photograph["package"] and photograph["file"] and photograph["licence"] for photograph in photographs)
    assert len({(photograph["package"], photograph["file"]) for photograph in photographs}) == len(photographs)


def test_some_photographs_are_held_out():
    share = sum(map(held_out, catalogue())) / len(catalogue())
    assert 0.1 < share < 0.3
