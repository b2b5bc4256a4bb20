"""Rounds of solve, question, reply and solve; how deep a call goes, and how often it copies the request."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import groundstate as gs
from groundstate.tools import SolveTool
from tests.support import EASY, Stalled, rows

EMPTY = [[0] * 4 for _ in range(4)]


@pytest.fixture(scope="module")
def small() -> SolveTool:
    return SolveTool("sudoku_4x4", restarts=16, max_steps=256)


def first(question: gs.Question, _solution: gs.Solution) -> str:
    return question.options[0].id


class Later:
    """Replies asynchronously only."""

    def __call__(self, question: gs.Question, solution: gs.Solution) -> str:
        pytest.fail("an asynchronous conversation used the blocking call")

    async def acall(self, question: gs.Question, solution: gs.Solution) -> str:
        return first(question, solution)


async def later(question: gs.Question, solution: gs.Solution) -> str:
    return first(question, solution)


def test_replies_lead_to_one_answer_and_are_recorded(small: SolveTool) -> None:
    conversation = small.converse({"grid": EMPTY})
    reply = conversation.run(first)
    assert reply.record["status"] == "solved"
    assert conversation.asked
    assert reply.record["asked"] == conversation.asked
    assert reply.outcome is conversation.solution
    assert conversation.question is None
    assert conversation.updates > 0


@pytest.mark.parametrize("replier", [first, later, Later()])
async def test_an_asynchronous_conversation_is_the_same(small: SolveTool, replier: Any) -> None:
    conversation = small.converse({"grid": EMPTY})
    assert (await conversation.arun(replier)).record == small.converse({"grid": EMPTY}).run(first).record


def test_what_was_asked_can_be_sent_as_replies_in_one_later_call(small: SolveTool) -> None:
    conversation = small.converse({"grid": EMPTY})
    record = conversation.run(first).record
    replies = {one["id"]: one["reply"] for one in conversation.asked}
    assert small.call({"grid": EMPTY, "replies": replies}).record["answer"] == record["answer"]
    assert small.converse({"grid": EMPTY}, asked=conversation.asked).run().record == record


def test_nobody_replies_and_the_question_stays(small: SolveTool) -> None:
    conversation = small.converse({"grid": EMPTY})
    assert conversation.run(lambda *_: None).record == small.call({"grid": EMPTY}).record
    assert conversation.question is not None


def test_a_reply_that_is_no_option_is_the_repliers_mistake(small: SolveTool) -> None:
    with pytest.raises(gs.OptionError, match=r"A reply to a question is not one of its options: .*'seven'"):
        small.converse({"grid": EMPTY}).run(lambda *_: "seven")
    with pytest.raises(gs.OptionError, match="is asynchronous; await `arun`"):
        small.converse({"grid": EMPTY}).run(later)


def test_there_is_no_reply_before_the_first_round(small: SolveTool) -> None:
    with pytest.raises(gs.OptionError, match="Nothing was solved yet"):
        _ = small.converse({"grid": EMPTY}).reply


async def test_a_conversation_that_is_cancelled_does_not_solve_on(
    small: SolveTool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled = Stalled()
    monkeypatch.setattr(small.solver._session, "run", stalled)
    fresh = [[0, 0, 0, 3], *EMPTY[1:]]  # an equal request would be recalled, not solved
    task = asyncio.create_task(small.converse({"grid": fresh}).arun())
    assert await asyncio.to_thread(stalled.begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(stalled.ended.wait, 10)


# The way of a call


class Walk:
    """Records, while a call runs, every way from it to ONNX Runtime, and every copy of the request that is made.

    Args:
        request: Of the call; its only property is held against what functions return.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.ways: list[list[tuple[str, str]]] = []
        self._request = dict(request)
        self._copies: dict[int, Any] = {}

    @property
    def copies(self) -> int:
        """Different objects that equal the request's property, beside the caller's own."""
        return len(self._copies)

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_name == "run" and code.co_filename.endswith("groundstate/_session.py"):
            self.ways.append(_way(frame.f_back))
        if event == "return" and "/groundstate/" in code.co_filename:
            parts = argument if isinstance(argument, tuple) else (argument,)
            for part in (getattr(part, "request", part) for part in parts):
                for name, value in self._request.items():
                    copied = part.get(name) if isinstance(part, Mapping) else part
                    if isinstance(copied, list) and copied is not value and copied == value:
                        self._copies[id(copied)] = copied


def _way(frame: FrameType | None) -> list[tuple[str, str]]:
    """The functions of this project that are being called, from the outermost on, with their files."""
    way: list[tuple[str, str]] = []
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if {"groundstate", "langchain_groundstate"} & set(path.parts[-3:-1]):
            way.append((path.name, frame.f_code.co_name))
        frame = frame.f_back
    return way[::-1]


def test_a_langchain_call_reaches_the_session_in_ten_calls_through_six_files(sudoku: gs.Solver) -> None:
    langchain_groundstate = pytest.importorskip("langchain_groundstate")
    tool = langchain_groundstate.EnergyTool(sudoku)
    request = {"grid": rows(EASY)}
    walk = Walk(request)
    threading.setprofile(walk)
    sys.setprofile(walk)
    try:
        tool.invoke(request)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert walk.ways
    longest = max(walk.ways, key=len)
    # Each function on the way makes one call, the last one that of the session's `run`.
    assert longest[0] == ("_tools.py", "_run")
    assert len(longest) <= 10, longest
    assert len({file for file, _ in longest}) <= 6, longest
    assert walk.copies == 1
