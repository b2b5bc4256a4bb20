from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from groundstate_models.jigsaw.matching import assign


@given(st.integers(1, 5), st.integers(0, 2), st.integers(0, 10_000), st.booleans())
def test_an_assignment_is_the_cheapest_one(rows, spare, seed, ties):
    rng = np.random.default_rng(seed)
    shape = (rows, rows + spare)
    cost = rng.integers(0, 5, shape).astype(float) if ties else rng.normal(size=shape)
    found = assign(cost)
    assert len(set(found.tolist())) == rows
    cheapest = min(sum(cost[i, p[i]] for i in range(rows)) for p in permutations(range(shape[1]), rows))
    assert abs(cost[np.arange(rows), found].sum() - cheapest) < 1e-9
