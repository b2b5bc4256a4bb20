"""Habits of past weeks: what the maker usually does is found with weights, added to requests, and accidents are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import groundstate as gs
from groundstate_training import TrainingError, learn_weeks

DAYS = ("mon", "tue", "wed", "thu", "fri")


def weeks(many: int, *, usual: bool, seed: int = 0) -> list[dict[str, Any]]:
    """Review is nearly always on Friday and in Blue; Plan and Demo are on different days; Lab is anywhere."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(many):
        day = {name: DAYS[random.integers(5)] for name in ("Review", "Plan", "Demo", "Lab")}
        room = {name: str(random.choice(["Blue", "Red"])) for name in day}
        if usual and random.random() < 0.85:
            day["Review"], room["Review"] = "fri", "Blue"
        while usual and day["Plan"] == day["Demo"]:
            day["Plan"] = DAYS[random.integers(5)]
        activities = []
        for name, weekday in day.items():
            hour = int(random.integers(9, 16))
            activities.append(
                {
                    "name": name,
                    "start": f"{weekday} {hour}:00",
                    "end": f"{weekday} {hour + 1}:00",
                    "room": room[name],
                }
            )
        found.append({"activities": activities})
    return found


def test_habits_are_found_with_weights_and_tell_usual_weeks_from_others() -> None:
    habits = learn_weeks(weeks(60, usual=True))
    found = {(one["type"], *one["activities"]): one for one in habits.preferences()}
    assert found["within", "Review"]["window"] == "fri"
    assert found["room", "Review"]["room"] == "Blue"
    assert ("different_day", "Demo", "Plan") in found
    assert "Review: on fri" in habits.report
    pairs = zip(weeks(60, usual=True, seed=1), weeks(60, usual=False, seed=2), strict=True)
    assert sum(habits.cost(one) <= habits.cost(other) for one, other in pairs) >= 54


def test_nothing_is_learned_from_weeks_without_habits() -> None:
    assert len(learn_weeks(weeks(60, usual=False)).habits) <= 3


def test_a_schedule_follows_the_habits_where_the_request_leaves_room() -> None:
    habits = learn_weeks(weeks(60, usual=True))
    request = {
        "hours": "9:00-17:00",
        "rooms": ["Blue", "Red"],
        "activities": [
            {"name": "Review", "duration": 60, "room": "any"},
            {"name": "New", "duration": 60, "room": "Blue"},
        ],
    }
    solver = gs.load("scheduling")
    asked = habits.added(request, strength=2.0)
    assert {name for one in asked["preferences"] for name in one["activities"]} == {"Review"}
    answer = solver.solve(asked, alternatives=1).answer
    assert answer is not None
    review = next(one for one in answer["activities"] if one["name"] == "Review")
    assert review["start"].startswith("fri")
    assert review["room"] == "Blue"
    closed = {**request, "rules": [{"type": "avoid", "window": "fri"}]}
    answer = solver.solve(habits.added(closed), alternatives=1).answer
    assert answer is not None
    assert any("Review" in line for line in answer["broken"])


def test_too_few_weeks_and_times_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(TrainingError, match="There are 3 weeks; habits need 10"):
        learn_weeks(weeks(3, usual=True))
    broken = weeks(12, usual=True)
    broken[4]["activities"][0]["start"] = "noon"
    with pytest.raises(TrainingError, match="times of 'Review' in week 5 cannot be read"):
        learn_weeks(broken)
