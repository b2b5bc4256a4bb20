"""Starts: arrangements that are built item by item."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from groundstate_models.layout.answers import answer_of
from groundstate_models.layout.checking import faults
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.placed import Placed
from groundstate_models.layout.places import spots_of
from groundstate_models.layout.request import read
from groundstate_models.layout.starts import CLEAN, Starts

ROOM: dict[str, Any] = {
    "area": {"width": 460, "height": 400, "doors": [{"wall": "south", "at": 40, "width": 80}]},
    "unit": "cm",
    "items": {
        "bed": {"size": [160, 200], "front": "south"},
        "wardrobe": {"size": [120, 60], "front": "south"},
        "desk": {"size": [120, 60], "front": "south"},
        "chair": {"size": [45, 50], "front": "north"},
        "lamp": {"diameter": 30},
        "shelf": {"polygon": [[0, 0], [90, 0], [90, 30], [30, 30], [30, 90], [0, 90]]},
    },
    "relations": [
        "bed against any wall",
        "wardrobe against any wall",
        "60 clear in front of wardrobe",
        "desk against any wall",
        "chair in front of desk",
        "chair facing desk",
        "lamp in a corner",
        "lamp near bed within 150",
        "shelf at least 100 from desk",
    ],
}


def test_a_start_that_counts_as_clean_passes_the_exact_check() -> None:
    lowering = Lowering(read(ROOM))
    starts = Starts.of(lowering)
    clean = 0
    for seed in range(6):
        centre, turn, off = starts.places(np.random.default_rng(seed), 4)
        for at, turns, lack in zip(centre, turn, off, strict=True):
            if lack <= CLEAN:
                clean += 1
                front = np.zeros_like(at)
                front[:, 0] = 1.0
                for k, item in starts.items.items():
                    front[k] = item.fronts[turns[k]]
                spots = spots_of(lowering, at, front)
                assert answer_of(lowering, spots)["items"].keys() == ROOM["items"].keys()
                # Bounding boxes are stricter than shapes, so nothing overlaps.
                assert not [f.message for f in faults(Placed(lowering.plan, spots)) if f.amount > 1e-3]
    assert clean >= 3


def test_starts_depend_on_the_generator_only() -> None:
    starts = Starts.of(Lowering(read(ROOM)))
    one, other = (starts.state(np.random.default_rng(5), 3, 8) for _ in range(2))
    assert one.shape == (3, 24)
    assert np.array_equal(one, other)
    assert not np.array_equal(one, starts.state(np.random.default_rng(6), 3, 8))


def test_a_fixed_item_keeps_its_place_in_every_start() -> None:
    request = {**ROOM, "items": {**ROOM["items"], "bed": {"size": [160, 200], "at": [300, 290], "fixed": True}}}
    request["relations"] = [r for r in ROOM["relations"] if not r.startswith("bed")]
    lowering = Lowering(read(request))
    centre, _, _ = Starts.of(lowering).places(np.random.default_rng(0), 4)
    assert centre[:, lowering.numbers["bed"]] == pytest.approx(np.tile(lowering.point((300, 290)), (4, 1)))
