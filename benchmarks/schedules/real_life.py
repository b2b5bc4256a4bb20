"""Thirty requests as people and language models write them, solved as tools solve them, beside CP-SAT on the same problem.

``python -m benchmarks.schedules.real_life`` prints one line each: status, cost and seconds with the options of a tool, and
the cost that CP-SAT proves or finds in ten seconds on the factors of the compiled request.

Long because it is a list of thirty requests.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import time
from collections.abc import Iterator, Mapping
from itertools import combinations, pairwise
from typing import Any

from benchmarks.problems.exact import from_factors

import groundstate as gs
from groundstate.tools import SolveTool
from groundstate_models.constraints.objective import Extreme
from groundstate_models.constraints.problem import Problem
from groundstate_models.scheduling.answer import answer
from groundstate_models.scheduling.check import cost
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.task import Planned

JSON = dict[str, Any]
LIMIT = 10.0
"""Seconds for CP-SAT."""

MEALS = ["pasta", "fish", "curry", "soup", "pizza"]
COLOURS = ["red", "green", "blue", "gold"]
NURSES = ["Ada", "Bob", "Cem", "Dora", "Eve", "Fay", "Gus", "Hal"]


def schedules() -> Iterator[tuple[str, JSON]]:
    """Requests to the model ``scheduling``, with their names."""
    yield (
        "nurses, 8 for 14 days",
        {
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
                {"type": "days_in_a_row", "at_most": 5},
            ],
            "preferences": [
                {"type": "work", "at_least": 8},
                {"type": "avoid", "who": "Ada", "window": "weekend", "weight": 3},
                {"type": "work", "at_most": 2, "activities": "Night", "weight": 2},
            ],
        },
    )
    yield (
        "coffee shop",
        {
            "days": "mon-sat",
            "people": {
                "Lea": {"busy": "wed"},
                "Max": {"free": "mon-fri after 12:00"},
                "Noa": {},
                "Ole": {"busy": "mon-tue"},
                "Pia": {},
            },
            "activities": [
                {"name": "Opening", "at": "7:00-13:00", "repeat": "every day", "who": "2 of anyone"},
                {"name": "Closing", "at": "13:00-19:00", "repeat": "every day", "who": "1 of anyone"},
            ],
            "rules": [{"type": "work", "at_most": "30 h", "per": "week"}, {"type": "work", "at_most": 1, "per": "day"}],
            "preferences": [
                {"type": "avoid", "who": "Noa", "window": "sat", "weight": 2},
                {"type": "work", "at_least": "18 h"},
            ],
        },
    )
    yield (
        "on call, four weeks",
        {
            "days": "2025-06-02/2025-06-29",
            "people": NURSES[:6],
            "activities": [{"name": "On call", "at": "18:00-8:00", "repeat": "daily", "who": "anyone"}],
            "rules": [{"type": "rest", "time": "24h"}, {"type": "work", "at_most": 2, "per": "week"}],
            "preferences": [
                {"type": "work", "at_least": 4},
                {"type": "work", "at_most": 5},
                {"type": "avoid", "who": "Bob", "window": "2025-06-09/2025-06-15", "weight": 5},
            ],
        },
    )
    yield "week of 40 meetings", _meetings(40)
    yield (
        "stand-ups at the same time",
        {
            "days": "mon-fri",
            "people": {
                "Ada": {"busy": ["mon 9:00-10:30", "wed 14:00-16:00"]},
                "Bob": {"busy": "tue 9:30-11:00"},
                "Cem": {},
            },
            "activities": [
                {"name": "Stand-up", "duration": 15, "who": ["Ada", "Bob", "Cem"], "repeat": "daily, same time"},
                {"name": "One to one", "duration": 30, "who": ["Ada", "Bob"], "repeat": "twice a week"},
                {"name": "Focus", "duration": "2h", "who": "Ada", "repeat": "3 times"},
            ],
            "preferences": [{"type": "earlier", "activities": "Stand-up"}, {"type": "avoid", "window": "12:00-13:00"}],
        },
    )
    yield (
        "three zones",
        {
            "days": "2025-03-24/2025-04-04",
            "zone": "Europe/Berlin",
            "people": {
                "Berlin": {"free": "mon-fri 8:00-18:00"},
                "New York": {"zone": "America/New_York", "free": "mon-fri 8:00-18:00"},
                "Delhi": {"zone": "Asia/Kolkata", "free": "mon-fri 9:00-20:00"},
            },
            "activities": [
                {
                    "name": "Planning",
                    "duration": "1h",
                    "who": ["Berlin", "New York", "Delhi"],
                    "repeat": "every Tuesday",
                },
                {"name": "Review", "duration": 30, "who": ["New York", "Delhi"], "window": "2025-03-28"},
                {"name": "Handover", "duration": 45, "who": ["Berlin", "Delhi"], "repeat": "weekly"},
            ],
        },
    )
    yield (
        "project in days",
        {
            "days": "2025-09-01/2025-09-26",
            "hours": "mon-fri 9:00-17:00",
            "people": {"Ira": {}, "Jo": {"busy": "2025-09-08/2025-09-09"}, "Kim": {}},
            "activities": [
                {"name": "Survey", "duration": "2 days", "who": "Ira"},
                {"name": "Design", "duration": "3 days", "who": "one of Ira, Jo", "after": "Survey"},
                {"name": "Order", "duration": "half a day", "who": "Kim", "after": "Design"},
                {"name": "Frontend", "duration": "4 days", "who": "one of Jo, Kim", "after": "Design"},
                {"name": "Backend", "duration": "4 days", "who": "one of Ira, Kim", "after": "Design"},
                {"name": "Tests", "duration": "2 days", "who": "one of Ira, Jo, Kim", "after": ["Frontend", "Backend"]},
                {"name": "Launch", "duration": "2h", "who": ["Ira", "Jo", "Kim"], "after": ["Tests", "Order"]},
            ],
            "objective": "earliest_end",
        },
    )
    yield "deliveries with two vans", _deliveries()
    yield "exams of six courses", _exams()
    yield "tournament of six teams", _tournament()
    yield (
        "interviews with panels",
        {
            "days": "mon-wed",
            "hours": "9:00-17:00",
            "people": {
                "Ann": {"busy": "mon"},
                "Ben": {},
                "Cai": {"free": "mon-tue"},
                "Deb": {"busy": "12:00-13:00"},
                "Eli": {},
            },
            "rooms": ["Small", "Large"],
            "gap": 15,
            "activities": [
                {
                    "name": f"Candidate {number}",
                    "duration": "45 min",
                    "who": "2 of Ann, Ben, Cai, Deb, Eli",
                    "room": "any",
                }
                for number in range(1, 9)
            ],
            "rules": [{"type": "work", "at_most": 2, "per": "day"}],
            "preferences": [{"type": "earlier"}, {"type": "avoid", "window": "12:00-13:00"}],
        },
    )
    yield "school, three classes", _school()
    yield (
        "festival volunteers",
        {
            "days": "fri-sun",
            "hours": "10:00-22:00",
            "people": {
                name: {"busy": busy}
                for name, busy in zip(
                    "ABCDEFGHIJ",
                    [
                        "fri",
                        "sat",
                        "sun",
                        "before sat 14:00",
                        "sun after 16:00",
                        "fri",
                        "sat 10:00-14:00",
                        "sun",
                        "fri after 18:00",
                        "sat after 18:00",
                    ],
                    strict=True,
                )
            },
            "activities": [
                {
                    "name": f"{stand} {begin}",
                    "at": f"{begin}:00-{begin + 4}:00",
                    "repeat": "daily",
                    "who": "1 of anyone",
                }
                for stand in ("Bar", "Gate")
                for begin in (10, 14, 18)
            ],
            "rules": [{"type": "work", "at_most": 2, "per": "day"}],
            "preferences": [{"type": "work", "at_most": 2}, {"type": "work", "at_least": 1}],
        },
    )
    yield (
        "truck drivers",
        {
            "days": "mon-sun",
            "people": ["Rui", "Sam", "Tom", "Uwe"],
            "activities": [
                {"name": "Tour north", "at": "5:00-15:00", "repeat": "mon, wed, fri", "who": "2 of Rui, Sam, Tom, Uwe"},
                {"name": "Tour south", "at": "12:00-22:00", "repeat": "tue, thu, sat", "who": "one of Rui, Sam, Tom"},
                {"name": "Night mail", "at": "21:00-3:00", "repeat": "daily", "who": "one of Sam, Tom, Uwe"},
            ],
            "rules": [{"type": "rest", "time": "9h"}, {"type": "work", "at_most": "48 h", "per": "week"}],
            "preferences": [{"type": "work", "at_most": 4, "weight": 2}],
        },
    )
    yield (
        "dentist and family",
        {
            "today": "2025-05-29",
            "people": {"Mum": {"busy": ["June 3 9:00-12:00", "next week 13:00-17:00"]}, "Kid": {"free": "after 14:00"}},
            "hours": "8:00-18:00",
            "activities": [
                {
                    "name": "Dentist",
                    "duration": "45 min",
                    "who": ["Mum", "Kid"],
                    "window": ["June 3", "June 4", "June 5 morning"],
                },
                {"name": "Shopping", "duration": "an hour", "who": "Mum", "window": "tomorrow"},
                {"name": "Cinema", "duration": "2h30", "who": ["Kid", "Mum if possible"], "window": "next Friday"},
            ],
        },
    )
    yield (
        "workshop day",
        {
            "days": "sat",
            "hours": "9:00-17:00",
            "people": ["Iva", "Jan"],
            "rooms": {"Hall": {"capacity": 60}, "Lab": {"capacity": 20}},
            "activities": [
                {"name": "Welcome", "at": "9:00-9:30", "who": ["Iva", "Jan"], "room": "Hall"},
                {
                    "name": "Talk",
                    "duration": 60,
                    "who": "Iva",
                    "room": "Hall",
                    "after": "Welcome",
                    "within": 30,
                    "size": 50,
                },
                {"name": "Hands-on", "duration": "2h", "who": "Jan", "room": "Lab", "after": "Talk", "size": 18},
                {
                    "name": "Panel",
                    "duration": 60,
                    "who": ["Iva", "Jan"],
                    "room": "any",
                    "after": "Hands-on",
                    "within": "1h",
                    "size": 40,
                },
                {"name": "Stream", "duration": 60, "who": [], "window": "sat"},
            ],
            "rules": [{"type": "together", "activities": ["Panel", "Stream"]}],
            "preferences": [{"type": "avoid", "window": "12:00-13:00"}],
        },
    )


def _meetings(many: int) -> JSON:
    draw = random.Random(7)
    people = [f"P{number}" for number in range(1, 13)]
    return {
        "days": "mon-fri",
        "people": {
            name: {"busy": [f"{draw.choice(['mon', 'tue', 'wed', 'thu', 'fri'])} 9:00-11:00"]} for name in people
        },
        "rooms": {"Red": {"capacity": 4}, "Blue": {"capacity": 6}, "Green": {"capacity": 8}},
        "activities": [
            {
                "name": f"M{number}",
                "duration": draw.choice([30, 30, 60, 90]),
                "who": draw.sample(people, draw.randint(2, 4)),
                "room": "any",
            }
            for number in range(1, many + 1)
        ],
    }


def _deliveries() -> JSON:
    draw = random.Random(3)
    places = [f"stop {number}" for number in range(1, 9)]
    at = {place: (draw.randint(0, 40), draw.randint(0, 40)) for place in ["depot", *places]}
    travel = {
        one: {other: max(5, 5 * round(math.dist(at[one], at[other]) / 5)) for other in at if other != one} for one in at
    }
    return {
        "days": "mon",
        "hours": "8:00-16:00",
        "people": {"Van 1": {"home": "depot"}, "Van 2": {"home": "depot"}},
        "travel": travel,
        "activities": [
            {
                "name": f"Delivery {number}",
                "duration": 15,
                "place": place,
                "who": "one of Van 1, Van 2",
                "window": draw.choice(["mon 8:00-12:00", "mon after 12:00", "mon"]),
            }
            for number, place in enumerate(places, 1)
        ],
        "preferences": [{"type": "earlier"}],
    }


def _exams() -> JSON:
    draw = random.Random(5)
    groups = [f"Group {letter}" for letter in "ABCDEFGH"]
    names = [
        "Algebra",
        "Biology",
        "Chemistry",
        "Drama",
        "English",
        "French",
        "Geometry",
        "History",
        "Italian",
        "Physics",
    ]
    activities = [
        {
            "name": name,
            "duration": draw.choice(["2h", "3h"]),
            "who": draw.sample(groups, 3),
            "room": "any",
            "size": draw.randint(20, 90),
        }
        for name in names
    ]
    return {
        "days": "mon-fri",
        "hours": ["9:00-12:00", "13:00-17:00"],
        "people": groups,
        "rooms": {"Hall": {"capacity": 120}, "Aula": {"capacity": 80}, "Room 3": {"capacity": 40}},
        "activities": activities,
        "preferences": [
            {"type": "different_day", "activities": [a["name"] for a in activities if group in a["who"]]}
            for group in groups
        ],
    }


def _tournament() -> JSON:
    teams = ["Ants", "Bees", "Cats", "Dogs", "Elks", "Foxes"]
    return {
        "days": "sat-sun",
        "hours": "10:00-16:00",
        "slot": 30,
        "gap": 30,
        "people": teams,
        "rooms": ["Pitch 1", "Pitch 2"],
        "activities": [
            {"name": f"{one}-{other}", "duration": 60, "who": [one, other], "room": "any"}
            for one, other in combinations(teams, 2)
        ],
    }


def _school() -> JSON:
    lessons = {"Maths": ("Mr A", 4), "English": ("Ms B", 3), "Science": ("Ms C", 2), "Sport": ("Mr D", 1)}
    return {
        "days": "mon-fri",
        "hours": "8:00-13:00",
        "slot": 60,
        "people": {
            "Mr A": {"busy": "fri"},
            "Ms B": {},
            "Ms C": {"free": "mon-wed"},
            "Mr D": {"free": "thu-fri"},
            "7a": {},
            "7b": {},
        },
        "activities": [
            {"name": f"{subject} {group}", "duration": 60, "who": [teacher, group], "repeat": f"{many} times"}
            for subject, (teacher, many) in lessons.items()
            for group in ("7a", "7b")
        ],
    }


def problems() -> Iterator[tuple[str, JSON]]:
    """Requests to the model ``constraints``, with their names."""
    yield "seating", _seating()
    yield "students to projects", _projects()
    yield (
        "backpack",
        {
            "variables": dict.fromkeys(["tent", "stove", "books", "camera", "jacket", "rope", "food", "water"], "0..1"),
            "constraints": [
                "9*tent + 4*stove + 3*books + 5*camera + 4*jacket + 6*rope + 7*food + 8*water <= 25",
                "if rope == 1 then jacket == 1",
                "at least 1 of food, water are 1",
            ],
            "objective": "maximise 12*tent + 5*stove + 3*books + 7*camera + 6*jacket + 6*rope + 11*food + 13*water",
        },
    )
    yield (
        "menu of a week",
        {
            "variables": dict.fromkeys(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], MEALS),
            "constraints": [
                {
                    "type": "run",
                    "variables": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                    "value": meal,
                    "at_most": 1,
                }
                for meal in ("pasta", "fish", "curry", "soup", "pizza")
            ]
            + [
                "fri == fish",
                "at most 2 of mon, tue, wed, thu, fri, sat, sun are pizza",
                "sun != soup",
                "if sat == pizza then sun == curry",
            ],
            "objective": "maximise "
            + " + ".join(
                f"{worth}*({day} == {meal})"
                for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
                for meal, worth in {"pasta": 3, "fish": 1, "curry": 4, "soup": 2, "pizza": 5}.items()
            ),
        },
    )
    yield (
        "map of Europe",
        {
            "variables": dict.fromkeys(
                ["DE", "FR", "BE", "NL", "LU", "CH", "AT", "IT", "PL", "CZ", "DK", "SI"], COLOURS
            ),
            "constraints": [
                f"{pair[:2]} != {pair[2:]}"
                for pair in [
                    "DEFR",
                    "DEBE",
                    "DENL",
                    "DELU",
                    "DECH",
                    "DEAT",
                    "DEPL",
                    "DECZ",
                    "DEDK",
                    "FRBE",
                    "FRLU",
                    "FRCH",
                    "FRIT",
                    "BENL",
                    "BELU",
                    "CHAT",
                    "CHIT",
                    "ATIT",
                    "ATCZ",
                    "ATSI",
                    "ITSI",
                    "PLCZ",
                ]
            ],
            "preferences": [
                {"constraint": "DE == gold"},
                {"constraint": "exactly 2 of FR, IT, PL, DK are blue", "weight": 2},
            ],
        },
    )
    yield "round trip of six cities", _trip()
    yield "pattern of shifts", _pattern()
    yield "workshop with four machines", _shop()
    yield (
        "boxes",
        {
            "variables": {f"item {n}": ["A", "B", "C"] for n in range(1, 11)},
            "constraints": [
                *(
                    " + ".join(
                        f"{size}*(item {n} == {box})" for n, size in enumerate([7, 5, 4, 6, 3, 8, 2, 5, 4, 6], 1)
                    )
                    + " <= 18"
                    for box in "ABC"
                ),
                "item 1 != item 6",
                "item 2 == item 8",
                "if item 3 == A then item 4 != A",
            ],
            "preferences": [{"constraint": "at most 3 of item 1, item 2, item 3, item 4, item 5 are A", "weight": 2}],
        },
    )
    yield "suppliers", _suppliers()
    yield "secret Santa", _santa()
    yield (
        "fair teams",
        {
            "variables": {name: [1, 2] for name in "abcdefghijkl"},
            "constraints": [
                "exactly 6 of a, b, c, d, e, f, g, h, i, j, k, l are 1",
                "a != b",
                "c != d",
                "if e == 1 then f == 1",
            ],
            "objective": {
                "minimise": "abs(9*(a == 1) + 7*(b == 1) + 5*(c == 1) + 8*(d == 1) + 4*(e == 1) + 6*(f == 1) - 20)"
            },
        },
    )
    yield (
        "two machines with optional jobs",
        {
            "variables": {
                **{f"start {n}": "0..12" for n in range(1, 7)},
                **{f"job {n}": ["yes", "no"] for n in range(1, 7)},
            },
            "constraints": [
                {
                    "type": "intervals",
                    "of": [
                        {"start": f"start {n}", "duration": length, "if": {"variable": f"job {n}", "value": "yes"}}
                        for n, length in enumerate([5, 4, 6, 3, 7, 5], 1)
                    ],
                },
                *(f"start {n} <= {16 - length}" for n, length in enumerate([5, 4, 6, 3, 7, 5], 1)),
            ],
            "objective": "maximise "
            + " + ".join(f"{worth}*(job {n} == yes)" for n, worth in enumerate([9, 6, 11, 4, 13, 8], 1)),
        },
    )
    yield (
        "phases of a garden",
        {
            "variables": {"dig": "0..20", "sow": "0..20", "fence": "0..20", "path": "0..20", "water": "0..20"},
            "constraints": [
                "dig 4 before sow",
                "dig 4 before path",
                "fence 3 before path",
                "no overlap: dig for 4, fence for 3",
                "sow 2 before water",
            ],
            "objective": "minimise the latest end of dig for 4, sow for 2, fence for 3, path for 5, water for 1",
        },
    )


def _seating() -> JSON:
    draw = random.Random(11)
    guests = [f"guest {n}" for n in range(1, 19)]
    pairs = draw.sample(list(combinations(guests, 2)), 24)
    return {
        "variables": {guest: ["rose", "lily", "iris"] for guest in guests},
        "constraints": [
            *(f"at most 6 of {', '.join(guests)} are {table}" for table in ("rose", "lily", "iris")),
            *(f"{one} != {other}" for one, other in pairs[:6]),
        ],
        "preferences": [{"constraint": f"{one} == {other}", "weight": draw.randint(1, 3)} for one, other in pairs[6:]],
    }


def _projects() -> JSON:
    draw = random.Random(13)
    students, projects = [f"s{n}" for n in range(1, 16)], ["app", "bot", "car", "dam", "elf"]
    wishes = {student: draw.sample(projects, 3) for student in students}
    terms = [
        {"variable": student, "value": project, "times": worth}
        for student, some in wishes.items()
        for project, worth in zip(some, (5, 3, 1), strict=True)
    ]
    bounds = [{"value": project, "at_least": 2, "at_most": 3} for project in projects]
    return {
        "variables": dict.fromkeys(students, projects),
        "constraints": [{"type": "counts", "variables": students, "bounds": bounds}, "s1 == s2", "s3 != s4"],
        "objective": {"maximise": terms},
    }


def _trip() -> JSON:
    draw = random.Random(17)
    cities = ["Bern", "Graz", "Kiel", "Linz", "Metz", "Nice"]
    at = {city: (draw.randint(0, 20), draw.randint(0, 20)) for city in cities}
    rows = [[a, b, round(math.dist(at[a], at[b]))] for a in cities for b in cities if a != b]
    legs = [f"leg {n}" for n in range(1, 7)]
    stops = [f"stop {n}" for n in range(1, 7)]
    return {
        "variables": {**dict.fromkeys(stops, cities), **dict.fromkeys(legs, "0..30")},
        "constraints": [
            "stop 1 == Bern",
            {"type": "all_different", "variables": stops},
            *(
                {"type": "allowed", "variables": [one, other, leg], "tuples": rows}
                for (one, other), leg in zip(pairwise([*stops, stops[0]]), legs, strict=True)
            ),
        ],
        "objective": f"minimise {' + '.join(legs)}",
    }


def _pattern() -> JSON:
    people, days = ["Ann", "Bo", "Cy", "Di", "Ed"], range(1, 15)
    names = [[f"{who} {day}" for day in days] for who in people]
    moves = [[a, v, v] for a in ("off", "day", "night") for v in ("off", "day", "night") if (a, v) != ("night", "day")]
    return {
        "variables": {name: ["day", "night", "off"] for row in names for name in row},
        "constraints": [
            *(
                {"type": "regular", "variables": row, "moves": moves, "start": "off", "accept": ["off", "day", "night"]}
                for row in names
            ),
            *({"type": "run", "variables": row, "value": ["day", "night"], "at_most": 5} for row in names),
            *({"type": "run", "variables": row, "value": "night", "at_least": 2, "at_most": 3} for row in names),
            *(
                {
                    "type": "counts",
                    "variables": list(column),
                    "bounds": [{"value": "day", "exactly": 2}, {"value": "night", "exactly": 1}],
                }
                for column in zip(*names, strict=True)
            ),
        ],
        "preferences": [{"constraint": f"Ann {day} == off"} for day in (6, 7, 13, 14)],
    }


def _shop() -> JSON:
    draw = random.Random(19)
    steps = {
        (job, n): (machine, draw.randint(1, 5)) for job in "ABCD" for n, machine in enumerate(draw.sample(range(4), 4))
    }
    names = {key: f"{key[0]}{key[1] + 1}" for key in steps}
    constraints: list[Any] = [
        f"{names[job, n]} {steps[job, n][1]} before {names[job, n + 1]}" for job in "ABCD" for n in range(3)
    ]
    for machine in range(4):
        mine = [key for key, (its, _) in steps.items() if its == machine]
        constraints.append("no overlap: " + ", ".join(f"{names[key]} for {steps[key][1]}" for key in mine))
    ends = ", ".join(f"{names[key]} for {length}" for key, (_, length) in steps.items())
    return {
        "variables": dict.fromkeys(names.values(), "0..35"),
        "constraints": constraints,
        "objective": f"minimise the latest end of {ends}",
    }


def _suppliers() -> JSON:
    draw = random.Random(23)
    parts, firms = [f"part {n}" for n in range(1, 9)], ["Acme", "Bolt", "Core"]
    price = {(part, firm): draw.randint(5, 20) for part in parts for firm in firms}
    return {
        "variables": {**dict.fromkeys(parts, firms), **{f"use {firm}": "0..1" for firm in firms}},
        "constraints": [
            *(f"if {part} == {firm} then use {firm} == 1" for part in parts for firm in firms),
            *(f"at most 4 of {', '.join(parts)} are {firm}" for firm in firms),
        ],
        "objective": "minimise "
        + " + ".join(
            [
                *(f"{cost}*({part} == {firm})" for (part, firm), cost in price.items()),
                *(f"15*(use {f} == 1)" for f in firms),
            ]
        ),
    }


def _santa() -> JSON:
    people = ["Ada", "Bob", "Cem", "Dora", "Eve", "Fay", "Gus", "Hal", "Ida", "Jo"]
    return {
        "variables": {f"{one} gives to": [other for other in people if other != one] for one in people},
        "constraints": [
            {"type": "all_different", "variables": [f"{one} gives to" for one in people]},
            *(f'not ("{a} gives to" == {b} and "{b} gives to" == {a})' for a, b in combinations(people, 2)),
            '"Ada gives to" != Bob',
        ],
        "preferences": [{"constraint": f'"{a} gives to" != {b}'} for a, b in pairwise(people)],
    }


def least(model: str, request: Mapping[str, Any]) -> tuple[float | None, bool]:
    """The cost that CP-SAT finds on the factors of the compiled request, and whether it proves it; None if it finds none."""
    if model == "scheduling" and request.get("objective") == "earliest_end":
        return _earliest(request)
    problem = Problem.of(compiled(read(request)).request if model == "scheduling" else request)
    if isinstance(problem.objective, Extreme) and not problem.graph.costs:
        return _extreme(problem)
    outcome = from_factors(problem, limit=LIMIT)
    return (None if outcome.values is None else problem.total(outcome.values)), outcome.status == "OPTIMAL"


def _earliest(request: Mapping[str, Any]) -> tuple[float | None, bool]:
    """The cost of the earliest end, by CP-SAT on problems with earlier and earlier bounds."""
    schedule, begun = read(request), time.perf_counter()
    best: float | None = None
    bound: int | None = None
    while (left := LIMIT - (time.perf_counter() - begun)) > 0:
        if contradictions(schedule, bound):
            return best, True
        compact = compiled(schedule, bound)
        outcome = from_factors(Problem.of(compact.request), limit=left)
        if outcome.values is None:
            return best, outcome.status == "INFEASIBLE"
        found = answer(compact, outcome.values)
        best, bound = _cost("scheduling", request, found), cost(schedule, found).end - 1
    return best, False


def _extreme(problem: Problem) -> tuple[float | None, bool]:
    """The least latest end, by CP-SAT on problems without the values that are no better than the last one."""
    objective, graph, begun = problem.objective, problem.graph, time.perf_counter()
    assert isinstance(objective, Extreme)
    best: float | None = None
    while (left := LIMIT - (time.perf_counter() - begun)) > 0:
        outcome = from_factors(problem, limit=left)
        if outcome.values is None:
            return best, outcome.status == "INFEASIBLE"
        best = problem.total(outcome.values)
        for literal in objective.beyond(graph, objective.value(outcome.values)):
            graph.bound([(literal, 1)], 0, 0, -1)
    return best, False


def main(argv: list[str] | None = None) -> int:
    """Print a line for each request, and the summary beside the targets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alone", action="store_true", help="without CP-SAT")
    parser.add_argument("--only", default="", help="only requests whose names contain this")
    options = parser.parse_args(argv)
    tools = {name: SolveTool(gs.load(name, threads=1)) for name in ("scheduling", "constraints")}
    times, gaps = [], []
    optimal = within = ranked = bounded = 0
    for model, sent in [*(("scheduling", one) for one in schedules()), *(("constraints", one) for one in problems())]:
        name, request = sent
        if options.only not in name:
            continue
        begun = time.perf_counter()
        solution = tools[model].solver.solve(request, **tools[model].options)
        times.append(time.perf_counter() - begun)
        line = f"{name:34} {solution.status:10} {times[-1]:6.2f} s"
        if solution.answer is not None:
            mine = _cost(model, request, solution.answer)
            line += f"  cost {mine:8.3f}{' (proven)' if solution.optimal else '':9}"
            best, proven = (None, False) if options.alone else least(model, request)
            best = mine if best is None or solution.optimal else best
            line += f"  CP-SAT {best:8.3f}{' (proven)' if proven else ''}"
            gaps.append((mine - best) / max(1.0, abs(best)))
            optimal, within = optimal + (mine <= best + 1e-6), within + (gaps[-1] <= 0.02)
            if _gap(solution):
                ranked += 1
                bounded += solution.optimal
                line += f"  {_gap(solution)}"
        print(line, flush=True)
    n = len(times)
    print(f"\n| of {n} requests | target | measured |\n|---|---|---|")
    print(f"| solved | 28 of 30 | {len(gaps)} |")
    print(f"| cost within 2 % of CP-SAT's in {LIMIT:g} s | all | {within}; worst {100 * max(gaps, default=0):.0f} % |")
    print(f"| at CP-SAT's cost or below | 90 % | {optimal} |")
    soon, spread = sum(t <= 2 for t in times), f"{max(times):.2f} s, median {statistics.median(times):.2f} s"
    print(f"| back in 2 s | all | {soon}; longest {spread} |")
    print(f"| gap reported where answers have a cost | all | {ranked}, of which {bounded} proven optimal |")
    return 0


def _gap(solution: gs.Solution) -> str:
    """The sentence of the explanation about the gap; empty if there is none."""
    return next((f"{one}." for one in solution.explanation.split(". ") if "proven" in one), "")


def _cost(model: str, request: Mapping[str, Any], given: Mapping[str, Any]) -> float:
    """The cost of an answer, in units of the compiled problem; for the earliest end, in minutes from the first day."""
    if model == "constraints":
        return Problem.of(request).total(given["values"])
    plan = Planned(request)
    return plan.price(cost(plan.schedule, given))


if __name__ == "__main__":
    raise SystemExit(main())
