"""Preferences from past weeks: which of two new weeks would their maker prefer, and how good are proposed weeks.

``python -m benchmarks.learned.weeks [--makers 3] [--first 0] [--weeks 50] [--pairs 100] [--proposals 10]
[--journal FILE]``; needs ``groundstate[train,cpu]``.

A maker has hidden preferences about recurring activities and plans every week anew around other people's times: a week is drawn
with a probability that falls with its hidden cost (by Gibbs sampling over feasible weeks), so no past week is perfect. Proposed
weeks are made by ``scheduling`` with and without the learned preferences; regret is the hidden cost above that with the hidden
preferences themselves.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from benchmarks.learned.records import Records, add_options

import groundstate as gs
from groundstate_training import learn_weeks
from groundstate_training.learning._weeks import DAYS, Habits, Week, read_week

NAMES = ("Standup", "Planning", "Review", "Design", "One to one", "Training", "Demo", "Retro")
ROOMS = ("Blue", "Green", "Red")
STARTS = range(9 * 60, 17 * 60, 60)


def feasible(request: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Whether a week fits a request: hours, people and rooms, by code that is independent of ``scheduling``."""
    who = {one["name"]: one["who"] for one in request["activities"]}
    taken: set[tuple[str, int, int]] = set()
    for kind in ("people", "rooms"):
        for name, one in request[kind].items():
            for text in [one["busy"]] if isinstance(one["busy"], str) else one["busy"]:
                day, span = text.split()
                first, last = (int(clock.split(":")[0]) for clock in span.split("-"))
                taken |= {(name, DAYS.index(day), hour) for hour in range(first, last)}
    for name, placed in read_week(answer).items():
        hour = placed.start // 60
        if not 9 <= hour <= 16 or placed.day > 4:
            return False
        for busy in (*who[name], str(placed.room)):
            if (busy, placed.day, hour) in taken:
                return False
            taken.add((busy, placed.day, hour))
    return True


class Maker:
    """Someone with hidden preferences.

    Args:
        random: Draws them.
    """

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.hidden: list[dict[str, Any]] = []
        for name in NAMES:
            day = DAYS[random.integers(5)]
            self.hidden.append(
                {"type": "within", "activities": [name], "window": day, "weight": float(random.uniform(1.5, 4))}
            )
            half = "0:00-12:00" if random.random() < 0.5 else "12:00-24:00"
            self.hidden.append(
                {"type": "within", "activities": [name], "window": half, "weight": float(random.uniform(1, 3))}
            )
            if random.random() < 0.6:
                room = str(random.choice(ROOMS))
                self.hidden.append(
                    {"type": "room", "activities": [name], "room": room, "weight": float(random.uniform(1, 3))}
                )
        one, other = random.choice(len(NAMES), 2, replace=False)
        self.hidden.append(
            {"type": "different_day", "activities": [NAMES[one], NAMES[other]], "weight": float(random.uniform(2, 4))}
        )

    def cost(self, week: Week) -> float:
        """The hidden cost of a week."""
        total = 0.0
        for one in self.hidden:
            names = one["activities"]
            first = week[names[0]]
            match one["type"]:
                case "different_day":
                    broken = first.day == week[names[1]].day
                case "room":
                    broken = first.room != one["room"]
                case _ if one["window"] in DAYS:
                    broken = DAYS[first.day] != one["window"]
                case _:
                    broken = (first.start < 12 * 60) != one["window"].startswith("0:")
            total += one["weight"] * broken
        return total

    def request(self) -> dict[str, Any]:
        """A new week: everybody has other things to do at other times."""
        people = {}
        for person in ("Ada", "Bob"):
            busy = [f"{DAYS[self.random.integers(5)]} {h}:00-{h + 2}:00" for h in self.random.integers(9, 15, 5)]
            people[person] = {"busy": busy}
        rooms = {
            room: {"busy": f"{DAYS[self.random.integers(5)]} {h}:00-{h + 3}:00"}
            for room, h in zip(ROOMS, self.random.integers(9, 14, 3), strict=True)
        }
        who = [["Ada", "Bob"], ["Ada"], ["Bob"]]
        activities = [{"name": name, "duration": 60, "who": who[k % 3], "room": "any"} for k, name in enumerate(NAMES)]
        return {
            "days": "mon-fri",
            "hours": "9:00-17:00",
            "slot": 60,
            "people": people,
            "rooms": rooms,
            "activities": activities,
        }

    def week(self, solver: gs.Solver, request: dict[str, Any], *, sweeps: int = 3, heat: float = 1.0) -> dict[str, Any]:
        """A feasible week drawn from the maker's distribution (``heat`` 1) or nearly at random (large ``heat``)."""
        answer = solver.solve(request, alternatives=1, seed=int(self.random.integers(1 << 30))).answer
        assert answer is not None
        answer = {"activities": answer["activities"]}
        for _ in range(sweeps):
            for k in range(len(answer["activities"])):
                options, costs = [answer], [self.cost(read_week(answer))]
                for _ in range(6):
                    start = int(self.random.choice(STARTS))
                    day, room = DAYS[self.random.integers(5)], str(self.random.choice(ROOMS))
                    moved = [dict(one) for one in answer["activities"]]
                    moved[k] |= {
                        "start": f"{day} {start // 60}:00",
                        "end": f"{day} {start // 60 + 1}:00",
                        "room": room,
                    }
                    other = {"activities": moved}
                    if feasible(request, other):
                        options.append(other)
                        costs.append(self.cost(read_week(other)))
                chance = np.exp(-(np.array(costs) - min(costs)) / heat)
                answer = options[self.random.choice(len(options), p=chance / chance.sum())]
        return answer


