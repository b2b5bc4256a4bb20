"""A server in Python, and a client in the same process that calls it once."""

import asyncio

from mcp import Client

from groundstate_mcp import build_server

server = build_server(["sudoku", "sudoku_4x4"], restarts=32)


async def main() -> None:
    async with Client(server) as client:
        result = await client.call_tool("solve_sudoku_4x4", {"grid": "12.. ..12 .14. 4..1"})
        print(result.structured_content["status"], result.structured_content["answer"]["grid"])


asyncio.run(main())
