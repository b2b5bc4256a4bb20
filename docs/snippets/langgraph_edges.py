"""Two nodes and an edge back: the graph loops until there is no question."""

from typing import Any, TypedDict

from langgraph.graph import END, START, StateGraph

from langchain_groundstate import energy_node, needs_reply


class State(TypedDict, total=False):
    request: dict[str, Any]
    solution: dict[str, Any]


def reply(state: State) -> State:
    """Reply to the question in the state, here with the option that leaves most answers."""
    question = state["solution"]["question"]
    option = max(question["options"], key=lambda option: option["answers_left"])
    replies = state["request"].get("replies", {}) | {question["id"]: option["id"]}
    return {"request": state["request"] | {"replies": replies}}


builder = StateGraph(State)
builder.add_node("solve", energy_node("sudoku_4x4"))
builder.add_node("reply", reply)
builder.add_edge(START, "solve")
builder.add_conditional_edges("solve", needs_reply, {True: "reply", False: END})
builder.add_edge("reply", "solve")

state = builder.compile().invoke({"request": {"grid": "12..34.........."}})
print(state["solution"]["status"], "after", len(state["request"]["replies"]), "replies")
