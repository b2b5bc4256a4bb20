"""A chat model replies to the questions of the energy. Runs offline: a script stands in for the model."""

import json
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_groundstate import EnergyTool, ask_llm


class Scripted(BaseChatModel):
    """Prints the question and chooses the first option. Any chat model with structured output can replace it."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, *_tools: Any, **_options: Any) -> "Scripted":
        return self

    def _generate(self, messages: list[BaseMessage], *_args: Any, **_options: Any) -> ChatResult:
        asked = json.loads(messages[-1].text)
        option = asked["options"][0]["id"]
        print(asked["question"], [option["id"] for option in asked["options"]], "→", option)
        message = AIMessage("", tool_calls=[ToolCall(name="reply", args={"option": option}, id="1")])
        return ChatResult(generations=[ChatGeneration(message=message)])


decide = ask_llm(Scripted(), instructions="The user likes small digits in the last row.")
tool = EnergyTool("sudoku_4x4", on_question=decide)
outcome = json.loads(tool.invoke({"grid": "12..34.........."}))
print(outcome["status"], outcome["answer"]["grid"], f"after {len(outcome['asked'])} replies")
