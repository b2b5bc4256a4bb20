"""The header of format 4: what is refused, with which sentence, and what older formats mean."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import groundstate as gs
from groundstate._header import DTYPES, slots_of
from groundstate._header_reader import read_header
from tests.runtime import toys
from tests.runtime.building import former, header, spec

CHECKS = [
    {"name": "near", "description": "Near.", "tolerance": 0.1, "unit": "m"},
    {"name": "apart", "description": "", "tolerance": None, "unit": None},
]
STATE = {"y": spec([2], initial={"constant": 0.0}, minimised=True)}
STAGE = {
    "name": "search", "model": "groundstate.stage.0", "steps": 4, "trace_every": 1, "elements": [2], "state": STATE, "noise": {},
    "answers": {"y": spec([2])}, "terms": [], "until": {"residual": None, "max_steps": 8},
}  # fmt: skip


def read(**changes: Any) -> gs.Header:
    return read_header({"groundstate": json.dumps(header(**changes))})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 5}, "is of format 5; this version of groundstate reads the formats 1, 2, 3 and 4"),
        (
            {"accept": {"checks": ["far"], "converged": False, "polish": 0}},
            "'accept.checks' names 'far', and the checks are none",
        ),
        (
            {"checks": CHECKS, "accept": {"checks": ["far"], "converged": False, "polish": 0}},
            "'accept.checks' names 'far', and the checks are 'near', 'apart'",
        ),
        ({"accept": {"checks": "none", "converged": False, "polish": 0}}, "asks for no check and for no convergence"),
        ({"accept": {"checks": "all", "converged": False, "polish": 0}}, "asks for no check and for no convergence"),
        ({"accept": {"checks": "some", "converged": True, "polish": 0}}, "'accept.checks' is 'some'; it must be 'all', 'none'"),
        ({"accept": {"checks": "none", "converged": 1, "polish": 0}}, "'accept.converged' is 1, which has the wrong type"),
        ({"accept": {"checks": "none", "converged": True, "polish": -1}}, "'accept.polish' is -1; it must be at least 0"),
        ({"accept": {"checks": "none", "converged": True}}, "it lacks 'accept.polish'"),
        ({"checks": [{**CHECKS[0], "tolerance": -1}]}, r"'checks\[0\].tolerance' is -1; it must be at least 0, or null"),
        ({"checks": [{**CHECKS[0], "tolerance": "1"}]}, r"'checks\[0\].tolerance' is '1', which has the wrong type"),
        ({"checks": [{**CHECKS[0], "unit": 5}]}, r"'checks\[0\].unit' is 5, which has the wrong type"),
        ({"checks": [CHECKS[0], CHECKS[0]]}, "two of 'checks' have the same name"),
        ({"elements": 2}, "'elements' is 2, which has the wrong type"),
        ({"elements": []}, r"'elements' is \[\]; it must hold at least one product"),
        ({"defaults": {"restarts": 1, "max_steps": 1, "patience": 1, "lengthens": 1, "settled": 1}}, "it lacks 'defaults.luby"),
        ({"limits": {"restarts": 1, "max_steps": 1, "batch": 1, "entries": 1}}, "it lacks 'limits.elements'"),
        ({"noise": {"y": spec([2, 2], offsets=[0])}}, "it lacks 'noise.y.period'"),
        ({"noise": {"y": spec([2, 2], period=8, offsets=[8])}}, r"'noise.y.offsets' is \[8\]; they are whole numbers below 8"),
        ({"noise": {"y": spec([2, 2], period=8, offsets=[0])}}, "'noise.y.shape' has 2 slots; its period and offsets make 1"),
        ({"noise": {"y": spec([1, 2], period=3, offsets=[0])}}, "'noise.y.period' is 3; it must divide the 8 steps"),
        ({"inputs": {"w": spec([2], default=[1])}}, r"'inputs.w.default' has shape \(1,\); it must be \(2,\)"),
        ({"inputs": {"w": spec([2], default=["a", "b"])}}, "'inputs.w.default' is not an array of float32"),
        ({"state": {"y": spec([2], "int64", initial={"constant": 0}, minimised=True)}}, "a state is of floating point"),
        ({"state": {"y": spec([2], initial={"answer": "y"}, minimised=True)}}, "and there is no stage before"),
        (
            {"stages": [STAGE], "state": {"y": spec([2], initial={"answer": "z"}, minimised=True)}},
            "starts as the answer 'z' of the stage before, and it has y",
        ),
        (
            {"stages": [STAGE], "state": {"y": spec([3], initial={"answer": "y"}, minimised=True)}},
            r"'state.y' of shape \(3,\) starts as the answer 'y' of shape \(2,\)",
        ),
        ({"stages": [{**STAGE, "steps": 0}]}, r"in 'stages\[0\]', 'steps' is 0; a segment has at least one step"),
        ({"stages": [{**STAGE, "until": {"residual": None, "max_steps": 0}}]}, "'until.max_steps' is 0; a stage makes at"),
        ({"stages": [{k: v for k, v in STAGE.items() if k != "model"}]}, r"in 'stages\[0\]', it lacks 'model'"),
        ({"stages": "search"}, "'stages' is 'search', which has the wrong type"),
        ({"steps": float("nan")}, "'steps' is nan, which has the wrong type"),
        ({"conditions": {}}, "'conditions' is {}, which has the wrong type"),
        ({"conditions": [{"multiple": 4}]}, r"it lacks 'conditions\[0\].size'"),
        ({"conditions": [{"size": "n", "multiple": 4}]}, "the size 'n' is the length of no axis of an input"),
        ({"conditions": [{"size": "n", "multiple": 0}]}, r"'conditions\[0\]' is .*, which no length meets"),
        ({"conditions": [{"size": "n", "multiple": 4, "remainder": 4}]}, "which no length meets"),
        ({"conditions": [{"size": "n", "least": 5, "most": 4}]}, "which no length meets"),
        ({"conditions": [{"size": "n", "least": 1 << 40}]}, "must be a whole number from 0 to"),
        ({"conditions": [{"size": "n", "least": None}]}, "must be a whole number from 0 to"),
        ({"conditions": [{"size": "n", "least": True}]}, "has the wrong type"),
        ({"conditions": [{"size": "n"}] * 257}, "'conditions' has more than 256 elements"),
    ],
)  # fmt: skip
def test_a_header_of_format_4_that_means_nothing_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(gs.ArtefactError, match=sentence) as refused:
        read(**changes)
    assert "\n" not in str(refused.value)


def test_checks_acceptance_and_stages_are_read_as_they_are_written() -> None:
    found = read(checks=CHECKS, accept={"checks": ["apart"], "converged": True, "polish": 2}, stages=[STAGE])
    assert [(check.name, check.tolerance, check.unit) for check in found.checks] == [
        ("near", 0.1, "m"),
        ("apart", None, None),
    ]
    assert (found.accept.checks, found.accept.converged, found.accept.polish) == (("apart",), True, 2)
    assert found.required.tolist() == [1]
    (stage,) = found.stages
    assert (stage.name, stage.header.steps, stage.residual, stage.max_steps) == ("search", 4, None, 8)
    assert stage.header.checks == ()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_header_of_an_older_format_with_every_field_means_what_it_meant(version: int) -> None:
    old = former(header(checks=CHECKS, noise={"y": spec([3, 2])}), max(version, 2)) | {"format": version}
    found = read_header({"groundstate": json.dumps(old)})
    assert found.accept.checks == ("near", "apart")
    assert (found.accept.converged, found.accept.polish) == (False, 0)
    assert [check.tolerance for check in found.checks] == [None, None]
    assert (found.stages, found.step_scale, found.checker_key, found.measures) == (
        (),
        "rate",
        "groundstate.judge",
        False,
    )
    assert (found.noise["y"].period, found.noise["y"].offsets) == (8, (0, 1, 2))
    assert found.defaults["luby_exponent"] == 1.0
    assert "excess" not in found.graph_outputs
    assert found.largest == (1 << 14 if version == 1 and "entries" not in old else 2)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_may_be_that_of_an_input_and_of_an_answer(dtype: str) -> None:
    found = read(inputs={"x": spec([2], dtype)}, answers={"y": spec([2], dtype)})
    assert found.inputs["x"].dtype == found.answers["y"].dtype == np.dtype(dtype)


def test_learned_numbers_are_no_part_of_a_request_and_may_be_given_for_each_row() -> None:
    file = toys.bowl(
        inputs={"x": spec([2], default=[3.0, 4.0])}, request={"type": "object", "additionalProperties": False}
    )
    solver = gs.load(file)
    assert solver.solve({}).answer == {"y": pytest.approx([3.0, 4.0], abs=1e-3)}
    start = {"y": [[0.0, 0.0], [0.0, 0.0]]}
    learned = solver.minimise({}, start, steps=80)["answer.y"]
    given = solver.minimise({"x": [[1.0, 2.0], [5.0, 6.0]]}, start, steps=80)["answer.y"]
    assert np.allclose(learned, [[3, 4], [3, 4]], atol=1e-3)
    assert np.allclose(given, [[1, 2], [5, 6]], atol=1e-3)


def test_conditions_on_sizes_are_read_as_they_are_written() -> None:
    sized = {"inputs": {"x": spec(["n", "m"])}}
    one = {"size": "n", "multiple": 4, "remainder": 1, "least": 5, "most": 9}
    found = read(**sized, conditions=[one, {"size": "m", "least": 2}, {"size": "m", "most": 3}]).conditions
    assert [c.text for c in found] == [
        "n must be 1 more than a multiple of 4 and at least 5 and at most 9", "m must be at least 2", "m must be at most 3",
    ]  # fmt: skip
    assert [n for n in range(20) if found[0].holds(n)] == [5, 9]
    assert read(**sized).conditions == ()


@given(st.sampled_from([1, 2, 4, 8, 16]), st.sampled_from([1, 2, 4, 8, 16]), st.sets(st.integers(0, 15), min_size=1))
def test_slots_are_the_places_in_a_segment_at_which_noise_may_come(steps: int, period: int, offsets: set[int]) -> None:
    due = tuple(sorted({offset % period for offset in offsets}))
    brute = {t % steps for t in range(64 * 16) if t % period in due}
    assert slots_of(steps, period, due) == sorted(brute)
