"""Progress of a descent, as custom events of LangChain."""

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from langchain_groundstate import EnergyTool


class Printing(BaseCallbackHandler):
    def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        if name == "groundstate_progress":
            print(f"{data['tool']}: step {data['steps']}, {data['chains']} chains, {data['broken']} violations at best")


tool = EnergyTool("sudoku")
puzzle = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
tool.invoke({"grid": puzzle}, {"callbacks": [Printing()]})
