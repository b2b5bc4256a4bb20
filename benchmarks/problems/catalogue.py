"""Benchmark families of typed constraints, with target rates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from benchmarks.problems.definitions import coloured, completed, filled, peaceful, same, satisfied
from benchmarks.problems.dimacs import read_graph
from benchmarks.problems.instance import Family, Instance
from benchmarks.sudoku.puzzles import Puzzle, digits, read

from groundstate_models.constraints.families import colouring, quasigroup, queens, satisfiability, sudoku, zebra

SEED = 6_000_037
GRAPHS = (
    "myciel3",
    "myciel4",
    "myciel5",
    "queen5_5",
    "queen6_6",
    "queen7_7",
    "huck",
    "jean",
    "david",
    "anna",
    "games120",
    "miles250",
    "miles500",
)
QUEENS = (8, 20, 50, 100)
SQUARE, HOLES = 15, 0.42
HOUSES, CATEGORIES = 5, 5
FORMULAS = {20: (91, 99), 50: (218, 95)}
"""Variables, and of each size the clauses (as SATLIB has them) and the percentage to reach."""


def drawn(name: str, index: int) -> np.random.Generator:
    """The parameters of a problem of a family."""
    return np.random.default_rng([SEED, *name.encode(), index])


def families(graphs: Path | None, sudokus: Sequence[Path], limit: int | None) -> list[Family]:
    """All families.

    Args:
        graphs: A folder of DIMACS graphs, with their chromatic numbers in ``metadata.json``; None to leave colouring out.
        sudokus: Files of puzzles.
        limit: Puzzles of each file, a seeded sample; None for all.
    """
    found = []
    if graphs is not None:
        known = json.loads((graphs / "metadata.json").read_text(encoding="utf-8"))["graphs"]
        for name, cliques in (("colouring", True), ("colouring-pairs", False)):
            make = partial(_colouring, graphs, {graph: known[graph]["chi"] for graph in GRAPHS}, cliques)
            found.append(Family(name, "all", len(GRAPHS), make))
    found += [Family(f"queens-{n}", "100 %", 100, partial(_queens, n)) for n in QUEENS]
    found.append(Family("quasigroup", "≥ 99 %", 100, _quasigroup))
    found.append(Family("zebra", "≥ 99 %", 100, _zebra))
    found += [
        Family(f"uf{n}", f"≥ {goal} %", 200, partial(_formula, n, count)) for n, (count, goal) in FORMULAS.items()
    ]
    for path in sudokus:
        puzzles = read(path, limit)
        found.append(Family(f"sudoku-{path.stem}", "–", len(puzzles), partial(_sudoku, puzzles)))
    return found


def _colouring(folder: Path, chromatic: dict[str, int], cliques: bool, index: int) -> Instance:
    name = GRAPHS[index]
    nodes, edges = read_graph(folder / f"{name}.col")
    request = colouring(nodes, edges, chromatic[name], cliques=cliques)
    return Instance(name, request, partial(coloured, nodes, edges, chromatic[name]))


def _queens(n: int, index: int) -> Instance:
    return Instance(f"seed {index}", queens(n).request, partial(peaceful, n), seed=index)


def _quasigroup(index: int) -> Instance:
    request = quasigroup(SQUARE, round(HOLES * SQUARE**2), drawn("quasigroup", index)).request
    given = [domain[0] if len(domain) == 1 else 0 for domain in request["variables"].values()]
    square = [given[start : start + SQUARE] for start in range(0, SQUARE**2, SQUARE)]
    return Instance(f"square {index}", request, partial(completed, square))


def _zebra(index: int) -> Instance:
    example = zebra(HOUSES, CATEGORIES, drawn("zebra", index))
    return Instance(f"puzzle {index}", example.request, partial(same, example.solution))


def _formula(n: int, count: int, index: int) -> Instance:
    from benchmarks.problems.uniform import uniform_clauses  # needs python-sat

    clauses = uniform_clauses(n, count, drawn(f"uf{n}", index))
    return Instance(f"formula {index}", satisfiability(n, clauses), partial(satisfied, clauses))


def _sudoku(puzzles: Sequence[Puzzle], index: int) -> Instance:
    puzzle = puzzles[index]
    cells, n = digits(puzzle.text), round(len(puzzle.text) ** 0.5)
    grid = [cells[start : start + n] for start in range(0, n * n, n)]
    return Instance(f"row {puzzle.row}", sudoku(grid), partial(filled, puzzle))
