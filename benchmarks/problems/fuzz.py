"""Small random requests of every type of constraint, with preferences and objectives, against brute force.

``python -m benchmarks.problems.fuzz`` solves a sample; ``--all`` solves 20,000. It counts what must not happen: an answer that
breaks a constraint, a feasible request called infeasible, a status AMBIGUOUS without two different answers; and answers that cost
more than the best one.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import groundstate as gs
from groundstate_models.constraints.problem import Problem

JSON = dict[str, Any]
NAMES = ("a", "b", "c", "d", "e")
SAMPLE, ALL = 200, 20_000
AT_ONCE = 100

NUMERIC = ("shifted", "linear", "precedence", "no_overlap", "max", "min", "lexicographic", "intervals", "element")
ANY = (
    "all_different", "equal", "not_equal", "count", "implies", "allowed", "forbidden", "weighted", "cumulative", "before",
    "counts", "run", "regular", "values", "any", "if", "not",
)  # fmt: skip


def request(draw: random.Random) -> JSON:
    """A request with two to five variables, of which the first three have numbers as values."""
    many = draw.randint(3, 5)
    domains: dict[str, list[int | str]] = {}
    for place in range(many):
        numbers = place < 3 or draw.random() < 0.5
        pool: list[int | str] = list(range(-1, 5)) if numbers else ["x", "y", 1, "1"]
        domains[NAMES[place]] = sorted(draw.sample(pool, draw.randint(1 + (place < 2), 4)), key=str)
    found: JSON = {"variables": domains}
    found["constraints"] = [constraint(draw, domains) for _ in range(draw.randint(1, 4))]
    if draw.random() < 0.4:
        found["preferences"] = [
            {"constraint": constraint(draw, domains), "weight": draw.choice([1, 2, 3, 0.5])}
            for _ in range(draw.randint(1, 3))
        ]
    if draw.random() < 0.5:
        found["objective"] = objective(draw, domains)
    return found


def objective(draw: random.Random, domains: Mapping[str, list[int | str]]) -> Any:
    numbers = _numbers(domains)
    verb = draw.choice(["minimise", "maximise"])
    match draw.randint(0, 3):
        case 0:
            return {verb: [_term(draw, domains) for _ in range(draw.randint(1, 4))]}
        case 1:
            one, other = draw.sample(numbers, 2)
            return f"{verb} {draw.randint(1, 3)}*{one} - {other}"
        case 2:
            kind = "latest" if verb == "minimise" else "earliest"
            some = draw.sample(numbers, draw.randint(1, len(numbers)))
            return {verb: {kind: [{"variable": name, "plus": draw.randint(-1, 3)} for name in some]}}
    one, other = draw.sample(numbers, 2)
    return f"{verb} abs({one} - {other})"


def constraint(draw: random.Random, domains: Mapping[str, list[int | str]], depth: int = 0) -> JSON:  # noqa: C901 - one case a type
    """A constraint of any type."""
    kind = draw.choice([*NUMERIC, *(ANY if depth < 2 else ANY[:-3])])
    names, numbers = list(domains), _numbers(domains)
    some = draw.sample(names, draw.randint(2, len(names)))
    several = draw.sample(numbers, draw.randint(2, len(numbers)))
    bounds: JSON = draw.choice([{"exactly": 1}, {"at_least": 1}, {"at_most": 1}, {"at_least": 1, "at_most": 2}])
    match kind:
        case "all_different" | "equal" | "not_equal":
            return {"type": kind, "variables": some}
        case "shifted":
            return {"type": "all_different", "variables": several, "plus": [draw.randint(-1, 2) for _ in several]}
        case "count":
            return {"type": kind, "of": [_literal(draw, domains) for _ in range(draw.randint(1, 4))], **bounds}
        case "implies":
            return {"type": kind, "if": [_literal(draw, domains)], "then": [_literal(draw, domains) for _ in range(2)]}
        case "allowed" | "forbidden":
            few = some[:2]
            rows = list(product(*(domains[name] for name in few)))
            return {
                "type": kind,
                "variables": few,
                "tuples": [list(row) for row in draw.sample(rows, min(3, len(rows)))],
            }
        case "linear" | "weighted":
            terms = [_term(draw, domains, weighted=kind == "weighted") for _ in range(draw.randint(1, 3))]
            return {"type": "linear", "terms": terms, **draw.choice([{"equals": 2}, {"at_most": 3}, {"at_least": 1}])}
        case "precedence":
            return {"type": kind, "before": several[0], "after": several[1], "gap": draw.randint(-1, 2)}
        case "no_overlap":
            return {"type": kind, "starts": several, "durations": [draw.randint(1, 2) for _ in several]}
        case "max" | "min":
            return {"type": kind, "variables": several, "equals": draw.choice(numbers)}
        case "lexicographic":
            pairs = [draw.sample(numbers, 2) for _ in range(2)]
            return {
                "type": kind,
                "first": [a for a, _ in pairs],
                "then": [b for _, b in pairs],
                "strict": draw.random() < 0.5,
            }
        case "element":
            rest: JSON = {"variables": [draw.choice(names) for _ in range(3)]}
            if draw.random() < 0.5:
                rest = {"values": [draw.randint(0, 3) for _ in range(3)]}
            return {"type": kind, "index": several[0], "equals": several[1], "first": draw.randint(0, 1), **rest}
        case "intervals":
            return {
                "type": kind,
                "of": [_lasting(draw, domains, name) for name in several],
                "capacity": draw.randint(1, 2),
            }
        case "cumulative" | "before":
            tasks = [_task(draw, domains, name) for name in some]
            if kind == "before":
                return {"type": kind, "first": tasks[0], "then": tasks[1], "gap": draw.randint(0, 2)}
            return {
                "type": kind,
                "tasks": [{**task, "uses": draw.randint(1, 2)} for task in tasks],
                "capacity": draw.randint(1, 3),
            }
        case "counts":
            rows = [{"value": draw.choice(domains[some[0]]), **bounds}]
            return {"type": kind, "variables": some, "bounds": rows}
        case "run":
            least = draw.randint(1, 3)
            value = draw.choice(domains[some[0]])
            return {
                "type": kind,
                "variables": some,
                "value": value,
                "at_least": least,
                "at_most": least + draw.randint(0, 1),
            }
        case "regular":
            values = sorted({value for name in some for value in domains[name]}, key=str)
            moves = [[draw.choice("pq"), draw.choice(values), draw.choice("pq")] for _ in range(5)]
            moves.append(["p", values[0], "q"])
            return {
                "type": kind,
                "variables": some,
                "moves": moves,
                "start": "p",
                "accept": draw.choice([["p"], ["q"], ["p", "q"]]),
            }
        case "values":
            one = draw.choice(names)
            return {"type": "count", "of": [{"variable": one, "value": v} for v in domains[one][:2]], "at_least": 1}
        case "any":
            return {"type": kind, "of": [constraint(draw, domains, depth + 1) for _ in range(2)]}
        case "if":
            return {"type": kind, "if": _invertible(draw, domains), "then": constraint(draw, domains, depth + 1)}
    return {"type": "not", "constraint": _invertible(draw, domains)}


def _invertible(draw: random.Random, domains: Mapping[str, list[int | str]]) -> JSON:
    while True:
        found = constraint(draw, domains, 2)
        if found["type"] in (
            "all_different",
            "equal",
            "not_equal",
            "count",
            "implies",
            "allowed",
            "forbidden",
            "linear",
            "precedence",
        ):
            return found


def _numbers(domains: Mapping[str, list[int | str]]) -> list[str]:
    return [name for name, values in domains.items() if all(isinstance(value, int) for value in values)]


def _literal(draw: random.Random, domains: Mapping[str, list[int | str]]) -> JSON:
    name = draw.choice(list(domains))
    return {"variable": name, "value": draw.choice(domains[name])}


def _term(draw: random.Random, domains: Mapping[str, list[int | str]], *, weighted: bool | None = None) -> JSON:
    times = draw.choice([-2, -1, 1, 2, 3])
    if weighted or (weighted is None and draw.random() < 0.5):
        return {**_literal(draw, domains), "times": times}
    return {"variable": draw.choice(_numbers(domains)), "times": times}


def _lasting(draw: random.Random, domains: Mapping[str, list[int | str]], name: str) -> JSON:
    found: JSON = {"start": name, "duration": draw.randint(1, 2)}
    lengths = [one for one in _numbers(domains) if all(value >= 0 for value in domains[one] if isinstance(value, int))]
    if lengths and draw.random() < 0.4:
        found["duration"] = draw.choice(lengths)
    if draw.random() < 0.4:
        found["if"] = _literal(draw, domains)
    return found


def _task(draw: random.Random, domains: Mapping[str, list[int | str]], name: str) -> JSON:
    spans = []
    for value in domains[name]:
        if draw.random() < 0.8:
            start = draw.randint(0, 5)
            spans.append([value, start, start + draw.randint(1, 3)])
    return {"variable": name, "spans": spans}


def best(sent: JSON) -> float | None:
    """The least cost by trying every assignment; None if there is no answer."""
    problem = Problem.of(sent)
    least: float | None = None
    for values in product(*problem.domains.values()):
        given = dict(zip(problem.domains, values, strict=True))
        if all(one.holds(given) for one in problem.constraints):
            cost = problem.total(given)
            least = cost if least is None else min(least, cost)
    return least


def outcomes(solver: gs.Solver, first: int, many: int) -> Iterator[tuple[str, int, JSON]]:
    """What became of requests: a word, the seed and the request."""
    sent = [request(random.Random(seed)) for seed in range(first, first + many)]
    for seed, one, solution in zip(
        range(first, first + many), sent, solver.solve_many(sent, alternatives=2), strict=True
    ):
        yield (_refused(one) if isinstance(solution, gs.RequestError) else judged(one, solution)), seed, one


def _refused(sent: JSON) -> str:
    try:
        Problem.of(sent)
    except gs.RequestError:
        return "refused"
    return "wrongly refused"


def judged(sent: JSON, solution: gs.Solution) -> str:
    """The word for a solution, by brute force."""
    problem, least = Problem.of(sent), best(sent)
    if solution.answer is None:
        if solution.status == "infeasible":
            return "infeasible" if least is None else "FALSELY INFEASIBLE"
        return "not found" if least is not None else "not proven"
    answers = [solution.answer, *(one.answer for one in solution.alternatives)]
    if least is None or any(problem.violations(one["values"]) for one in answers):
        return "WRONG"
    if len(answers) > 1 and answers[0]["values"] == answers[1]["values"]:
        return "FALSELY AMBIGUOUS"
    cost = problem.total(solution.answer["values"])
    if solution.optimal and cost > least + 1e-9:
        return "FALSELY OPTIMAL"
    if solution.bound is not None and solution.bound > least + 1e-6:
        return "FALSE BOUND"
    return "best" if cost <= least + 1e-9 else "not the best"


def main(argv: list[str] | None = None) -> int:
    """Print how many requests ended in which way; returns 1 if one ended in a way that must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help=f"{ALL:,} requests instead of {SAMPLE}")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this time; --first continues")
    options = parser.parse_args(argv)
    many = ALL if options.all else SAMPLE
    solver, counts, begun = gs.load("constraints"), Counter[str](), time.perf_counter()
    for first in range(options.first, options.first + many, AT_ONCE):
        for word, seed, sent in outcomes(solver, first, AT_ONCE):
            counts[word] += 1
            if word.isupper() or word in ("wrongly refused", "not found", "not the best"):
                print(f"{word}: seed {seed}: {sent}", flush=True)
        if time.perf_counter() - begun > options.seconds:
            break
    print(
        f"Seeds {options.first} to {first + AT_ONCE - 1}: {dict(counts.most_common())}; {time.perf_counter() - begun:.0f} s."
    )
    return int(any(word.isupper() for word in counts))


if __name__ == "__main__":
    raise SystemExit(main())
