"""The toys that tests of the runtime share, see `building`."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundstate._header import slots_of
from tests.runtime.building import (
    Graph,
    artefact,
    checks,
    descent,
    finish,
    former,
    header,
    number,
    properties,
    spec,
)

UNIFORM = {"uniform": [-1.5, 1.5]}


def bowl(version: int = 4, written: dict[str, Any] | None = None, **changes: Any) -> bytes:
    """``|y − x|²`` of two numbers, without checks: one minimum, at x.

    Args:
        version: Of the format.
        written: Fields of the header as they are to stand in the file.
        changes: Fields of the header, in format 4.
    """

    def slope(g: Graph, y: str) -> tuple[str, str]:
        apart = g("Sub", y, "x")
        return g("ReduceSum", g.square(apart), g.constant([1], np.int64), keepdims=0), g("Mul", apart, 2.0)

    scale = "step_scale" if version > 3 else "rate"
    graph = descent(slope, inputs={"x": spec([2])}, size=2, steps=8, step_size=0.25, scale_name=scale)
    graph.output("answer.y", "next.y", "float32", [2])
    fields = header(
        name="bowl",
        inputs={"x": spec([2])},
        state={"y": spec([2], initial=UNIFORM, minimised=True)},
        answers={"y": spec([2])},
        request=properties(x=number([2])),
        answer=properties(y=number([2])),
    )
    fields |= changes
    return artefact(
        graph,
        (fields if version > 3 else former(fields, version)) | (written or {}),
        **{f"groundstate__{'checker' if version > 3 else 'judge'}": placing({"x": [2]}, {"y": [2]})},
    )


def wells(tilt: float = 0.0, **changes: Any) -> bytes:
    """``(y² − 1)² + tilt·y`` of one number, without checks: minima near −1 and 1, of equal energy where nothing tilts."""

    def slope(g: Graph, y: str) -> tuple[str, str]:
        inner = g("Sub", g.square(y), 1.0)
        energy = g("Add", g.square(inner), g("Mul", y, tilt))
        gradient = g("Add", g("Mul", g("Mul", inner, y), 4.0), tilt)
        return g("Squeeze", energy, g.constant([1], np.int64)), gradient

    graph = descent(slope, inputs={}, size=1, steps=8, step_size=0.05)
    graph.output("answer.y", "next.y", "float32", [1])
    fields = header(
        name="wells",
        state={"y": spec([1], initial=UNIFORM, minimised=True)},
        answers={"y": spec([1])},
        request=properties(),
        answer=properties(y=number([1])),
    )
    return artefact(graph, fields | changes)


def triangle(**changes: Any) -> bytes:
    """C of a triangle whose A is (0, 0) and B (1, 0): given AC, BC, and on which side of AB it lies (0: on any).

    A search by gradient descent comes first, then a finish by Newton's method. The check measures how far both distances are off.
    """
    inputs = {"ac": spec(), "bc": spec(), "side": spec()}

    def parts(g: Graph, y: str) -> tuple[str, str, str, str, str]:
        cx, cy = g.column(y, 0), g.column(y, 1)
        bx = g("Sub", cx, 1.0)
        first = g("Sub", g.sum(g.square(cx), g.square(cy)), g.square("ac"))
        second = g("Sub", g.sum(g.square(bx), g.square(cy)), g.square("bc"))
        return cx, cy, bx, first, second

    def slope(g: Graph, y: str) -> tuple[str, str]:
        cx, cy, bx, first, second = parts(g, y)
        wrong = g("Max", g("Neg", g("Mul", "side", cy)), 0.0)
        energy = g.sum(g.square(first), g.square(second), g.square(wrong))
        dx = g("Mul", g("Add", g("Mul", first, cx), g("Mul", second, bx)), 4.0)
        dy = g("Sub", g("Mul", g("Mul", g("Add", first, second), cy), 4.0), g("Mul", g("Mul", wrong, "side"), 2.0))
        return energy, g.columns(dx, dy)

    def newton(g: Graph, y: str) -> str:
        cx, cy, bx, first, second = parts(g, y)
        # J = 2 [[cx, cy], [bx, cy]], whose determinant is 4 cy (cx − bx) = 4 cy.
        x = g("Mul", g("Sub", first, second), 0.5)
        over = g("Div", g("Sub", g("Mul", cx, second), g("Mul", bx, first)), g("Mul", cy, 2.0))
        step = g("Unsqueeze", "step_scale", g.constant([1], np.int64))
        return g("Sub", y, g("Mul", g.columns(x, over), step))

    def answered(g: Graph) -> None:
        g.output("answer.c", "next.y", "float32", [2])

    search = descent(slope, inputs=inputs, size=2, steps=8, step_size=0.03)
    answered(search)
    last = Graph()
    for name in inputs:
        last.input(name, "float32", [])
    y = last.input("state.y", "float32", [2])
    last.input("step_scale", "float32", [])
    first, _ = slope(last, y)
    finish(last, slope, newton(last, y), first, 2)
    answered(last)
    cx, cy, bx, _, _ = parts(last, "next.y")
    off = [
        last("Abs", last("Sub", last("Sqrt", last.sum(last.square(x), last.square(cy))), wanted))
        for x, wanted in ((cx, "ac"), (bx, "bc"))
    ]
    wrong = last("Max", last("Neg", last("Mul", "side", cy)), 0.0)
    checks(last, (last("Max", *off), 1e-3), (wrong, 0.0))
    state = {"y": spec([2], initial=UNIFORM, minimised=True)}
    term = [{"name": "energy", "description": ""}]
    stage = {
        "name": "search", "model": "groundstate.stage.0", "steps": 8, "trace_every": 8, "elements": [2], "state": state,
        "noise": {}, "answers": {"c": spec([2])}, "terms": term, "until": {"residual": 0.5, "max_steps": 64},
    }  # fmt: skip
    fields = header(
        name="triangle",
        steps=1,
        trace_every=1,
        inputs=inputs,
        state={"y": spec([2], initial={"answer": "c"}, minimised=True)},
        answers={"c": spec([2])},
        checks=[
            {"name": "distances", "description": "AC and BC are as given.", "tolerance": 1e-3, "unit": "m"},
            {"name": "side", "description": "C lies on its side of AB.", "tolerance": 0.0, "unit": "m"},
        ],
        accept={"checks": "all", "converged": False, "polish": 3},
        stages=[stage],
        request=properties(ac=number(), bc=number(), side=number()),
        answer=properties(c=number([2])),
    )
    return artefact(last, fields | changes, groundstate__stage__0=search.model())


def placing(inputs: dict[str, list[int]], answers: dict[str, list[int]]) -> bytes:
    """A checker that only places an answer which is the state itself."""
    g = Graph()
    for name, shape in inputs.items():
        g.input(name, "float32", shape)
    for name, shape in answers.items():
        g.output(f"state.{name}", g.input(f"answer.{name}", "float32", shape), "float32", shape)
    return g.model()


def drunkard(steps: int, period: int, offsets: list[int], **changes: Any) -> bytes:
    """One number that only noise moves, at the steps of a chain that are one of ``offsets`` beyond a multiple of ``period``.

    It never converges.
    """
    slots = len(slots_of(steps, period, tuple(offsets)))
    g = Graph()
    y = g.input("state.y", "float32", [1])
    g.input("step_scale", "float32", [])
    moved = g(
        "Add", y, g("ReduceSum", g.input("noise.y", "float32", [slots, 1]), g.constant([1], np.int64), keepdims=0)
    )
    one = g("Add", g("Mul", g.column(y, 0), 0.0), 1.0)
    g.output("next.y", moved, "float32", [1])
    g.output("answer.y", moved, "float32", [1])
    for name in ("energy", "residual"):
        g.output(name, one, "float32", [])
    for name in ("terms", "trace"):
        g.output(name, g.columns(one), "float32", [1])
    fields = header(
        name="drunkard",
        steps=steps,
        trace_every=steps,
        state={"y": spec([1], initial={"normal": [0.0, 1.0]}, minimised=True)},
        noise={"y": spec([slots, 1], period=period, offsets=offsets)},
        answers={"y": spec([1])},
        request=properties(),
        answer=properties(y=number([1])),
    )
    return artefact(g, fields | changes)
