"""Small random rosters against brute force: ``python -m benchmarks.schedules.fuzz``, or ``--all`` for 3,000 of them.

Every choice of people is judged by the exact check. Counted are answers that break a rule, feasible requests called infeasible,
false proofs of the optimum, and answers that cost more than the best one.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from typing import Any

import groundstate as gs
from groundstate_models.scheduling.check import cost, violations
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.schedule import Schedule

JSON = dict[str, Any]
SAMPLE, ALL = 100, 3_000
AT_ONCE = 50
PEOPLE = ("Ada", "Bob", "Cem")
TIMES = ("6:00-14:00", "8:00-12:00", "14:00-22:00", "22:00-6:00", "9:00-17:00")


def request(draw: random.Random) -> JSON:
    """A roster of three people over two or three days, with limits and wishes."""
    days = ["mon", "tue", "wed"][: draw.randint(2, 3)]
    activities = []
    for name in ("Early", "Late")[: draw.randint(1, 2)]:
        who: Any = draw.choice(
            ["anyone", "1 of Ada, Bob", "2 of anyone", "at least 1 of Bob, Cem", ["Ada", "1 of Bob, Cem"]]
        )
        if draw.random() < 0.2:
            who = [draw.choice(PEOPLE), f"{draw.choice(PEOPLE)} if possible"]
        one: JSON = {"name": name, "at": draw.choice(TIMES), "repeat": "daily", "who": who}
        if draw.random() < 0.3:
            one |= {"optional": True, "weight": draw.choice([1, 2, 5])}
        activities.append(one)
    busy = {
        name: {"busy": draw.choice(["mon", "tue", "wed" if len(days) > 2 else "mon", "12:00-13:00"])} for name in PEOPLE
    }
    people = {name: busy[name] if draw.random() < 0.4 else {} for name in PEOPLE}
    rules = [limit(draw) for _ in range(draw.randint(0, 2))]
    wishes = [{**limit(draw), "weight": draw.choice([1, 2])} for _ in range(draw.randint(0, 2))]
    if draw.random() < 0.4:
        wishes.append({"type": "avoid", "who": draw.choice(PEOPLE), "window": draw.choice(days), "weight": 2})
    found: JSON = {"days": days, "people": people, "activities": activities, "rules": rules, "preferences": wishes}
    if draw.random() < 0.3:
        found["objective"] = "preferences"
    return found


def limit(draw: random.Random) -> JSON:
    kind = draw.choice(["work", "work", "rest", "days_in_a_row"])
    chosen: JSON = {"who": draw.sample(PEOPLE, draw.randint(1, 3))} if draw.random() < 0.4 else {}
    if draw.random() < 0.2:
        chosen["activities"] = "Early"
    if kind == "rest":
        return {"type": kind, "time": draw.choice(["8h", "11h", "20h"]), **chosen}
    if kind == "days_in_a_row":
        return {"type": kind, "at_most": draw.randint(1, 2), **chosen}
    bounds = draw.choice(
        [{"at_most": 1}, {"at_most": 2}, {"at_least": 1}, {"at_most": "16 h"}, {"at_least": 1, "at_most": 2}]
    )
    return {"type": kind, **bounds, "per": draw.choice(["day", "week", "all"]), **chosen}


def answers(schedule: Schedule) -> Iterator[JSON]:
    """Every choice of people and of optional activities."""
    options: list[list[JSON | None]] = []
    for activity in schedule.activities.values():
        assert activity.at is not None
        start = schedule.days.moment_text(activity.at)
        among = [name for name in schedule.people if any(name in choice.among for choice in activity.choices)]
        chosen = [some for many in range(len(among) + 1) for some in combinations(among, many)]
        placed: list[JSON | None] = [
            {"name": activity.name, "start": start, "who": [*activity.who, *some]} for some in chosen
        ]
        options.append([*placed, None] if activity.optional else placed)
    for combination in product(*options):
        yield {"activities": [one for one in combination if one is not None]}


def best(sent: Mapping[str, Any]) -> tuple[float, ...] | None:
    """The key of the least cost; None if no answer passes the check."""
    schedule = read(sent)
    alone = {
        (one["name"], tuple(one["who"]))
        for answer in _single(schedule)
        for one in answer["activities"]
        if {v.check for v in violations(schedule, answer)} <= {"activities", "limits"}
    }
    keys = [
        cost(schedule, answer).key(schedule.objective)[:2]
        for answer in answers(schedule)
        if all((one["name"], tuple(one["who"])) in alone for one in answer["activities"])
        and not violations(schedule, answer)
    ]
    return min(keys, default=None)


def _single(schedule: Schedule) -> Iterator[JSON]:
    for activity in schedule.activities.values():
        assert activity.at is not None
        among = [name for name in schedule.people if any(name in choice.among for choice in activity.choices)]
        for many in range(len(among) + 1):
            for some in combinations(among, many):
                start = schedule.days.moment_text(activity.at)
                yield {"activities": [{"name": activity.name, "start": start, "who": [*activity.who, *some]}]}


def judged(sent: Mapping[str, Any], solution: gs.Solution) -> str:
    """The word for a solution, by brute force."""
    schedule, least = read(sent), best(sent)
    if solution.answer is None:
        if solution.status == "infeasible":
            return "infeasible" if least is None else "FALSELY INFEASIBLE"
        return "not found" if least is not None else "not proven"
    if least is None or violations(schedule, solution.answer):
        return "WRONG"
    if solution.alternatives and solution.alternatives[0].answer == solution.answer:
        return "FALSELY AMBIGUOUS"
    key = cost(schedule, solution.answer).key(schedule.objective)[:2]
    size = 1 if schedule.objective == "preferences" else 2
    worse = any(a > b + 1e-9 for a, b in zip(key[:size], least[:size], strict=True))
    if worse:
        return "FALSELY OPTIMAL" if solution.optimal else "not the best"
    return "best"


def outcomes(solver: gs.Solver, first: int, many: int) -> Iterator[tuple[str, int, JSON]]:
    """What became of requests: a word, the seed and the request."""
    seeds = range(first, first + many)
    sent = [request(random.Random(seed)) for seed in seeds]
    for seed, one, solution in zip(seeds, sent, solver.solve_many(sent, alternatives=2), strict=True):
        yield (f"refused: {solution}" if isinstance(solution, gs.RequestError) else judged(one, solution)), seed, one


def main(argv: list[str] | None = None) -> int:
    """Print how many requests ended in which way; returns 1 if one ended in a way that must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help=f"{ALL:,} requests instead of {SAMPLE}")
    options = parser.parse_args(argv)
    many = ALL if options.all else SAMPLE
    solver, counts, begun = gs.load("scheduling"), Counter[str](), time.perf_counter()
    for first in range(0, many, AT_ONCE):
        for word, seed, sent in outcomes(solver, first, AT_ONCE):
            counts[word.split(":")[0]] += 1
            if word.split(":")[0] not in ("best", "infeasible"):
                print(f"{word}: seed {seed}: {sent}", flush=True)
    print(f"{many} requests in {time.perf_counter() - begun:.0f} s: {dict(counts.most_common())}")
    return int(any(word.isupper() for word in counts))


if __name__ == "__main__":
    raise SystemExit(main())
