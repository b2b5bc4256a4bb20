"""Habits of past answers: what people usually choose is found with weights, and added to requests beside hard constraints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import groundstate as gs
from groundstate_training import TrainingError, learn_answers

REQUEST: dict[str, Any] = {
    "variables": {name: ["mon", "tue", "wed", "thu"] for name in ("plan", "review", "lab", "demo")},
    "constraints": ["plan != review", "lab != mon"],
}


def past(many: int, *, usual: bool, seed: int = 0) -> list[dict[str, Any]]:
    """Reviews are nearly always on Thursday, plan and demo on one day; the rest is chance under the constraints."""
    random = np.random.default_rng(seed)
    days = REQUEST["variables"]["plan"]
    found: list[dict[str, Any]] = []
    while len(found) < many:
        values = {name: str(random.choice(days)) for name in REQUEST["variables"]}
        if usual and random.random() < 0.9:
            values["review"] = "thu"
        if usual and random.random() < 0.8:
            values["demo"] = values["plan"]
        if values["plan"] != values["review"] and values["lab"] != "mon":
            found.append({"values": values})
    return found


def test_habits_are_found_with_weights_and_hard_constraints_are_none() -> None:
    customs = learn_answers(past(60, usual=True), REQUEST)
    assert "review is usually thu" in customs.report
    assert "plan and demo are usually equal" in customs.report
    assert "lab is seldom mon" not in customs.report
    assert "plan and review are usually different" not in customs.report


def test_nothing_is_learned_from_answers_of_chance() -> None:
    assert len(learn_answers(past(60, usual=False), REQUEST).habits) <= 2


def test_an_answer_follows_the_habits_where_the_hard_constraints_leave_room() -> None:
    customs = learn_answers(past(60, usual=True), REQUEST)
    solver = gs.load("constraints")
    free = solver.solve(customs.added(REQUEST), alternatives=1).answer["values"]
    assert free["review"] == "thu"
    assert free["plan"] == free["demo"]
    tight = {**REQUEST, "constraints": [*REQUEST["constraints"], "review == mon"]}
    solution = solver.solve(customs.added(tight), alternatives=1)
    assert solution.status == "solved"
    assert solution.answer["values"]["review"] == "mon"
    assert solution.answer["cost"] > 0


def test_the_strength_weighs_habits_against_the_requests_own_preferences() -> None:
    customs = learn_answers(past(60, usual=True), REQUEST)
    own = {**REQUEST, "preferences": [{"constraint": "review == tue", "weight": 1.5}]}
    solver = gs.load("constraints")
    found = [
        solver.solve(customs.added(own, strength=s), alternatives=1).answer["values"]["review"] for s in (2.0, 0.05)
    ]
    assert found == ["thu", "tue"]


def test_variables_that_share_a_word_share_their_habits() -> None:
    names = [f"Ada {day}" for day in ("mon", "tue", "wed", "thu", "fri")] + ["Bob mon", "Bob tue"]
    request = {"variables": {name: ["early", "late", "night"] for name in names}}
    random = np.random.default_rng(0)
    answers = [
        {n: str(random.choice(["early", "late", "night"], p=[0.48, 0.48, 0.04] if "Ada" in n else None)) for n in names}
        for _ in range(30)
    ]
    customs = learn_answers(answers, request)
    shared = [habit for habit in customs.habits if habit.text == "5 variables with 'Ada' are seldom night"]
    assert [len(habit.constraints) for habit in shared] == [5]


def test_past_answers_that_cannot_be_are_refused_with_their_number() -> None:
    good = past(12, usual=True)
    with pytest.raises(TrainingError, match="There are 3 past answers"):
        learn_answers(good[:3], REQUEST)
    with pytest.raises(TrainingError, match="past answer 2 has no value of 'lab'"):
        learn_answers([good[0], {"values": {"plan": "mon", "review": "tue"}}, *good[2:]], REQUEST)
    broken = {"values": {**good[0]["values"], "lab": "mon"}}
    with pytest.raises(TrainingError, match="past answer 1 breaks its own request"):
        learn_answers([broken, *good[1:]], REQUEST)
    with pytest.raises(TrainingError, match="2 requests for 12"):
        learn_answers(good, [REQUEST, REQUEST])
    with pytest.raises(TrainingError, match="cannot be read"):
        learn_answers(good, {"variables": REQUEST["variables"], "constraints": ["plan ~ review"]})
