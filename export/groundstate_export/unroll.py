"""Lower, optimise and unroll: from captured steps to the graph of a segment."""

from __future__ import annotations

import numpy as np

from groundstate_export import closed, elementwise, reductions, shapes  # noqa: F401  # they register translations
from groundstate_export.capture import Program, Spec
from groundstate_export.draft import Draft
from groundstate_export.ir import Batch, Graph, Value
from groundstate_export.lower import NUMPY, Lowering
from groundstate_export.passes import optimise


def lower(program: Program) -> Graph:
    """A captured function as a graph of its own."""
    graph = Graph()
    for name, spec in program.inputs.items():
        _input(graph, name, spec)
    lowering = Lowering(graph)
    entries = lowering.run(program, graph.inputs)
    graph.outputs = {name: lowering.full(entry) for name, entry in entries.items()}
    return graph


def _input(graph: Graph, name: str, spec: Spec, extra: tuple[int, ...] = ()) -> Value:
    return graph.input(name, NUMPY[spec.dtype], (Batch(), *extra, *spec.shape))


def lower_all(draft: Draft) -> None:
    """Lower every captured function."""
    draft.graphs = {name: lower(program) for name, program in draft.programs.items()}


def optimise_all(draft: Draft) -> None:
    """Optimise every graph: what depends on the state is what costs."""
    for name, graph in draft.graphs.items():
        moving = [n for n in graph.inputs if n.startswith(("state.", "noise.", "answer."))]
        draft.graphs[name] = optimise(graph, moving)


def unroll(draft: Draft) -> None:
    """Chain the steps of a segment. What does not depend on the state is shared, because equal values are one value."""
    graph = Graph()
    for name, tensor in draft.inputs.items():
        _input(graph, name, Spec.of(tensor))
    specs = draft.state_specs()
    state = {name: _input(graph, f"state.{name}", spec) for name, spec in specs.items()}
    noise = {
        name: _input(graph, f"noise.{name}", Spec.of(t), (len(draft.kicks),))
        for name, t in draft.state.items()
        if draft.kicks
    }
    graph.input("rate", np.float32, (Batch(),))
    trace = []
    path: dict[str, list[Value]] = {}
    for step in range(draft.unroll):
        bindings = dict(graph.inputs) | {f"state.{name}": value for name, value in state.items()}
        kick = draft.kicks.index(step) if step in draft.kicks else None
        if kick is not None:
            bindings |= {f"noise.{name}": _kick(graph, value, kick) for name, value in noise.items()}
        before = len(graph.nodes)
        if "record" in draft.graphs:
            for name, value in graph.inline(draft.graphs["record"], bindings).items():
                path.setdefault(name, []).append(graph.reshape(value, (Batch(), 1, *value.shape[1:])))
        found = graph.inline(draft.graphs["quiet" if kick is None else "kick"], bindings)
        if step == 1:
            draft.nodes_a_step = len(graph.nodes) - before
        elif step == 0:
            draft.nodes_a_step = len(graph.nodes)
        state = {name: found[f"next.{name}"] for name in state}
        trace.append(graph.reshape(found["energy"], (Batch(), 1)))
    found = graph.inline(draft.graphs["last"], dict(graph.inputs) | {f"state.{name}": v for name, v in state.items()})
    outputs = {f"next.{name}": value for name, value in state.items()}
    outputs |= {name: found[name] for name in ("energy", "terms", "residual")}
    outputs["trace"] = _stack(graph, trace)
    outputs |= {name: _stack(graph, values) for name, values in path.items()}
    outputs |= {name: value for name, value in found.items() if name not in outputs}
    graph.outputs = _distinct(graph, outputs)
    draft.graph = graph
    moving = graph.depending_on([n for n in graph.inputs if n.startswith(("state.", "noise."))])
    draft.nodes_hoisted = sum(node.outputs[0] not in moving for node in graph.needed())


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


def _distinct(graph: Graph, outputs: dict[str, Value]) -> dict[str, Value]:
    """An output must be computed by a node, and by one that no other output has."""
    seen: set[Value] = set()
    distinct = {}
    for name, value in outputs.items():
        distinct[name] = graph.copy(value) if value.node is None or value in seen else value
        seen.add(value)
    return distinct
