"""What mutants are made from: every installed model, two learned ones, and requests that each of them takes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import groundstate as gs
from groundstate import _catalog

GRIDS = {"sudoku_4x4": 4, "sudoku_6x6": 6}
"""Models whose requests are so small that plain search finds out whether they have an answer."""


@dataclass(frozen=True)
class Sound:
    """A model, and requests that it takes.

    Attributes:
        name: Its name.
        data: Its file.
        requests: The requests.
    """

    name: str
    data: bytes
    requests: tuple[dict[str, Any], ...]


@cache
def corpus(learned: Path | None = None) -> tuple[Sound, ...]:
    """All models.

    Args:
        learned: A folder with learned models, see `learn_some`; None for the installed models alone.
    """
    paths = [_catalog.locate(name) for name in gs.models()]
    paths += sorted(learned.glob("*.onnx")) if learned is not None else []
    return tuple(_sound(path.read_bytes()) for path in paths)


def _sound(data: bytes) -> Sound:
    header = gs.load(data).header
    tested = [] if header.self_test is None else [header.self_test["request"]]
    requests = [*tested, *header.request.get("examples", ()), *_MORE.get(header.name, ())]
    return Sound(header.name, data, tuple(one for one in requests if one.get("image") != "shuffled.png"))


def learn_some(folder: Path) -> None:
    """Learn a model of boards and one of tables; half a minute, once."""
    from groundstate_training import learn

    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "pairs.onnx").exists():
        random = np.random.default_rng(0)
        boards = np.stack(
            [(np.arange(4)[:, None] + np.arange(4) + shift) % 4 + 1 for shift in random.integers(0, 4, 60)]
        )
        boards = np.stack([random.permutation(4)[board - 1] + 1 for board in boards])
        learn(boards).export(folder / "pairs.onnx", name="pairs")
    if not (folder / "people.onnx").exists():
        random = np.random.default_rng(1)
        heights = random.normal(170, 10, 200)
        rows = [
            {"height": round(h, 1), "weight": round(h - 100 + random.normal(0, 2), 1), "tall": str(h > 175)}
            for h in heights
        ]
        learn(rows, kind="table", effort=0.3).export(folder / "people.onnx", name="people")


def _pieces() -> list[str]:
    """Four pieces of a picture of slopes."""
    from groundstate_models.jigsaw.pictures import encoded

    y, x = np.mgrid[:24, :24]
    picture = np.stack([9 * y, 9 * x, 5 * (x + y)], axis=-1).astype(np.uint8)
    return [
        base64.b64encode(encoded(picture[i : i + 12, j : j + 12], "png")).decode() for i in (0, 12) for j in (0, 12)
    ]


_MORE: dict[str, list[dict[str, Any]]] = {
    "sudoku_4x4": [{"grid": [[1, 0, 0, 0], [0, 0, 0, 2], [0, 3, 0, 0], [0, 0, 4, 0]]}],
    "constraints": [
        {
            "variables": {"a": [1, 2, 3], "b": "1..4", "c": ["x", "y"]},
            "constraints": [
                {"type": "all_different", "variables": ["a", "b"]},
                "a + b <= 5",
                {"type": "linear", "terms": [{"variable": "a", "times": 2}, {"variable": "b"}], "at_most": 7},
                "if c == x then a >= 2",
            ],
        }
    ],
    "geometry": [{"constraints": ["AB = 5", "BC = 6", "AC = 7"], "measure": ["area ABC"]}],
    "layout": [
        {"area": [400, 300], "items": {"bed": [180, 200], "lamp": {"diameter": 30}}, "relations": ["lamp right of bed"]}
    ],
    "equilibrium": [{"preset": {"type": "cluster", "atoms": 4}}],
    "jigsaw": [{"pieces": _pieces(), "rows": 2, "columns": 2}],
    "scheduling": [
        {
            "days": ["mon", "tue"],
            "hours": "9:00-12:00",
            "people": {"Ada": {"busy": ["mon 9:00-10:00", "tue"]}, "Bob": {"free": "mon until 11:00"}},
            "activities": [
                {"name": "Plan", "duration": "1h", "who": ["Ada", "Bob"]},
                {"name": "Write", "duration": 90, "who": "Ada"},
            ],
        }
    ],
    "pairs": [{"grid": [[1, None, None, None], *([[None] * 4] * 3)], "known": {"r2c2": 2}, "never": {"r3c3": [1]}}],
}
