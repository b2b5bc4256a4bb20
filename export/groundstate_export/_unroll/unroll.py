"""Unroll: build the graph of a segment from the graphs of its steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from groundstate_export._examine.examined import Examined
from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Batch, Value
from groundstate_export._optimise.optimise import moving
from groundstate_export._unroll.segment import Segment


def declare(examined: Examined, graphs: Functions[Graph]) -> Graph:
    """A graph with only the inputs of a segment."""
    graph = Graph()
    step = graphs.step.inputs
    for name in (*examined.inputs, *(f"state.{name}" for name in examined.state_specs())):
        graph.input(name, step[name].dtype, step[name].shape)
    for name in examined.state if examined.noisy else ():
        state = step[f"state.{name}"]
        graph.input(f"noise.{name}", state.dtype, (Batch(), len(examined.noisy), *state.shape[1:]))
    graph.input("step_scale", np.float32, (Batch(),))
    return graph


def begin(examined: Examined, graphs: Functions[Graph], graph: Graph) -> dict[str, Value]:
    """The state before the first step: the given one, moved to the nearest feasible one."""
    state = {name: graph.inputs[f"state.{name}"] for name in examined.state_specs()}
    if graphs.start is not None:
        found = graph.inline(graphs.start, graph.inputs)
        state |= {name: found[f"next.{name}"] for name in examined.state}
    return state


def unroll(examined: Examined, graphs: Functions[Graph]) -> Segment:
    """Chain the steps of a segment. Equal values are one value, so work that does not depend on the state is shared."""
    graph = declare(examined, graphs)
    state = begin(examined, graphs, graph)
    nodes_a_step = 0
    trace = []
    path: dict[str, list[Value]] = {}
    for step in range(examined.unroll):
        bindings = dict(graph.inputs) | {f"state.{name}": value for name, value in state.items()}
        slot = examined.noisy.index(step) if step in examined.noisy else None
        if slot is not None:
            bindings |= {f"noise.{n}": _slot(graph, graph.inputs[f"noise.{n}"], slot) for n in examined.state}
        before = len(graph.nodes)
        reported = step in examined.traced
        if reported and graphs.record is not None:
            for name, value in graph.inline(graphs.record, bindings).items():
                path.setdefault(name, []).append(graph.reshape(value, (Batch(), 1, *value.shape[1:])))
        update = graphs.step if slot is None or graphs.noisy_step is None else graphs.noisy_step
        found = graph.inline(update if reported else _unreported(update), bindings)
        if step < 2:
            nodes_a_step = len(graph.nodes) - (before if step else 0)
        state = {name: found[f"next.{name}"] for name in state}
        if reported:
            trace.append(graph.reshape(found["energy"], (Batch(), 1)))
    columns = {"trace": _stack(graph, trace)} | {name: _stack(graph, values) for name, values in path.items()}
    return finish(examined, graphs, graph, state, columns, nodes_a_step)


def _unreported(update: Graph) -> Graph:
    """A step without its energy, and without nodes that only the energy needs."""
    return replace(update, outputs={name: v for name, v in update.outputs.items() if name.startswith("next.")})


def finish(
    examined: Examined,
    graphs: Functions[Graph],
    graph: Graph,
    state: dict[str, Value],
    more: dict[str, Value],
    nodes_a_step: int,
) -> Segment:
    """Evaluate the state after the last step, and make everything outputs of the segment.

    Args:
        examined: The export.
        graphs: Its functions.
        graph: The steps.
        state: The state after them.
        more: Their other outputs.
        nodes_a_step: Nodes that one step adds.
    """
    state = state | {name: _unless_evaluated(graph, name, state[name]) for name in examined.state}
    found = graph.inline(graphs.last, dict(graph.inputs) | {f"state.{n}": v for n, v in state.items()})
    outputs = {f"next.{name}": value for name, value in state.items()}
    outputs |= {name: found[name] for name in ("energy", "terms", "residual")} | more
    graph.outputs = distinct(graph, outputs | {name: value for name, value in found.items() if name not in outputs})
    depends = graph.depending_on(moving(graph))
    once = [node for node in graph.needed() if node.outputs[0] not in depends]
    return Segment(examined, graphs, graph, nodes_a_step, dict(Counter(node.op for node in once)))


def _unless_evaluated(graph: Graph, name: str, moved: Value) -> Value:
    """The state, unchanged in chains with step scale 0: NaN times 0 is NaN, so the scale alone does not prevent a move."""
    given = graph.inputs[f"state.{name}"]
    if moved is given:
        return moved
    evaluated = graph.emit("Equal", [graph.inputs["step_scale"], graph.constant(0.0, np.float32)], (Batch(),), np.bool_)
    mask = graph.reshape(evaluated, (Batch(), *(1,) * (len(given.shape) - 1)))
    return graph.emit("Where", [mask, given, moved], given.shape, given.dtype)


def _stack(graph: Graph, steps: list[Value]) -> Value:
    first = steps[0]
    if len(steps) == 1:
        return first
    return graph.emit("Concat", steps, (Batch(), len(steps), *first.shape[2:]), axis=1)


def _slot(graph: Graph, noise: Value, index: int) -> Value:
    if noise.shape[1] == 1:
        return graph.reshape(noise, (noise.shape[0], *noise.shape[2:]))
    one = [graph.constant([n], np.int64) for n in (index, index + 1, 1, 1)]
    row = graph.emit("Slice", [noise, *one], (noise.shape[0], 1, *noise.shape[2:]))
    return graph.reshape(row, (noise.shape[0], *noise.shape[2:]))


def distinct(graph: Graph, outputs: dict[str, Value]) -> dict[str, Value]:
    """Give each output a node of this graph, and no node to two outputs."""
    own = {value for node in graph.nodes for value in node.outputs}
    seen: set[Value] = set()
    found = {}
    for name, value in outputs.items():
        found[name] = graph.copy(value) if value not in own or value in seen else value
        seen.add(value)
    return found
