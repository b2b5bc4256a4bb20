"""Lower, optimise and unroll: from captured steps to the graph of a segment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

import groundstate_export.operators  # noqa: F401  # it registers translations
from groundstate_export.capture import Program
from groundstate_export.draft import Draft
from groundstate_export.entries import NUMPY
from groundstate_export.ir import Batch, Graph, Value
from groundstate_export.lower import Lowering
from groundstate_export.passes import optimise


def lower(program: Program) -> Graph:
    """A captured function as a graph of its own."""
    graph = Graph()
    for name, spec in program.inputs.items():
        graph.input(name, NUMPY[spec.dtype], (Batch(), *spec.shape))
    lowering = Lowering(graph)
    entries = lowering.run(program, graph.inputs)
    graph.outputs = {name: lowering.full(entry) for name, entry in entries.items()}
    return graph


def lower_all(draft: Draft) -> None:
    """Lower every captured function."""
    draft.graphs = {name: lower(program) for name, program in draft.programs.items()}


def optimise_all(draft: Draft, like: Mapping[str, int] | None = None) -> dict[str, int]:
    """Optimise every graph: what depends on the state is what costs.

    Args:
        draft: Gets the graphs.
        like: Rounds of rewriting by graph, as another size of the same took, so that both come out alike.

    Returns:
        The rounds that each took.
    """
    taken = {}
    for name, graph in draft.graphs.items():
        draft.graphs[name], taken[name] = optimise(graph, moving(graph), like[name] if like else None)
    return taken


def moving(graph: Graph) -> list[str]:
    """The inputs that change from step to step."""
    return [name for name in graph.inputs if name.startswith(("state.", "noise.", "answer."))]


def declare(draft: Draft) -> Graph:
    """A graph with the inputs of a segment and nothing else."""
    graph = Graph()
    step = draft.graphs["quiet"].inputs
    for name in (*draft.inputs, *(f"state.{name}" for name in draft.state_specs())):
        graph.input(name, step[name].dtype, step[name].shape)
    for name in draft.state if draft.kicks else ():
        _, *row = step[f"state.{name}"].shape
        graph.input(f"noise.{name}", np.float32, (Batch(), len(draft.kicks), *row))
    graph.input("rate", np.float32, (Batch(),))
    return graph


def begin(draft: Draft, graph: Graph) -> dict[str, Value]:
    """The state that the steps start from: as it is given, brought to where the rule keeps it."""
    state = {name: graph.inputs[f"state.{name}"] for name in draft.state_specs()}
    if "start" in draft.graphs:
        found = graph.inline(draft.graphs["start"], graph.inputs)
        state |= {name: found[f"next.{name}"] for name in draft.state}
    return state


def unroll(draft: Draft) -> None:
    """Chain the steps of a segment. What does not depend on the state is shared, because equal values are one value."""
    graph = declare(draft)
    state = begin(draft, graph)
    trace = []
    path: dict[str, list[Value]] = {}
    for step in range(draft.unroll):
        bindings = dict(graph.inputs) | {f"state.{name}": value for name, value in state.items()}
        kick = draft.kicks.index(step) if step in draft.kicks else None
        if kick is not None:
            bindings |= {f"noise.{n}": _kick(graph, graph.inputs[f"noise.{n}"], kick) for n in draft.state}
        before = len(graph.nodes)
        told = step in draft.traced
        if told and "record" in draft.graphs:
            for name, value in graph.inline(draft.graphs["record"], bindings).items():
                path.setdefault(name, []).append(graph.reshape(value, (Batch(), 1, *value.shape[1:])))
        update = draft.graphs["quiet" if kick is None else "kick"]
        found = graph.inline(update if told else _untold(update), bindings)
        if step == 1:
            draft.nodes_a_step = len(graph.nodes) - before
        elif step == 0:
            draft.nodes_a_step = len(graph.nodes)
        state = {name: found[f"next.{name}"] for name in state}
        if told:
            trace.append(graph.reshape(found["energy"], (Batch(), 1)))
    columns = {"trace": _stack(graph, trace)} | {name: _stack(graph, values) for name, values in path.items()}
    finish(draft, graph, state, columns)


def _untold(update: Graph) -> Graph:
    """A step without its energy: what only that needs goes with it."""
    return replace(update, outputs={name: v for name, v in update.outputs.items() if name.startswith("next.")})


def finish(draft: Draft, graph: Graph, state: dict[str, Value], more: dict[str, Value]) -> None:
    """Evaluate the state that the steps end in, and make all of it the outputs of the segment.

    Args:
        draft: Gets the graph.
        graph: The steps.
        state: Where they end.
        more: What they return besides.
    """
    found = graph.inline(draft.graphs["last"], dict(graph.inputs) | {f"state.{n}": v for n, v in state.items()})
    outputs = {f"next.{name}": value for name, value in state.items()}
    outputs |= {name: found[name] for name in ("energy", "terms", "residual")} | more
    graph.outputs = distinct(graph, outputs | {name: value for name, value in found.items() if name not in outputs})
    draft.graph = graph
    depends = graph.depending_on(moving(graph))
    once = [node for node in graph.needed() if node.outputs[0] not in depends]
    draft.hoisted = dict(Counter(node.op for node in once))


def _stack(graph: Graph, steps: list[Value]) -> Value:
    first = steps[0]
    if len(steps) == 1:
        return first
    return graph.emit("Concat", steps, (Batch(), len(steps), *first.shape[2:]), axis=1)


def _kick(graph: Graph, noise: Value, index: int) -> Value:
    if noise.shape[1] == 1:
        return graph.reshape(noise, (noise.shape[0], *noise.shape[2:]))
    one = [graph.constant([n], np.int64) for n in (index, index + 1, 1, 1)]
    row = graph.emit("Slice", [noise, *one], (noise.shape[0], 1, *noise.shape[2:]))
    return graph.reshape(row, (noise.shape[0], *noise.shape[2:]))


def distinct(graph: Graph, outputs: dict[str, Value]) -> dict[str, Value]:
    """Outputs that each are computed by a node of this graph, and by one that no other output has."""
    own = {value for node in graph.nodes for value in node.outputs}
    seen: set[Value] = set()
    found = {}
    for name, value in outputs.items():
        found[name] = graph.copy(value) if value not in own or value in seen else value
        seen.add(value)
    return found
