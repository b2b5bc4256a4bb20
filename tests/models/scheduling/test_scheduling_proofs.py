"""Contradictions are proven and named in the request's own words; broken rules likewise."""

from __future__ import annotations

from typing import Any

import pytest

from groundstate_models.scheduling.check import RULES, violations
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read


def talk(name: str = "talk", minutes: int = 60, **more: Any) -> dict[str, Any]:
    return {"name": name, "duration": minutes, **more}


@pytest.mark.parametrize(
    ("request_", "rule", "why", "places"),
    [
        (
            {"activities": [talk(minutes=120, window="mon 9:00-10:00")]},
            "windows",
            "talk lasts 2 h, and nothing is left for it: its window is mon 9:00-10:00.",
            {"activities[0].window"},
        ),
        (
            {"hours": "9-17", "activities": [talk(window="after 18:00")]},
            "windows",
            "talk has no time at all: its window is outside the hours",
            {"activities[0].window", "hours"},
        ),
        (
            {"activities": [talk(at="mon 10:00", who="Ada")], "people": {"Ada": {"busy": "mon 10:30-11:00"}}},
            "people",
            "it is fixed at mon 10:00; Ada is busy at mon 10:30-11:00.",
            {"activities[0].at", "people.Ada.busy"},
        ),
        (
            {
                "days": "mon",
                "people": {"Ada": {"free": "9-12"}, "Bob": {"busy": "8-12"}, "Cy": {"busy": "15-16"}},
                "activities": [talk(who=["Ada", "Bob", "Cy"])],
            },
            "people",
            "Ada is free only at mon 9:00-12:00; Bob is busy at mon 9:00-12:00.",
            {"people.Ada.free", "people.Bob.busy"},
        ),
        (
            {"rooms": {"Blue": {"capacity": 2}}, "activities": [talk(who=["Ada", "Bob", "Cy"], room="any")]},
            "rooms",
            "talk has 3 people, and no room is large enough: Blue holds 2.",
            {"activities[0].room", "rooms.Blue.capacity"},
        ),
        (
            {"days": "mon", "rooms": {"Blue": {"busy": "mon"}}, "activities": [talk(room="Blue")]},
            "rooms",
            "Blue is busy at mon 9:00-17:00",
            {"activities[0].room"},
        ),
        (
            {"activities": [talk("a", after="b"), talk("b", after="c"), talk("c", after="a")]},
            "order",
            "The order goes round in a circle: a comes after b, b comes after c, c comes after a.",
            {f"activities[{n}].after" for n in range(3)},
        ),
        ({"activities": [talk("a", after="a")]}, "order", "a comes after a", {"activities[0].after"}),
        (
            {"activities": [talk("a", at="mon 10:00", who="Ada"), talk("b", at="mon 10:30", who=["Bob", "Ada"])]},
            "people",
            "Ada is in two activities at mon 10:30: a is at mon 10:00-11:00, and b is at mon 10:30-11:30.",
            {"activities[0]", "activities[1]", "people.Ada"},
        ),
        (
            {"activities": [talk("a", at="mon 10:00", room="Blue"), talk("b", at="mon 10:30", room="Blue")]},
            "rooms",
            "Blue holds two activities at mon 10:30",
            {"activities[0]", "activities[1]", "rooms.Blue"},
        ),
        (
            {
                "travel": {"north": {"south": 45}},
                "activities": [
                    talk("a", at="mon 10:00", who="Ada", place="north"),
                    talk("b", at="mon 11:30", who="Ada", place="south"),
                ],
            },
            "people",
            "Ada has too little time for both a and b",
            {"activities[0]", "activities[1]", "people.Ada"},
        ),
        (
            {"days": "mon", "hours": "9-12", "activities": [talk("a", 90), talk("b", 90, after="a", gap=15)]},
            "order",
            "a and then b cannot follow one another: b could start at mon 10:45 at the earliest, and has to start at mon 10:30",
            {"activities[1].after"},
        ),
        (
            {"days": "mon", "hours": "9-12", "activities": [talk(name, 90, who="Ada") for name in "abc"]},
            "people",
            "Ada would need 4 h 30 min at mon 9:00-12:00 for a, b, c, and only 3 h are free.",
            {"activities[0]", "activities[1]", "activities[2]", "people.Ada"},
        ),
        (
            {
                "days": "mon",
                "hours": "9-10",
                "rooms": ["Blue", "Red"],
                "activities": [talk(n, room="any") for n in "abc"],
            },
            "rooms",
            "Blue and Red would need 3 h at mon 9:00-10:00 for a, b, c, and only 2 h are free.",
            {"activities[0]", "activities[1]", "activities[2]", "rooms.Blue", "rooms.Red"},
        ),
        (
            {"days": "mon", "activities": [talk()], "rules": [{"type": "avoid", "window": "9-17"}]},
            "rules",
            "rules[0] keeps it out of mon 9:00-17:00",
            {"rules[0]", "hours"},
        ),
        (
            {"slot": 30, "activities": [talk(window="mon 9:10-10:20")]},
            "windows",
            "starts are multiples of 30 minutes",
            {"slot", "activities[0].window"},
        ),
        (
            {
                "people": {"Ada": {"free": "mon 9:00-11:00", "home": "north"}},
                "travel": {"north": {"south": 70}},
                "activities": [talk(who="Ada", place="south")],
            },
            "travel",
            "Ada comes from north, which is 70 minutes from south",
            {"people.Ada.free", "people.Ada.home"},
        ),
    ],
)
def test_a_contradiction_is_proven_by_the_things_that_make_it(
    request_: dict[str, Any], rule: str, why: str, places: set[str]
) -> None:
    (found,) = contradictions(read(request_))
    assert why in found.message
    assert (found.check, set(found.places)) == (rule, places)
    assert found.check in RULES


