"""A segment: the graph that a file holds."""

from __future__ import annotations

from dataclasses import dataclass

from groundstate_export._examine.examined import Examined
from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Graph


@dataclass(frozen=True)
class Segment:
    """The steps of a segment in one graph.

    Attributes:
        examined: What is exported.
        graphs: The functions that the segment is put together from.
        graph: The segment.
        nodes_a_step: Nodes that one step adds, or that one round of the loop runs at most.
        hoisted: Operators that run once a segment, by name.
    """

    examined: Examined
    graphs: Functions[Graph]
    graph: Graph
    nodes_a_step: int
    hoisted: dict[str, int]
