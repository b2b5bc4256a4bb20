"""Artefacts as tools for language models, independent of a framework. Adapters only translate these tools.

>>> from groundstate.tools import SolveTool
>>> tool = SolveTool("sudoku")
>>> tool.name
'solve_sudoku'
>>> tool.call({"grid": "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"}).record["status"]
'solved'
"""

from groundstate.tools._arguments import Call
from groundstate.tools._base import LLMTool, Reply
from groundstate.tools._content import Asked, Detail
from groundstate.tools._conversation import Conversation, Replier
from groundstate.tools._describe import DescribeTool
from groundstate.tools._options import Model, SolveOptions, card, collected, opened
from groundstate.tools._solve import SolveTool

__all__ = [
    "Asked",
    "Call",
    "Conversation",
    "DescribeTool",
    "Detail",
    "LLMTool",
    "Model",
    "Replier",
    "Reply",
    "SolveOptions",
    "SolveTool",
    "card",
    "collected",
    "opened",
]
