"""What schedules ask back."""

from __future__ import annotations

from typing import Any

import pytest

import groundstate as gs
from groundstate_models.scheduling.schema import EXAMPLE

SMALL = {"restarts": 16, "max_steps": 1024}


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("scheduling")


def week(**changes: Any) -> dict[str, Any]:
    meeting = {"name": "Plan", "duration": 60, "who": ["Ada", "Bob"]}
    return {"days": ["mon"], "hours": "9:00-12:00", "slot": 60, "activities": [meeting], **changes}


@pytest.mark.parametrize("seed", range(3))
def test_a_meeting_that_could_be_at_several_times_is_booked_at_the_earliest(solver: gs.Solver, seed: int) -> None:
    solution = solver.solve(week(), alternatives=2, seed=seed, **SMALL)
    assert (solution.status, solution.question) == (gs.Status.SOLVED, None)
    assert solution.answer["activities"][0]["start"] == "mon 9:00"
    assert "only answer" not in solution.explanation
    assert "No other answer" not in solution.explanation


def test_a_meeting_that_could_be_in_several_rooms_is_in_the_first_that_is_free(solver: gs.Solver) -> None:
    request = week(rooms={"Red": {"busy": "mon 9:00-10:00"}, "Blue": {}, "Green": {}})
    request["activities"][0] |= {"room": "any", "at": "mon 9:00"}
    solution = solver.solve(request, alternatives=2, **SMALL)
    assert (solution.status, solution.answer["activities"][0]["room"]) == (gs.Status.SOLVED, "Blue")


def test_a_preference_that_has_to_give_way_to_another_is_asked_about(solver: gs.Solver) -> None:
    wishes = [{"type": "within", "window": window, "weight": 2} for window in ("mon 9:00-10:00", "mon 11:00-12:00")]
    request = week(preferences=wishes)
    question = solver.solve(request, alternatives=2, **SMALL).question
    assert question is not None
    assert question.text == "Is this preference to be kept or given up: Plan within mon 9:00-10:00?"
    starts = []
    for option in ("kept", "given up"):
        after = solver.solve(question.option(option).apply(request), alternatives=2, **SMALL)
        assert after.status is gs.Status.SOLVED
        starts.append(after.answer["activities"][0]["start"])
    assert starts == ["mon 9:00", "mon 11:00"]


def test_days_relative_to_today_are_echoed(solver: gs.Solver) -> None:
    request = {
        "today": "2025-06-04",
        "activities": [{"name": "Plan", "duration": 60, "window": "tomorrow after 14:00"}],
    }
    solution = solver.solve(request, **SMALL)
    assert solution.answer["activities"][0]["start"] == "2025-06-05T14:00"
    assert "Asked: 1 activity (tomorrow is Thursday 2025-06-05; Plan: 1 h)." in solution.explanation


def test_the_example_ends_solved_whatever_is_replied(solver: gs.Solver) -> None:
    for reply in (0, -1):
        request: dict[str, Any] = EXAMPLE
        for _ in range(8):
            solution = solver.solve(request, alternatives=2, **SMALL)
            if solution.question is None:
                break
            request = solution.question.options[reply].apply(request)
        assert solution.status is gs.Status.SOLVED


def test_a_full_morning_asks_what_may_be_left_out(solver: gs.Solver) -> None:
    names = ["A", "B", "C", "D"]
    request = week(activities=[{"name": name, "duration": 60, "who": "Ada"} for name in names])
    solution = solver.solve(request, **SMALL)
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.question is not None
    for option in solution.question.options:
        after = solver.solve(option.apply(request), **SMALL)
        assert after.solved


def test_busy_people_are_asked_about(solver: gs.Solver) -> None:
    request = week(people={"Ada": {"busy": "mon 9:00-12:00"}, "Bob": {}})
    solution = solver.solve(request, **SMALL)
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.question is not None
    told = {option.id: option for option in solution.question.options}
    assert told["without people.Ada.busy"].label == 'Without the busy of Ada: "mon 9:00-12:00".'
    assert solver.solve(told["without people.Ada.busy"].apply(request), **SMALL).solved


def test_an_optional_activity_can_be_left_out_by_reply(solver: gs.Solver) -> None:
    lunch = {"name": "Lunch", "duration": 60, "who": "Ada", "optional": True}
    talk = {"name": "Talk", "duration": 60, "who": "Ada", "optional": True}
    request = week(hours="9:00-10:00", activities=[lunch, talk])
    solution = solver.solve(request, alternatives=2, **SMALL)
    question = solution.question
    assert question is not None
    assert [option.id for option in question.options] == ["takes place", "left out"]
    kept = solver.solve(question.option("takes place").apply(request), alternatives=2, **SMALL)
    gone = solver.solve(question.option("left out").apply(request), alternatives=2, **SMALL)
    names = [{one["name"] for one in solution.answer["activities"]} for solution in (kept, gone)]
    assert kept.status is gone.status is gs.Status.SOLVED
    assert names[0] | names[1] == {"Lunch", "Talk"}


def test_the_explanation_counts_activities_and_people(solver: gs.Solver) -> None:
    said = solver.solve(week(), **SMALL).explanation
    assert said.startswith("Asked: 1 activity of 2 people (")
    request = {
        "gap": 15,
        "activities": [{"name": "Plan", "duration": "an hour and a half", "who": ["Ada", "one of Bob, Cem"]}],
    }
    said = solver.solve(request, **SMALL).explanation
    assert "(hours 9:00-17:00; 15 min between activities of a person; Plan: 1 h 30 min, 1 of Bob, Cem)." in said


@pytest.mark.parametrize("seed", range(3))
def test_an_early_end_is_no_reason_to_leave_something_out(solver: gs.Solver, seed: int) -> None:
    names = ["A", "B", "C"]
    activities = [{"name": name, "duration": 60, "who": "Ada", "optional": True, "weight": 0.3} for name in names]
    wish = {"type": "avoid", "window": "mon 11:00-12:00", "weight": 0.2}
    request = week(activities=activities, objective="earliest_end", preferences=[wish])
    solution = solver.solve(request, seed=seed, **SMALL)
    assert "left_out" not in solution.answer
    assert solution.answer["activities"][-1]["end"] == "mon 12:00"
    assert solution.optimal
