"""A session over MCP, offline: a client starts the server, lists its tools, solves, and replies to questions.

    pip install "groundstate[cpu,mcp]"
    python examples/mcp_session.py

The client is the MCP SDK's, and a script stands in for the user. Claude Code, Cursor or VS Code start the same server with
the same command, and show the questions as forms; docs/mcp.md has their configuration.
"""

import asyncio
import sys

from mcp import Client, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

SERVER = StdioServerParameters(command=sys.executable, args=["-m", "groundstate_mcp", "sudoku_4x4"])

CLUES = [
    [1, 0, 0, 0],
    [0, 0, 0, 2],
    [0, 0, 0, 0],
    [0, 3, 0, 0],
]


async def first_option(_: ClientRequestContext, form: ElicitRequestParams) -> ElicitResult:
    """Stands in for the user: takes the first option."""
    choice = form.requested_schema["properties"]["reply"]  # type: ignore[union-attr]
    options = choice.get("enum") or [option["const"] for option in choice["oneOf"]]
    print(f"  {form.message} {' or '.join(options)}? {options[0]}.")
    return ElicitResult(action="accept", content={"reply": options[0]})


async def asked() -> None:
    """A client that can ask: it receives questions as forms during the call."""
    async with Client(SERVER, elicitation_callback=first_option) as client:
        for tool in (await client.list_tools()).tools:
            print(f"{tool.name}: {tool.title}")
        print("The user is asked:")
        show(await client.call_tool("solve_sudoku_4x4", {"grid": CLUES}))


async def replied() -> None:
    """A client that cannot ask: the question is in the result, and the next call sends the reply."""
    async with Client(SERVER) as client:
        request = {"grid": CLUES, "replies": {}}
        while True:
            result = await client.call_tool("solve_sudoku_4x4", request)
            question = (result.structured_content or {}).get("question")
            if question is None:
                break
            request["replies"][question["id"]] = question["options"][0]["id"]
        print(f"Replied in {len(request['replies'])} further calls:")
        show(result)


def show(result: CallToolResult) -> None:
    """Print the status and the grid."""
    outcome = result.structured_content or {}
    print(outcome["status"])
    for row in outcome["answer"]["grid"]:
        print(" ".join(map(str, row)))


if __name__ == "__main__":
    asyncio.run(asked())
    asyncio.run(replied())
