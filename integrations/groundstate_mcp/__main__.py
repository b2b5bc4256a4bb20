"""``python -m groundstate_mcp sudoku``: the same as ``groundstate serve --mcp sudoku``."""

import sys

from groundstate.cli._app import run

sys.exit(run(["serve", "--mcp", *sys.argv[1:]]))
