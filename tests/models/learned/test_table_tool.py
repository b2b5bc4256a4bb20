"""A learned table as a tool: it completes with calibrated intervals, offers both modes, finds odd values, keeps what is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.learned.columns import Belief, number_column
from groundstate_training.learning import TableModel
from tests.models.learned.conftest import rows

Tool = tuple[gs.Solver, Path]


def test_a_missing_value_is_found_from_the_others_and_its_interval_covers_it(table: Tool) -> None:
    solver, path = table
    assert path.stat().st_size < 500_000
    inside = near = 0
    for row in rows(40, 77):
        true = row.pop("weight")
        solution = solver.solve({"row": row}, alternatives=1)
        assert solution.status == "settled"
        assert solution.answer is not None
        (cell,) = solution.answer["cells"]
        inside += cell["low"] <= true <= cell["high"]
        near += abs(cell["value"] - true) < 6
    assert inside >= 32
    assert near >= 36


def test_both_modes_are_offered_where_there_are_two_and_one_where_there_is_one(table: Tool) -> None:
    solver, _ = table
    two = solver.solve({"row": {"kind": "odd", "height": 170.0, "weight": 70.0}}, alternatives=1).answer
    one = solver.solve({"row": {"kind": "low", "height": 170.0, "weight": 70.0}}, alternatives=1).answer
    assert two is not None
    assert one is not None
    modes = sorted(peak["value"] for peak in two["cells"][0]["alternatives"])
    assert modes[0] == pytest.approx(20, abs=5)
    assert modes[-1] == pytest.approx(80, abs=5)
    assert "alternatives" not in one["cells"][0]
    assert one["cells"][0]["value"] == pytest.approx(20, abs=6)


def test_an_odd_value_is_named_with_what_would_fit(table: Tool) -> None:
    solver, _ = table
    row = {"kind": "low", "height": 170.0, "weight": 70.0, "speed": 80.0}
    solution = solver.solve({"row": row}, alternatives=1)
    assert solution.answer is not None
    assert solution.answer["row"] == row
    found = {one["column"]: one["instead"] for one in solution.answer["odd"]}
    assert found.get("kind") in ("high", "odd") or found.get("speed") == pytest.approx(20, abs=6)
    fits = solver.solve({"row": {**row, "speed": 20.0}}, alternatives=1).answer
    assert fits is not None
    assert "odd" not in fits


def test_the_value_whose_replacement_makes_a_row_fit_is_named_first_with_what_would_fit(
    table_model: TableModel,
) -> None:
    some = rows(24, 5)
    random = np.random.default_rng(1)
    for row in some:
        row["weight"] += float(random.choice([-25, 25]))
    some[0]["kind"] = None
    some[1]["kind"] = "none of them"
    found = table_model.odd(some)
    assert {one.column for one in found[0]} == {"height", "weight", "speed"}
    assert "kind" in {one.column for one in found[1][:3]}
    right = off = 0
    for row, odd in zip(some[2:], found[2:], strict=True):
        assert [one.gain for one in odd] == sorted((one.gain for one in odd), reverse=True)
        # A wrong weight for the height is a wrong height for the weight.
        right += odd[0].column in ("weight", "height")
        (weight,) = (one for one in odd if one.column == "weight")
        off += abs(float(weight.instead) - 70 - (row["height"] - 170) * 0.9) > 8
    assert right >= 19
    assert off <= 4


def test_bounds_and_sums_hold_exactly(table: Tool) -> None:
    solver, _ = table
    asked = {
        "row": {"kind": "high", "height": 180.0},
        "between": {"weight": [60, 65]},
        "sum": {"columns": ["weight", "speed"], "equals": 150},
    }
    answer = solver.solve(asked, alternatives=1).answer
    assert answer is not None
    assert 60 <= answer["row"]["weight"] <= 65
    assert answer["row"]["weight"] + answer["row"]["speed"] == pytest.approx(150, abs=1e-9)


def test_given_values_that_break_a_bound_are_infeasible_and_unknown_levels_are_refused(table: Tool) -> None:
    solver, _ = table
    assert solver.solve({"row": {"weight": 70.0}, "between": {"weight": [0, 10]}}).status == "infeasible"
    with pytest.raises(gs.RequestError, match="kind"):
        solver.solve({"row": {"kind": "medium"}})


def test_the_report_says_what_the_columns_are_and_how_well_they_are_predicted(table_model: TableModel) -> None:
    report = table_model.report
    assert "kind: 3 levels (high, low, odd)." in report
    assert "nats a cell better" in report


def test_a_column_of_numbers_maps_there_and_back() -> None:
    values = np.random.default_rng(0).lognormal(size=200)
    column = number_column("x", values.tolist())
    inside = np.linspace(values.min(), values.max(), 50)
    np.testing.assert_allclose(column.from_normal(column.to_normal(inside)), inside, rtol=1e-6)
    assert np.all(np.diff(column.to_normal(np.linspace(-5, 50, 200))) > 0)


def test_a_belief_has_the_quantiles_of_its_mixture() -> None:
    x = np.random.default_rng(1).normal(size=4000)
    column = number_column("x", x.tolist())
    belief = Belief.of_mixture(column, np.array([0.5, 0.5]), np.array([-1.5, 1.5]), np.array([0.3, 0.3]))
    low, high = belief.interval()
    assert low == pytest.approx(-1.5 - 0.3 * 1.2816, abs=0.15)
    assert high == pytest.approx(1.5 + 0.3 * 1.2816, abs=0.15)
    assert sorted(round(float(v)) for v, _ in belief.peaks()) in ([-2, 2], [-1, 1], [-2, 1], [-1, 2])
    assert belief.mean == pytest.approx(0, abs=0.1)