def test_what_may_be_left_out_contradicts_nothing() -> None:
    impossible = talk(minutes=120, window="mon 9:00-10:00", optional=True)
    assert contradictions(read({"activities": [impossible]})) == []
    after = {"activities": [impossible, talk("then", after="talk")]}
    assert contradictions(read(after)) == [], "an order counts only where both take place"
    circle = [talk("a", after="b", optional=True), talk("b", after="a", optional=True)]
    assert contradictions(read({"activities": circle})) == []


def test_an_end_that_is_too_early_is_a_contradiction() -> None:
    schedule = read({"days": "mon", "activities": [talk("a", who="Ada"), talk("b", who="Ada")]})
    assert contradictions(schedule, 11 * 60) == []
    (found,) = contradictions(schedule, 11 * 60 - 1)
    assert "Ada" in found.message


WEEK: dict[str, Any] = {
    "days": ["mon", "tue"],
    "hours": "9:00-17:00",
    "slot": 15,
    "gap": 5,
    "people": {"Ada": {"busy": "mon 12:00-13:00", "home": "north"}, "Bob": {"free": "mon"}},
    "rooms": {"Blue": {"capacity": 1, "busy": "tue 9-10"}, "Green": {"place": "south"}},
    "travel": {"north": {"south": 30}},
    "activities": [
        talk("plan", who=["Ada", "Bob"]),
        talk("review", who="Ada", after="plan", gap=30, place="south"),
        talk("solo", room=["Blue", "Green"], size=2, optional=True),
        talk("lunch", 30, at="mon 13:00"),
        talk("tea", 30, window="mon 15-16", room="Green"),
    ],
    "rules": [{"type": "different_day", "activities": ["lunch", "review"]}],
}
RIGHT = {
    "plan": {"start": "mon 9:00"},
    "review": {"start": "tue 10:00"},
    "lunch": {"start": "mon 13:00"},
    "tea": {"start": "mon 15:00", "end": "mon 15:30", "room": "Green"},
}


