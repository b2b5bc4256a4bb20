"""Problems that only benchmarks read or make: DIMACS graphs, uniform satisfiable formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.problems.dimacs import read_colouring, read_graph

from groundstate_models.constraints.backtracking import solutions
from groundstate_models.constraints.families.example import Request
from groundstate_models.constraints.families.logic import walksat
from groundstate_models.constraints.problem import Problem

TRIANGLE_AND_TAIL = """c a triangle, and a node that hangs on it
p edge 5 5
e 1 2
e 2 1

e 2 3
e 3 1
e 3 4
"""


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "graph.col"
    path.write_text(TRIANGLE_AND_TAIL)
    return path


def test_edges_are_read_once_and_nodes_without_edges_stay(graph: Path) -> None:
    assert read_graph(graph) == (5, [(1, 2), (1, 3), (2, 3), (3, 4)])
    assert len(read_colouring(graph, 3)["variables"]) == 5


def test_all_ways_to_say_a_colouring_have_the_solutions_that_belong_to_it(graph: Path) -> None:
    def count(request: Request) -> int:
        return len(solutions(Problem.of(request), 1000))

    # Three colours for the triangle in 6 ways, 2 for its tail, 3 for the node alone.
    assert count(read_colouring(graph, 3)) == count(read_colouring(graph, 3, cliques=False)) == 6 * 2 * 3
    assert count(read_colouring(graph, 3, anchored=True)) == 2 * 3
    assert count(read_colouring(graph, 2)) == count(read_colouring(graph, 2, anchored=True)) == 0


@pytest.mark.parametrize("wrong", ["e 1 2", "p edge 3 1\nx 1 2", "p edge 3 1\ne 1"])
def test_a_line_of_no_known_kind_is_refused_with_its_number(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "wrong.col"
    path.write_text(wrong)
    line = len(wrong.splitlines())
    with pytest.raises(ValueError, match=rf"^wrong\.col, line {line}, is '{wrong.splitlines()[-1]}'"):
        read_graph(path)


def test_uniform_formulas_are_satisfiable_and_a_seed_decides_them() -> None:
    pytest.importorskip("pysat", reason="python-sat is not installed; the extra 'bench' brings it")
    from benchmarks.problems.uniform import uniform_clauses

    one, same, other = (uniform_clauses(20, 85, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same != other
    assert len(one) == 85
    assert walksat(20, one, np.random.default_rng(0), flips=100_000) is not None
