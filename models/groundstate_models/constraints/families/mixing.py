"""Problems drawn across all families, to train on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from types import MappingProxyType

import numpy as np

from groundstate_models.constraints.families import graphs, logic, queens, squares, sums, times, zebra
from groundstate_models.constraints.families.example import Example, Request

Draw = Callable[[np.random.Generator, float], Example]
"""A random problem of a family, from a difficulty of 0 (tiny, loose) to 1 (as large as is trained on, near the threshold)."""

PAIRS = 0.25
"""How often an ``all_different`` is said in pairs, as people may say it too."""


def mixed(seed: int, n: int, difficulty: float, families: Sequence[str] | None = None) -> Iterator[Example]:
    """So many problems, of the families in turn.

    Each has a known solution and depends on the seed, its number, the difficulty and the families alone. Variables and
    constraints are shuffled, so that their order says nothing of how the problem was made.

    Args:
        seed: Any whole number that is not negative.
        n: How many.
        difficulty: 0 to 1. Sizes are drawn up to what it allows, so that small problems occur at every difficulty.
        families: Keys of `FAMILIES`; all of them unless said.

    Raises:
        ValueError: If a family is unknown, or the difficulty not within 0 and 1.
    """
    if not 0 <= difficulty <= 1:
        raise ValueError(f"A difficulty of {difficulty} is not known; give one from 0 to 1.")
    chosen = list(FAMILIES) if families is None else list(families)
    if unknown := [name for name in chosen if name not in FAMILIES]:
        raise ValueError(f"There is no family {unknown[0]!r}; the families are {', '.join(FAMILIES)}.")
    for index in range(n):
        rng = np.random.default_rng([seed, index])
        yield shuffled(FAMILIES[chosen[index % len(chosen)]](rng, difficulty), rng)


def shuffled(example: Example, rng: np.random.Generator) -> Example:
    """The same problem with variables and constraints in random order, now and then in pairs what all differs."""
    request = dict(example.request)
    names, constraints = list(request["variables"]), list(request["constraints"])
    if rng.random() < PAIRS:
        constraints = [pair for constraint in constraints for pair in in_pairs(constraint)]
    request["variables"] = {names[k]: request["variables"][names[k]] for k in rng.permutation(len(names))}
    request["constraints"] = [constraints[k] for k in rng.permutation(len(constraints))]
    return Example(example.family, request, example.solution)


def in_pairs(constraint: Request) -> list[Request]:
    """An ``all_different`` as ``not_equal`` of each pair; any other constraint as it is."""
    if constraint["type"] != "all_different" or "plus" in constraint:
        return [constraint]
    return [{"type": "not_equal", "variables": list(pair)} for pair in combinations(constraint["variables"], 2)]


NODES, BOARDS, SQUARES = (8, 80), (4, 30), (3, 14)
"""Least and largest sizes of the graphs, the queens' boards and the quasigroups."""


def _size(rng: np.random.Generator, least: int, most: int, difficulty: float) -> int:
    return int(rng.integers(least, least + round((most - least) * difficulty) + 1))


def _near(rng: np.random.Generator, threshold: float, difficulty: float) -> float:
    """Half of a threshold at difficulty 0, about the threshold at 1."""
    return threshold * (0.5 + 0.5 * difficulty) * float(rng.uniform(0.9, 1.05))


DEGREES = {3: 4.69, 4: 8.9, 5: 13.69, 6: 18.88, 7: 24.45, 8: 30.35}
"""Mean degrees at which random graphs stop being colourable in so many colours (Zdeborová and Krząkała, 2007)."""


def _colouring(rng: np.random.Generator, difficulty: float) -> Example:
    colours = _size(rng, 3, 8, difficulty)
    degree = _near(rng, DEGREES[colours], difficulty)
    nodes = max(_size(rng, *NODES, difficulty), round(2 * degree))
    make = graphs.planted_colouring if rng.random() < 0.5 else graphs.flat_colouring
    return make(nodes, colours, degree, rng)


def _geometric(rng: np.random.Generator, difficulty: float) -> Example:
    return graphs.geometric_colouring(_size(rng, *NODES, difficulty), float(rng.uniform(3, 4 + 8 * difficulty)), rng)


def _quasigroup(rng: np.random.Generator, difficulty: float) -> Example:
    n = _size(rng, *SQUARES, difficulty)
    return squares.quasigroup(n, round(n * n * rng.uniform(0.2, 0.35 + 0.25 * difficulty)), rng)


