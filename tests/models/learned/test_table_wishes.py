"""What a request may wish of a table: whole numbers, ranges and sums hold, and only what no values can meet is infeasible."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.learned.columns import level_column, number_column
from groundstate_models.learned.table_knowledge import TableKnowledge
from groundstate_models.learned.tables import TableReading

COLUMNS = (
    number_column("size", np.random.default_rng(0).normal(100, 20, 60).tolist()),
    number_column("visits", [float(v) for v in range(10, 50)]),
    level_column("rooms", (1, 2, 3, 4)),
    level_column("kind", ("a", "b")),
)


def reading(request: dict[str, Any]) -> TableReading:
    return TableReading(cast(gs.Header, None), request, TableKnowledge(COLUMNS, (0, 1, 2, 3), 60))


def decoded(request: dict[str, Any]) -> dict[str, Any]:
    """The row at a state in the middle of everything."""
    narrow = np.array([[1.0], [0.0], [0.1]])
    mixture = np.stack([narrow, narrow])
    chances = np.array([0.1, 0.2, 0.6, 0.1, 0.5, 0.5])
    tensors = {"numbers": np.zeros(2), "levels": chances}
    for prefix in ("given", "others"):
        tensors |= {f"{prefix}_mixture": mixture, f"{prefix}_chances": chances}
    one = reading(request)
    answer = one.decode(tensors)
    assert one.contradictions == []
    assert one.check(answer) is None
    return cast(dict[str, Any], answer["row"])


@pytest.mark.parametrize(
    "request_",
    [
        {"row": {"kind": "a"}, "sum": {"columns": ["visits", "rooms"], "equals": 41}},
        {"row": {"kind": "a"}, "sum": {"columns": ["size", "visits", "rooms"], "equals": 150.25}},
        {"row": {"size": 100.5}, "sum": {"columns": ["size", "rooms"], "equals": 103.5}},
        {"row": {}, "between": {"visits": [20.2, 21.1], "rooms": [1.5, 2.5]}},
        {"row": {}, "between": {"visits": [20, 22]}, "sum": {"columns": ["size", "visits"], "equals": 60.125}},
    ],
)
def test_whole_columns_get_whole_numbers_and_sums_and_ranges_hold(request_: dict[str, Any]) -> None:
    row = decoded(request_)
    assert isinstance(row["visits"], int)
    assert isinstance(row["rooms"], int)
    if total := request_.get("sum"):
        assert sum(row[name] for name in total["columns"]) == pytest.approx(total["equals"], abs=1e-9)
    for name, (low, high) in request_.get("between", {}).items():
        assert low <= row[name] <= high


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"row": {}, "between": {"visits": [20.2, 20.8]}}, "whole numbers only, and there is none between 20.2 and 20.8"),
        ({"row": {}, "sum": {"columns": ["visits", "rooms"], "equals": 41.5}}, "No values of visits, rooms add up to 41.5"),
        (
            {"row": {"rooms": 2}, "between": {"visits": [10, 12]}, "sum": {"columns": ["visits", "rooms"], "equals": 15}},
            "No values of visits add up to 13 within their bounds",
        ),
        ({"row": {"visits": 20, "rooms": 2}, "sum": {"columns": ["visits", "rooms"], "equals": 23}}, "add up to 22, not to 23"),
    ],
)  # fmt: skip
def test_what_no_values_can_meet_is_a_contradiction(request_: dict[str, Any], said: str) -> None:
    (violation,) = reading(request_).contradictions
    assert said in violation.message


def test_a_fraction_in_a_column_of_whole_numbers_is_a_violation() -> None:
    one = reading({"row": {"kind": "a", "size": 100.0, "rooms": 2}})
    found = one.check({"row": {"kind": "a", "size": 100.0, "rooms": 2, "visits": 20.5}})
    assert found is not None
    assert [violation.check for violation in found] == ["whole"]


def test_a_word_that_no_example_has_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(gs.RequestError, match="No example has 'c' here"):
        reading({"row": {"kind": "c"}})
