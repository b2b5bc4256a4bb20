"""Generated systems and rooms: examples for the exporter, problems for training, tests and benchmarks."""

from __future__ import annotations

import math

import numpy as np

from groundstate_models.layout.rows import MAX, MIN, Atom, Body, Clause, End, Pair, Part, System
from groundstate_models.layout.shapes import Convex, box
from groundstate_models.layout.tensors import Sizes

WALLS = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))


def system(draw: np.random.Generator, sizes: Sizes) -> System:
    """Random boxes and circles with random bounds and clauses that fit the given sizes; not always satisfiable."""
    items, parts, pairs, atoms, clauses, _ = sizes
    made = System([Body((0.0, 0.0), 0.0, "none", 0.0)], [Part(0, Convex(((0.0, 0.0),)))])
    for _ in range(items - 1):
        turning = ("none", "quarter", "free")[draw.integers(3)]
        at = draw.uniform(-0.8, 0.8, 2)
        made.bodies.append(Body((at[0], at[1]), float(draw.uniform(0.1, 0.7)), turning, float(draw.uniform(-3, 3))))
    for k in range(1, parts):
        w, h = draw.uniform(0.1, 0.6, 2)
        round_ = draw.random() < 0.3
        shape = Convex(((0.0, 0.0),), w / 2) if round_ else box(w, h, tuple(draw.uniform(-0.1, 0.1, 2)))
        made.parts.append(Part(k if k < items else int(draw.integers(1, items)), shape))
    for _ in range(pairs - 1):
        a, b = draw.choice(np.arange(1, parts), 2, replace=False)
        if made.parts[a].item != made.parts[b].item:
            low = float(draw.uniform(0, 0.1)) if draw.random() < 0.7 else -math.inf
            high = math.inf if low > -math.inf else float(draw.uniform(0, 0.3))
            made.pairs.append(Pair(int(a), int(b), low, high, math.inf if draw.random() < 0.7 else 1.0))
    left = atoms - 1
    for _ in range(clauses - 1):
        alternatives = []
        for _ in range(int(draw.integers(1, 4))):
            some = []
            for _ in range(int(draw.integers(1, 3))):
                if left == 0:
                    continue
                left -= 1
                a, b = draw.integers(1, parts, 2)
                frame = int(draw.integers(items)) if draw.random() < 0.3 else 0
                way = WALLS[draw.integers(4)]
                ends = (End(int(a), MIN), End(int(b), MAX, -1.0)) if draw.random() < 0.5 else (End(int(a), MAX),)
                some.append(Atom(way, ends, float(draw.uniform(-1, 1)), frame))
            if some:
                alternatives.append(tuple(some))
        if alternatives:
            low, high = (0.0, math.inf) if draw.random() < 0.7 else (-math.inf, 0.0)
            made.clauses.append(Clause(tuple(alternatives), low, high, math.inf if draw.random() < 0.7 else 1.0))
    return made