def measure(seed: int, weeks: int, pairs: int, proposals: int) -> dict[str, Any]:
    """One maker."""
    solver = gs.load("scheduling")
    maker = Maker(np.random.default_rng(seed))
    requests = [maker.request() for _ in range(weeks)]
    past = [maker.week(solver, request) for request in requests]
    begun = time.perf_counter()
    habits = learn_weeks(past, feasible=lambda k, answer: feasible(requests[k], answer))
    seconds = time.perf_counter() - begun
    right = total = 0
    while total < pairs:
        request = maker.request()
        one, other = maker.week(solver, request), maker.week(solver, request, heat=8.0)
        true = maker.cost(read_week(one)) - maker.cost(read_week(other))
        if true:
            right += (habits.cost(one) - habits.cost(other)) * true > 0
            total += 1
    regrets = [_regret(maker, solver, habits) for _ in range(proposals)]
    learned, plain = (float(np.mean([one[k] for one in regrets])) for k in (0, 1))
    return {
        "habits": len(habits.habits),
        "hidden": len(maker.hidden),
        "right about pairs": f"{right} of {total}",
        "regret with": round(learned, 2),
        "regret without": round(plain, 2),
        "ratio": round(learned / max(plain, 1e-9), 3),
        "seconds": round(seconds, 1),
    }


def _regret(maker: Maker, solver: gs.Solver, habits: Habits) -> tuple[float, float]:
    request = maker.request()
    best = _cost(maker, solver, {**request, "preferences": maker.hidden})
    return _cost(maker, solver, habits.added(request)) - best, _cost(maker, solver, request) - best


def _cost(maker: Maker, solver: gs.Solver, request: dict[str, Any]) -> float:
    answer = solver.solve(request, alternatives=1).answer
    assert answer is not None
    return maker.cost(read_week(answer))


def main() -> None:
    """Print one JSON line a maker."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, "makers", 3)
    parser.add_argument("--weeks", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--proposals", type=int, default=10)
    options = parser.parse_args()
    records, shape = Records(options.journal), (options.weeks, options.pairs, options.proposals)
    for seed in range(options.first, options.first + options.makers):
        key = {"maker": seed, "weeks": options.weeks, "proposals": options.proposals}
        records.of(key, lambda seed=seed: measure(seed, *shape))  # type: ignore[misc]


if __name__ == "__main__":
    main()
