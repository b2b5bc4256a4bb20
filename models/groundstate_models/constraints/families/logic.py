"""Logic without structure: random satisfiability, random constraint networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, product

import numpy as np

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.families.example import Example, Request, literal

Clause = tuple[int, ...]
"""Numbers of variables from 1, negative where the variable is to be false, as DIMACS does."""


def satisfiability(n: int, clauses: Iterable[Clause]) -> Request:
    """Clauses as implications: where all variables that a clause negates are true, one of its others is."""
    return {
        "variables": {f"x{i + 1}": [0, 1] for i in range(n)},
        "constraints": [
            {
                "type": "implies",
                "if": [literal(f"x{-one}", 1) for one in clause if one < 0],
                "then": [literal(f"x{one}", 1) for one in clause if one > 0],
            }
            for clause in clauses
        ],
    }


def random_clauses(n: int, clauses: int, k: int, rng: np.random.Generator) -> list[Clause]:
    """Uniform random k-SAT: each clause has k different variables, each negated or not."""
    return [
        tuple(sorted(((1 + rng.choice(n, k, replace=False)) * rng.choice([-1, 1], k)).tolist(), key=abs))
        for _ in range(clauses)
    ]


def sat(n: int, ratio: float, rng: np.random.Generator, *, k: int = 3, tries: int = 20) -> Example:
    """Random k-SAT of n variables and ``ratio · n`` clauses that is satisfiable.

    Uniform formulas are drawn until WalkSAT satisfies one, ``tries`` at most, which favours the easier ones a little; near the
    threshold (4.27 for k = 3) half of all formulas are satisfiable. Where none was, one is planted: clauses are drawn among those
    that a hidden assignment satisfies.
    """
    count = round(ratio * n)
    for _ in range(tries):
        clauses = random_clauses(n, count, k, rng)
        if (found := walksat(n, clauses, rng, flips=50 * n)) is not None:
            return _sat(n, clauses, found)
    hidden = rng.integers(2, size=n).astype(bool)
    clauses = []
    while len(clauses) < count:
        clauses += [
            clause for clause in random_clauses(n, 1, k, rng) if any((x > 0) == hidden[abs(x) - 1] for x in clause)
        ]
    return _sat(n, clauses, hidden.tolist())


def walksat(n: int, clauses: Sequence[Clause], rng: np.random.Generator, flips: int) -> list[bool] | None:
    """An assignment that satisfies clauses, or None where ``flips`` flips found none.

    Of an unsatisfied clause, the variable that breaks the fewest others is flipped, or one in two times any of its variables
    unless one breaks none (B. Selman, H. Kautz and B. Cohen, "Noise strategies for improving local search", 1994).
    """
    values = [False, *rng.integers(2, size=n).astype(bool).tolist()]
    of: list[list[int]] = [[] for _ in range(n + 1)]
    for index, clause in enumerate(clauses):
        for x in clause:
            of[abs(x)].append(index)
    true = [sum((x > 0) == values[abs(x)] for x in clause) for clause in clauses]
    broken = [index for index, count in enumerate(true) if not count]
    for _ in range(flips):
        if not broken:
            return values[1:]
        clause = clauses[broken[int(rng.integers(len(broken)))]]
        costs = [sum(true[c] == 1 and _true(clauses[c], x, values) for c in of[abs(x)]) for x in clause]
        if min(costs) and rng.random() < 0.5:
            flipped = abs(clause[int(rng.integers(len(clause)))])
        else:
            flipped = abs(clause[costs.index(min(costs))])
        values[flipped] = not values[flipped]
        for c in of[flipped]:
            true[c] = sum((x > 0) == values[abs(x)] for x in clauses[c])
        broken = [c for c in {*broken, *of[flipped]} if not true[c]]
    return None


def random_csp(
    n: int, d: int, density: float, tightness: float, rng: np.random.Generator, *, arity: int = 2, allowed: bool = False
) -> Example:
    """Random tuples are forbidden, none of which a hidden assignment has.

    Args:
        n: How many variables.
        d: How many values each has.
        density: Which share of all sets of ``arity`` variables is constrained.
        tightness: Which share of the tuples of such a set is forbidden.
        rng: What decides everything else.
        arity: How many variables a constraint has.
        allowed: Say which tuples are allowed in place of which are forbidden.
    """
    names = [f"x{i + 1}" for i in range(n)]
    hidden = rng.integers(d, size=n)
    scopes = list(combinations(range(n), arity))
    constraints: list[Request] = []
    for index in rng.choice(len(scopes), round(density * len(scopes)), replace=False):
        scope = list(scopes[index])
        others = [list(values) for values in product(range(d), repeat=arity) if list(values) != hidden[scope].tolist()]
        order = rng.permutation(len(others))
        cut = min(round(tightness * d**arity), len(others))
        tuples = [others[k] for k in (order[cut:] if allowed else order[:cut])]
        if allowed:
            tuples.insert(int(rng.integers(len(tuples) + 1)), hidden[scope].tolist())
        kind = "allowed" if allowed else "forbidden"
        constraints.append({"type": kind, "variables": [names[i] for i in scope], "tuples": tuples})
    request = {"variables": {name: {"from": 0, "to": d - 1} for name in names}, "constraints": constraints}
    return Example("random csp", request, dict(zip(names, hidden.tolist(), strict=True)))


def _true(clause: Clause, x: int, values: Sequence[bool]) -> bool:
    """Whether it is the variable of x that makes a clause true which one literal makes true."""
    return any(abs(y) == abs(x) and (y > 0) == values[abs(y)] for y in clause)


def _sat(n: int, clauses: Sequence[Clause], found: Sequence[bool]) -> Example:
    solution: dict[str, Value] = {f"x{i + 1}": int(value) for i, value in enumerate(found[:n])}
    return Example("sat", satisfiability(n, clauses), solution)
