"""Replay: the steps of a segment one at a time, from the graphs that the segment was put together from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from groundstate_export._examine.examined import Examined
from groundstate_export._ir.graph import Array, Graph
from groundstate_export._onnxruntime import ort
from groundstate_export._unroll.fixed_batch import fix_batch
from groundstate_export._unroll.float16 import rounded
from groundstate_export._unroll.segment import Segment
from groundstate_export._unroll.unroll import distinct, unroll
from groundstate_export._write.model import model_of

Arrays = dict[str, Array]


def session(model: bytes, *, plain: bool = False) -> ort.InferenceSession:
    """A session on one thread of the CPU; ``plain``: every node as it is written, nothing fused."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_reuse = False
    if plain:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def run(host: ort.InferenceSession, feeds: Mapping[str, Array]) -> Arrays:
    """The outputs by name; what the graph does not take is left out of the feeds."""
    wanted = {i.name: feeds[i.name] for i in host.get_inputs()}
    return dict(zip([o.name for o in host.get_outputs()], host.run(None, wanted), strict=True))


@dataclass
class Replayed:
    """A segment, step by step.

    Attributes:
        states: The state before each step that moved a chain.
        found: What each of these steps returned.
        outputs: What the segment returns.
    """

    states: list[Arrays] = field(default_factory=list)
    found: list[Arrays] = field(default_factory=list)
    outputs: Arrays = field(default_factory=dict)

    def residuals(self) -> Array:
        """What each chain had left to descend before each step, ``(steps, batch)``, of a loop's steps."""
        return np.stack([_residual(found) for found in self.found])


class Steps:
    """The captured steps as models of their own.

    Args:
        segment: Whose steps.
        plain: Whether ONNX Runtime may fuse nothing.
        low: Whether float16 is rounded as hardware rounds it, rather than as the CPU does.
    """

    def __init__(self, segment: Segment, *, plain: bool = False, low: bool = False) -> None:
        self.examined = segment.examined
        self.hosts = {
            name: session(_model(segment, graph, low=low), plain=plain or low)
            for name, graph in segment.graphs.named().items()
            if name != "checker"
        }

    def step(self, feeds: Mapping[str, Array], state: Mapping[str, Array], index: int) -> Arrays:
        """One step of a segment, the one at ``index``, from a state."""
        noisy = self.examined.noisy
        bound = dict(feeds) | {f"state.{name}": tensor for name, tensor in state.items()}
        if index not in noisy:
            return run(self.hosts["step"], bound)
        place = noisy.index(index)
        noise = {name: np.ascontiguousarray(t[:, place]) for name, t in feeds.items() if name.startswith("noise.")}
        return run(self.hosts["noisy_step"], bound | noise)

    def begin(self, feeds: Mapping[str, Array]) -> Arrays:
        """The state that the steps start from."""
        given = {name: feeds[f"state.{name}"] for name in self.examined.state_specs()}
        if "start" not in self.hosts:
            return given
        return given | {n.removeprefix("next."): t for n, t in run(self.hosts["start"], feeds).items()}

    def last(self, feeds: Mapping[str, Array], state: Mapping[str, Array]) -> Arrays:
        """The evaluation of a state that ends a segment."""
        return run(self.hosts["last"], dict(feeds) | {f"state.{name}": tensor for name, tensor in state.items()})

    def segment(self, feeds: Mapping[str, Array], steps: int, tolerance: float = 0.0) -> Replayed:
        """A whole segment. Chains whose residual is below the tolerance stay, as the loop form has it."""
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
        still = feeds["step_scale"] == 0
        state |= {n: np.where(_rows(still, state[n]), feeds[f"state.{n}"], state[n]) for n in self.examined.state}
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
    """The first two steps of a segment as a segment of their own, and its model."""
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
    # ONNX Runtime refuses a value whose type or shape is not what the graph says it is.
    model = model_of(graph if examined.fixed_batch is None else fix_batch(graph, examined.fixed_batch), shapes=True)
    return bytes(model.SerializeToString())


def _rows(moves: Array, like: Array) -> Array:
    return moves.reshape(-1, *(1,) * (like.ndim - 1))


def _residual(found: Mapping[str, Array]) -> Array:
    left = [array for name, array in found.items() if name.startswith("residual.")]
    norms: Array = np.linalg.norm(np.concatenate([g.reshape(len(g), -1) for g in left], axis=1), axis=1)
    return norms
