"""Numbers with a given total: found exactly where there are any, the nearest ones, within bounds, whole where asked for."""

from __future__ import annotations

import math
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from groundstate_models.learned.totals import Part, divided, possible

ENDS = st.integers(-2, 2)


@st.composite
def parts(draw: st.DrawFn, whole: tuple[bool, ...] = (False, True)) -> list[Part]:
    found = []
    for _ in range(draw(st.integers(1, 3))):
        low, high = sorted((draw(ENDS), draw(ENDS)))
        wanted, spread = draw(st.floats(-6, 6)), draw(st.sampled_from([0.1, 1.0, 3.0]))
        found.append(Part(wanted, spread, low, high, draw(st.sampled_from(whole))))
    return found


@given(parts(), st.integers(-26, 26))
def test_values_have_the_total_whenever_that_is_possible(some: list[Part], quarters: int) -> None:
    total = quarters / 4
    found = divided(some, total)
    # Bounds and totals are multiples of a quarter, so that some solution is, if there is one.
    grids = [[v / 4 for v in range(int(4 * p.low), int(4 * p.high) + 1) if not p.whole or v % 4 == 0] for p in some]
    exists = any(math.isclose(sum(values), total) for values in product(*grids))
    assert possible(some, total) == exists
    assert (found is not None) == exists
    if found is not None:
        assert math.isclose(math.fsum(found), total, abs_tol=1e-9)
        for value, part in zip(found, some, strict=True):
            assert part.low <= value <= part.high
            assert not part.whole or value == round(value)


@given(parts((False,)), st.integers(-26, 26), st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_no_other_values_with_the_total_are_nearer(some: list[Part], quarters: int, moves: list[float]) -> None:
    found = divided(some, quarters / 4)
    if found is None:
        return
    moved = [v + m - sum(moves[: len(some)]) / len(some) for v, m in zip(found, moves, strict=False)]
    if all(p.low <= v <= p.high for v, p in zip(moved, some, strict=True)):

        def cost(values: list[float]) -> float:
            return sum(((v - p.wanted) / p.spread) ** 2 for v, p in zip(values, some, strict=True))

        assert cost(found) <= cost(moved) + 1e-6


def test_whole_numbers_without_bounds_reach_a_far_total() -> None:
    found = divided([Part(1.2, 1.0, whole=True), Part(3.4, 2.0, whole=True)], 100_001)
    assert found is not None
    assert sum(found) == 100_001
    assert all(value == round(value) for value in found)
    assert divided([Part(1.0, 1.0, whole=True)], 2.5) is None
    assert divided([Part(1.0, 1.0, whole=True), Part(1.0, 0.1)], 2.75) is not None


def test_whole_numbers_beyond_exact_floats_end_without_values() -> None:
    huge = 7e17
    parts = [Part(-huge, huge, -1e18, 1e18, whole=True), Part(0.8 * huge, huge, -1e18, 1e18, whole=True)]
    found = divided(parts, 1.0)
    assert found is None or sum(found) == 1.0
