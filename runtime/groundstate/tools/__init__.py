"""Artefacts as tools for language models, whatever the framework: the adapters translate these and hold no rules of their own.

>>> from groundstate.tools import SolveTool
>>> tool = SolveTool("sudoku")
>>> tool.name
'solve_sudoku'
>>> tool.call({"grid": "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"}).record["status"]
'solved'
"""

from groundstate.tools._content import Asked, Detail
from groundstate.tools._options import Model, SolveOptions, card, collected, opened
from groundstate.tools._tool import DescribeTool, Reply, ScoreTool, SolveTool, Tool

__all__ = [
    "Asked",
    "DescribeTool",
    "Detail",
    "Model",
    "Reply",
    "ScoreTool",
    "SolveOptions",
    "SolveTool",
    "Tool",
    "card",
    "collected",
    "opened",
]
