"""NATURAL PLAN as requests, with checkers that use only the constraints.

    python -m benchmarks.schedules.natural_plan FOLDER

FOLDER holds calendar_scheduling_*.json, meeting_planning_*.json and trip_planning_*.json: H. S. Zheng et al., "NATURAL PLAN:
Benchmarking LLMs on natural language planning" (2024, CC BY 4.0), with constraints parsed by rikhil-amonkar/calendar-planning
(MIT). Only the parsed constraints are read, and from the prompts whether a meeting should be as early as possible. The command
solves all of them by descent, with three seeds, and by CP-SAT on the same compiled problems, and prints their sizes. A meeting is
right if it meets as many friends as possible; it is wrong if it breaks a constraint.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.schedules import exact

from groundstate_models.scheduling.answer import answer
from groundstate_models.scheduling.check import cost, violations
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read

JSON = dict[str, Any]
TRAVELLER = "you"


@dataclass(frozen=True)
class Item:
    """A task of the benchmark.

    Attributes:
        kind: "calendar", "meeting" or "trip".
        request: In the language of schedules; in that of constraints for a trip.
        right: Whether an answer to the request is right: an answer of schedules, or for a trip the start of each city.
        valid: Whether it keeps every constraint; it may meet fewer friends than possible.
    """

    kind: str
    name: str
    request: JSON
    right: Callable[[Mapping[str, Any]], bool]
    valid: Callable[[Mapping[str, Any]], bool]


def items(folder: Path) -> Iterator[Item]:
    """All tasks of a folder."""
    for kind, read_item in (("calendar_scheduling", calendar), ("meeting_planning", meeting), ("trip_planning", trip)):
        for path in sorted(folder.glob(f"{kind}_*.json")):
            for name, raw in json.loads(path.read_text()).items():
                yield read_item(name, raw)


def calendar(name: str, raw: JSON) -> Item:
    """A meeting of several people: all blocked times, which the parsed constraints list without names."""
    parsed = raw["constraints_parsed"]
    blocked = [(one["day"], _minutes(one["start"]), _minutes(one["end"])) for one in parsed["disallowed_ranges"]]
    lasts = _minutes(parsed["meeting_duration"])
    request: JSON = {
        "days": list(dict.fromkeys(day for day, _, _ in blocked)),
        "hours": "0:00-24:00",
        "people": {"all": {"busy": [f"{day} {_clock(start)}-{_clock(end)}" for day, start, end in blocked]}},
        "activities": [{"name": "meeting", "duration": lasts, "who": "all"}],
    }
    if re.search(r"earli?e?st availability", raw["prompt_0shot"].rsplit("TASK:", 1)[-1]):
        request["objective"] = "earliest_end"

    def right(given: Mapping[str, Any]) -> bool:
        (one,) = given["activities"]
        day, clock = one["start"].split()
        start = _read_clock(clock)
        same = [(low, high) for other, low, high in blocked if other[:3].lower() == day]
        return (
            bool(same) and start + lasts <= 24 * 60 and all(start + lasts <= low or high <= start for low, high in same)
        )

    return Item("calendar", name, request, right, right)


def meeting(name: str, raw: JSON) -> Item:
    """As many friends as possible in a day, with travel times between them."""
    parsed = raw["constraints_parsed"]
    travel: dict[str, dict[str, int]] = {}
    for way in parsed["travel_distances"]:
        travel.setdefault(way["place"]["from"], {})[way["place"]["to"]] = way["walking_time"]
    begin, home = _read_clock(parsed["start"]["time_of_day"]), parsed["start"]["location"]
    friends = {
        one["name"]: (
            one["location"],
            _read_clock(one["time_of_day"]["from"]),
            _read_clock(one["time_of_day"]["to"]),
            one["min_meeting_duration"],
        )
        for one in parsed["people_to_meet"]
    }
    request: JSON = {
        "days": ["mon"],
        "people": {TRAVELLER: {"free": f"{_clock(begin)}-24:00", "home": home}},
        "travel": travel,
        "activities": [
            {
                "name": friend,
                "duration": lasts,
                "who": TRAVELLER,
                "place": place,
                "window": f"{_clock(low)}-{_clock(high)}",
                "optional": True,
            }
            for friend, (place, low, high, lasts) in friends.items()
        ],
    }
    most = sum(step.startswith("You meet") for step in raw["golden_plan"])

    def valid(given: Mapping[str, Any]) -> bool:
        here, now, met = home, begin, set()
        for one in given["activities"]:
            place, low, high, lasts = friends[one["name"]]
            start, end = (_read_clock(one[key].split()[1]) for key in ("start", "end"))
            way = 0 if place == here else travel[here][place]
            if start < now + way or start < low or end > high or end - start < lasts or one["name"] in met:
                return False
            here, now = place, end
            met.add(one["name"])
        return True

    def right(given: Mapping[str, Any]) -> bool:
        return valid(given) and len(given["activities"]) >= most

    return Item("meeting", name, request, right, valid)


def trip(name: str, raw: JSON) -> Item:
    """The order of cities: the first day of each stay is a variable; the day of a flight belongs to both cities."""
    parsed, flights = raw["constraints_parsed"], {tuple(pair) for pair in raw["flights_bidirectional_from_prompt"]}
    stays = {one["city"]: one["days"] for one in parsed["city_length"]}
    length, ranges = parsed["trip_length"], parsed["city_day_ranges"]

    def keeps(city: str, first: int) -> bool:
        """Whether a stay covers all required days in the city, or lies within them if they are longer."""
        last = first + stays[city] - 1
        spans = [(one["start"], one["end"]) for one in ranges if one["city"] == city]
        return all((first <= low and high <= last) or (low <= first and last <= high) for low, high in spans)

    days = {city: [d for d in range(1, length - stay + 2) if keeps(city, d)] for city, stay in stays.items()}
    request: JSON = {
        "variables": days,
        "constraints": [
            {
                "type": "cumulative",
                "name": "one city at a time",
                "tasks": [
                    {"variable": city, "spans": [[d, d, d + stays[city] - 1] for d in some]}
                    for city, some in days.items()
                ],
            },
            *_flights(days, stays, flights, length),
        ],
    }

    def right(given: Mapping[str, Any]) -> bool:
        order = sorted(stays, key=lambda city: given[city])
        ends = [given[city] + stays[city] - 1 for city in order]
        return (
            given[order[0]] == 1
            and ends[-1] == length
            and all(end == given[then] for end, then in zip(ends, order[1:], strict=False))
            and flights.issuperset(pairwise(order))
            and all(keeps(city, given[city]) for city in order)
        )

    return Item("trip", name, request, right, right)


def _flights(
    days: Mapping[str, list[int]], stays: Mapping[str, int], flights: set[tuple[str, ...]], length: int
) -> Iterator[JSON]:
    """Each departure from a city goes, on the same day, to a city with a direct flight; each arrival comes from one."""
    for city, some in days.items():
        for day in some:
            leaves = day + stays[city] - 1
            there = [other for other in stays if (city, other) in flights and leaves in days[other]]
            if leaves < length:
                yield _implies((city, day), [(other, leaves) for other in there])
            if day > 1:
                from_there = [
                    (other, day - stays[other] + 1)
                    for other in stays
                    if (other, city) in flights and day - stays[other] + 1 in days[other]
                ]
                yield _implies((city, day), from_there)


def _implies(one: tuple[str, int], some: list[tuple[str, int]]) -> JSON:
    when, *then = ({"variable": city, "value": day} for city, day in [one, *some])
    return {"type": "implies", "if": [when], "then": then}


def _minutes(hours: float) -> int:
    return round(60 * hours)


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"


def _read_clock(text: str) -> int:
    hour, minute, half = re.fullmatch(r"(\d+):(\d\d)(AM|PM)?", text).groups()  # type: ignore[union-attr]
    return (int(hour) % 12 + 12 * (half == "PM") if half else int(hour)) * 60 + int(minute)


def solve(item: Item) -> tuple[Mapping[str, Any] | None, JSON]:
    """An answer by CP-SAT, and the compiled problem."""
    if item.kind == "trip":
        return exact.solve(item.request), item.request
    schedule = read(item.request)
    problem = compiled(schedule)
    found: Mapping[str, Any] | None = None
    bound = None
    while not contradictions(schedule, bound):
        tighter = compiled(schedule, bound)
        given = exact.solve(tighter.request)
        if given is None:
            break
        found = answer(tighter, given)
        if violations(schedule, found):
            raise SystemExit(f"{item.name}: the answer of the compiled problem breaks {violations(schedule, found)}.")
        if schedule.objective != "earliest_end":
            break
        bound = cost(schedule, found).end - 1
    return found, problem.request


def descended(item: Item, solvers: Mapping[str, Any], deadline: float, seed: int) -> Mapping[str, Any] | None:
    """A solved answer by descent; its values for a trip."""
    solution = solvers[item.kind].solve(item.request, deadline=deadline, ask=False, seed=seed)
    if not solution.solved:
        return None
    found: Mapping[str, Any] = solution.answer["values"] if item.kind == "trip" else solution.answer
    return found


def spread(rows: list[float]) -> str:
    return f"{1e3 * statistics.median(rows):.0f} / {1e3 * max(rows):.0f} ms"


TARGETS = {"calendar": 15, "meeting": 60, "trip": 25}
"""Median milliseconds to reach, with every task right."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--deadline", type=float, default=15.0, help="seconds a task for descent (default: %(default)s)"
    )
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (default: %(default)s)")
    parser.add_argument("--alone", action="store_true", help="without CP-SAT")
    options = parser.parse_args()
    import groundstate as gs

    scheduling, constraints = gs.load("scheduling", threads=1), gs.load("constraints", threads=1)
    solvers = {"calendar": scheduling, "meeting": scheduling, "trip": constraints}
    todo = list(items(options.folder))
    for kind in TARGETS:  # the first call of a solver takes longer
        descended(next(item for item in todo if item.kind == kind), solvers, options.deadline, 0)
    found: dict[str, list[dict[str, Any]]] = {}
    exactly: dict[str, list[dict[str, Any]]] = {}
    for item in todo:
        for seed in range(options.seeds):
            begun = time.perf_counter()
            mine = descended(item, solvers, options.deadline, seed)
            row = {"seconds": time.perf_counter() - begun, "right": mine is not None and item.right(mine)}
            row["wrong"] = mine is not None and not item.valid(mine)
            found.setdefault(item.kind, []).append(row)
            if not row["right"]:
                print(f"{item.name}, seed {seed}: {'no answer' if mine is None else 'not the best'}", flush=True)
        if options.alone:
            continue
        begun = time.perf_counter()
        given, request = solve(item)
        by = {"right": given is not None and item.right(given), "seconds": time.perf_counter() - begun}
        exactly.setdefault(item.kind, []).append({**by, **exact.size(request)})
    print(f"Right of all, with {options.seeds} seeds; median and largest time.")
    print(
        "| kind | tasks | right | wrong | median / max | target | CP-SAT, right | median / max | edges, median / max |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for kind, rows in found.items():
        right, wrong = (sum(row[key] for row in rows) for key in ("right", "wrong"))
        cells = [kind, len(rows) // options.seeds, f"{right} of {len(rows)}", wrong]
        cells += [spread([row["seconds"] for row in rows]), f"all, {TARGETS[kind]} ms"]
        if others := exactly.get(kind):
            edges = [row["edges"] for row in others]
            cells += [f"{sum(row['right'] for row in others)} of {len(others)}", spread([r["seconds"] for r in others])]
            cells.append(f"{statistics.median(edges):g} / {max(edges)}")
        print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
