"""Weighted sums and counts: magic squares, systems of sums, knapsacks, choices of so many."""

from __future__ import annotations

from itertools import product

import numpy as np

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.families.example import Example, Request, all_different, literal
from groundstate_models.constraints.families.squares import Square, cell_name, square_values


def magic_square(n: int, givens: int, rng: np.random.Generator) -> Example:
    """The numbers 1 to n² once each, with equal sums of rows, columns and both diagonals; n odd or a multiple of 4.

    Raises:
        ValueError: If no such square is known here.
    """
    full = _magic(n)
    full = np.rot90(full, int(rng.integers(4)))
    full = full.T if rng.random() < 0.5 else full
    total = n * (n * n + 1) // 2
    chosen = {divmod(int(cell), n) for cell in rng.choice(n * n, givens, replace=False)}
    every = [cell_name(r, c) for r in range(n) for c in range(n)]
    rows = [[cell_name(r, c) for c in range(n)] for r in range(n)]
    columns = [[cell_name(r, c) for r in range(n)] for c in range(n)]
    diagonals = [[cell_name(i, i) for i in range(n)], [cell_name(i, n - 1 - i) for i in range(n)]]
    request: Request = {
        "variables": {
            cell_name(r, c): [int(full[r, c])] if (r, c) in chosen else {"from": 1, "to": n * n}
            for r, c in product(range(n), repeat=2)
        },
        "constraints": [
            all_different(every),
            *(
                {"type": "linear", "terms": [{"variable": name} for name in line], "equals": total}
                for line in (*rows, *columns, *diagonals)
            ),
        ],
    }
    return Example("magic square", request, square_values(full))


def system_of_sums(
    n: int, sums: int, width: int, rng: np.random.Generator, *, values: int = 10, times: int = 9
) -> Example:
    """Whole numbers that keep random weighted sums.

    Args:
        n: How many numbers.
        sums: How many sums; every third is an inequality, met with equality or nearly so.
        width: How many numbers a sum has.
        values: Each number is one of 0 to ``values − 1``.
        times: Weights are −times to times without 0.
    """
    names = [f"x{i + 1}" for i in range(n)]
    hidden = rng.integers(values, size=n)
    constraints: list[Request] = []
    for k in range(sums):
        chosen = rng.choice(n, min(width, n), replace=False)
        weights = rng.integers(1, times + 1, size=len(chosen)) * rng.choice([-1, 1], size=len(chosen))
        total = int(weights @ hidden[chosen])
        terms = [{"variable": names[i], "times": int(weight)} for i, weight in zip(chosen, weights, strict=True)]
        bound = {"equals": total}
        if k % 3 == 2:
            slack = int(rng.integers(3))
            bound = {"at_most": total + slack} if rng.random() < 0.5 else {"at_least": total - slack}
        constraints.append({"type": "linear", "terms": terms, **bound})
    request = {"variables": {name: {"from": 0, "to": values - 1} for name in names}, "constraints": constraints}
    return Example("sums", request, dict(zip(names, hidden.tolist(), strict=True)))


def knapsack(n: int, tightness: float, rng: np.random.Generator, *, dimensions: int = 1) -> Example:
    """Which of n things to take: weights within capacities, and a worth of at least what a known choice has.

    Args:
        n: How many things.
        tightness: What the worth has to reach, as a share of what filling greedily by worth per weight reaches; at most 1.
        rng: What decides everything else.
        dimensions: How many kinds of weight there are, each with its capacity.
    """
    weights, worth = rng.integers(5, 51, size=(dimensions, n)), rng.integers(5, 51, size=n)
    capacity = weights.sum(axis=1) // 2
    taken, load = np.zeros(n, int), np.zeros(dimensions, int)
    for i in np.argsort(-worth / weights.sum(axis=0)):
        if (load + weights[:, i] <= capacity).all():
            taken[i] = 1
            load += weights[:, i]
    names = [f"thing {i + 1}" for i in range(n)]
    constraints: list[Request] = [
        {"type": "linear", "terms": _terms(names, kind), "at_most": int(most)}
        for kind, most in zip(weights, capacity, strict=True)
    ]
    least = int(tightness * int(worth @ taken))
    constraints.append({"type": "linear", "terms": _terms(names, worth), "at_least": least})
    request = {"variables": {name: [0, 1] for name in names}, "constraints": constraints}
    return Example("knapsack", request, dict(zip(names, taken.tolist(), strict=True)))


def choices(n: int, groups: int, width: int, rng: np.random.Generator, *, values: int = 2) -> Example:
    """Exactly, at least or at most so many of random literals hold, as many as do in a hidden assignment.

    A group has ``width`` literals of different variables among n, each of ``values`` values.
    """
    words = [f"v{v + 1}" for v in range(values)]
    names = [f"x{i + 1}" for i in range(n)]
    hidden: dict[str, Value] = {name: words[int(rng.integers(values))] for name in names}
    constraints: list[Request] = []
    for _ in range(groups):
        chosen = [names[i] for i in rng.choice(n, min(width, n), replace=False)]
        of = [literal(name, words[int(rng.integers(values))]) for name in chosen]
        held = sum(hidden[str(one["variable"])] == one["value"] for one in of)
        kind = ("exactly", "at_least", "at_most")[int(rng.integers(3))]
        constraints.append({"type": "count", "of": of, kind: held})
    return Example("choices", {"variables": {name: list(words) for name in names}, "constraints": constraints}, hidden)


def _terms(names: list[str], weights: Square) -> list[dict[str, Value]]:
    return [{"variable": name, "times": int(weight)} for name, weight in zip(names, weights, strict=True)]


def _magic(n: int) -> Square:
    """The Siamese square for odd n; for a multiple of 4, the numbers in order with half of them counted from the end."""
    if n % 2:
        i, j = np.indices((n, n))
        square: Square = n * ((i + j + 1 + n // 2) % n) + (i + 2 * j + 1) % n + 1
        return square
    if n % 4:
        raise ValueError(f"No magic square of order {n} is known here; give an odd order or a multiple of 4.")
    order = np.arange(1, n * n + 1).reshape(n, n)
    i, j = np.indices((n, n)) % 4
    return np.where((i == j) | (i + j == 3), n * n + 1 - order, order)
