"""A graph that solves and asks a person. Here a script takes the first option every time."""

from typing import Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from langchain_groundstate import energy_node


class State(TypedDict, total=False):
    request: dict[str, Any]
    solution: dict[str, Any]


builder = StateGraph(State)
builder.add_node("solve", energy_node("sudoku_4x4", on_question="interrupt"))
builder.add_edge(START, "solve")
builder.add_edge("solve", END)
graph = builder.compile(checkpointer=InMemorySaver())

thread = {"configurable": {"thread_id": "1"}}
state = graph.invoke({"request": {"grid": "12..34.........."}}, thread)
while "__interrupt__" in state:
    (asked,) = state["__interrupt__"]
    question = asked.value["question"]
    print(question["text"], *(f"{option['label']} (leaves {option['answers_left']})" for option in question["options"]))
    state = graph.invoke(Command(resume=question["options"][0]["id"]), thread)
print(state["solution"]["status"], state["solution"]["answer"]["grid"])
