"""Lower the captured functions of an export."""

from __future__ import annotations

import numpy as np

import groundstate_export._lower.operators  # noqa: F401  # it registers translations
from groundstate_export._ir import emit_lengths
from groundstate_export._ir.dtypes import NUMPY
from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.program import Condition, Program
from groundstate_export._ir.values import Batch
from groundstate_export._lower.lowering import Lowering


def lower(program: Program) -> Graph:
    """The graph of a captured function."""
    graph = Graph()
    for name, spec in program.inputs.items():
        graph.input(name, NUMPY[spec.dtype], (Batch(), *spec.shape))
    lowering = Lowering(graph)
    elements = lowering.run(program, graph.inputs)
    graph.outputs = {name: lowering.full(entry) for name, entry in elements.items()}
    return graph


def lower_all(programs: Functions[Program]) -> Functions[Graph]:
    """Lower every captured function."""
    graphs = programs.each(lambda _, program: lower(program))
    conditions = {one.expression: one for program in programs.named().values() for one in program.conditions}
    _demand(graphs.last, list(conditions.values()))
    return graphs


def _demand(graph: Graph, conditions: list[Condition]) -> None:
    """Make a segment fail at sizes at which the function would take another path than the captured one."""
    if not conditions:
        return
    held = emit_lengths.truth(graph, [one.expression for one in conditions])
    # Two numbers can be compared with two, and three cannot. No optimiser removes a maximum.
    zero, one = (graph.constant(np.int64(n)) for n in (0, 1))
    many = graph.binary("Sub", graph.constant(np.int64(3)), graph.reshape(graph.unary("Cast", held, np.int64), ()))
    numbers = graph.emit(
        "Max", [graph.emit("Range", [zero, many, one], (2,)), graph.constant(np.zeros(2, np.int64))], (2,)
    )
    nothing = graph.emit("Gather", [numbers, zero], (), axis=0)
    energy = graph.outputs["energy"]
    graph.outputs["energy"] = graph.emit("Add", [energy, graph.unary("Cast", nothing, energy.dtype)], energy.shape)
