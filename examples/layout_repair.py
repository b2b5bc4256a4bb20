"""Repair a layout that a language model wrote as boxes: ``python examples/layout_repair.py room.svg``."""

import sys
from pathlib import Path

import groundstate as gs

WRITTEN = {
    "area": {"width": 350, "height": 280, "doors": [{"wall": "south", "at": 20, "width": 80}]},
    "items": {
        "bed": {"size": [160, 200], "at": [180, 190]},
        "nightstand": {"size": [45, 40], "at": [95, 262]},
        "wardrobe": {"size": [60, 150], "at": [330, 90]},
        "desk": {"size": [120, 60], "at": [60, 60]},
    },
    "repair": True,
    "unit": "cm",
}

with gs.load("layout") as solver:
    solution = solver.solve(WRITTEN)
    print(solver.draw(WRITTEN, solution.answer))
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_bytes(solver.file(WRITTEN, solution.answer, "svg"))
