"""Intervals are calibrated by the quantile that covers a further cell with the wanted probability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstate_training.learning._calibration import _quantile, _shrunk


@given(st.integers(1, 40))
def test_the_quantile_is_the_order_statistic_of_conformal_prediction(tens: int) -> None:
    many = 10 * tens - 1  # 0.9 (n + 1) is whole
    scores = np.random.default_rng(many).permutation(many).astype(float)
    assert _quantile(scores) == pytest.approx(9 * tens - 1)


def test_few_scores_have_their_largest_as_the_quantile() -> None:
    assert _quantile(np.array([0.3, 2.0, 1.0])) == 2.0


def test_a_column_with_few_cells_follows_all_columns_and_one_with_many_follows_its_own() -> None:
    wide, narrow = np.full(400, 3.0), np.full(4, 1.0)
    found = dict(_shrunk([wide, narrow, np.empty(0)], 0.0))
    assert set(found) == {0, 1}
    assert found[0] == pytest.approx(3.0, abs=0.2)
    assert found[1] > 2.5
    assert _shrunk([narrow], 0.0) == []
