"""A LangGraph agent with a person in the loop: a language model sends a puzzle, the energy asks, you reply.

    python examples/langgraph_person.py                                 # offline: a script stands in for the model
    python examples/langgraph_person.py --puzzle 1...............
    python examples/langgraph_person.py --model openai:gpt-5-mini       # any chat model that calls tools

The puzzle has several solutions. Instead of returning one of them, the tool interrupts the agent's run with a question: which
digit is in one cell. The options are the possible digits, each with the number of solutions that it leaves. A reply resumes
the run, until the next question or until one solution is left. An empty reply accepts the current result.

Needs: pip install "groundstate[cpu,langgraph]" langchain, and for a real model the package of its provider.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

import groundstate as gs
from langchain_groundstate import EnergyTool

PUZZLE = "12..34.........."


class Scripted(BaseChatModel):
    """Stands in for a language model: copies the puzzle into a tool call, and repeats the result."""

    tool: str

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, *_tools: Any, **_options: Any) -> Scripted:
        return self

    def _generate(self, messages: list[BaseMessage], *_args: Any, **_options: Any) -> ChatResult:
        message = messages[-1]
        if isinstance(message, ToolMessage):
            outcome = json.loads(message.text)
            rows = outcome["answer"]["grid"] if "answer" in outcome else []
            reply = AIMessage("\n".join([outcome["message"], *(" ".join(map(str, row)) for row in rows)]))
        else:
            grid = message.text.split()[-1]
            reply = AIMessage("", tool_calls=[ToolCall(name=self.tool, args={"grid": grid}, id="1")])
        return ChatResult(generations=[ChatGeneration(message=reply)])


def replied(asked: dict[str, Any], solver: gs.Solver, read: Callable[[str], str]) -> dict[str, Any]:
    """Print the question of an interrupt, and return the typed reply as the value that resumes the run."""
    if "refused" in asked:  # the last reply was not an option; the rest is already printed
        print(asked["refused"])
    else:
        print(f"\nSo far:\n{solver.draw(asked['request'], asked.get('answer'))}\n")
    question = asked["question"]
    print(question["text"])
    for option in question["options"]:
        label = "" if option["label"] == option["id"] else f"  {option['label']}"
        print(
            f"  {option['id']}{label}  (leaves {option['answers_left']} of {question['answers_found']} solutions found)"
        )
    try:
        typed = read("Your reply (empty to accept the current result): ").strip()
    except EOFError:
        typed = ""
    return {"option": typed or None, "question": question["id"]}


def main(arguments: Sequence[str] | None = None, read: Callable[[str], str] = input) -> None:
    parser = argparse.ArgumentParser(description="An agent that asks you questions.")
    parser.add_argument("--puzzle", default=PUZZLE, help="cells row by row, . for an empty cell")
    parser.add_argument("--energy", default="sudoku_4x4", help="an installed model, or the path of an .onnx file")
    parser.add_argument("--model", help="a chat model for init_chat_model: provider:name")
    options = parser.parse_args(arguments)

    solver = gs.load(options.energy)
    tool = EnergyTool.from_model(solver, on_question="interrupt")
    model = init_chat_model(options.model) if options.model else Scripted(tool=tool.name)
    agent = create_agent(model, [tool], checkpointer=InMemorySaver())

    thread: RunnableConfig = {"configurable": {"thread_id": "a person"}}
    state = agent.invoke({"messages": [HumanMessage(f"Solve this Sudoku with the tool: {options.puzzle}")]}, thread)
    while "__interrupt__" in state:  # one interrupt for each waiting call of the tool
        replies = {asked.id: replied(asked.value, solver, read) for asked in state["__interrupt__"]}
        state = agent.invoke(Command(resume=replies), thread)
    print(f"\n{state['messages'][-1].text}")


if __name__ == "__main__":
    main()
