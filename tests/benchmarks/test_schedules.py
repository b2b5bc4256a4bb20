"""Timetables of others as requests, and their judges, on items in the same form that were made up for this."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

pytest.importorskip("ortools", reason="ortools is not installed; the extra 'bench' brings it")

from benchmarks.schedules import jobshop, natural_plan
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstate_models.constraints.problem import Problem
from groundstate_models.scheduling.answer import answer
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.reading import read
from tests.models.scheduling.solving import satisfying

BLOCKED = [
    ("Monday", 0, 9),
    ("Monday", 17, 24),
    ("Monday", 9.5, 12),
    ("Monday", 13, 16.5),
    ("Tuesday", 0, 16),
    ("Tuesday", 17, 24),
]
CALENDAR = {
    "prompt_0shot": "TASK: an example at their earlist availability. TASK: You need to schedule a meeting.",
    "constraints_parsed": {
        "meeting_duration": 1,
        "disallowed_ranges": [{"day": day, "start": start, "end": end} for day, start, end in BLOCKED],
    },
}
WAYS = {("Home", "Pier"): 7, ("Home", "Park"): 20, ("Pier", "Park"): 13, ("Park", "Pier"): 9}
FRIENDS = {
    "Ann": ("Pier", "9:00AM", "9:45AM", 30),
    "Ben": ("Park", "9:15AM", "10:30AM", 40),
    "Cy": ("Pier", "9:00AM", "9:30AM", 30),
}
MEETING = {
    "golden_plan": ["You start.", "You meet Ann.", "You travel.", "You meet Ben."],
    "constraints_parsed": {
        "start": {"location": "Home", "time_of_day": "9:00AM"},
        "travel_distances": [
            {"place": {"from": here, "to": there}, "walking_time": minutes} for (here, there), minutes in WAYS.items()
        ],
        "people_to_meet": [
            {"name": name, "location": place, "time_of_day": {"from": low, "to": high}, "min_meeting_duration": lasts}
            for name, (place, low, high, lasts) in FRIENDS.items()
        ],
    },
}
TRIP = {
    "constraints_parsed": {
        "trip_length": 8,
        "city_length": [{"city": "Oslo", "days": 3}, {"city": "Rome", "days": 4}, {"city": "Nice", "days": 3}],
        "city_day_ranges": [{"city": "Rome", "start": 3, "end": 6}],
    },
    "flights_bidirectional_from_prompt": [["Oslo", "Rome"], ["Rome", "Nice"], ["Nice", "Oslo"], ["Oslo", "Nice"]],
}


def answers(item: natural_plan.Item) -> list[dict[str, Any]]:
    """All answers that the compiled problem of an item has, those that cost least first."""
    if item.kind == "trip":
        return list(satisfying(Problem.of(item.request)))
    problem_of = compiled(read(item.request))
    problem = Problem.of(problem_of.request)
    return [answer(problem_of, values) for values in sorted(satisfying(problem), key=problem.cost)]


def placed(**starts: tuple[str, str]) -> dict[str, Any]:
    return {"activities": [{"name": name, "start": f"mon {s}", "end": f"mon {e}"} for name, (s, e) in starts.items()]}


def test_a_meeting_of_the_calendar_is_right_where_nobody_is_blocked() -> None:
    item = natural_plan.calendar("one", CALENDAR)
    assert {one["activities"][0]["start"] for one in answers(item)} == {"mon 12:00", "tue 16:00"}
    assert all(item.right(one) for one in answers(item))
    for start in ("mon 9:00", "mon 11:30", "mon 16:30", "tue 16:30", "wed 12:00", "mon 23:30"):
        assert not item.right({"activities": [{"name": "meeting", "start": start}]})
    assert "objective" not in item.request
    early = CALENDAR | {"prompt_0shot": "TASK: Meet at their earliest availability."}
    assert natural_plan.calendar("one", early).request["objective"] == "earliest_end"


def test_a_plan_is_right_if_it_meets_as_many_friends_as_the_golden_one() -> None:
    item = natural_plan.meeting("one", MEETING)
    best = answers(item)[0]
    assert [one["name"] for one in best["activities"]] == ["Ann", "Ben"]
    assert item.right(best)
    assert item.right(placed(Ann=("9:07", "9:37"), Ben=("9:50", "10:30")))
    assert not item.right(placed(Ann=("9:07", "9:37"), Ben=("9:49", "10:29"))), "13 minutes on the way"
    assert not item.right(placed(Ann=("9:06", "9:36"), Ben=("9:50", "10:30"))), "7 minutes from home"
    assert not item.right(placed(Ann=("9:07", "9:36"), Ben=("9:50", "10:30"))), "30 minutes with Ann"
    assert not item.right(placed(Ann=("9:07", "9:37"), Ben=("9:55", "10:35"))), "Ben leaves at 10:30"
    assert not item.right(placed(Ann=("9:07", "9:37"))), "fewer than the golden plan"


def test_a_trip_is_right_with_all_stays_flights_and_days() -> None:
    item = natural_plan.trip("one", TRIP)
    assert answers(item) == [{"Oslo": 1, "Rome": 3, "Nice": 6}]
    assert item.right({"Oslo": 1, "Rome": 3, "Nice": 6})
    assert not item.right({"Nice": 1, "Rome": 3, "Oslo": 6}), "no flight from Nice to Rome"
    assert not item.right({"Oslo": 1, "Nice": 3, "Rome": 5}), "not in Rome on day 3"
    assert not item.right({"Oslo": 1, "Rome": 4, "Nice": 7}), "a day nowhere"


@st.composite
def shops(draw: st.DrawFn) -> jobshop.Shop:
    """Two or three jobs on two machines."""
    jobs = draw(st.integers(2, 3))
    durations = tuple(tuple(draw(st.integers(1, 4)) for _ in range(2)) for _ in range(jobs))
    machines = tuple(tuple(draw(st.permutations([0, 1]))) for _ in range(jobs))
    return jobshop.Shop("made up", durations, machines, 0)


def least(shop: jobshop.Shop) -> int:
    """The least makespan, by trying all orders."""
    names = [jobshop.named(one) for one in shop.operations]
    orders = (dict(zip(order, range(len(order)), strict=True)) for order in permutations(names))
    in_order = [
        order for order in orders if all(order[names[2 * j]] < order[names[2 * j + 1]] for j in range(len(names) // 2))
    ]
    return min(jobshop.makespan(shop, jobshop.schedule(shop, order)) for order in in_order)


@settings(max_examples=25, deadline=None)
@given(shops())
def test_a_shop_has_a_schedule_at_its_least_makespan_and_none_below(shop: jobshop.Shop) -> None:
    best = least(shop)
    problem = jobshop.request(shop, best)
    assert problem is not None
    values = next(satisfying(Problem.of(problem)))
    starts = jobshop.schedule(shop, values)
    assert jobshop.right(shop, starts)
    assert jobshop.makespan(shop, starts) == best
    tighter = jobshop.request(shop, best - 1)
    assert tighter is None or next(satisfying(Problem.of(tighter)), None) is None


@settings(max_examples=25, deadline=None)
@given(shops(), st.integers(2, 3))
def test_a_coarse_solution_becomes_an_exact_schedule(shop: jobshop.Shop, step: int) -> None:
    problem = jobshop.request(shop, least(shop) + step, step)
    assert problem is not None
    values = next(satisfying(Problem.of(problem)), None)
    if values is not None:
        assert jobshop.right(shop, jobshop.schedule(shop, values))


def test_wrong_schedules_of_a_shop_are_told() -> None:
    shop = jobshop.Shop("made up", ((2, 1), (1, 2)), ((0, 1), (0, 1)), 4)
    right = {(0, 0): 1, (0, 1): 3, (1, 0): 0, (1, 1): 1}
    assert jobshop.right(shop, right)
    assert not jobshop.right(shop, right | {(0, 1): 2}), "before its job is ready, and its machine"
    assert not jobshop.right(shop, right | {(0, 0): 0}), "two on a machine"
    assert not jobshop.right(shop, right | {(1, 0): -1}), "before time begins"
    assert not jobshop.right(shop, {key: value for key, value in right.items() if key != (1, 1)})


def test_items_are_read_from_a_folder(tmp_path: Any) -> None:
    import json

    for name, raw in (("calendar_scheduling_1", CALENDAR), ("meeting_planning_1", MEETING), ("trip_planning_1", TRIP)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"example": raw}))
    assert [item.kind for item in natural_plan.items(tmp_path)] == ["calendar", "meeting", "trip"]


def test_the_exact_solver_finds_what_there_is() -> None:
    pytest.importorskip("ortools")
    from benchmarks.schedules import exact

    item = natural_plan.meeting("one", MEETING)
    given_answer, request = natural_plan.solve(item)
    assert given_answer is not None
    assert item.right(given_answer)
    assert exact.size(request)["variables"] == 3
    assert (
        exact.solve(
            {"variables": {"a": [1], "b": [1]}, "constraints": [{"type": "not_equal", "variables": ["a", "b"]}]}
        )
        is None
    )