def _sudoku(rng: np.random.Generator, difficulty: float) -> Example:
    n = (4, 6, 9)[_size(rng, 0, 2, difficulty)]
    return squares.random_sudoku(n, round(n * n * rng.uniform(0.6 - 0.3 * difficulty, 0.6)), rng)


def _killer(rng: np.random.Generator, difficulty: float) -> Example:
    n = (4, 6, 9)[_size(rng, 0, 2, difficulty)]
    return squares.random_sudoku(n, round(n * n * rng.uniform(0.5 - 0.4 * difficulty, 0.5)), rng, caged=True)


def _queens(rng: np.random.Generator, difficulty: float) -> Example:
    n = _size(rng, *BOARDS, difficulty)
    return queens.queens(n, rng, placed=int(rng.integers(n // 4 + 1)))


def _zebra(rng: np.random.Generator, difficulty: float) -> Example:
    return zebra.zebra(_size(rng, 2, 5, difficulty), _size(rng, 2, 5, difficulty), rng)


def _sat(rng: np.random.Generator, difficulty: float) -> Example:
    return logic.sat(_size(rng, 5, 60, difficulty), _near(rng, 4.2, difficulty), rng)


def _csp(rng: np.random.Generator, difficulty: float) -> Example:
    n, d, tightness = _size(rng, 4, 25, difficulty), _size(rng, 2, 8, difficulty), float(rng.uniform(0.2, 0.7))
    # Model B has as many solutions as not where dⁿ · (1 − tightness)^constraints = 1 (B. Smith and M. Dyer, 1996).
    constraints = _near(rng, n * np.log(d) / -np.log1p(-tightness), difficulty)
    density = min(1.0, constraints / (n * (n - 1) / 2))
    return logic.random_csp(n, d, density, tightness, rng, allowed=bool(rng.random() < tightness))


def _magic(rng: np.random.Generator, difficulty: float) -> Example:
    n = _size(rng, 3, 5, difficulty)
    return sums.magic_square(n, round(n * n * rng.uniform(0.7 - 0.5 * difficulty, 0.7)), rng)


def _sums(rng: np.random.Generator, difficulty: float) -> Example:
    n = _size(rng, 4, 20, difficulty)
    width = int(rng.integers(2, 5))
    return sums.system_of_sums(n, max(1, round(n * rng.uniform(0.3, 0.9))), width, rng, times=1 + int(4 * difficulty))


def _knapsack(rng: np.random.Generator, difficulty: float) -> Example:
    tightness = 0.7 + 0.3 * difficulty * float(rng.random())
    return sums.knapsack(_size(rng, 5, 30, difficulty), tightness, rng, dimensions=int(rng.integers(1, 4)))


def _choices(rng: np.random.Generator, difficulty: float) -> Example:
    n = _size(rng, 6, 40, difficulty)
    return sums.choices(
        n, round(n * rng.uniform(0.4, 1.0)), int(rng.integers(3, 8)), rng, values=int(rng.integers(2, 5))
    )


def _timetable(rng: np.random.Generator, difficulty: float) -> Example:
    slots, rooms = _size(rng, 4, 20, difficulty), _size(rng, 2, 4, difficulty)
    lessons = max(2, round(slots * rooms * rng.uniform(0.4, 0.6 + 0.35 * difficulty)))
    return times.timetable(lessons, slots, rooms, rng, preferences=int(rng.integers(4)))


def _machine(rng: np.random.Generator, difficulty: float) -> Example:
    jobs = _size(rng, 3, 12, difficulty)
    slack = float(rng.uniform(0.1, 0.3 + 0.5 * difficulty))
    return times.one_machine(jobs, slack, rng, precedences=int(rng.integers(jobs // 2 + 1)))


def _shop(rng: np.random.Generator, difficulty: float) -> Example:
    return times.job_shop(_size(rng, 2, 5, difficulty), _size(rng, 2, 4, difficulty), float(rng.uniform(0, 0.4)), rng)


FAMILIES: Mapping[str, Draw] = MappingProxyType(
    {
        "colouring": _colouring,
        "geometric colouring": _geometric,
        "quasigroup": _quasigroup,
        "sudoku": _sudoku,
        "killer sudoku": _killer,
        "queens": _queens,
        "zebra": _zebra,
        "sat": _sat,
        "random csp": _csp,
        "magic square": _magic,
        "sums": _sums,
        "knapsack": _knapsack,
        "choices": _choices,
        "timetable": _timetable,
        "one machine": _machine,
        "job shop": _shop,
    }
)
"""What `mixed` draws from."""
