"""Which of equally good schedules is given, and what a person is asked about."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstate import Option
from groundstate_models.constraints.backtracking import solutions
from groundstate_models.constraints.problem import Problem
from groundstate_models.scheduling import ties, wishes
from groundstate_models.scheduling.answer import answer
from groundstate_models.scheduling.check import cost, violations
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read
from tests.models.scheduling.test_scheduling_exactness import errands, requests


def any_answer(made: Any, seed: int) -> dict[str, Any] | None:
    """An answer that keeps the constraints, whatever it costs."""
    found = solutions(Problem.of(made.request), 1, np.random.default_rng(seed))
    return answer(made, found[0]) if found else None


def placed(given_one: Any) -> list[tuple[str, str, str | None]]:
    return [(one["name"], one["start"], one.get("room")) for one in given_one["activities"]]


def settled_from(request: dict[str, Any], seed: int) -> Any:
    made = compiled(read(request))
    return ties.Convention(made).settled(any_answer(made, seed) or {})


@pytest.mark.parametrize("seed", range(5))
def test_an_hour_without_any_wish_is_booked_at_the_earliest_time(seed: int) -> None:
    """A newcomer was told Tuesday by one interface and Wednesday by another."""
    found = settled_from({"activities": [{"name": "Plan", "duration": 60, "who": ["Ada"]}]}, seed)
    assert found["activities"] == [{"name": "Plan", "start": "mon 9:00", "end": "mon 10:00", "who": ["Ada"]}]


@pytest.mark.parametrize("seed", range(5))
def test_equal_activities_are_in_the_order_of_the_request_and_in_the_first_room(seed: int) -> None:
    rooms = {"Red": {"busy": "mon 9:00-10:00"}, "Blue": {}, "Green": {}}
    activities = [{"name": name, "duration": 60, "who": "Ada", "room": "any"} for name in "cab"]
    found = settled_from({"days": "mon", "rooms": rooms, "activities": activities}, seed)
    told = [(one["name"], one["start"], one["room"]) for one in found["activities"]]
    assert told == [("c", "mon 9:00", "Blue"), ("a", "mon 10:00", "Red"), ("b", "mon 11:00", "Red")]


def test_a_wish_for_later_is_not_settled_away() -> None:
    request = {
        "days": "mon",
        "hours": "9:00-12:00",
        "activities": [{"name": "Plan", "duration": 60}],
        "preferences": [{"type": "later"}],
    }
    late = {"activities": [{"name": "Plan", "start": "mon 11:00"}]}
    assert placed(ties.Convention(compiled(read(request))).settled(late)) == placed(late)


@settings(max_examples=150, deadline=None)
@given(st.one_of(requests(), errands()), st.integers(0, 3))
def test_what_is_settled_passes_the_check_costs_no_more_and_is_settled(request: dict[str, Any], seed: int) -> None:
    schedule = read(request)
    if contradictions(schedule):
        return
    made = compiled(schedule)
    given_one = any_answer(made, seed)
    if given_one is None:
        return
    found = ties.Convention(made).settled(given_one)
    assert violations(schedule, found) == []
    before, after = cost(schedule, given_one), cost(schedule, found)
    assert after.key(schedule.objective) <= tuple(part + 1e-9 for part in before.key(schedule.objective))
    assert found.get("left_out", []) == given_one.get("left_out", [])
    assert placed(ties.Convention(made).settled(found)) == placed(found)
    assert wishes.variables(schedule, found) == wishes.variables(schedule, given_one)


def two_talks() -> dict[str, Any]:
    talk = {"duration": 60, "who": "Ada", "optional": True}
    wish = {"type": "avoid", "window": "mon 9:00-10:00", "weight": 2}
    return {
        "days": "mon",
        "hours": "9:00-10:00",
        "activities": [{"name": "Lunch", **talk}, {"name": "Talk", **talk}],
        "preferences": [wish, {"type": "earlier"}],
    }


def test_optional_activities_and_preferences_are_what_is_asked_about_and_no_times() -> None:
    schedule = read(two_talks())
    one = {"activities": [{"name": "Lunch", "start": "mon 9:00"}], "left_out": ["Talk"]}
    assert wishes.variables(schedule, one) == {"Lunch": "takes place", "Talk": "left out", "preferences[0]": "given up"}
    hour = read({"activities": [{"name": "Plan", "duration": 60}]})
    assert wishes.variables(hour, {"activities": [{"name": "Plan", "start": "mon 9:00"}]}) == {}
    assert wishes.ask(schedule, "Lunch") == "Is Lunch to take place, or to be left out?"
    assert (
        wishes.ask(schedule, "preferences[0]")
        == "Is this preference to be kept or given up: all activities not in mon 9:00-10:00?"
    )
    assert wishes.called(schedule, "Talk", "left out") == "Talk left out"


@pytest.mark.parametrize("variable", ["Lunch", "preferences[0]"])
def test_each_reply_changes_the_request_so_that_it_is_so(variable: str) -> None:
    request = two_talks()
    schedule = read(request)
    for value in wishes.choices(variable):
        changed = Option("x", "x", wishes.fix(request, schedule, variable, value), 1).apply(request)
        found = any_answer(made := compiled(read(changed)), 0)
        assert found is not None
        told = wishes.variables(made.schedule, found)
        assert told.get(variable, value) == value
        names = {one["name"] for one in found["activities"]}
        if variable == "Lunch":
            assert ("Lunch" in names) == (value == "takes place")
        elif value == "kept":
            assert not names, "nothing can take place but at a time to be avoided"


def test_leaving_out_frees_those_who_wait() -> None:
    request = two_talks()
    request["activities"][1]["after"] = ["Lunch"]
    patch = wishes.fix(request, read(request), "Lunch", "left out")
    after = Option("none", "none", patch, 1).apply(request)
    assert [(one["name"], one["after"]) for one in after["activities"]] == [("Talk", [])]


def test_two_activities_of_one_person_cannot_be_at_the_same_time() -> None:
    """Activities of a rule share a variable where nothing between them can exclude their times; here something does."""
    activities = [{"name": name, "duration": 30, "who": ["Ada"]} for name in ("one", "two")]
    made = compiled(read({"days": "mon", "activities": activities, "rules": [{"type": "same_time"}]}))
    assert not made.alias
    assert any_answer(made, 0) is None
