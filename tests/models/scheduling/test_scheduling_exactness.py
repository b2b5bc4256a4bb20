"""The compiled problem has exactly the schedules that the check passes, and costs what the check says."""

from __future__ import annotations

from itertools import chain, permutations
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from groundstate_models.constraints import schema as constraints_schema
from groundstate_models.constraints.problem import Problem
from groundstate_models.scheduling.answer import answer, values
from groundstate_models.scheduling.check import cost, violations
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.schema import ANSWER, REQUEST
from groundstate_models.scheduling.task import Planned
from tests.models.scheduling.solving import by_check, satisfying, when

IS_REQUEST, IS_ANSWER = Draft202012Validator(REQUEST), Draft202012Validator(ANSWER)
IS_PROBLEM = Draft202012Validator(constraints_schema.REQUEST)

PEOPLE = ["Ada", "Bob"]
ROOMS = ["Blue", "Green"]
WINDOWS = ["9:00-10:30", "9:30-11:00", "10:00-12:00", "mon 11:00-12:00"]
HALF_HOURS = [f"mon {h}:{m:02d}" for h in (9, 10, 11) for m in (0, 30)]


def _activity(draw: st.DrawFn, name: str, names: list[str]) -> dict[str, Any]:
    one: dict[str, Any] = {"name": name, "duration": draw(st.sampled_from([30, 60]))}
    one["who"] = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    if draw(st.booleans()):
        one |= {"room": draw(st.sampled_from(["any", "Blue", ["Green"]])), "size": draw(st.integers(1, 3))}
    elif draw(st.booleans()):
        one["place"] = draw(st.sampled_from(["here", "there"]))
    if draw(st.integers(0, 4)) == 4:
        one["window"] = draw(st.sampled_from(WINDOWS))
    if draw(st.integers(0, 9)) == 9:
        one["at"] = draw(st.sampled_from(HALF_HOURS))
    if draw(st.booleans()):
        one |= {"optional": True, "weight": draw(st.sampled_from([1, 2]))}
    if name != names[0] and draw(st.booleans()):
        others = names[: names.index(name)]
        one |= {"after": [draw(st.sampled_from(others))], "gap": draw(st.sampled_from([0, 30]))}
    return one


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Two or three activities of half an hour or an hour on Monday from 9 to 12, and whatever may keep them apart."""
    busy = st.lists(st.sampled_from(["9:00-9:30", "10:00-10:30", "10:30-11:00"]), max_size=1)
    names = ["one", "two", "three"][: draw(st.integers(2, 3))]
    activities = [_activity(draw, name, names) for name in names]
    wishes = st.fixed_dictionaries(
        {
            "type": st.sampled_from(
                ["earlier", "later", "within", "avoid", "room", "same_room", "same_day", "different_day", "same_time"]
            )
        }
    )
    preferences = []
    for wish in draw(st.lists(wishes, max_size=2)):
        wish["weight"] = draw(st.sampled_from([0.5, 1, 3]))
        if wish["type"] in ("within", "avoid"):
            wish["window"] = draw(st.sampled_from(WINDOWS))
        if wish["type"] == "room":
            wish["room"] = draw(st.sampled_from(ROOMS))
        preferences.append(wish)
    pair_rules = st.sampled_from(
        [[], [], [{"type": "same_room"}], [{"type": "same_time"}], [{"type": "avoid", "window": "9:00-9:30"}]]
    )
    return {
        "days": "mon",
        "hours": "9:00-12:00",
        "slot": 30,
        "gap": draw(st.sampled_from([0, 0, 30])),
        "people": {name: draw(st.fixed_dictionaries({}, optional={"home": st.just("here")})) for name in PEOPLE},
        "rooms": {
            "Blue": {"capacity": draw(st.integers(2, 3)), "place": draw(st.sampled_from(["here", "there"]))},
            "Green": {"capacity": draw(st.integers(2, 3)), "place": "here"} | _busy(draw(busy)),
        },
        "travel": {"here": {"there": 30}, "there": {"here": draw(st.sampled_from([0, 30, 60]))}},
        "activities": activities,
        "rules": draw(pair_rules),
        "preferences": preferences,
        "objective": draw(st.sampled_from(["most", "preferences", "earliest_end"])),
    }


def _busy(windows: list[str]) -> dict[str, Any]:
    return {"busy": windows} if windows else {}


@settings(max_examples=150, deadline=None)
@given(requests())
def test_the_compiled_problem_has_exactly_the_schedules_that_pass_the_check(request: dict[str, Any]) -> None:
    IS_REQUEST.validate(request)
    schedule = read(request)
    right = list(by_check(schedule, dict.fromkeys(schedule.activities, HALF_HOURS)))
    if contradictions(schedule):
        event("contradiction")
        assert not right
        return
    event("schedules" if right else "none, not proven")
    problem_of = compiled(schedule)
    IS_PROBLEM.validate(problem_of.request)
    problem = Problem.of(problem_of.request)
    found = []
    for given_values in satisfying(problem):
        one = answer(problem_of, given_values)
        IS_ANSWER.validate(one)
        assert violations(schedule, one) == []
        back = values(problem_of, one)
        assert back is not None
        assert when(answer(problem_of, back)) == when(one)
        found.append((problem.cost(given_values), cost(schedule, one), one))
    assert {when(one) for _, _, one in found} == {when(one) for one in right}
    if not found:
        return
    if request["objective"] == "preferences":
        never = sum(a.weight for a in schedule.activities.values() if a.optional and not problem_of.values[a.name])
        for compiled_cost, price, _ in found:
            assert compiled_cost == pytest.approx(price.total - never)
    best = min(found, key=lambda one: one[0])[1]
    least = min((cost(schedule, one) for one in right), key=lambda price: (price.left_out, price.broken))
    if request["objective"] == "most":
        assert (best.left_out, best.broken) == pytest.approx((least.left_out, least.broken))


@settings(max_examples=60, deadline=None)
@given(requests())
def test_no_schedule_costs_less_than_is_said_to_be_proven(request: dict[str, Any]) -> None:
    plan = Planned(request)
    right = list(by_check(plan.schedule, dict.fromkeys(plan.schedule.activities, HALF_HOURS)))
    if not plan.judged or contradictions(plan.schedule) or not right:
        return
    prices = sorted({plan.price(cost(plan.schedule, one)) for one in right})
    for price in (prices[0], prices[-1]):
        bound = plan.least_cost(price, 10**5)
        event("proven" if bound == price else "open")
        assert bound <= prices[0] + 1e-6


@st.composite
def errands(draw: st.DrawFn) -> dict[str, Any]:
    """Up to four optional activities in places that are odd minutes apart, of which often not all can be done."""
    places = ["north", "east", "south", "west"]
    minutes = st.sampled_from([3, 7, 11, 18, 23])
    activities = []
    for number in range(draw(st.integers(1, 4))):
        begin, lasts = 9 * 60 + draw(st.integers(0, 5)) * 15, draw(st.sampled_from([15, 30]))
        end = begin + lasts + draw(st.sampled_from([3, 7, 18, 40]))
        activities.append(
            {
                "name": f"errand {number}",
                "duration": lasts,
                "who": draw(st.sampled_from([["Ada"], ["Ada"], ["Ada", "Bob"]])),
                "place": places[number],
                "window": f"mon {begin // 60}:{begin % 60:02d}-{end // 60}:{end % 60:02d}",
                "optional": True,
            }
        )
    travel = {here: {there: draw(minutes) for there in places if there != here} for here in places}
    people = {"Ada": {"free": "mon 9:00-18:00", "home": "west"}, "Bob": {"busy": "mon 10:00-10:17"}}
    return {"days": "mon", "people": people, "travel": travel, "activities": activities}


def best_by_orders(schedule: Schedule) -> tuple[int, int]:
    """How many activities have to be left out, and when the others can be over: of all orders, each as early as it goes."""
    best = (len(schedule.activities), 0)
    for order in chain.from_iterable(
        permutations(schedule.activities, n) for n in range(1, len(schedule.activities) + 1)
    ):
        placed: list[dict[str, str]] = []
        over = 0
        for name in order:
            ((begin, end),) = schedule.activities[name].window
            for minute in range(begin, end):
                one = {"name": name, "start": schedule.days.moment_text(minute)}
                if not violations(schedule, {"activities": [*placed, one]}):
                    placed.append(one)
                    over = max(over, minute + schedule.activities[name].duration)
                    break
        best = min(best, (len(schedule.activities) - len(placed), over))
    return best


def optimum(schedule: Schedule, latest_end: int | None = None) -> dict[str, Any]:
    """The answer of least cost of the compiled problem."""
    problem_of = compiled(schedule, latest_end)
    problem = Problem.of(problem_of.request)
    return answer(problem_of, min(satisfying(problem), key=problem.cost))


@settings(max_examples=40, deadline=None)
@given(errands())
def test_few_starts_are_enough_where_ways_take_odd_minutes(request: dict[str, Any]) -> None:
    schedule = read(request)
    found = optimum(schedule)
    assert violations(schedule, found) == []
    assert len(found.get("left_out", [])) == best_by_orders(schedule)[0]
    minutes = sum(end - start for one in schedule.activities.values() for start, end in one.window)
    offered = sum(map(len, compiled(schedule).request["variables"].values()))
    assert offered < minutes / 5


@settings(max_examples=12, deadline=None)
@given(errands())
def test_tightening_the_end_finds_the_earliest(request: dict[str, Any]) -> None:
    schedule = read(request | {"objective": "earliest_end"})
    found = optimum(schedule)
    price = cost(schedule, found)
    while price.end:
        tighter = optimum(schedule, price.end - 1)
        assert violations(schedule, tighter) == []
        other = cost(schedule, tighter)
        if other.key(schedule.objective) >= price.key(schedule.objective):
            break
        price = other
    assert (price.left_out, price.end) == best_by_orders(schedule)


def test_a_plan_that_only_just_works_is_found() -> None:
    """Seven minutes to the north, and eleven from there to the east, with not a minute to spare."""
    request = {
        "days": "mon",
        "people": {"Ada": {"free": "9:00-18:00", "home": "west"}},
        "travel": {"west": {"north": 7, "east": 30}, "north": {"east": 11}},
        "activities": [
            {"name": "first", "duration": 15, "who": "Ada", "place": "north", "window": "8:00-9:22"},
            {"name": "second", "duration": 15, "who": "Ada", "place": "east", "window": "8:00-9:48"},
        ],
    }
    found = optimum(read(request))
    assert [one["start"] for one in found["activities"]] == ["mon 9:07", "mon 9:33"]
    request["activities"][1]["window"] = "8:00-9:47"
    assert contradictions(read(request))


def test_an_order_counts_only_where_both_take_place() -> None:
    both = [
        {"name": "draft", "duration": 30, "optional": True},
        {"name": "review", "duration": 30, "after": "draft", "gap": 60},
    ]
    compulsory = compiled(read({"days": "mon", "hours": "9-11", "slot": 30, "activities": both})).request
    halves = ["mon 9:00", "mon 9:30", "mon 10:00", "mon 10:30"]
    assert compulsory["variables"] == {"draft": ["mon 9:00", "left out"], "review": halves}
    free = read({"days": "mon", "hours": "9-12", "slot": 30, "activities": [both[0], both[1] | {"optional": True}]})
    problem_of = compiled(free)
    found = [when(answer(problem_of, values)) for values in satisfying(Problem.of(problem_of.request))]
    assert len(found) == 1 + 6 + 6 + 6, "nothing; one or the other at any time; both in order, an hour apart"


def test_what_comes_after_an_optional_activity_without_time_takes_place_without_it() -> None:
    """Held-out finding: tea had no time, and the plan after it was called infeasible."""
    request = {
        "days": "mon",
        "hours": "9:00-10:00",
        "people": {"Ada": {"busy": "mon 9:00-9:40"}},
        "activities": [
            {"name": "Tea", "duration": 30, "who": "Ada", "optional": True},
            {"name": "Plan", "duration": 30, "after": "Tea"},
        ],
    }
    schedule = read(request)
    assert contradictions(schedule) == []
    found = optimum(schedule)
    assert violations(schedule, found) == []
    assert ([one["name"] for one in found["activities"]], found["left_out"]) == (["Plan"], ["Tea"])


def test_an_activity_more_is_worth_more_than_all_preferences() -> None:
    request = {
        "days": "mon",
        "hours": "9-10",
        "activities": [{"name": "talk", "duration": 60, "optional": True, "weight": 0.1}],
        "preferences": [{"type": "avoid", "window": "mon", "weight": 5}],
    }
    assert len(optimum(read(request))["activities"]) == 1
    assert len(optimum(read(request | {"objective": "preferences"}))["activities"]) == 0


def test_rooms_that_are_alike_are_one_kind_and_told_apart_in_the_answer() -> None:
    request = {
        "days": "mon",
        "hours": "9:00-10:00",
        "rooms": ["Red", "Green", "Blue"],
        "activities": [{"name": f"talk {n}", "duration": 30, "room": "any"} for n in range(6)],
    }
    schedule = read(request)
    problem_of = compiled(schedule)
    assert all(len(some) == 2 for some in problem_of.request["variables"].values()), "two starts, one kind of room"
    found = answer(problem_of, next(satisfying(Problem.of(problem_of.request))))
    assert violations(schedule, found) == []
    assert {one["room"] for one in found["activities"]} == {"Red", "Green", "Blue"}
    assert contradictions(read(request | {"hours": "9:00-9:30"}))[0].check == "rooms"


def test_another_answer_has_values_only_where_its_starts_are_offered() -> None:
    schedule = read({"days": "mon", "activities": [{"name": "talk", "duration": 30}]})
    problem_of = compiled(schedule)
    assert values(problem_of, {"activities": [{"name": "talk", "start": "mon 9:30"}]}) == {"talk": "mon 9:30"}
    assert values(problem_of, {"activities": [{"name": "talk", "start": "mon 9:31"}]}) is None
    assert values(problem_of, {"activities": []}) is None
