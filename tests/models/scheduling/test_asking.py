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


def test_a_meeting_that_could_be_at_several_times_is_asked_when(solver: gs.Solver) -> None:
    solution = solver.solve(week(), alternatives=2, **SMALL)
    question = solution.question
    assert solution.status is gs.Status.AMBIGUOUS
    assert question is not None
    assert question.text == "When is Plan to start?"
    assert [option.id for option in question.options] == ["mon 9:00", "mon 10:00", "mon 11:00"]
    for option in question.options:
        after = solver.solve(option.apply(week()), alternatives=2, **SMALL)
        assert after.status is gs.Status.SOLVED
        assert after.answer["activities"][0]["start"] == option.id


def test_a_meeting_that_could_be_in_several_rooms_is_asked_where(solver: gs.Solver) -> None:
    request = week(rooms={"Blue": {}, "Green": {"busy": "mon 11:00-12:00"}})
    request["activities"][0] |= {"room": "any", "at": "mon 9:00"}
    question = solver.solve(request, alternatives=2, **SMALL).question
    assert question is not None
    assert (question.text, [option.id for option in question.options]) == (
        "In which room is Plan to be?",
        ["Blue", "Green"],
    )
    after = solver.solve(question.options[1].apply(request), alternatives=2, **SMALL)
    assert (after.status, after.answer["activities"][0]["room"]) == (gs.Status.SOLVED, "Green")


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
    assert {option.id for option in question.options} == {"mon 9:00", "none"}
    kept = solver.solve(question.option("mon 9:00").apply(request), alternatives=2, **SMALL)
    gone = solver.solve(question.option("none").apply(request), alternatives=2, **SMALL)
    names = [{one["name"] for one in solution.answer["activities"]} for solution in (kept, gone)]
    assert kept.status is gone.status is gs.Status.SOLVED
    assert names[0] | names[1] == {"Lunch", "Talk"}


def test_leaving_out_frees_those_who_wait(solver: gs.Solver) -> None:
    request = week(activities=[{"name": name, "duration": 60, "optional": True} for name in ("First", "Then")])
    request["activities"][1]["after"] = ["First"]
    patch = solver.read(request).fix("First starts", None)
    after = gs.Option("none", "none", patch, 1).apply(request)
    assert [activity["name"] for activity in after["activities"]] == ["Then"]
    assert solver.solve(after, **SMALL).solved


def test_the_explanation_counts_activities_and_people(solver: gs.Solver) -> None:
    said = solver.solve(week(), **SMALL).explanation
    assert said.startswith("Asked: 1 activity of 2 people.")
