"""docs/langchain.md: its programs are files that run, and the page names all that is exported and asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command

import langchain_groundstate
from groundstate.tools import SolveOptions
from langchain_groundstate import energy_node
from tests.docs import pages

PAGE = pages.read("langchain.md")
SNIPPETS = {
    "langchain_agent.py": r"solved in \d+ steps, \d+ chains\n5 3 4 6 7 8 9 1 2\n",
    "langgraph_interrupt.py": r"(Which digit .*\? (\d \(leaves \d+\) ?)+\n)+solved \[\[1, 2, .*\]\]\n",
    "langgraph_edges.py": r"solved after \d+ replies\n",
    "langchain_ask_llm.py": r"(Which digit .*\? \[.*\] → \d\n)+solved \[\[1, 2, .*\]\] after \d+ replies\n",
    "langchain_progress.py": r"(solve_sudoku: step \d+, \d+ chains, \d+ violations at best\n)+",
}


@pytest.mark.parametrize(("name", "said"), SNIPPETS.items())
def test_a_program_of_the_page_is_a_file_that_runs(name: str, said: str, tmp_path: Path) -> None:
    assert pages.block(PAGE, name) == (pages.SNIPPETS / name).read_text(encoding="utf-8")
    assert re.match(said, pages.run(name, tmp_path))


def test_the_page_has_every_program_that_is_about_langchain() -> None:
    assert {path.name for path in pages.SNIPPETS.glob("lang*.py")} == set(SNIPPETS)


def test_the_page_names_all_that_is_exported_but_types_and_every_option() -> None:
    types = {"LLMReplier", "OnQuestion", "Replier", "SolveOptions"}
    named = {*langchain_groundstate.__all__} - types | {*SolveOptions.__annotations__}
    assert [name for name in sorted(named) if f"`{name}" not in PAGE] == []


def test_the_page_names_every_key_of_an_interrupt() -> None:
    builder = StateGraph(dict)
    builder.add_node("solve", energy_node("sudoku_4x4", on_question="interrupt"))
    builder.add_edge(START, "solve")
    graph, keys = builder.compile(checkpointer=InMemorySaver()), set[str]()
    for thread, grid in enumerate(([[0] * 4] * 4, [[1, 1, 0, 0], [0] * 4, [0] * 4, [0] * 4])):
        config: RunnableConfig = {"configurable": {"thread_id": str(thread)}}
        for step in ({"request": {"grid": grid}}, Command(resume="neither of these")):
            (asked,) = graph.invoke(step, config)["__interrupt__"]
            keys.update(asked.value)
    assert {"refused", "answer", "closest"} < keys
    table = PAGE.partition("The value of an interrupt is JSON:")[2].partition("and its `response_schema`")[0]
    firsts = "".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"`(\w+)`", firsts)) == keys
