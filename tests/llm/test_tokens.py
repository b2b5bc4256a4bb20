"""What a language model reads of a Sudoku is short, by the tokens of a real one."""

from __future__ import annotations

import pytest
from benchmarks.local_llm import LocalModel

import groundstate as gs
from groundstate.tools import Reply, SolveTool
from tests.support import EASY, REPEATED, rows

pytestmark = pytest.mark.llm

MOST = 400
CONTRADICTION = EASY[:2] + "3" + EASY[3:]
"""No digit stands twice, and yet there is no answer."""

NINE = "123" + "0" * 78
"""Nine digits may stand in most of its cells."""


@pytest.fixture(scope="module")
def tool(sudoku: gs.Solver) -> SolveTool:
    return SolveTool(sudoku, restarts=16, max_steps=512)


def brief(llm: LocalModel, reply: Reply) -> bool:
    # Numbers, and what is named as decided first and last, may be a token longer elsewhere.
    return llm.tokens(reply.text) <= MOST - 5


def test_an_answer_is_short(llm: LocalModel, tool: SolveTool) -> None:
    reply = tool.call({"grid": rows(EASY)})
    assert reply.record["status"] == "solved"
    assert {"answer", "explanation"} <= reply.record.keys()
    assert brief(llm, reply), reply.text


@pytest.mark.parametrize(
    ("puzzle", "status", "options"),
    [(NINE, "ambiguous", 9), (CONTRADICTION, "infeasible", 2), (REPEATED, "infeasible", 1)],
    ids=["nine answers", "hidden contradiction", "repeated digit"],
)
def test_a_question_is_short_with_all_its_options(
    llm: LocalModel, tool: SolveTool, puzzle: str, status: str, options: int
) -> None:
    reply = tool.call({"grid": rows(puzzle)})
    assert reply.record["status"] == status
    assert len(reply.record["question"]["options"]) >= options
    assert brief(llm, reply), reply.text


def test_many_contradictions_and_a_best_attempt_are_short(llm: LocalModel, sudoku: gs.Solver) -> None:
    silent = SolveTool(sudoku, restarts=8, max_steps=64, ask=False)
    for puzzle in ("5" * 81, CONTRADICTION):
        reply = silent.call({"grid": rows(puzzle)})
        assert reply.record["violations"]
        assert len(reply.record["violations"]) <= 7
        assert brief(llm, reply), reply.text
