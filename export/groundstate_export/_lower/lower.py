"""Lower the captured functions of an export."""

from __future__ import annotations

import groundstate_export._lower.operators  # noqa: F401  # it registers translations
from groundstate_export._ir.dtypes import NUMPY
from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Batch, Graph
from groundstate_export._ir.program import Program
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
    return programs.each(lambda _, program: lower(program))
