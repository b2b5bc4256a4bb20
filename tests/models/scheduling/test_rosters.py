"""Rosters: people chosen from lists, limits of their work, recurrence, own zones, and durations in days."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from benchmarks.schedules import fuzz

import groundstate as gs
from groundstate_models.scheduling.check import violations
from groundstate_models.scheduling.choosing import Wanted, wanted
from groundstate_models.scheduling.reading import read

NURSES = ["Ada", "Bob", "Cem", "Dora", "Eve", "Fay", "Gus", "Hal"]
ROSTER: dict[str, Any] = {
    "days": "2025-03-03/2025-03-16",
    "people": NURSES,
    "activities": [
        {"name": "Early", "at": "6:00-14:00", "repeat": "daily", "who": "2 of anyone"},
        {"name": "Late", "at": "14:00-22:00", "repeat": "daily", "who": "any 2"},
        {"name": "Night", "at": "22:00-6:00", "repeat": "daily", "who": "anyone"},
    ],
    "rules": [
        {"type": "rest", "time": "11h"},
        {"type": "work", "at_most": 5, "per": "week"},
        {"type": "work", "at_most": 1, "per": "day"},
        {"type": "days_in_a_row", "at_most": 5},
    ],
    "preferences": [{"type": "work", "at_least": 8}, {"type": "avoid", "who": "Ada", "window": "weekend", "weight": 3}],
}


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("scheduling")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2 of Ada, Bob and Cem", Wanted(2, 2, ("Ada", "Bob", "Cem"))),
        ("one of Ada or Bob", Wanted(1, 1, ("Ada", "Bob"))),
        ("any of Ada, Bob", Wanted(1, 1, ("Ada", "Bob"))),
        ("Ada or Bob", Wanted(1, 1, ("Ada", "Bob"))),
        ("either Ada or Bob", Wanted(1, 1, ("Ada", "Bob"))),
        ("anyone", Wanted(1, 1, None)),
        ("any 2", Wanted(2, 2, None)),
        ("2 people", Wanted(2, 2, None)),
        ("at least 2 of Ada, Bob, Cem", Wanted(2, None, ("Ada", "Bob", "Cem"))),
        ("1-2 of Ada, Bob", Wanted(1, 2, ("Ada", "Bob"))),
        ("Dora if possible", Wanted(0, 1, ("Dora",), 1.0)),
        ("Ada", None),
        ("One", None),
    ],
)
def test_texts_say_how_many_of_whom(text: str, meant: Wanted | None) -> None:
    assert wanted(text, ["Ada", "Bob", "Cem", "Dora", "One"]) == meant


def test_a_roster_of_eight_people_keeps_every_rule(solver: gs.Solver) -> None:
    solution = solver.solve(ROSTER)
    assert solution.answer is not None
    assert violations(read(ROSTER), solution.answer) == []
    shifts = [
        (one["name"].split()[0], one["start"], who) for one in solution.answer["activities"] for who in one["who"]
    ]
    assert Counter(name for name, _, _ in shifts) == {"Early": 28, "Late": 28, "Night": 14}
    for nurse in NURSES:
        mine = sorted((start, name) for name, start, who in shifts if who == nurse)
        assert len({start[:10] for start, _ in mine}) == len(mine)
        for (day, name), (following, then) in pairwise(mine):
            if int(following[8:10]) == int(day[8:10]) + 1:
                assert (name, then) not in {("Late", "Early"), ("Night", "Early"), ("Night", "Late")}
    assert solver.score(ROSTER, solution.answer).valid


def test_what_was_understood_is_echoed_and_the_roster_is_drawn(solver: gs.Solver) -> None:
    solution = solver.solve(ROSTER)
    for words in (
        "Early: 14 times, 2 of 8 people",
        "at least 11 h of rest between days",
        "at most 5 activities a week",
    ):
        assert words in solution.explanation
    drawn = solver.draw(ROSTER, solution.answer).splitlines()
    assert [line.split()[0] for line in drawn[1:9]] == NURSES
    assert sum(line.count("N") for line in drawn[1:9]) == 14
    assert drawn[-1] == "E Early 6:00-14:00, L Late 14:00-22:00, N Night 22:00-6:00"


def test_too_few_people_are_a_proven_contradiction(solver: gs.Solver) -> None:
    request = {
        "days": "mon-tue",
        "people": {"Ada": {"busy": "mon"}, "Bob": {"busy": "mon"}},
        "activities": [{"name": "Shift", "at": "mon 10:00-11:00", "who": "1 of Ada, Bob"}],
    }
    solution = solver.solve(request)
    assert solution.status == "infeasible"
    assert "Shift needs 1 of Ada, Bob" in solution.message


def test_small_rosters_agree_with_brute_force(solver: gs.Solver) -> None:
    words = {seed: fuzz.outcome(solver, fuzz.drawn("rosters", seed)) for seed in range(50_000, 50_020)}
    assert {seed: word for seed, word in words.items() if word not in fuzz.GOOD} == {}


def test_small_weeks_agree_with_brute_force(solver: gs.Solver) -> None:
    words = {seed: fuzz.outcome(solver, fuzz.drawn("weeks", seed)) for seed in range(50_000, 50_020)}
    assert {seed: word for seed, word in words.items() if word not in (*fuzz.GOOD, "not the best")} == {}


def test_a_wrong_choice_of_people_fails_the_check() -> None:
    request = {
        "days": "mon",
        "people": ["Ada", "Bob", "Cem"],
        "activities": [{"name": "x", "at": "9:00-10:00", "who": ["Cem", "1 of Ada, Bob"]}],
    }
    schedule = read({**request, "activities": [{**request["activities"][0], "at": "mon 9:00-10:00"}]})

    def faults(*who: str) -> list[str]:
        return [
            one.check
            for one in violations(schedule, {"activities": [{"name": "x", "start": "mon 9:00", "who": list(who)}]})
        ]

    assert faults("Cem", "Ada") == []
    assert faults("Cem") == ["staff"]
    assert faults("Cem", "Ada", "Bob") == ["staff"]


@pytest.mark.parametrize(
    ("repeat", "names"),
    [
        ("every Tuesday", ["x 2025-03-04", "x 2025-03-11"]),
        ("every other Tuesday", ["x 2025-03-04"]),
        ("mon, wed", ["x 2025-03-03", "x 2025-03-05", "x 2025-03-10", "x 2025-03-12"]),
        ("3 times", ["x 1", "x 2", "x 3"]),
        ("weekly", ["x week 1", "x week 2"]),
        ("twice a week", ["x week 1 1", "x week 1 2", "x week 2 1", "x week 2 2"]),
    ],
)
def test_a_recurrence_becomes_activities_with_their_days(repeat: str, names: list[str]) -> None:
    activity = {"name": "x", "duration": 60, "repeat": repeat}
    assert list(read({"days": "2025-03-03/2025-03-14", "activities": [activity]}).activities) == names


def test_stand_ups_are_at_the_same_time_each_day(solver: gs.Solver) -> None:
    request = {
        "days": "mon-fri",
        "people": {"Ada": {"busy": ["mon 9:00-10:30", "wed 14:00-16:00"]}, "Bob": {"busy": "tue 10:30-11:00"}},
        "activities": [{"name": "Stand-up", "duration": 15, "who": ["Ada", "Bob"], "repeat": "daily, same time"}],
        "preferences": [{"type": "earlier"}],
    }
    solution = solver.solve(request)
    assert solution.answer is not None
    assert {one["start"].split()[1] for one in solution.answer["activities"]} == {"11:00"}
    assert solution.optimal


def test_directly_after_and_together(solver: gs.Solver) -> None:
    request = {
        "days": "mon",
        "people": {"Ada": {}, "Bob": {"busy": "9:00-11:00"}},
        "activities": [
            {"name": "Prepare", "duration": 60, "who": "Ada"},
            {"name": "Talk", "duration": 30, "who": "Ada", "after": "Prepare", "within": 0},
            {"name": "Stream", "duration": 30, "who": "Bob"},
        ],
        "rules": [{"type": "together", "activities": ["Talk", "Stream"]}],
    }
    solution = solver.solve(request)
    assert solution.answer is not None
    starts = {one["name"]: one["start"] for one in solution.answer["activities"]}
    assert starts == {"Prepare": "mon 10:00", "Talk": "mon 11:00", "Stream": "mon 11:00"}


def test_a_person_with_a_zone_is_free_in_that_zone(solver: gs.Solver) -> None:
    request = {
        "days": "2025-03-24/2025-04-04",
        "zone": "Europe/Berlin",
        "people": {"Ada": {}, "Sam": {"zone": "America/New_York", "free": "mon-fri 9:00-17:00"}},
        "activities": [{"name": "Call", "duration": 60, "who": ["Ada", "Sam"], "repeat": "every Monday"}],
    }
    solution = solver.solve(request)
    assert solution.answer is not None
    # Summer time begins on 9 March in New York, and on 30 March in Berlin.
    assert [one["start"] for one in solution.answer["activities"]] == [
        "2025-03-24T14:00+01:00",
        "2025-03-31T15:00+02:00",
    ]


def test_a_duration_in_days_pauses_outside_the_hours(solver: gs.Solver) -> None:
    request = {
        "days": "2025-03-06/2025-03-14",
        "hours": "mon-fri 9:00-17:00",
        "people": {"Ada": {"busy": "2025-03-07 9:00-11:00"}},
        "activities": [
            {"name": "Build", "duration": "3 days", "who": "Ada"},
            {"name": "Test", "duration": "half a day", "who": "Ada", "after": "Build"},
        ],
    }
    solution = solver.solve(request)
    assert solution.answer is not None
    times = [(one["start"], one["end"]) for one in solution.answer["activities"]]
    assert times == [("2025-03-07T11:00", "2025-03-12T11:00"), ("2025-03-12T11:00", "2025-03-12T15:00")]
    short = {**request, "days": "2025-03-06/2025-03-10"}
    assert solver.solve(short).status == "infeasible"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"who": "3 of Ada, Bob"}, "asks for 3 people, and there are 2"),
        ({"who": "1 of Ada, Eve"}, "There is no person 'Eve'"),
        ({"repeat": "every blue moon"}, "every Tuesday"),
        ({"repeat": "0 times"}, "not a time at all"),
        ({"at": "mon 9:00", "repeat": "daily"}, "time of day"),
        ({"within": "soon", "after": []}, "not a duration"),
    ],
)
def test_a_roster_without_meaning_is_refused(change: dict[str, Any], words: str) -> None:
    activity = {"name": "x", "duration": 60, **change}
    with pytest.raises(gs.RequestError, match=words):
        read({"days": "mon-wed", "people": ["Ada", "Bob"], "activities": [activity]})


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"type": "rest"}, "'rest' needs 'time'"),
        ({"type": "work"}, "needs 'at_most' or 'at_least'"),
        ({"type": "work", "at_most": "many"}, "not a duration"),
        ({"type": "work", "at_least": 3, "at_most": 2}, "more than 'at_most'"),
        ({"type": "work", "at_least": 1, "at_most": "8 h"}, "both"),
        ({"type": "earlier"}, "is not allowed here"),
        ({"type": "rest", "time": "9h", "weight": 2}, "A rule has no weight"),
        ({"type": "within", "window": "mon", "per": "week"}, "takes no 'per'"),
    ],
)
def test_a_limit_without_meaning_is_refused(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(gs.RequestError, match=words):
        read(
            {
                "days": "mon-wed",
                "people": ["Ada"],
                "activities": [{"name": "x", "duration": 60, "who": "Ada"}],
                "rules": [rule],
            }
        )
