"""The whole line with an energy of one's own: PyTorch → one file → solver → tool. Nothing in it is about Sudoku."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import groundstate as gs
from groundstate_export import Card, HeavyBall, Normal, export
from langchain_groundstate import EnergyTool

N = 5


def energy(state: Tensor, given: Tensor) -> dict[str, Tensor]:
    """Low where every row of ``softmax(state)`` picks another column, and picks the one given to it."""
    p = state.softmax(-1)
    wanted = (given.unsqueeze(-1) == torch.arange(N)).to(p.dtype)
    return {
        "columns": (p.sum(1) - 1).square().sum(1),
        "undecided": 0.3 * (p * (1 - p)).flatten(1).sum(1),
        "givens": 2.0 * (wanted * (1 - p).square()).flatten(1).sum(1),
    }


def decode(state: Tensor, given: Tensor) -> dict[str, Tensor]:
    return {"choice": torch.where(given >= 0, given, state.argmax(-1))}


def rules(answer: dict[str, Tensor], given: Tensor) -> dict[str, Tensor]:
    chosen = (answer["choice"].unsqueeze(-1) == torch.arange(N)).to(torch.int64)
    moved = ((given >= 0) & (answer["choice"] != given)).to(torch.int64)
    return {"different": (chosen.sum(1) == 0).to(torch.int64).sum(1), "givens": moved.sum(1)}


def made(path: Path, defaults: dict[str, float] | None = None, **options: Any) -> Path:
    """A file of this energy, at ``path``."""
    torch.manual_seed(0)
    report = export(
        energy,
        inputs={"given": torch.full((3, N), -1)},
        state=torch.randn(3, N, N),
        initial=Normal(0.0, 1.0),
        rule=HeavyBall(step_size=0.5, momentum=0.8),
        path=path,
        decode=decode,
        checks=rules,
        record=True,
        card=Card(
            description="Arranges 5 items so that all differ.",
            checks={"different": "All items differ."},
            defaults=defaults or {},
        ),
        **{"unroll": 8} | options,
    )
    assert "matches PyTorch" in str(report)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("own") / "permutation.onnx")


@pytest.mark.parametrize("options", [{"form": "loop"}, {"fixed_batch": 3}, {"precision": "float16"}])
def test_a_file_of_any_form_is_solved_scored_and_watched_alike(tmp_path: Path, options: dict[str, Any]) -> None:
    solver = gs.load(made(tmp_path / "permutation.onnx", **options))
    seen: list[gs.Segment] = []
    request = {"given": [3, -1, 0, -1, -1]}
    solution = solver.solve(request, watch=seen.append)
    assert solution.status is gs.Status.SOLVED
    assert sorted(solution.answer["choice"]) == list(range(N))
    assert all(s.trace.shape == (s.chains, 8) and s.path["choice"].shape == (s.chains, 8, N) for s in seen)
    assert solver.score(request, solution.answer).valid
    assert not solver.score(request, {"choice": [3, 3, 0, 1, 2]}).valid
    many = solver.solve_many([request] * 7, alternatives=2)
    assert [one.status for one in many] == [gs.Status.AMBIGUOUS] * 7  # type: ignore[union-attr]  # none is refused


def test_the_file_solves_what_its_energy_describes(path: Path) -> None:
    solution = gs.load(path).solve({"given": [3, -1, 0, -1, -1]})
    assert solution.status is gs.Status.SOLVED
    choice = solution.answer["choice"]
    assert sorted(choice) == list(range(N))
    assert (choice[0], choice[2]) == (3, 0)


def test_what_has_no_answer_is_unsolved_and_says_which_rule_is_broken(path: Path) -> None:
    solution = gs.load(path).solve({"given": [1, 1, -1, -1, -1]}, restarts=4, max_steps=64)
    assert solution.status is gs.Status.UNSOLVED
    assert [violation.check for violation in solution.violations] == ["different"]
    assert "All items differ." in solution.violations[0].message


def test_several_answers_are_told_apart(path: Path) -> None:
    solution = gs.load(path).solve({"given": [3, -1, 0, -1, -1]}, alternatives=3)
    assert solution.status is gs.Status.AMBIGUOUS
    assert len({json.dumps(a.answer) for a in solution.alternatives} | {json.dumps(solution.answer)}) == 3


def test_an_answer_is_judged_by_the_file_alone(path: Path) -> None:
    solver = gs.load(path)
    request = {"given": [-1] * N}
    assert solver.score(request, {"choice": [4, 3, 2, 1, 0]}).valid
    wrong = solver.score(request, {"choice": [4, 4, 2, 1, 0]})
    assert not wrong.valid
    assert wrong.violations[0].check == "different"


def test_the_file_shows_the_answer_before_each_update(path: Path) -> None:
    start = np.random.default_rng(0).standard_normal((2, N, N)).astype(np.float32)
    given = np.array([[-1] * N, [2, -1, -1, -1, -1]])
    out = gs.load(path).minimise({"given": given}, {"y": start})
    assert out["path.choice"].shape == (2, 8, N)
    assert np.array_equal(out["path.choice"][:, 0], np.where(given >= 0, given, start.argmax(-1)))


def test_the_file_is_a_langchain_tool(path: Path) -> None:
    tool = EnergyTool.from_model(path)
    assert tool.name == "solve_permutation"
    assert tool.description.startswith("From the file permutation.onnx: Arranges 5 items")
    answer = json.loads(tool.invoke({"given": [3, -1, 0, -1, -1]}))["answer"]
    assert sorted(answer["choice"]) == list(range(N))


def test_a_request_is_checked_against_the_derived_schema(path: Path) -> None:
    with pytest.raises(gs.RequestError, match=r"given\[1\]: 'x' is not allowed here; a whole number is"):
        gs.load(path).solve({"given": [0, "x", -1, -1, -1]})
