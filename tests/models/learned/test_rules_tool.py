"""A learned rules file as a tool: it completes, proves, repairs, asks and scores, and says what was learned."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import groundstate as gs
from groundstate_training import TrainingError
from groundstate_training.learning import RulesModel
from tests.training.grids import groups_of, solved

GROUPS = groups_of(6, 2, 3)


def grid_of(cells: list[int]) -> list[list[int]]:
    return [[value + 1 for value in cells[k : k + 6]] for k in range(0, 36, 6)]


def right(grid: list[list[int]]) -> bool:
    flat = [value for row in grid for value in row]
    return all(sorted(flat[i] for i in group) == [1, 2, 3, 4, 5, 6] for group in GROUPS)


def test_boards_that_were_not_learned_from_are_completed_and_right_by_the_true_rules(board: gs.Solver) -> None:
    for cells in solved(5, 99, GROUPS, 6).tolist():
        partial: list[list[Any]] = [
            [v if (r + 2 * c) % 3 == 0 else None for c, v in enumerate(row)] for r, row in enumerate(grid_of(cells))
        ]
        solution = board.solve({"grid": partial})
        assert solution.status == "solved"
        assert solution.answer is not None
        assert right(solution.answer["grid"])
        for row, full in zip(partial, solution.answer["grid"], strict=True):
            assert all(a in (None, b) for a, b in zip(row, full, strict=True))


def test_a_contradiction_is_proven_from_learned_rules_and_says_so(board: gs.Solver) -> None:
    solution = board.solve({"known": {"r1c1": 5, "r1c2": 5}})
    assert solution.status == "infeasible"
    (violation,) = solution.violations
    assert violation.check == "learned"
    assert violation.message.startswith(
        "By rules learned from 40 examples, these cannot all hold: each row holds every value once"
    )
    assert set(violation.places) == {"known.r1c1", "known.r1c2"}
    assert solution.question is not None
    assert {option.label for option in solution.question.options} == {"Without r1c1 = 5.", "Without r1c2 = 5."}
    changed = solution.question.options[0].apply({"known": {"r1c1": 5, "r1c2": 5}})
    assert board.solve(changed).status in ("solved", "ambiguous")


def test_two_wrong_values_are_repaired_by_changing_two(board: gs.Solver) -> None:
    grid = grid_of(solved(1, 7, GROUPS, 6)[0].tolist())
    wrong = [list(row) for row in grid]
    wrong[0][0] = wrong[0][0] % 6 + 1
    wrong[3][4] = wrong[3][4] % 6 + 1
    solution = board.solve({"grid": wrong, "repair": True})
    assert solution.answer is not None
    assert right(solution.answer["grid"])
    assert solution.answer["changed"] == ["r1c1", "r4c5"]
    assert solution.answer["cost"] == 2.0


def test_score_names_the_learned_rule_that_is_broken(board: gs.Solver) -> None:
    grid = grid_of(solved(1, 7, GROUPS, 6)[0].tolist())
    assert board.score({}, {"grid": grid}).valid is True
    grid[0][0] = grid[0][1]
    score = board.score({}, {"grid": grid})
    assert score.valid is False
    assert any(
        "each row holds every value once" in one.message and "(learned)" in one.message for one in score.violations
    )


def test_several_completions_are_a_question_and_never_and_wishes_are_kept(board: gs.Solver) -> None:
    solution = board.solve({"known": {"r1c1": 5}}, alternatives=2)
    assert solution.status == "ambiguous"
    assert solution.question is not None
    solution = board.solve(
        {"known": {"r1c1": 5}, "never": {"r1c2": [1, 2, 3, 4]}, "wishes": [{"variable": "r6c6", "value": 1}]}
    )
    assert solution.answer is not None
    assert solution.answer["grid"][0][1] == 6
    assert solution.answer["grid"][5][5] == 1
    assert solution.answer["cost"] == 0.0


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"known": {"r1c7": 5}}, "There is no variable 'r1c7'"),
        ({"known": {"r1c1": 9}}, "known.r1c1"),
        ({"never": {"x": [1]}}, "There is no variable 'x'"),
        ({"wishes": [{"variable": "r9c1", "value": 1}]}, "There is no variable 'r9c1'"),
    ],
)
def test_requests_that_mean_nothing_are_refused_with_their_place(
    board: gs.Solver, request_: dict[str, Any], said: str
) -> None:
    with pytest.raises(gs.RequestError, match=said.replace("'", ".")):
        board.solve(request_)


def test_a_board_may_be_written_as_text(board: gs.Solver) -> None:
    cells = solved(1, 3, GROUPS, 6)[0].tolist()
    text = "".join(str(v + 1) if k % 2 else "." for k, v in enumerate(cells))
    assert board.parse(text)["grid"][0] == [None, cells[1] + 1, None, cells[3] + 1, None, cells[5] + 1]
    with pytest.raises(gs.RequestError, match="'7' at r1c1"):
        board.parse("7" * 36)


def test_the_file_is_small_says_what_was_learned_and_needs_no_torch(board_model: RulesModel, tmp_path: Path) -> None:
    path = tmp_path / "my-board.onnx"
    board_model.export(path, title="My board")
    assert path.stat().st_size < 200_000
    solver = gs.load(path)
    assert (solver.header.name, solver.header.title) == ("my_board", "My board")
    assert "each row holds every value once" in solver.header.description
    script = (
        "import sys, json, groundstate as gs\n"
        f"s = gs.load({str(path)!r}).solve({{'known': {{'r1c1': 2}}}}, alternatives=1)\n"
        "print(json.dumps([s.status, 'torch' in sys.modules, 'groundstate_training' in sys.modules]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["solved", False, False]


def test_a_file_of_another_ending_is_refused(board_model: RulesModel, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"must end in \.onnx"):
        board_model.export(tmp_path / "board.txt")
