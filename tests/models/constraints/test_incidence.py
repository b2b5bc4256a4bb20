"""Tables of literals by factor and of factors by literal have the same edges."""

from __future__ import annotations

import numpy as np
import pytest

from groundstate_models.constraints.incidence import Edges, edges_of, tables
from groundstate_models.constraints.tensors import rounded

VARIABLES, VALUES, FACTORS = 4, 3, 6


@pytest.mark.parametrize("size", [int, rounded])
@pytest.mark.parametrize("seed", range(12))
def test_both_sides_have_the_edges(seed: int, size: type[int]) -> None:
    draw = np.random.default_rng(seed)
    pairs = [(literal, factor) for literal in range(VARIABLES * VALUES) for factor in range(1, FACTORS)]
    some = draw.permutation(len(pairs))[: 5 * seed]
    wanted = {pairs[k]: int(draw.choice([-2, 1, 3])) for k in some}
    literal, factor = np.array(list(wanted), np.int64).reshape(-1, 2).T
    edges = Edges(literal, factor, np.array(list(wanted.values()), np.float64))
    found = tables(edges, FACTORS, VARIABLES, VALUES, costs=True, size=size)
    again = edges_of(found, costs=False)
    assert wanted == dict(zip(zip(again.literal, again.factor, strict=True), again.coefficient, strict=True))
    other = set()
    for place in range(VARIABLES * VALUES):
        own = found["factor_coefficient"].reshape(-1, VARIABLES * VALUES)[:, place]
        other |= {(place, f) for f in found["factor"].reshape(-1, VARIABLES * VALUES)[own != 0, place]}
        if column := found["popular"].flat[place]:
            own = found["popular_coefficient"][:, column - 1]
            other |= {(place, f) for f in found["popular_factor"][own != 0, column - 1]}
    assert other == set(wanted)
