"""A segment: the graph of a file."""

from __future__ import annotations

from dataclasses import dataclass

from groundstate_export._examine.examined import Examined
from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Graph


@dataclass(frozen=True)
class Segment:
    """The steps of a segment in one graph.

    Attributes:
        examined: The export.
        graphs: The functions that make up the segment.
        graph: The segment.
        nodes_a_step: Nodes that one step adds, or the maximum that one round of the loop runs.
        hoisted: Operators that run once per segment, by name.
    """

    examined: Examined
    graphs: Functions[Graph]
    graph: Graph
    nodes_a_step: int
    hoisted: dict[str, int]
