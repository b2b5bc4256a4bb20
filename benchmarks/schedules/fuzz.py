"""Small random rosters and weeks against brute force: ``python -m benchmarks.schedules.fuzz [--count 100] [--journal FILE]``.

Every choice of people, and every placement of activities, is judged by the exact check. Counted are answers that break a rule,
feasible requests called infeasible, false proofs of the optimum, answers that cost more than the best one, and questions: an
ambiguous outcome must have two answers of the least cost that differ in what a question can be about, and ask about it.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from pathlib import Path
from typing import Any

from benchmarks.journal import Journal
from benchmarks.rates import wilson
from benchmarks.schedules import weeks

import groundstate as gs
from groundstate_models.scheduling import wishes
from groundstate_models.scheduling.check import cost, violations
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.schedule import Schedule

JSON = dict[str, Any]
SAMPLE = 100
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
            one
            for some in chosen
            if _alone(schedule, one := {"name": activity.name, "start": start, "who": [*activity.who, *some]})
        ]
        options.append([*placed, None] if activity.optional else placed)
    for combination in product(*options):
        yield {"activities": [one for one in combination if one is not None]}


Best = tuple[tuple[float, ...] | None, set[str]]
"""The key of the least cost, None without a valid answer; and what questions can be about, in each answer of that cost."""


def best(schedule: Schedule) -> Best:
    """The least cost of all answers."""
    found = answers(schedule) if _fixed(schedule) else weeks.answers(schedule)
    assert found is not None, "there are too many schedules to try"
    least: tuple[float, ...] | None = None
    shown: set[str] = set()
    for answer in found:
        if violations(schedule, answer):
            continue
        key = key_of(schedule, answer)
        if least is None or _less(key, least):
            least, shown = key, set()
        if not _less(least, key):
            shown.add(str(wishes.variables(schedule, answer)))
    return least, shown


def key_of(schedule: Schedule, answer: JSON) -> tuple[float, ...]:
    """The parts of an answer's cost that decide, in the order of the objective."""
    key = cost(schedule, answer).key(schedule.objective)
    return key[: 1 if schedule.objective == "preferences" else 2]


def _less(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    for a, b in zip(one, other, strict=True):
        if abs(a - b) > 1e-9:
            return a < b
    return False


def _fixed(schedule: Schedule) -> bool:
    return all(activity.at is not None for activity in schedule.activities.values())


def _alone(schedule: Schedule, one: JSON) -> bool:
    return {found.check for found in violations(schedule, {"activities": [one]})} <= {"activities", "limits", "rules"}


def judged(sent: Mapping[str, Any], solution: gs.Solution) -> str:
    """The word for a solution, by brute force; in capital letters for what must not be."""
    schedule = read(sent)
    least, shown = best(schedule)
    if solution.answer is None:
        if solution.status == "infeasible":
            return "infeasible" if least is None else "FALSELY INFEASIBLE"
        return "not found" if least is not None else "not proven"
    if least is None or violations(schedule, solution.answer):
        return "WRONG"
    if _less(least, key_of(schedule, solution.answer)):
        return "FALSELY OPTIMAL" if solution.optimal else "not the best"
    if solution.status == "ambiguous":
        mine = {str(wishes.variables(schedule, one.answer)) for one in (solution, *solution.alternatives) if one.answer}
        asked = solution.question is not None and len(solution.question.options) > 1
        return "best, and asked" if len(mine) > 1 and mine <= shown and asked else "FALSELY AMBIGUOUS"
    return "best"


def outcome(solver: gs.Solver, sent: JSON) -> str:
    """The word for the solution of a request; a question is built only where there is one."""
    try:
        solution = solver.solve(sent, alternatives=2, ask=False)
        if solution.status == "ambiguous":
            solution = solver.solve(sent, alternatives=2)
    except gs.RequestError as error:
        return f"refused: {error}"
    return judged(sent, solution)


def drawn(kind: str, seed: int) -> JSON:
    """The request with a number."""
    draw = random.Random(seed)
    if kind == "rosters":
        return request(draw)
    while True:  # until there are few enough schedules to try them all
        sent = weeks.request(draw)
        if weeks.answers(read(sent)) is not None:
            return sent


GOOD = ("best", "best, and asked", "infeasible")


def main(argv: list[str] | None = None) -> int:
    """Print how many requests ended in which way; returns 1 if one ended in a way that must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=SAMPLE, help="requests of each kind (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first request")
    parser.add_argument("--kind", choices=("rosters", "weeks"), help="only this kind")
    parser.add_argument("--journal", type=Path, help="a file to resume from")
    options = parser.parse_args(argv)
    journal = Journal(options.journal) if options.journal else None
    solver, bad = gs.load("scheduling", threads=1), 0
    print(
        "| requests | n | wrong, falsely infeasible, optimal or ambiguous | target | at the optimum | target | outcomes |"
    )
    print("|---|---|---|---|---|---|---|")
    for kind in (options.kind,) if options.kind else ("rosters", "weeks"):
        counts: Counter[str] = Counter()
        for seed in range(options.first, options.first + options.count):
            key = {"kind": kind, "seed": seed}
            record = journal.get(key) if journal else None
            if record is None:
                sent = drawn(kind, seed)
                record = {"outcome": outcome(solver, sent)}
                if journal:
                    journal.add(key, record)
                if record["outcome"] not in GOOD:
                    print(f"{record['outcome']}: {kind}, seed {seed}: {sent}", flush=True)
            counts[record["outcome"].split(":")[0]] += 1
        wrong = sum(many for word, many in counts.items() if word.isupper())
        at_best = counts["best"] + counts["best, and asked"]
        answered = at_best + counts["not the best"] + counts["not found"] + counts["FALSELY OPTIMAL"]
        ended = ", ".join(f"{word} {many}" for word, many in counts.most_common())
        cells = [kind, options.count, wrong, 0, f"{at_best} of {answered}: {wilson(at_best, answered)}", "99 %", ended]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
        bad += wrong
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
