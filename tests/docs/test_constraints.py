"""docs/constraints.md: its program prints what it says, every type of constraint has a row, every example solves."""

from __future__ import annotations

import json
import re
import runpy
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import groundstate as gs
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.schema import KINDS, MOST_VALUES, MOST_VARIABLES, REQUEST
from langchain_groundstate import EnergyTool
from tests.docs import pages

PAGE = pages.read("constraints.md")
VARIABLES: dict[str, Any] = json.loads(pages.block(PAGE, "variables"))
ROWS = pages.rows(PAGE)


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("constraints")


@pytest.fixture(scope="module")
def tool(solver: gs.Solver) -> EnergyTool:
    return EnergyTool.from_model("constraints", alternatives=1)


def test_the_program_is_a_file_and_prints_what_the_page_says(tmp_path: Path) -> None:
    script = (pages.SNIPPETS / "constraints_shifts.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in PAGE
    said = re.search(r"be away all week:\n\n```text\n(.*?)```", PAGE, flags=re.DOTALL)
    assert said is not None
    status, proof = pages.run("constraints_shifts.py", tmp_path).splitlines()
    shown, shown_proof = said[1].splitlines()
    assert status.startswith("solved {'values': ")
    assert status.partition("'cost': ")[2] == shown.partition("'cost': ")[2], "which of the cheapest it is may differ"
    assert proof == shown_proof


def test_the_shifts_are_the_cheapest_there_are(solver: gs.Solver) -> None:
    request: dict[str, Any] = runpy.run_path(str(pages.SNIPPETS / "constraints_shifts.py"))["request"]
    assert request["constraints"].pop().startswith("exactly 0 of")
    problem = Problem.of(request)
    every = (dict(zip(problem.domains, values, strict=True)) for values in product(*problem.domains.values()))
    least = min(problem.cost(given) for given in every if not problem.violations(given))
    answer = solver.solve(request).answer
    assert answer is not None
    assert answer["cost"] == least > 0


def test_every_type_of_constraint_has_a_row() -> None:
    named = [cell.replace("`", "").split(", ") for cell, _ in ROWS]
    assert {kind for kinds in named for kind in kinds} == set(KINDS)
    assert all(example["type"] in kinds for kinds, (_, example) in zip(named, ROWS, strict=True))


def texts() -> list[str]:
    """Every constraint that the table of texts names."""
    table = PAGE.partition("| text | meaning |")[2].partition("\n\n")[0]
    cells = [line.split(" | ")[0] for line in table.splitlines()[2:]]
    return [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("text", texts())
def test_every_text_of_the_page_is_a_constraint_that_solves(solver: gs.Solver, text: str) -> None:
    solution = solver.solve({"variables": VARIABLES, "constraints": [text]})
    assert solution.answer is not None
    assert solution.status is gs.Status.SOLVED


@pytest.mark.parametrize(("kind", "example"), ROWS, ids=[cell for cell, _ in ROWS])
def test_an_example_solves_as_a_constraint_and_as_a_preference(
    solver: gs.Solver, tool: EnergyTool, kind: str, example: dict[str, Any]
) -> None:
    pages.solved(solver, tool, {"variables": VARIABLES, "constraints": [example]})
    answer = pages.solved(solver, tool, {"variables": VARIABLES, "preferences": [{"constraint": example}]})
    assert answer["cost"] == 0


def test_the_example_of_the_schema_solves(solver: gs.Solver, tool: EnergyTool) -> None:
    (example,) = REQUEST["examples"]
    assert pages.solved(solver, tool, example)["cost"] == 0


def test_the_contradiction_that_is_said_to_be_proven_at_once_is(solver: gs.Solver) -> None:
    request = {"variables": VARIABLES, "constraints": ["red == blue", "red != blue"]}
    solution = solver.solve(request, restarts=8, max_steps=128)
    assert (solution.status, solution.chains) == (gs.Status.INFEASIBLE, 0)


def test_the_limits_are_those_of_the_schema() -> None:
    assert f"{MOST_VARIABLES:,} variables, {MOST_VALUES:,} values each" in PAGE


def test_the_rucksack_is_a_file_and_prints_what_the_page_says(tmp_path: Path) -> None:
    script = (pages.SNIPPETS / "constraints_rucksack.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in PAGE
    assert f"```text\n{pages.run('constraints_rucksack.py', tmp_path)}```" in PAGE


def objectives() -> list[str]:
    """Every objective of the table."""
    table = PAGE.partition("| objective | meaning |")[2].partition("\n\n")[0]
    cells = [line.split(" | ")[0] for line in table.splitlines()[2:]]
    return [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("text", objectives())
def test_every_objective_of_the_page_is_reached(solver: gs.Solver, text: str) -> None:
    solution = solver.solve({"variables": VARIABLES, "objective": json.loads(text)})
    assert solution.optimal
