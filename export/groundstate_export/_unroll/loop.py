"""The segment as an ONNX ``Loop`` of one step. The number of steps and the residual tolerance are run-time inputs.

A chain with a residual below the tolerance stops moving, so its result does not depend on the other chains. The loop ends when
all chains have converged, or after ``max_steps``. The residual is that of the state before the step, so the step that finds all
chains converged is undone and not counted.

The body contains the nodes that depend on the state. Everything else, weights included, is computed outside and captured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from groundstate_export._examine.examined import Examined
from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Batch, Node, Value
from groundstate_export._unroll.segment import Segment
from groundstate_export._unroll.unroll import begin, declare, distinct, finish


class _Rounds(Batch):
    """The number of rounds of the loop as a dimension."""

    def __str__(self) -> str:
        return "steps"


def loop(examined: Examined, graphs: Functions[Graph]) -> Segment:
    """Put the steps of a segment into a loop."""
    graph = declare(examined, graphs)
    graph.input("max_steps", np.int64, ())
    graph.input("tolerance", np.float32, ())
    states = begin(examined, graphs, graph)
    kept = {name for name in states if all(_keeps(g, name) for g in graphs.steps())}
    carried = {name: value for name, value in states.items() if name not in kept}
    body = _Body(examined, graphs, graph, carried)
    body.fill()
    found = _emit_loop(graph, _budget(examined, graph), carried, body.graph)
    steps, more = _columns(graph, found)
    ends = states | {name: found[name] for name in carried}
    return finish(examined, graphs, graph, ends, {"steps": steps} | more, body.size)


def _keeps(step: Graph, name: str) -> bool:
    return step.outputs[f"next.{name}"] is step.inputs.get(f"state.{name}")


def _budget(examined: Examined, graph: Graph) -> Value:
    """The maximum number of updates: at least one, and no more than there is noise for."""
    most = graph.emit("Max", [graph.inputs["max_steps"], graph.constant(1, np.int64)], ())
    return graph.emit("Min", [most, graph.constant(examined.unroll, np.int64)], ()) if examined.noisy else most


class _Body:
    """The graph of one step inside the loop."""

    def __init__(
        self, examined: Examined, graphs: Functions[Graph], outer: Graph, carried: Mapping[str, Value]
    ) -> None:
        self.examined, self.graphs, self.outer = examined, graphs, outer
        self.graph = Graph()
        self.index = self.graph.input("index", np.int64, ())
        self.graph.input("going", np.bool_, ())
        self.state = {name: self.graph.input(name, value.dtype, value.shape) for name, value in carried.items()}
        self.moving = {f"state.{name}" for name in carried}

    def fill(self) -> None:
        bindings = dict(self.outer.inputs) | {f"state.{name}": value for name, value in self.state.items()}
        found = self._step(bindings)
        residual = self._residual(found)
        tolerance = self.outer.unary("Cast", self.outer.inputs["tolerance"], residual.dtype)
        converged = self.graph.emit("Less", [residual, tolerance], (Batch(),), np.bool_)
        outputs = {"going": self._any_moves(converged)}
        for name, before in self.state.items():
            mask = self.graph.reshape(converged, (Batch(), *(1,) * (len(before.shape) - 1)))
            outputs[name] = self.graph.emit("Where", [mask, before, found[f"next.{name}"]], before.shape, before.dtype)
        outputs |= {"trace": found["energy"], "converged": converged}
        if self.graphs.record is not None:
            outputs |= inline(self.graph, self.outer, self.graphs.record, bindings, self.moving)
        self.graph.outputs = distinct(self.graph, outputs)

    @property
    def size(self) -> int:
        """The maximum number of nodes that a step runs."""
        branches = [dict(n.attributes) for n in self.graph.nodes if n.op == "If"]
        return len(self.graph.needed()) + sum(len(b["then_branch"].needed()) for b in branches)

    def _step(self, bindings: Mapping[str, Value]) -> dict[str, Value]:
        if self.graphs.noisy_step is None:
            return inline(self.graph, self.outer, self.graphs.step, bindings, self.moving)
        noisy = self.examined.noisy
        places = [noisy.index(step) if step in noisy else -1 for step in range(self.examined.unroll)]
        table = self.outer.constant(places, np.int64)
        place = self.graph.emit("Gather", [table, self.index], (), np.int64, axis=0)
        noisy_now = self.graph.emit("GreaterOrEqual", [place, self.outer.constant(0, np.int64)], (), np.bool_)
        then, otherwise = Graph(), Graph()
        noise = {
            name: then.emit("Gather", [value, place], (value.shape[0], *value.shape[2:]), value.dtype, axis=1)
            for name, value in self.outer.inputs.items()
            if name.startswith("noise.")
        }
        branches = (
            (then, self.graphs.noisy_step, dict(bindings) | noise),
            (otherwise, self.graphs.step, bindings),
        )
        for branch, update, bound in branches:
            found = inline(branch, self.outer, update, bound, self.moving | set(noise))
            wanted = {
                n: v for n, v in found.items() if n.removeprefix("next.") in self.state or not n.startswith("next.")
            }
            branch.outputs = distinct(branch, wanted)
        return _emit_if(self.graph, noisy_now, then, otherwise)

    def _residual(self, found: Mapping[str, Value]) -> Value:
        slopes = [value for name, value in found.items() if name.startswith("residual.")]
        if len(slopes) == 1:
            return self._norm("ReduceL2", slopes[0])
        squares = [self._norm("ReduceSumSquare", slope) for slope in slopes]
        return self.graph.unary("Sqrt", self.graph.emit("Sum", squares, (Batch(),)))

    def _norm(self, op: str, slope: Value) -> Value:
        wide = slope if len(slope.shape) > 1 else self.graph.reshape(slope, (Batch(), 1))
        axes = self.outer.constant(range(1, len(wide.shape)), np.int64)
        return self.graph.emit(op, [wide, axes], (Batch(),), keepdims=0)

    def _any_moves(self, converged: Value) -> Value:
        number = self.graph.unary("Cast", converged, np.int32)
        least = self.graph.emit("ReduceMin", [number], (), keepdims=0)
        return self.graph.emit("Less", [least, self.outer.constant(1, np.int32)], (), np.bool_)


def inline(
    here: Graph, outer: Graph, other: Graph, bindings: Mapping[str, Value], moving: Iterable[str]
) -> dict[str, Value]:
    """Emit another graph's nodes: those that depend on ``moving`` inputs here, all others in the outer graph."""
    depends = other.depending_on(moving)
    values = {value: bindings[name] for name, value in other.inputs.items()}

    def bound(value: Value) -> Value:
        if value.array is not None:
            return outer.constant(value.array)
        return values[value]

    for node in other.needed():
        target = here if node.outputs[0] in depends else outer
        results = [(v.dtype, v.shape) for v in node.outputs]
        copies = target.emit_many(node.op, [bound(v) for v in node.inputs], results, **dict(node.attributes))
        values.update(zip(node.outputs, copies, strict=True))
    return {name: bound(value) for name, value in other.outputs.items()}


