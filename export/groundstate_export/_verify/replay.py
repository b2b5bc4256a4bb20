"""Replay: run the steps of a segment one at a time, from the graphs that make up the segment."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from groundstate_export._examine.examined import Examined
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Array
from groundstate_export._onnxruntime import ort
from groundstate_export._unroll.fixed_batch import fix_batch
from groundstate_export._unroll.float16 import rounded
from groundstate_export._unroll.segment import Segment
from groundstate_export._unroll.unroll import distinct, unroll
from groundstate_export._write.model import model_of

Arrays = dict[str, Array]


def session(model: bytes, *, plain: bool = False) -> ort.InferenceSession:
    """A session on one CPU thread. With ``plain`` it fuses no nodes."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_reuse = False
    if plain:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(host: ort.InferenceSession, feeds: Mapping[str, Array]) -> Arrays:
    """The outputs by name; feeds that the graph does not take are ignored."""
    wanted = {i.name: feeds[i.name] for i in host.get_inputs()}
    return dict(zip([o.name for o in host.get_outputs()], host.run(None, wanted), strict=True))


@dataclass
class Replayed:
    """A segment, step by step.

    Attributes:
        states: The state before each step that moved a chain.
        found: The outputs of each of these steps.
        outputs: The outputs of the segment.
    """

    states: list[Arrays] = field(default_factory=list)
    found: list[Arrays] = field(default_factory=list)
    outputs: Arrays = field(default_factory=dict)

    def residuals(self) -> Array:
        """The residual of each chain before each step of a loop, ``(steps, batch)``."""
        return np.stack([_residual(found) for found in self.found])


class Steps:
    """The captured steps as models of their own.

    Args:
        segment: The segment with the steps.
        plain: Whether to turn off fusion in ONNX Runtime.
        low: Whether to round float16 as hardware does, rather than as the CPU does.
    """

    def __init__(self, segment: Segment, *, plain: bool = False, low: bool = False) -> None:
        self.examined = segment.examined
        self.hosts = {
            name: session(_model(segment, graph, low=low), plain=plain or low)
            for name, graph in segment.graphs.named().items()
            if name != "checker"
        }

    def of(self, examined: Examined) -> Steps:
        """The same steps with another example."""
        other = copy.copy(self)
        other.examined = examined
        return other

    def step(self, feeds: Mapping[str, Array], state: Mapping[str, Array], index: int) -> Arrays:
        """Run the step at ``index`` of a segment from a state."""
        noisy = self.examined.noisy
        bound = dict(feeds) | {f"state.{name}": tensor for name, tensor in state.items()}
        if index not in noisy:
            return run(self.hosts["step"], bound)
        place = noisy.index(index)
        noise = {name: np.ascontiguousarray(t[:, place]) for name, t in feeds.items() if name.startswith("noise.")}
        return run(self.hosts["noisy_step"], bound | noise)

    def begin(self, feeds: Mapping[str, Array]) -> Arrays:
        """The state before the first step."""
        given = {name: feeds[f"state.{name}"] for name in self.examined.state_specs()}
        if "start" not in self.hosts:
            return given
        return given | {n.removeprefix("next."): t for n, t in run(self.hosts["start"], feeds).items()}

    def last(self, feeds: Mapping[str, Array], state: Mapping[str, Array]) -> Arrays:
        """The evaluation at the end of a segment."""
        return run(self.hosts["last"], dict(feeds) | {f"state.{name}": tensor for name, tensor in state.items()})

    def segment(self, feeds: Mapping[str, Array], steps: int, tolerance: float = 0.0) -> Replayed:
        """Run a whole segment. Chains with a residual below the tolerance do not move, as in the loop form."""
        descent = Replayed()
        state = self.begin(feeds)
        made = np.zeros(len(feeds["step_scale"]), np.int64)
        columns: dict[str, list[Array]] = {}
        for index in range(steps):
            found = self.step(feeds, state, index)
            moves = (
                ~(_residual(found) < _residual(found).dtype.type(np.float32(tolerance))) if tolerance else made == made
            )
            if not moves.any():
                break
            descent.states.append(state)
            descent.found.append(found)
            columns.setdefault("trace", []).append(found["energy"])
            for name, shown in self._path(feeds, state).items():
                columns.setdefault(name, []).append(shown)
            state = {n: np.where(_rows(moves, y), found[f"next.{n}"], y) for n, y in state.items()}
            made += moves
        evaluated = feeds["step_scale"] == 0
        state |= {n: np.where(_rows(evaluated, state[n]), feeds[f"state.{n}"], state[n]) for n in self.examined.state}
        descent.outputs = {f"next.{name}": tensor for name, tensor in state.items()} | self.last(feeds, state)
        reported = slice(None, None, self.examined.trace_every)
        descent.outputs |= {name: np.stack(arrays[reported], axis=1) for name, arrays in columns.items()}
        if self.examined.form == "loop":
            descent.outputs["steps"] = made
        return descent

    def _path(self, feeds: Mapping[str, Array], state: Mapping[str, Array]) -> Arrays:
        if "record" not in self.hosts:
            return {}
        return run(self.hosts["record"], dict(feeds) | {f"state.{name}": tensor for name, tensor in state.items()})


def beginning(segment: Segment) -> tuple[Segment, bytes]:
    """The first two steps of a segment as a separate segment, and its model."""
    examined = segment.examined
    noisy = tuple(place for place in examined.noisy if place < 2)
    first = unroll(replace(examined, unroll=2, noisy=noisy), segment.graphs)
    return first, _written(examined, first.graph)


def _model(segment: Segment, graph: Graph, *, low: bool) -> bytes:
    chosen = rounded(graph) if low else graph
    alone = replace(chosen, nodes=list(chosen.nodes))
    alone.outputs = distinct(alone, chosen.outputs)
    return _written(segment.examined, alone)


def _written(examined: Examined, graph: Graph) -> bytes:
    # ONNX Runtime refuses a value whose type or shape differs from the graph's declaration.
    model = model_of(graph if examined.fixed_batch is None else fix_batch(graph, examined.fixed_batch), shapes=True)
    return bytes(model.SerializeToString())


def _rows(moves: Array, like: Array) -> Array:
    return moves.reshape(-1, *(1,) * (like.ndim - 1))


def _residual(found: Mapping[str, Array]) -> Array:
    left = [array for name, array in found.items() if name.startswith("residual.")]
    norms: Array = np.linalg.norm(np.concatenate([g.reshape(len(g), -1) for g in left], axis=1), axis=1)
    return norms
