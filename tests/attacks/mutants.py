"""Mutants of artefacts and requests: sound ones with some changes in their structure."""

from __future__ import annotations

import base64
import copy
import json
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

import onnx

INTERESTING: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        5.0,
        1e308,
        -1e-308,
        math.nan,
        math.inf,
        -math.inf,
        2**31,
        2**63,
        -(2**63),
        10**30,
    ),
    *(
        "",
        "0",
        "a",
        "\0",
        "\ud800",
        "\u202e",
        "x" * 10_000,
        "1" * 400,
        "$ref",
        "#/",
        "file:///etc/passwd",
        "http://127.0.0.1:9/",
    ),
    *([], {}, [[]], {"": {}}, [0] * 1000, {"$ref": "#"}, {"$ref": "file:///etc/passwd"}, {"pattern": "(a+)+$"}),
)
"""Values that programs trip over."""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))


def mutated(value: Any, draw: random.Random) -> Any:
    """A copy of a JSON value with one to three changes."""
    found = copy.deepcopy(value)
    for _ in range(draw.choice((1, 1, 2, 3))):
        path = draw.choice(list(places(found)))
        if not path:
            found = _changed(found, draw)
            continue
        parent = found
        for step in path[:-1]:
            parent = parent[step]
        action = draw.random()
        if action < 0.15:
            del parent[path[-1]]
        elif action < 0.25 and isinstance(parent, list):
            parent.insert(path[-1], copy.deepcopy(draw.choice(parent)))
        elif action < 0.32 and isinstance(parent, dict):
            parent[draw.choice(["", "x", "grid ", "__proto__", "é" * 40])] = parent.pop(path[-1])
        else:
            parent[path[-1]] = _changed(parent[path[-1]], draw)
    return found


def _changed(value: Any, draw: random.Random) -> Any:
    if isinstance(value, bool) or value is None or draw.random() < 0.4:
        return copy.deepcopy(draw.choice(INTERESTING))
    if isinstance(value, int):
        return draw.choice(
            (value + 1, value - 1, -value, value * 1000, float(value), str(value), value ^ 1 << draw.randrange(63))
        )
    if isinstance(value, float):
        return draw.choice((-value, value * 1e300, math.nan, int(value) if math.isfinite(value) else 0))
    if isinstance(value, str):
        at = draw.randrange(len(value) + 1)
        return draw.choice((value[:at], value + value, value[:at] + "\x1b[2J" + value[at:], value.upper()))
    if isinstance(value, list):
        return draw.choice(
            (value * 2, value[:-1], [value], tuple(value)[:1] and value[0], {str(i): v for i, v in enumerate(value)})
        )
    return draw.choice((list(value.values()), {**value, "more": value}, {}))


def mutated_file(data: bytes, draw: random.Random) -> bytes:
    """A mutant of a sound artefact: of its header, its graph, its checker, or its bytes."""
    choice = draw.random()
    if choice < 0.2:
        return _bytes(data, draw)
    model = onnx.load_from_string(data)
    entries = {one.key: one for one in model.metadata_props}
    inner = [one for one in entries.values() if one.key != "groundstate"]
    if choice < 0.6:
        header = entries["groundstate"]
        header.value = json.dumps(mutated(json.loads(header.value), draw)).encode("utf-8", "replace").decode()
    elif choice < 0.7 and inner:
        one = draw.choice(inner)
        part = onnx.load_from_string(base64.b64decode(one.value))
        _graph(part.graph, draw)
        one.value = base64.b64encode(part.SerializeToString()).decode()
    else:
        for _ in range(draw.choice((1, 1, 2, 4))):
            _graph(model.graph, draw)
    return model.SerializeToString()


def _bytes(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 2, 8, 64))):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    if draw.random() < 0.2:
        del changed[draw.randrange(len(changed)) :]
    return bytes(changed)


def _graph(graph: onnx.GraphProto, draw: random.Random) -> None:
    if not graph.node or not graph.initializer or not graph.output or not graph.input:
        return
    node, tensor = draw.choice(graph.node), draw.choice(graph.initializer)
    operators = (
        "Neg",
        "Add",
        "Expand",
        "Concat",
        "Reshape",
        "Loop",
        "RandomNormal",
        "Cast",
        "Gather",
        "TopK",
        "Tile",
        "Range",
    )
    actions: list[Callable[[], Any]] = [
        lambda: setattr(node, "op_type", draw.choice(operators)),
        lambda: node.input.append(draw.choice(graph.node).output[0]),
        lambda: node.input and node.input.pop(),
        lambda: node.output.append("more"),
        lambda: node.attribute and node.attribute.pop(),
        lambda: node.attribute.append(onnx.helper.make_attribute("axis", draw.choice((-9, 0, 1, 99, 2**40)))),
        lambda: setattr(node, "domain", draw.choice(("", "ai.onnx", "com.microsoft", "x"))),
        lambda: graph.node.remove(node),
        lambda: graph.node.insert(0, node),
        lambda: tensor.dims.append(draw.choice((0, 1, 2, -1, 2**40))),
        lambda: setattr(tensor, "data_type", draw.randrange(25)),
        lambda: setattr(tensor, "raw_data", tensor.raw_data[: draw.randrange(len(tensor.raw_data) + 1)]),
        lambda: setattr(tensor, "raw_data", bytes(draw.randrange(256) for _ in tensor.raw_data)),
        lambda: graph.output.pop(draw.randrange(len(graph.output))),
        lambda: graph.input.pop(draw.randrange(len(graph.input))),
        lambda: setattr(draw.choice(graph.output), "name", draw.choice(graph.node).output[0]),
    ]
    draw.choice(actions)()