@pytest.mark.parametrize(
    ("change", "rule", "why"),
    [
        ({"plan": None}, "activities", "plan does not take place."),
        ({"party": {"start": "mon 9:00"}}, "activities", "party is not an activity of the request."),
        ({"plan": {"start": "mon 8:00"}}, "windows", "plan takes place at mon 8:00-9:00, outside"),
        ({"plan": {"start": "mon 9:10"}}, "windows", "plan starts at mon 9:10, which is not a multiple of 15 minutes."),
        ({"plan": {"start": "soon"}}, "windows", "plan: 'soon'"),
        ({"lunch": {"start": "mon 13:30"}}, "windows", "lunch starts at mon 13:30, but is fixed at mon 13:00."),
        (
            {"tea": RIGHT["tea"] | {"end": "mon 16:00"}},
            "windows",
            "tea lasts 30 min, but is to take place from mon 15:00 to",
        ),
        ({"plan": {"start": "mon 12:00"}}, "people", "Ada is needed for plan at mon 12:00-13:00, but Ada is busy at"),
        ({"plan": {"start": "tue 9:00"}}, "people", "Bob is free only at mon 0:00-24:00"),
        (
            {"review": {"start": "mon 9:30"}},
            "people",
            "Ada is in two activities at mon 9:30: plan (9:00-10:00) and review (9:30-10:30).",
        ),
        (
            {"review": {"start": "tue 9:00"}},
            "travel",
            "Ada sets out from north at tue 9:00 and needs 30 minutes to south",
        ),
        (
            {"review": {"start": "mon 10:15"}},
            "order",
            "review starts at mon 10:15, before plan is over and 30 minutes have gone",
        ),
        ({"tea": {"start": "mon 15:00"}}, "rooms", "tea has no room; it may be in Green."),
        ({"plan": {"start": "mon 9:00", "room": "Blue"}}, "rooms", "plan needs no room, but is in Blue."),
        ({"solo": {"start": "mon 9:00", "room": "Blue"}}, "rooms", "solo has 2 people, and Blue holds 1."),
        ({"solo": {"start": "tue 9:00", "room": "Blue"}}, "rooms", "but Blue is busy at tue 9:00-10:00."),
        (
            {"solo": {"start": "mon 15:15", "room": "Green"}},
            "rooms",
            "Green holds two activities at mon 15:15: tea (15:00-15:30) and solo (15:15-16:15).",
        ),
        ({"review": {"start": "mon 14:00"}}, "rules", "lunch and review are on the same day."),
    ],
)
def test_broken_rules_are_named_in_the_words_of_the_request(change: dict[str, Any], rule: str, why: str) -> None:
    schedule = read(WEEK)
    assert violations(schedule, _answer({})) == []
    found = violations(schedule, _answer(change))
    assert any(one.check == rule and why in one.message for one in found), found
    assert all(one.check in RULES and one.places for one in found)


def _answer(change: dict[str, Any]) -> dict[str, Any]:
    placed = {name: one for name, one in (RIGHT | change).items() if one is not None}
    return {"activities": [{"name": name, **one} for name, one in placed.items()]}


def test_too_little_time_for_the_way_is_told_with_the_way() -> None:
    request = {
        "days": "mon",
        "travel": {"north": {"south": 20}},
        "activities": [talk("a", who="Ada", place="north"), talk("b", who="Ada", place="south")],
    }
    answer = {"activities": [{"name": "a", "start": "mon 9:00"}, {"name": "b", "start": "mon 10:15"}]}
    (found,) = violations(read(request), answer)
    assert (
        found.message == "Ada needs 20 minutes from north to south, but b starts at mon 10:15, 15 minutes after a ends."
    )
    answer["activities"].append({"name": "a", "start": "mon 12:00"})
    assert {one.check for one in violations(read(request), answer | {"left_out": ["b"]})} == {"travel", "activities"}
