"""A LangGraph node that solves, and a condition for its edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from langchain_core.runnables import RunnableLambda

import groundstate as gs
from groundstate.tools import Conversation, Model, Reply, SolveOptions, SolveTool
from langchain_groundstate._progress import progress
from langchain_groundstate._replies import OnQuestion, replier


def energy_node(
    model: Model,
    *,
    request_key: str = "request",
    solution_key: str = "solution",
    on_question: OnQuestion = "return",
    device: str = "cpu",
    **solve_options: Unpack[SolveOptions],
) -> RunnableLambda[Any, dict[str, Any]]:
    """A node of a LangGraph graph. It solves the request in the state, and writes the outcome to the state.

    The outcome is `Solution.to_json` with the solved ``request``: plain JSON, which every checkpointer can store. Put
    replies to a question into the request as ``{"replies": {id of the question: id of an option}}``, or apply them with
    `Option.apply`.

    Args:
        model: As in `EnergyTool`.
        request_key: The key of the request in the state, which is a mapping or an object with attributes.
        solution_key: The key of the solution in the state.
        on_question: As in `EnergyTool`.
        device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
        solve_options: See `SolveOptions`.

    Raises:
        GroundstateError: If the model cannot be loaded.
        OptionError: If an option is unknown or out of range; from the node, if a question cannot be asked.
        RequestError: From the node, if the request in the state does not fit the schema.
    """
    tool = SolveTool(model, device=device, score=False, **solve_options)
    ask = replier(on_question, tool.name, tool.options)

    def conversation(state: Any) -> Conversation:
        return tool.converse(_request(state, request_key), watch=progress(tool.name))

    def update(reply: Reply) -> dict[str, Any]:
        solution = reply.outcome
        assert isinstance(solution, gs.Solution)
        return {solution_key: {**solution.to_json(), "request": dict(solution.request)}}

    def solve(state: Any) -> dict[str, Any]:
        return update(conversation(state).run(ask))

    async def asolve(state: Any) -> dict[str, Any]:
        return update(await conversation(state).arun(ask))

    return RunnableLambda(solve, asolve, name=tool.name)


def needs_reply(state: Any, *, solution_key: str = "solution") -> bool:
    """Whether the solution in a state has a question: the path of a conditional edge.

    >>> needs_reply({"solution": {"status": "solved", "question": None}})
    False
    """
    solution = _held(state, solution_key)
    return isinstance(solution, Mapping) and solution.get("question") is not None


def _request(state: Any, key: str) -> Mapping[str, Any]:
    request = _held(state, key)
    if not isinstance(request, Mapping):
        fault = "is missing" if request is None else f"is of type {type(request).__name__}, and must be an object"
        raise gs.RequestError([gs.Fault(key, f"The request in the graph's state {fault}.")])
    return request


def _held(state: Any, key: str) -> Any:
    return state.get(key) if isinstance(state, Mapping) else getattr(state, key, None)
