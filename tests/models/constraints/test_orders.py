"""Job shops by orders: the best schedule of small shops, windows that hold, and requests that have another form."""

from __future__ import annotations

import random
import time
from itertools import pairwise, permutations, product
from typing import Any

import pytest

import groundstate as gs
from groundstate_models.constraints.disjunctive import Disjunctive
from groundstate_models.constraints.order_reading import OrderReading
from groundstate_models.constraints.orders import OrderSearch
from groundstate_models.constraints.problem import Problem

Request = dict[str, Any]


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("constraints")


def shop(seed: int, jobs: int, machines: int, *, scale: int = 1, slack: float = 2.0) -> Request:
    """A random job shop with releases, lags and windows; ``slack`` is their end in units of the longest job or machine."""
    draw = random.Random(seed)
    lasts = {(job, k): scale * draw.randint(1, 5) for job in range(jobs) for k in range(machines)}
    route = {job: draw.sample(range(machines), machines) for job in range(jobs)}
    name = {one: f"job {one[0]} operation {one[1]}" for one in lasts}
    longest = max(
        *(sum(lasts[job, k] for k in range(machines)) for job in range(jobs)),
        *(sum(d for (job, k), d in lasts.items() if route[job][k] == m) for m in range(machines)),
    )
    horizon = int(slack * longest)
    constraints: list[Request] = [
        {
            "type": "precedence",
            "before": name[job, k - 1],
            "after": name[job, k],
            "gap": lasts[job, k - 1] + scale * draw.choice([0, 0, 0, 1]),
        }
        for job, k in lasts
        if k
    ]
    for m in range(machines):
        on = [one for one in lasts if route[one[0]][one[1]] == m]
        if len(on) > 1:
            constraints.append(
                {"type": "no_overlap", "starts": [name[o] for o in on], "durations": [lasts[o] for o in on]}
            )
    first = {one: scale * draw.choice([0, 0, 1, 2]) for one in lasts}
    return {
        "variables": {name[one]: {"from": first[one], "to": max(first[one], horizon - d)} for one, d in lasts.items()},
        "constraints": constraints,
        "objective": {"minimise": {"latest": [{"variable": name[one], "plus": d} for one, d in lasts.items()]}},
    }


def least(request: Request) -> int | None:
    """The least latest end, by all orders of all machines, each with the earliest starts; None if no order keeps the windows."""
    domains = {name: (raw["from"], raw["to"]) for name, raw in request["variables"].items()}
    ends = {one["variable"]: one["plus"] for one in request["objective"]["minimise"]["latest"]}
    arcs = [(c["before"], c["after"], c["gap"]) for c in request["constraints"] if c["type"] == "precedence"]
    machines = [
        dict(zip(c["starts"], c["durations"], strict=True)) for c in request["constraints"] if c["type"] == "no_overlap"
    ]
    best = None
    for orders in product(*(permutations(mine) for mine in machines)):
        more = [(a, b, mine[a]) for mine, order in zip(machines, orders, strict=True) for a, b in pairwise(order)]
        starts = {name: low for name, (low, _) in domains.items()}
        for _ in range(len(starts) + 1):
            moved = False
            for a, b, gap in [*arcs, *more]:
                if starts[a] + gap > starts[b]:
                    starts[b], moved = starts[a] + gap, True
            if not moved:
                break
        if moved or any(starts[name] > high for name, (_, high) in domains.items()):
            continue
        end = max(starts[name] + d for name, d in ends.items())
        best = end if best is None else min(best, end)
    return best


def searched(request: Request, moves: int = 700) -> OrderSearch:
    found = Disjunctive.of(Problem.of(request))
    assert found is not None
    search = OrderSearch(found)
    search.run(moves)
    return search


