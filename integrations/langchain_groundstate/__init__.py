"""Energy-based models as LangChain tools: a language model hands over a problem and gets a checked answer back.

>>> from langchain_groundstate import EnergyTool
>>> tool = EnergyTool("sudoku", restarts=32)
>>> tool.name
'solve_sudoku'
"""

import importlib.util

if importlib.util.find_spec("langchain_core") is None:
    raise ImportError(
        "langchain_groundstate needs langchain-core; install it with: pip install 'groundstate[langchain]'."
    )

from groundstate.tools import Replier, SolveOptions
from langchain_groundstate._llm import LLMReplier, ask_llm
from langchain_groundstate._node import energy_node, needs_reply
from langchain_groundstate._replies import OnQuestion
from langchain_groundstate._toolkit import EnergyToolkit
from langchain_groundstate._tools import EnergyCatalogTool, EnergyLearnTool, EnergyTool

__all__ = [
    "EnergyCatalogTool",
    "EnergyLearnTool",
    "EnergyTool",
    "EnergyToolkit",
    "LLMReplier",
    "OnQuestion",
    "Replier",
    "SolveOptions",
    "ask_llm",
    "energy_node",
    "needs_reply",
]
