"""Weeks that one thing makes impossible: whether the contradiction names it, and the question offers to change it first.

    python -m benchmarks.schedules.reasons [--count 100]

A random week has a schedule by construction. Then one busy time is added, or two in different places, so that an activity, or two
of one person, have too little time left; CP-SAT says that there is no schedule then. The table has how often the outcome is
infeasible, how often all the culprits are among the places of the contradictions, how many other busy times are named with them,
how often an option changes or drops a culprit, and how often the first option is a shorter busy time or a longer window.
"""

from __future__ import annotations

import argparse
import random
import statistics
from typing import Any

from benchmarks.problems.exact import from_factors
from benchmarks.rates import wilson

import groundstate as gs
from groundstate_models.constraints.problem import Problem
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read

DAYS = ["mon", "tue", "wed", "thu", "fri"]
JSON = dict[str, Any]


def clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"


def week(draw: random.Random) -> tuple[JSON, list[tuple[int, str, int, int]]]:
    """A week with a schedule, and for each activity its number, day, start and duration there."""
    people = [f"P{number}" for number in range(1, 7)]
    taken: dict[tuple[str, str], list[tuple[int, int]]] = {}
    activities: list[JSON] = []
    placed = []
    while len(activities) < 8:
        day, lasts = draw.choice(DAYS), draw.choice([30, 60, 90])
        start = 30 * draw.randrange(18, (17 * 60 - lasts) // 30 + 1)
        who = draw.sample(people, draw.randint(1, 3))
        if any(begin < start + lasts and start < end for name in who for begin, end in taken.get((name, day), ())):
            continue
        for name in who:
            taken.setdefault((name, day), []).append((start, start + lasts))
        number = len(activities)
        window = f"{day} {clock(max(540, start - 60))}-{clock(min(1020, start + lasts + 60))}"
        activities.append({"name": f"A{number}", "duration": lasts, "who": who, "window": window})
        placed.append((number, day, start, lasts))
    busy: dict[str, list[str]] = {name: [] for name in people}
    for name in people:
        for _ in range(4):
            day, start = draw.choice(DAYS), 30 * draw.randrange(18, 32)
            end = start + draw.choice([30, 60, 90, 120])
            if not any(begin < end and start < over for begin, over in taken.get((name, day), ())):
                busy[name].append(f"{day} {clock(start)}-{clock(min(end, 1020))}")
    return {
        "days": "mon-fri",
        "people": {name: {"busy": texts} for name, texts in busy.items()},
        "activities": activities,
    }, placed


def spoilt(draw: random.Random, culprits: int) -> tuple[JSON, list[str]]:
    """A week that added busy times make impossible, and their places."""
    while True:
        request, placed = week(draw)
        places, changed = [], set()
        for number, day, start, lasts in draw.sample(placed, culprits):
            who = draw.choice(request["activities"][number]["who"])
            texts = request["people"][who]["busy"]
            if who in changed:
                break
            changed.add(who)
            texts.append(
                f"{day} {clock(max(540, start - draw.choice([0, 30])))}-{clock(min(1020, start + lasts + 30))}"
            )
            places.append(f"people.{who}.busy[{len(texts) - 1}]")
        if len(places) == culprits and all(impossible(without(request, places, place)) for place in places):
            return request, places


def without(request: JSON, places: list[str], kept: str) -> JSON:
    """The week with only one of the culprits."""
    people = {}
    for name, one in request["people"].items():
        gone = {place for place in places if place != kept}
        texts = [text for index, text in enumerate(one["busy"]) if f"people.{name}.busy[{index}]" not in gone]
        people[name] = {"busy": texts}
    return {**request, "people": people}


def impossible(request: JSON) -> bool:
    """Whether there is no schedule, by CP-SAT on the factors of the compiled request."""
    schedule = read(request)
    if contradictions(schedule):
        return True
    compact = compiled(schedule)
    return compact.complete and from_factors(Problem.of(compact.request), limit=10.0).status == "INFEASIBLE"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100, help="weeks of each kind")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    solver = gs.load("scheduling", threads=1)
    print(
        "| culprits | weeks | infeasible | all named | others named, mean | one in an option | smallest change first |"
    )
    print("|---|---|---|---|---|---|---|")
    for culprits in (1, 2):
        draw = random.Random(asked.seed)
        proven = named = offered = nearest = 0
        others = []
        for _ in range(asked.count):
            request, places = spoilt(draw, culprits)
            solution = solver.solve(request)
            assert solution.answer is None, "an impossible week has a schedule"
            proven += solution.status == "infeasible"
            said = {place for violation in solution.violations for place in violation.places}
            named += said.issuperset(places)
            others.append(sum(".busy" in place and place not in places for place in said))
            options = [] if solution.question is None else solution.question.options
            offered += any(place in option.id for option in options for place in places)
            nearest += bool(options) and options[0].id.startswith(("shorten", "extend"))
        n = asked.count
        print(
            f"| {culprits} | {n} | {proven} | {wilson(named, n)} | {statistics.mean(others):.2f} | {wilson(offered, n)} | "
            f"{wilson(nearest, n)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