@pytest.mark.parametrize("seed", range(40))
def test_the_best_order_of_a_small_shop_is_found_and_its_starts_satisfy_the_request(seed: int) -> None:
    request = shop(seed, *[(2, 3), (3, 2), (3, 3), (4, 2)][seed % 4], slack=[1.0, 1.2, 1.5, 3.0][seed // 4 % 4])
    problem, best = Problem.of(request), least(request)
    found = Disjunctive.of(problem)
    assert found is not None
    search = searched(request)
    assert (search.best is None) == (best is None)
    if search.best is not None and best is not None:
        assert search.cost == best
        assert found.bound(found.ends) <= best
        assert found.bound(found.tails(found.most)) <= found.most
        assert not problem.violations(dict(zip(found.names, search.best, strict=True)))


@pytest.mark.parametrize("seed", range(4))
def test_a_shop_with_a_long_scale_of_time_is_solved_and_never_proven_below_its_best(
    solver: gs.Solver, seed: int
) -> None:
    request = shop(seed, 3, 3, scale=97, slack=2.0)
    assert isinstance(solver.read(request), OrderReading)
    solution = solver.solve(request, deadline=1.5, seed=seed, ask=False)
    best = least(request)
    assert best is not None
    assert solution.status == "solved"
    assert solution.answer is not None
    assert solution.answer["objective"] == best
    assert not Problem.of(request).violations(solution.answer["values"])
    assert not solver.score(request, solution.answer).violations


def test_windows_that_no_schedule_keeps_are_refuted_and_not_answered(solver: gs.Solver) -> None:
    request = {
        "variables": {"a": "0..1000", "b": "0..1000"},
        "constraints": [{"type": "no_overlap", "starts": ["a", "b"], "durations": [1001, 1002]}],
        "objective": "minimise the latest end of a for 1001, b for 1002",
    }
    assert solver.solve(request, deadline=20.0, ask=False).status == "infeasible"


def test_a_large_shop_ends_at_its_deadline_with_a_schedule(solver: gs.Solver) -> None:
    request, begun = shop(3, 12, 10, scale=13), time.monotonic()
    solution = solver.solve(request, deadline=3.0, ask=False)
    assert time.monotonic() - begun < 9.0
    assert solution.status == "solved"
    assert solution.answer is not None
    assert not Problem.of(request).violations(solution.answer["values"])


def test_the_same_seed_makes_the_same_moves() -> None:
    one, other = (searched(shop(5, 6, 6), 400) for _ in range(2))
    assert one.best == other.best
    assert one.best is not None


def form(*constraints: Any, objective: Any = "minimise the latest end of a for 3, b for 2, c for 4") -> Request:
    alone = {"type": "no_overlap", "starts": ["a", "b"], "durations": [3, 2]}
    return {"variables": dict.fromkeys("abc", "0..9"), "constraints": [alone, *constraints], "objective": objective}


@pytest.mark.parametrize(
    ("constraint", "fits"),
    [
        ("a + 3 <= c", True),
        ("c - a >= 3", True),
        ("a >= 2", True),
        ({"type": "precedence", "before": "a", "after": "c", "gap": -1}, False),
        ("a != c", False),
        ("2*a <= c", False),
        ("a + b + c <= 20", False),
        ({"type": "no_overlap", "starts": ["b", "c"], "durations": [2, 4]}, False),
        ("a + 3 <= c or c + 4 <= a", False),
    ],
)
def test_only_requests_whose_every_part_fits_are_disjunctive(constraint: Any, fits: bool) -> None:
    assert (Disjunctive.of(Problem.of(form(constraint))) is not None) == fits


def test_spans_with_one_length_are_a_machine_and_others_are_not() -> None:
    def tasks(b: int) -> Request:
        return {
            "type": "cumulative",
            "tasks": [
                {"variable": "a", "spans": [[v, v, v + 2] for v in range(10)]},
                {"variable": "b", "spans": [[v, v, v + (3 if v else b)] for v in range(10)]},
            ],
        }

    for b, fits in ((3, True), (4, False)):
        request = {**form(), "constraints": [tasks(b)]}
        assert (Disjunctive.of(Problem.of(request)) is not None) == fits


def test_cycles_other_objectives_and_gaps_in_windows_have_another_form() -> None:
    cyclic = form("a + 1 <= b", "b + 1 <= a")
    earliest, total = form(objective="maximise min(a, b)"), form(objective="minimise a + b")
    holed = {**form(), "variables": {"a": [0, 1, 3], "b": "0..9", "c": "0..9"}}
    for request in (cyclic, earliest, total, holed):
        assert Disjunctive.of(Problem.of(request)) is None