def _captured(*graphs: Graph) -> list[Value]:
    """The values that these graphs capture from outside, in order."""
    own = {v for g in graphs for v in (*g.inputs.values(), *(o for n in g.nodes for o in n.outputs))}
    used = (v for g in graphs for n in g.needed() for v in n.inputs)
    return list(dict.fromkeys(v for v in used if v not in own))


def _emit_if(graph: Graph, condition: Value, then: Graph, otherwise: Graph) -> dict[str, Value]:
    shapes = {name: (value.dtype, value.shape) for name, value in then.outputs.items()}
    node = Node(
        "If",
        (condition, *_captured(then, otherwise)),
        (("else_branch", otherwise), ("then_branch", then)),
    )
    node.outputs = tuple(Value(dtype, shape, node) for dtype, shape in shapes.values())
    graph.nodes.append(node)
    return dict(zip(shapes, node.outputs, strict=True))


def _emit_loop(graph: Graph, budget: Value, carried: Mapping[str, Value], body: Graph) -> dict[str, Value]:
    names = list(body.outputs)[1:]
    node = Node(
        "Loop",
        (budget, graph.constant(np.bool_(True)), *carried.values(), *_captured(body)),  # noqa: FBT003
        (("body", body),),
    )
    node.outputs = tuple(
        Value(v.dtype, v.shape if name in carried else (_Rounds(), *v.shape), node)
        for name, v in zip(names, list(body.outputs.values())[1:], strict=True)
    )
    graph.nodes.append(node)
    return dict(zip(names, node.outputs, strict=True))


def _columns(graph: Graph, found: Mapping[str, Value]) -> tuple[Value, dict[str, Value]]:
    """The steps of each chain, and the values recorded before each step, without the round that only found all converged."""
    converged = graph.unary("Cast", found["converged"], np.int64)
    rounds = graph.emit("Shape", [converged], (1,), np.int64, start=0, end=1)
    idle = graph.emit("ReduceSum", [converged, graph.constant([0], np.int64)], (Batch(),), keepdims=0)
    steps = graph.emit("Sub", [rounds, idle], (Batch(),))
    made = graph.emit("ReduceMax", [steps], (1,), keepdims=1)
    columns = {}
    for name, value in found.items():
        if name == "trace" or name.startswith("path."):
            limits = [graph.constant([0], np.int64), made, graph.constant([0], np.int64)]
            rows = graph.emit("Slice", [value, *limits], value.shape)
            order = (1, 0, *range(2, len(value.shape)))
            shape = (value.shape[1], value.shape[0], *value.shape[2:])
            columns[name] = graph.emit("Transpose", [rows], shape, perm=order)
    return steps, columns
