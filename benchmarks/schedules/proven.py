"""What is proven to have no answer: ``python -m benchmarks.schedules.proven [--rosters 200] [--formulas 20]``.

``equal`` beside ``not_equal``; pigeons in one hole too few, as an `all_different` and in pairs; random formulas of 50 variables
and 218 clauses of three that CP-SAT refutes, as the set uuf50 has them; and small rosters of three or four people that CP-SAT
refutes. Counted is how often the outcome is infeasible within the seconds for its kind.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator
from itertools import combinations, count
from typing import Any

from benchmarks.problems.exact import from_factors
from benchmarks.rates import percentile, wilson
from benchmarks.schedules.fuzz import limit

import groundstate as gs
from groundstate_models.constraints.problem import Problem
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read

JSON = dict[str, Any]
PEOPLE = ("Ada", "Bob", "Cem", "Dora")
DAYS = ("mon", "tue", "wed", "thu")
SHIFTS = {"Early": "6:00-14:00", "Late": "14:00-22:00", "Night": "22:00-6:00"}


def unequal() -> Iterator[JSON]:
    """``equal`` and ``not_equal`` on the same two variables, among others."""
    for many in (2, 3, 5, 9):
        names = [f"v{number}" for number in range(4)]
        pair = {"variables": names[:2]}
        yield {
            "variables": dict.fromkeys(names, f"0..{many - 1}"),
            "constraints": [
                {"type": "equal", **pair},
                {"type": "not_equal", **pair},
                {"type": "not_equal", "variables": names[2:]},
            ],
        }


def pigeons() -> Iterator[JSON]:
    """Two to eight pigeons in one hole too few, and nine in eight."""
    for many in range(2, 10):
        names = [f"pigeon {number}" for number in range(many)]
        apart = [{"type": "not_equal", "variables": list(pair)} for pair in combinations(names, 2)]
        for constraints in ([{"type": "all_different", "variables": names}], apart):
            yield {"variables": dict.fromkeys(names, f"0..{many - 2}"), "constraints": constraints}


def formulas(many: int) -> Iterator[JSON]:
    """Random formulas of the size of uuf50 that CP-SAT refutes."""
    for seed in count():
        draw = random.Random(f"uuf50 {seed}")
        clauses = [[(name, draw.random() < 0.5) for name in draw.sample(range(1, 51), 3)] for _ in range(218)]
        request = {
            "variables": {f"x{name}": [0, 1] for name in range(1, 51)},
            "constraints": [
                {
                    "type": "count",
                    "of": [{"variable": f"x{name}", "value": int(holds)} for name, holds in clause],
                    "at_least": 1,
                }
                for clause in clauses
            ],
        }
        if refuted(request):
            yield request
            many -= 1
        if not many:
            return


def rosters(many: int) -> Iterator[JSON]:
    """Random rosters of three or four people that CP-SAT refutes."""
    for seed in count():
        draw = random.Random(f"roster {seed}")
        people = PEOPLE[: draw.randint(3, 4)]
        request: JSON = {
            "days": list(DAYS[: draw.randint(3, 4)]),
            "people": {
                name: {"busy": draw.choice(["mon", "tue", "wed", "0:00-12:00", "after 14:00"])}
                if draw.random() < 0.4
                else {}
                for name in people
            },
            "activities": [
                {
                    "name": name,
                    "at": SHIFTS[name],
                    "repeat": "daily",
                    "who": draw.choice(["anyone", "1 of Ada, Bob", "2 of anyone", "at least 1 of Bob, Cem"]),
                }
                for name in draw.sample(list(SHIFTS), draw.randint(1, 3))
            ],
            "rules": [_known(limit(draw), people) for _ in range(draw.randint(1, 4))],
        }
        schedule = read(request)
        if not contradictions(schedule) and not refuted(compiled(schedule).request):
            continue
        yield request
        many -= 1
        if not many:
            return


def _known(rule: JSON, people: tuple[str, ...]) -> JSON:
    """A limit for shifts of any name."""
    return {
        key: value for key, value in rule.items() if key != "activities" and (key != "who" or set(value) <= set(people))
    }


def refuted(request: JSON) -> bool:
    """Whether CP-SAT proves that there is no answer."""
    return from_factors(Problem.of(request), limit=20.0).status == "INFEASIBLE"


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rosters", type=int, default=200)
    parser.add_argument("--formulas", type=int, default=20)
    asked = parser.parse_args(argv)
    solvers = {name: gs.load(name, threads=1) for name in ("constraints", "scheduling")}
    kinds = {
        "`equal` and `not_equal`": ("constraints", unequal(), 5.0, "all"),
        "pigeonholes to 8": ("constraints", pigeons(), 5.0, "all"),
        "uuf50": ("constraints", formulas(asked.formulas), 15.0, "in 15 s"),
        "small rosters": ("scheduling", rosters(asked.rosters), 5.0, "95 %"),
    }
    print("| problems | n | proven infeasible | target | called solved | median / 95th percentile |")
    print("|---|---|---|---|---|---|", flush=True)
    for kind, (model, requests, seconds, target) in kinds.items():
        times, proven, wrong, n = [], 0, 0, 0
        for request in requests:
            begun = time.perf_counter()
            solution = solvers[model].solve(request, deadline=seconds, ask=False)
            times.append(time.perf_counter() - begun)
            n += 1
            proven += solution.status == "infeasible"
            wrong += solution.answer is not None
            if solution.status != "infeasible":
                print(f"{kind}: {solution.status}: {request if model == 'scheduling' else ''}", flush=True)
        spread = f"{percentile(times, 0.5):.3f} / {percentile(times, 0.95):.3f} s"
        print(f"| {kind} | {n} | {proven}: {wilson(proven, n)} | {target} | {wrong} | {spread} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
