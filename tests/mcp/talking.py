"""Clients and their users: every transport, both eras of the protocol, and whoever sits in front."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from mcp import Client
from mcp.client import ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestFormParams, ElicitRequestParams, ElicitResult, TextContent

ERAS = {"2025-11-25": "legacy", "2026-07-28": "auto"}
"""Modes of the SDK's client, by the version that it then speaks."""

TOOL = "solve_sudoku_4x4"
SOLUTION = "1234341221434321"
"""A full board of 4×4; its first digit alone leaves many answers, and several questions lead to this one."""

BUDGET = {"restarts": 16, "max_steps": 256}


def rows(text: str) -> list[list[int]]:
    """16 characters as 4 lists of 4 digits."""
    return [[int(digit) for digit in text[start : start + 4]] for start in range(0, 16, 4)]


OPEN = {"grid": rows("1" + "0" * 15)}
REPEATED = {"grid": rows("11" + "0" * 14)}


def said(question: str) -> str:
    """The digit of `SOLUTION` that a question asks for."""
    row, column = map(int, re.findall(r"\d+", question))
    return SOLUTION[(row - 1) * 4 + column - 1]


@dataclass
class User:
    """Answers forms. `asked` are the forms that came."""

    reply: Callable[[ElicitRequestFormParams], ElicitResult]
    asked: list[ElicitRequestFormParams] = field(default_factory=list)

    async def __call__(self, _context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params)
        return self.reply(params)


def chosen(reply: str) -> ElicitResult:
    return ElicitResult(action="accept", content={"reply": reply})


def knowing() -> User:
    """A user who has `SOLUTION` in mind."""
    return User(lambda form: chosen(said(form.message)))


def declining() -> User:
    return User(lambda _: ElicitResult(action="decline"))


def client(server: Any, era: str, user: Callable[..., Awaitable[Any]] | None = None) -> Client:
    """A client of an era; without a user it cannot ask anybody."""
    return Client(server, mode=ERAS[era], elicitation_callback=user)


def record(result: CallToolResult) -> dict[str, Any]:
    """What a result says, once it is known to be no error."""
    assert not result.is_error, text(result)
    assert result.structured_content is not None
    return result.structured_content


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text
