"""Generators of finite problems, each with a solution that is known: to train on and to measure with.

Every generator takes a `numpy.random.Generator`, which decides everything, and returns an `Example`. `mixed` draws across all.
"""

from groundstate_models.constraints.families.example import Example, Request
from groundstate_models.constraints.families.graphs import (
    clique_cover,
    colouring,
    dsatur,
    flat_colouring,
    geometric_colouring,
    planted_colouring,
)
from groundstate_models.constraints.families.logic import random_clauses, random_csp, sat, satisfiability, walksat
from groundstate_models.constraints.families.mixing import FAMILIES, mixed
from groundstate_models.constraints.families.queens import queens
from groundstate_models.constraints.families.squares import (
    completion,
    latin_square,
    minimal_sudoku,
    quasigroup,
    random_sudoku,
    sudoku,
    sudoku_board,
)
from groundstate_models.constraints.families.sums import choices, knapsack, magic_square, system_of_sums
from groundstate_models.constraints.families.times import job_shop, one_machine, timetable
from groundstate_models.constraints.families.zebra import zebra

__all__ = [
    "FAMILIES",
    "Example",
    "Request",
    "choices",
    "clique_cover",
    "colouring",
    "completion",
    "dsatur",
    "flat_colouring",
    "geometric_colouring",
    "job_shop",
    "knapsack",
    "latin_square",
    "magic_square",
    "minimal_sudoku",
    "mixed",
    "one_machine",
    "planted_colouring",
    "quasigroup",
    "queens",
    "random_clauses",
    "random_csp",
    "random_sudoku",
    "sat",
    "satisfiability",
    "sudoku",
    "sudoku_board",
    "system_of_sums",
    "timetable",
    "walksat",
    "zebra",
]
