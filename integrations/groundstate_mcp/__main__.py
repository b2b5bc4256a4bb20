"""``python -m groundstate_mcp sudoku``: the same as ``groundstate serve --mcp sudoku``."""

import sys

from groundstate.cli.console import run
from groundstate_mcp._command import command

sys.exit(run(command, ["--mcp", *sys.argv[1:]], "groundstate serve"))
