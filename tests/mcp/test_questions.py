"""Questions over MCP: {accept, decline, cancel, cannot ask} in both eras of the protocol, over each transport."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.server import Server
from mcp_types import ElicitRequestFormParams, ElicitResult, ErrorData

import groundstate as gs
from groundstate_mcp import _questions, build_server
from tests.mcp.talking import (
    BUDGET,
    ERAS,
    OPEN,
    REPEATED,
    SOLUTION,
    TOOL,
    User,
    chosen,
    client,
    declining,
    knowing,
    record,
    rows,
    said,
    text,
)


async def test_questions_lead_the_user_to_the_answer_in_mind(anywhere: Any, era: str) -> None:
    user = knowing()
    async with client(anywhere, era, user) as one:
        assert one.protocol_version == era
        told = record(await one.call_tool(TOOL, OPEN))
    assert (told["status"], told["answer"]) == ("solved", {"grid": rows(SOLUTION)})
    assert len(user.asked) > 1
    assert [(asked["text"], asked["reply"]) for asked in told["asked"]] == [
        (form.message, said(form.message)) for form in user.asked
    ]


async def test_who_declines_gets_the_result_with_its_question(anywhere: Any, era: str) -> None:
    user = declining()
    async with client(anywhere, era, user) as one:
        told = record(await one.call_tool(TOOL, OPEN))
    assert told["status"] == "ambiguous"
    assert [form.message for form in user.asked] == [told["question"]["text"]]
    assert "asked" not in told


async def test_who_closes_the_second_form_keeps_the_first_reply(server: Server[Any], era: str) -> None:
    user = User(lambda form: chosen(said(form.message)) if len(user.asked) == 1 else ElicitResult(action="cancel"))
    async with client(server, era, user) as one:
        told = record(await one.call_tool(TOOL, OPEN))
    assert [form.message for form in user.asked] == [told["asked"][0]["text"], told["question"]["text"]]
    assert told["status"] == "ambiguous"


async def test_a_client_that_cannot_ask_replies_in_further_calls(anywhere: Any, era: str) -> None:
    replies: dict[str, str] = {}
    async with client(anywhere, era) as one:
        told = record(await one.call_tool(TOOL, OPEN))
        assert told["status"] == "ambiguous"
        while "question" in told:
            replies[told["question"]["id"]] = said(told["question"]["text"])
            told = record(await one.call_tool(TOOL, {**OPEN, "replies": replies}))
    assert (told["status"], told["answer"]) == ("solved", {"grid": rows(SOLUTION)})
    assert len(replies) > 1


async def test_both_eras_and_every_time_tell_the_same_bytes() -> None:
    told = set()
    for era in ERAS:
        fresh = build_server(gs.load("sudoku_4x4"), **BUDGET)
        async with client(fresh, era, knowing()) as one:
            for _ in range(2):
                told.add(text(await one.call_tool(TOOL, OPEN)))
    assert len(told) == 1


async def test_a_form_is_one_choice_among_the_ids_of_options(server: Server[Any], era: str) -> None:
    user = declining()
    async with client(server, era, user) as one:
        told = record(await one.call_tool(TOOL, OPEN))
    ids = [option["id"] for option in told["question"]["options"]]
    assert user.asked[0].requested_schema == {
        "type": "object",
        "properties": {"reply": {"type": "string", "title": "Reply", "enum": ids}},
        "required": ["reply"],
    }


async def test_options_with_labels_are_shown_with_them(server: Server[Any], era: str) -> None:
    user = User(lambda form: chosen(_first(form)))
    async with client(server, era, user) as one:
        told = record(await one.call_tool(TOOL, REPEATED))
    first = user.asked[0].requested_schema["properties"]["reply"]["oneOf"][0]
    assert first == {"const": "without grid[0][0]", "title": "Without the 1 in row 1, column 1."}
    assert told["asked"][0]["reply"] == "without grid[0][0]"
    assert told["answer"]["grid"][0][0] != 1
    assert told["answer"]["grid"][0][1] == 1


def _first(form: ElicitRequestFormParams) -> str:
    choice = form.requested_schema["properties"]["reply"]
    return str(choice["oneOf"][0]["const"] if "oneOf" in choice else choice["enum"][0])


async def test_nobody_is_asked_where_questions_are_to_be_returned(small: gs.Solver, era: str) -> None:
    user = knowing()
    async with client(build_server(small, on_question="return", **BUDGET), era, user) as one:
        assert "question" in record(await one.call_tool(TOOL, OPEN))
    assert user.asked == []


async def test_after_the_most_questions_what_is_open_stands_in_the_result(
    server: Server[Any], era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_questions, "MOST", 2)
    user = knowing()
    async with client(server, era, user) as one:
        told = record(await one.call_tool(TOOL, OPEN))
        replies = {asked["id"]: asked["reply"] for asked in told["asked"]}
        assert len(replies) == 2
        replies[told["question"]["id"]] = said(told["question"]["text"])
        told = record(await one.call_tool(TOOL, {**OPEN, "replies": replies}))
    assert (told["status"], told["answer"]) == ("solved", {"grid": rows(SOLUTION)})


async def test_a_reply_that_is_none_of_the_options_is_refused_with_them(server: Server[Any], era: str) -> None:
    async with client(server, era, User(lambda _: chosen("five"))) as one:
        result = await one.call_tool(TOOL, OPEN)
    assert result.is_error
    assert "'five' is none of the options, which are '1'" in text(result)


async def test_an_unknown_option_among_the_arguments_is_refused(server: Server[Any], era: str) -> None:
    async with client(server, era) as one:
        asked = record(await one.call_tool(TOOL, OPEN))["question"]
        result = await one.call_tool(TOOL, {**OPEN, "replies": {asked["id"]: "9"}})
    assert result.is_error
    assert f"replies.{asked['id']}: '9' is none of the options" in text(result)


async def test_a_stale_question_is_refused_with_the_one_that_is_open(server: Server[Any], era: str) -> None:
    async with client(server, era) as one:
        stale = record(await one.call_tool(TOOL, OPEN))["question"]
        other = {"grid": rows("02" + "0" * 14)}
        open_ = record(await one.call_tool(TOOL, other))["question"]
        result = await one.call_tool(TOOL, {**other, "replies": {stale["id"]: stale["options"][0]["id"]}})
    assert result.is_error
    assert f"replies.{stale['id']}: There is no such question" in text(result)
    assert repr(open_["id"]) in text(result)


async def test_a_client_that_says_it_can_ask_and_does_not_gets_the_question(server: Server[Any]) -> None:
    async def broken(*_: Any) -> ErrorData:
        return ErrorData(code=-32601, message="Method not found")

    async with client(server, "2025-11-25", broken) as one:
        assert "question" in record(await one.call_tool(TOOL, OPEN))


async def test_two_sessions_at_once_are_each_asked_about_their_own(anywhere: Any, era: str) -> None:
    """Each user waits with the first reply until the other one has been asked as well."""
    waiting = [anyio.Event(), anyio.Event()]
    # The same board with other digits: 1 and 2 change places.
    requests = [OPEN, {"grid": rows("2" + "0" * 15)}]
    swapped = str.maketrans("12", "21")
    told: dict[int, dict[str, Any]] = {}

    def user(index: int) -> Any:
        async def reply(_context: Any, form: Any) -> Any:
            waiting[index].set()
            await waiting[1 - index].wait()
            digit = said(form.message)
            return chosen(digit.translate(swapped) if index else digit)

        return reply

    async def talk(index: int) -> None:
        async with client(anywhere, era, user(index)) as one:
            told[index] = record(await one.call_tool(TOOL, requests[index]))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(talk, 0)
            group.start_soon(talk, 1)
    assert told[0]["answer"] == {"grid": rows(SOLUTION)}
    assert told[1]["answer"] == {"grid": rows(SOLUTION.translate(swapped))}


async def test_a_conversation_may_be_taken_up_without_the_reply(server: Server[Any]) -> None:
    """A client of rounds that sends the state back and no reply is asked the same again."""
    async with Client(server, mode="auto", elicitation_callback=declining()) as one:
        first = await one.session.call_tool(TOOL, OPEN, allow_input_required=True)
        again = await one.session.call_tool(TOOL, OPEN, request_state=first.request_state, allow_input_required=True)
    assert first.input_requests == again.input_requests
