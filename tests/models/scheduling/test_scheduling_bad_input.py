"""Requests that mean nothing: every fault is named, placed and explained, with the nearest name that is known."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import groundstate as gs
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.schema import EXAMPLE, REQUEST

IS_REQUEST = Draft202012Validator(REQUEST)

TALK = {"name": "talk", "duration": 60}
DATED = {"name": "talk", "duration": 60, "at": "2025-03-03T10:00+01:00"}


def faults_of(request: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(gs.RequestError) as refused:
        read(request)
    return [(fault.place, fault.message) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("request_", "place", "why"),
    [
        ({"people": ["Ada"], "activities": [TALK | {"who": "Adda"}]}, "activities[0].who", "'Adda'. Did you mean 'Ada'?"),
        ({"people": ["Ada"], "activities": [TALK | {"who": "Zoe"}]}, "activities[0].who", "Known are 'Ada'."),
        ({"rooms": ["Blue"], "activities": [TALK | {"room": "blu"}]}, "activities[0].room", "Did you mean 'Blue'?"),
        ({"activities": [TALK | {"room": "any"}]}, "activities[0].room", 'the request has no "rooms"'),
        ({"activities": [TALK, {"name": "x", "duration": 5, "after": "tlak"}]}, "activities[1].after", "Did you mean 'talk'?"),
        ({"activities": [TALK | {"name": "talk\x1b[2J"}]}, "", "the character '\\x1b', which cannot be shown"),
        ({"activities": [TALK, TALK]}, "activities[1].name", "also the name of activities[0]"),
        ({"activities": [{"name": "talk"}]}, "activities[0]", "'talk' has no duration"),
        ({"activities": [TALK | {"duration": 0}]}, "activities[0].duration", "a duration of zero; the shortest is 1 minute"),
        (
            {"activities": [TALK, {"name": "x", "duration": 5, "after": "talk", "gap": "1h", "within": 30}]},
            "activities[1].within",
            "30 min at most are less than the gap of 1 h at least.",
        ),
        ({"activities": [TALK | {"duration": "0h"}]}, "activities[0].duration", "'0h' is a duration of zero"),
        ({"activities": [TALK | {"duration": "soon"}]}, "activities[0].duration", "'soon' is not a duration; write minutes (45)"),
        ({"activities": [TALK | {"window": ["mon", "tue noonish"]}]}, "activities[0].window[1]", "is not a day or time"),
        ({"activities": [TALK | {"window": "mon 12:00-9:00"}]}, "activities[0].window", "no later than it starts"),
        ({"days": "mon", "activities": [TALK | {"window": "tue"}]}, "activities[0].window", "none of the days of this request"),
        ({"activities": [TALK | {"at": "10:00"}]}, "activities[0].at", "names no day; write 'mon 10:00'"),
        ({"activities": [{"name": "talk", "at": "10:00-12:00"}]}, "activities[0].at", "is 5 times; a fixed time is one"),
        ({"activities": [{"name": "talk", "at": "mon 10:00"}]}, "activities[0]", "'talk' has no duration"),
        ({"activities": [TALK | {"at": "mon 10:00-12:00"}]}, "activities[0].at", "lasts 120 minutes, but the duration is 60"),
        ({"activities": [TALK | {"weight": -1, "optional": True}]}, "activities[0].weight", "-1 is not a weight"),
        ({"activities": [TALK | {"weight": float("inf")}]}, "activities[0].weight", 'is a rule: put it under "rules"'),
        ({"activities": [TALK | {"weight": float("nan")}]}, "activities[0].weight", "nan is not a weight"),
        (
            {"activities": [TALK], "preferences": [{"type": "earlier", "weight": float("inf")}]},
            "preferences[0].weight",
            "inf is not a weight",
        ),
        ({"activities": [TALK], "preferences": [{"type": "avoid"}]}, "preferences[0]", "'avoid' needs 'window'"),
        ({"activities": [TALK], "preferences": [{"type": "earlier", "window": "mon"}]}, "preferences[0].window", "takes no"),
        ({"activities": [TALK], "preferences": [{"type": "earlier", "who": "Ada"}]}, "preferences[0].who", "no person 'Ada'"),
        ({"days": ["mon", "2025-03-03"], "activities": [TALK]}, "days[1]", "give weekdays or dates, not both"),
        ({"days": "soon", "activities": [TALK]}, "days", "is not a day or time"),
        ({"days": "mon 9:00", "activities": [TALK]}, "days", "is not a day; write"),
        ({"days": "2025-01-01/2026-01-01", "activities": [TALK]}, "days", "more than 100 days"),
        ({"days": "mon", "activities": [DATED]}, "activities[0].at", 'give "days" as dates'),
        ({"zone": "Europe/Berlim", "activities": [DATED]}, "zone", "Did you mean 'Europe/Berlin'?"),
        (
            {"people": {"Ada": {"home": "nrth"}}, "travel": {"north": {"south": 5}}, "activities": [TALK]},
            "people.Ada.home",
            "Did you mean 'north'?",
        ),
        (
            {
                "travel": {"a": {"b": 5}, "b": {"c": 5}},
                "activities": [TALK | {"place": "a", "who": "Ada"}, {"name": "x", "duration": 5, "place": "c", "who": "Ada"}],
            },
            "activities[1].place",
            "travel does not say how long it takes from 'a' to 'c', where Ada may go",
        ),
        (
            {"rooms": {"Blue": {"place": "a"}}, "activities": [TALK | {"room": "Blue", "place": "b"}]},
            "activities[0].place",
            "its room 'Blue' is at 'a'",
        ),
    ],
)  # fmt: skip
def test_what_means_nothing_is_named_placed_and_explained(request_: dict[str, Any], place: str, why: str) -> None:
    found = faults_of(request_)
    assert any(where == place and why in message for where, message in found), found
    assert all(message.endswith((".", "?")) for _, message in found), "whole sentences"


def test_times_without_a_zone_beside_times_with_one_are_refused_at_their_place() -> None:
    request = {"activities": [DATED, {"name": "walk", "duration": 30, "window": "2025-03-03T12:00/2025-03-03T14:00"}]}
    ((place, why),) = faults_of(request)
    assert place == "activities[1].window"
    assert "has no time zone, and activities[0].at ('2025-03-03T10:00+01:00') has one" in why
    assert '"zone": "Europe/Berlin"' in why
    assert read(request | {"zone": "Europe/Berlin"}).activities["talk"].at is not None
    other = {"activities": [DATED, {"name": "walk", "duration": 30, "at": "2025-03-03T10:00Z"}]}
    assert "has another time zone than activities[0].at" in faults_of(other)[0][1]


def test_ten_thousand_activities_are_refused_at_once() -> None:
    begun = time.process_time()
    found = faults_of({"activities": [{"name": f"talk {n}", "duration": 5} for n in range(10_000)]})
    assert found == [("activities", "There are 10000 activities; there may be 500. Split them into several requests.")]
    assert time.process_time() - begun < 1


def test_all_faults_are_told_at_once() -> None:
    request = {"people": ["Ada"], "activities": [TALK | {"who": "Bob", "window": "sat", "duration": "x"}], "slot": 0}
    assert {place for place, _ in faults_of(request)} >= {"activities[0].who", "activities[0].duration", "slot"}


def test_more_starts_than_a_variable_may_have_are_refused_if_the_request_asks_for_them() -> None:
    request: dict[str, Any] = {"hours": "0:00-24:00", "slot": 1, "activities": [TALK]}
    with pytest.raises(gs.RequestError, match="possible starts; there may be 999") as refused:
        compiled(read(request))
    assert refused.value.faults[0].place == "slot"
    del request["slot"]
    assert len(compiled(read(request | {"activities": [TALK | {"duration": 7}]})).request["variables"]["talk"]) < 1000


def test_the_example_of_the_schema_passes_it_and_means_something() -> None:
    Draft202012Validator.check_schema(REQUEST)
    IS_REQUEST.validate(EXAMPLE)
    read(EXAMPLE)


texts = st.one_of(
    st.sampled_from(
        ["mon", "tue 9:00", "9-17", "mon 9:00-12:00", "after", "2025-03-03", "1h", "any", "Ada", "", "-", "9:00 -"]
    ),
    st.text(max_size=12),
)
values = st.one_of(texts, st.integers(-5, 5000), st.lists(texts, max_size=2))


@settings(max_examples=150, deadline=None)
@given(
    st.fixed_dictionaries({}, optional={"days": values, "hours": texts, "zone": texts, "slot": values, "gap": values}),
    st.fixed_dictionaries(
        {"name": texts},
        optional={
            "duration": values,
            "who": texts,
            "room": texts,
            "after": texts,
            "window": values,
            "at": texts,
            "gap": values,
        },
    ),
)
def test_whatever_passes_the_schema_is_read_or_refused_with_faults(
    frame: dict[str, Any], activity: dict[str, Any]
) -> None:
    request = frame | {"activities": [activity]}
    if not IS_REQUEST.is_valid(request):
        return
    with contextlib.suppress(gs.RequestError):
        read(request)


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("scheduling")


@pytest.mark.parametrize(
    ("request_", "place", "why"),
    [
        ({}, "", "The property 'activities' is missing."),
        ({"activities": []}, "activities", "There are 0 entries; there must be 1 to 500."),
        ({"activities": {"talk": 60}}, "activities", "an object of 1 is not allowed here; an array is."),
        ({"activities": [{"name": f"talk {n}"} for n in range(10_000)]}, "activities", "There are 10000 entries"),
        ({"activities": [TALK | {"duration": 0}]}, "activities[0].duration", "0 is a duration of zero"),
        ({"activities": [TALK | {"duration": None}]}, "activities[0].duration", "a whole number or a string is."),
        ({"activities": [DATED, TALK | {"name": "walk", "at": "2025-03-03T12:00"}]}, "activities[1].at", "no time zone"),
        ({"activities": [TALK], "people": 3}, "people", "an object or an array is."),
        ({"activities": [TALK], "preferences": [{"type": "erlier"}]}, "preferences[0].type", "Did you mean 'earlier'?"),
        ({"activities": [TALK], "preferences": [{"type": "later", "weight": float("nan")}]}, "preferences[0].weight", "nan"),
        ({"activities": [TALK], "preferences": [{"type": "later", "weight": -1}]}, "preferences[0].weight", "-1"),
    ],
)  # fmt: skip
def test_the_solver_refuses_it_quickly_with_one_error(
    solver: gs.Solver, request_: dict[str, Any], place: str, why: str
) -> None:
    begun = time.process_time()
    with pytest.raises(gs.RequestError) as refused:
        solver.solve(request_)
    assert time.process_time() - begun < 5
    assert any(fault.place == place and why in fault.message for fault in refused.value.faults), str(refused.value)


@pytest.mark.parametrize(
    ("activities", "rule"),
    [
        ([TALK | {"after": "talk"}], "order"),
        ([TALK | {"after": "b"}, TALK | {"name": "b", "after": "c"}, TALK | {"name": "c", "after": "talk"}], "order"),
        ([TALK | {"window": "mon 9:00-9:30"}], "windows"),
        ([TALK | {"window": "tue", "at": "mon 10:00"}], "windows"),
        ([TALK | {"who": "Ada", "at": "mon 9:00"}, TALK | {"name": "b", "who": "Ada", "at": "mon 9:30"}], "people"),
    ],
)
def test_what_contradicts_itself_is_proven_so(solver: gs.Solver, activities: list[dict[str, Any]], rule: str) -> None:
    solution = solver.solve({"activities": activities})
    assert solution.status is gs.Status.INFEASIBLE
    assert [broken.check for broken in solution.violations] == [rule]
