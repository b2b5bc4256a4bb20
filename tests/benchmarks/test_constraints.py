"""What the benchmark of typed constraints counts by: problems that a number decides, checks that agree, verdicts that last."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("ortools", reason="ortools is not installed; the extra 'bench' brings it")
pytest.importorskip("pysat", reason="python-sat is not installed; the extra 'bench' brings it")

from benchmarks.constraints import remarks, row
from benchmarks.journal import Journal
from benchmarks.problems import catalogue, exact, larger, meetings
from benchmarks.problems.definitions import coloured, peaceful
from benchmarks.problems.instance import Family, Instance
from benchmarks.problems.measuring import ALONE, BATCH, Budget, Job, alone, batch, exactly, reordered, wrong

import groundstate as gs
from groundstate_models.constraints.families import colouring, queens
from groundstate_models.constraints.problem import Problem
from tests.support import EASY

GRAPH = "p edge 5 6\ne 1 2\ne 2 3\ne 3 1\ne 3 4\ne 4 5\ne 5 1\n"


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Family]:
    folder = tmp_path_factory.mktemp("made")
    (folder / "easy.csv").write_text(f"puzzle\n{EASY}\n")
    for name in catalogue.GRAPHS:
        (folder / f"{name}.col").write_text(GRAPH)
    known = ", ".join(f'"{name}": {{"chi": 3}}' for name in catalogue.GRAPHS)
    (folder / "metadata.json").write_text(f'{{"graphs": {{{known}}}}}')
    found = [*catalogue.families(folder, [folder / "easy.csv"], None), *larger.families(), *meetings.families()]
    return {family.name: family for family in found}


MEASURED = (
    "colouring",
    "colouring-pairs",
    "queens-20",
    "quasigroup",
    "zebra",
    "uf20",
    "sudoku-easy",
    "geometric-320",
    "queens-120",
    "meeting",
)


@pytest.mark.parametrize("name", MEASURED)
def test_a_definition_and_the_constraints_agree_on_what_a_solution_is(families: dict[str, Family], name: str) -> None:
    instance = families[name].make(0)
    problem, chance = Problem.of(instance.request), random.Random(0)
    solution = exact.solve(problem, limit=10.0).values
    assert solution is not None
    assert instance.keeps(solution)
    for _ in range(50):
        one, other = chance.choices(list(solution), k=2)
        changed = {**solution, one: chance.choice(problem.domains[one])}
        swapped = {**solution, one: solution[other], other: solution[one]}
        for values in (changed, swapped):
            assert instance.keeps(values) == (not problem.violations(values))


@pytest.mark.parametrize("name", ["queens-20", "quasigroup", "uf20", "colouring-320", "geometric-320", "queens-120"])
def test_a_number_decides_a_problem(families: dict[str, Family], name: str) -> None:
    one, again, other = (families[name].make(index) for index in (1, 1, 2))
    assert (one.request, one.seed, one.name) == (again.request, again.seed, again.name)
    assert (one.request, one.seed) != (other.request, other.seed)


def test_larger_problems_have_four_times_the_variables_of_those_trained_on(families: dict[str, Family]) -> None:
    assert len(families["geometric-320"].make(0).request["variables"]) == 4 * larger.TRAINED["colouring"]
    assert len(families["queens-120"].make(0).request["variables"]) == 4 * larger.TRAINED["queens"]


def test_edges_are_read_back_from_the_cliques_that_cover_them() -> None:
    edges = [(1, 2), (1, 3), (2, 3), (3, 4), (4, 5)]
    assert larger.edges(colouring(5, edges, 3)) == edges
    assert coloured(5, edges, 3, {"node 1": 1, "node 2": 2, "node 3": 3, "node 4": 1, "node 5": 2})
    assert not coloured(5, edges, 3, {"node 1": 1, "node 2": 2, "node 3": 3, "node 4": 1, "node 5": 1})
    assert not coloured(5, edges, 3, {"node 1": 1, "node 2": 2, "node 3": 3, "node 4": 4, "node 5": 2}), (
        "a fourth colour"
    )


@pytest.mark.parametrize("index", range(10))
def test_a_meeting_costs_the_half_hours_before_it_and_the_first_that_suits_all_costs_least(index: int) -> None:
    instance = meetings.meeting(index)
    problem = Problem.of(instance.request)
    suits = [start for start in range(1, meetings.SLOTS + 1) if not problem.violations({"start": start})]
    assert [start for start in range(1, meetings.SLOTS + 1) if instance.keeps({"start": start})] == suits
    assert all(start % meetings.A_DAY for start in suits), "an hour that begins in the last half-hour of a day"
    assert [problem.cost({"start": start}) for start in suits] == [start - 1 for start in suits]
    assert instance.least == suits[0] - 1


def test_the_order_of_variables_is_another_and_the_problem_is_not() -> None:
    request = queens(20).request
    one, other = reordered(request, 1), reordered(request, 2)
    assert list(one["variables"]) != list(other["variables"])
    assert one == other == request


QUEENS = queens(8)
ATTACKED = {f"row {row}": row for row in range(1, 9)}


class Told:
    """A solver that says what it is told to."""

    def __init__(self, status: gs.Status, values: dict[str, Any] | None) -> None:
        self.header = SimpleNamespace(steps=16)
        self.calls = 0
        self._said = gs.Solution(status, None if values is None else {"values": values}, 0.0)

    def solve(self, request: Any, *, watch: Any, **_: Any) -> gs.Solution:
        del request
        self.calls += 1
        for chains in (2, 3):
            watch(SimpleNamespace(index=0, chains=chains))
        return self._said

    def solve_many(self, requests: list[Any], *, done: Any, **_: Any) -> None:
        self.calls += 1
        for index in range(len(requests)):
            done(index, self._said)


def _model(status: gs.Status, values: dict[str, Any] | None) -> Any:
    return SimpleNamespace(solver=Told(status, values), digest=f"{status} {values}", title="told")


@pytest.fixture
def job() -> Job:
    instances = [Instance(f"seed {k}", QUEENS.request, partial(peaceful, 8), seed=k) for k in range(2)]
    return Job("queens-8", instances, Budget(4, 64, 5.0))


@pytest.mark.parametrize(
    ("status", "values", "right", "mistaken"),
    [
        (gs.Status.SOLVED, QUEENS.solution, True, False),
        (gs.Status.AMBIGUOUS, QUEENS.solution, True, False),
        (gs.Status.SOLVED, ATTACKED, False, True),
        (gs.Status.UNSOLVED, ATTACKED, False, False),
        (gs.Status.UNSOLVED, QUEENS.solution, False, False),
        (gs.Status.INFEASIBLE, None, False, True),
    ],
)
def test_what_is_called_solved_and_is_not_is_counted(
    tmp_path: Path, job: Job, status: gs.Status, values: dict[str, Any] | None, right: bool, mistaken: bool
) -> None:
    model, journal = _model(status, values), Journal(tmp_path / "journal")
    alone(model, job, journal)
    batch(model, job, journal)
    records = list(job.claims([model], journal))
    assert len(records) == 4
    assert {(record["right"], wrong(record)) for record in records} == {(right, mistaken)}
    cells = row(Family("queens-8", "all", 2, lambda k: job.instances[k]), job, [model], journal).split(" | ")
    assert cells[3].startswith("100.00 %" if right else "0.00 %")
    assert cells[4] == str(4 * mistaken)
    noted = "\n".join(remarks(job, [model], journal))
    assert ("not solved alone: seed 0; seed 1." in noted) == (status is gs.Status.UNSOLVED)
    assert ("answered wrongly" in noted) == mistaken


def test_what_the_journal_has_is_not_measured_again_unless_the_budget_is_another(tmp_path: Path, job: Job) -> None:
    model = _model(gs.Status.SOLVED, QUEENS.solution)
    for _ in range(2):
        alone(model, job, Journal(tmp_path / "journal"))
    assert model.solver.calls == 2
    found = job.recorded(Journal(tmp_path / "journal"), model.digest, ALONE)
    assert [record["updates"] for _, record in found] == [16 * 5, 16 * 5], "segments of 2 and of 3 chains"
    assert not job.recorded(Journal(tmp_path / "journal"), model.digest, BATCH)
    longer = Job(job.family, job.instances, Budget(4, 64, 6.0))
    assert longer.missing(Journal(tmp_path / "journal"), model.digest, ALONE) == job.instances


def test_an_answer_whose_cost_is_not_what_it_says_is_not_right(tmp_path: Path) -> None:
    instance = meetings.meeting(0)
    job = Job("meeting", [instance], Budget(4, 64, 5.0))
    assert instance.least is not None
    model = _model(gs.Status.SOLVED, {"start": int(instance.least) + 1})
    for cost, right in ((instance.least, True), (instance.least + 1, False)):
        journal = Journal(tmp_path / f"journal {cost}")
        model.solver._said.answer["cost"] = cost
        alone(model, job, journal)
        [(_, record)] = job.recorded(journal, model.digest, ALONE)
        assert record["right"] == right


def test_a_problem_that_cp_sat_proves_impossible_stops_the_benchmark(tmp_path: Path) -> None:
    impossible = Instance("triangle", colouring(3, [(1, 2), (2, 3), (1, 3)], 2), bool)
    with pytest.raises(SystemExit, match="ends triangle of colouring as INFEASIBLE"):
        exactly(Job("colouring", [impossible], Budget(4, 64, 5.0)), Journal(tmp_path / "journal"))
