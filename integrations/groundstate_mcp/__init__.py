"""Energy-based models served over the Model Context Protocol: tools that solve, score, describe and ask.

>>> from groundstate_mcp import build_server, serving
>>> server = build_server(["sudoku"])
>>> serving.over_stdio(server)  # doctest: +SKIP
"""

import importlib.util

if importlib.util.find_spec("mcp") is None:
    raise ImportError("groundstate_mcp needs mcp; install it with: pip install 'groundstate[mcp]'.")

from groundstate_mcp import serving
from groundstate_mcp._server import OnQuestion, build_server

__all__ = ["OnQuestion", "build_server", "serving"]
