"""Stacks of blocks: stands or tips, against the rule of the centre of mass, and the assemblies of compas_cra.

``python -m benchmarks.equilibrium.stacks [--all] [--assemblies FOLDER]``
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from groundstate_models.equilibrium import proofs
from groundstate_models.equilibrium.families import stack
from groundstate_models.equilibrium.request import read
from groundstate_models.equilibrium.statics import statics

SETTINGS: dict[str, tuple[tuple[int, ...], float]] = {
    "cubes": ((0,), 0.84),
    "A": ((0, 1), 0.84),
    "H": ((0, 1), 0.84),
    "type-a": ((0, 1), 0.84),
    "type-b": ((0, 1), 0.84),
    "type-c": ((0, 1), 0.84),
    "type-d": ((0, 1), 0.84),
    "shelf": ((0,), 0.9),
}
"""Fixed blocks and friction of the source's examples; other shelves as `shelf`."""


def assembly(
    data: Mapping[str, Any], fixed: tuple[int, ...], friction: float, *, turned: bool = False
) -> dict[str, Any]:
    """The request of an assembly stored by compas_cra; ``turned`` by a quarter about y."""
    blocks = {}
    for key, node in data["data"]["graph"]["data"]["node"].items():
        mesh = node["block"]["data"]
        order = {k: place for place, k in enumerate(mesh["vertex"])}
        corners = [[v["x"], v["y"], v["z"]] for v in mesh["vertex"].values()]
        if turned:
            corners = [[z, y, -x] for x, y, z in corners]
        faces = [[order[str(k)] for k in face] for face in mesh["face"].values()]
        blocks[f"b{key}"] = {"corners": corners, "faces": faces, "fixed": int(key) in fixed}
    return {"blocks": blocks, "friction": friction}


def random_stacks(count: int) -> None:
    """Random towers: the verdict, the tipping block and the time of reading, verdict and name."""
    draw = np.random.default_rng(1)
    right = named = done = certified = 0
    times = []
    while done < count:
        made = stack(draw)
        if made.about["margin"] < 1e-7:
            continue
        done += 1
        begun = time.process_time()
        structure = read(made.request)
        proof = proofs.contradiction(structure)
        times.append(1000 * (time.process_time() - begun))
        right += (proof is None) == made.about["stands"]
        named += proof is None or proof.name in made.about["tips"]
        verdict = statics(structure).verdict
        certified += (verdict.forces is not None) or (verdict.motion is not None)
    print(
        f"random stacks: {right} of {done} verdicts right, {certified} with a certificate, {named} with the right block; "
        f"CPU median {np.median(times):.1f} ms, 95th {np.quantile(times, 0.95):.1f} ms"
    )


def assemblies(folder: Path) -> None:
    """The stored assemblies, one line each, with the median time of five readings and verdicts."""
    for path in sorted(folder.glob("*.json")):
        fixed, friction = SETTINGS.get(path.stem, SETTINGS["shelf"])
        request = assembly(json.loads(path.read_text()), fixed, friction, turned=path.stem == "type-b")
        times = []
        for _ in range(5):
            begun = time.process_time()
            structure = read(request)
            problem = statics(structure)
            verdict = problem.verdict
            times.append(1000 * (time.process_time() - begun))
        told = "stands" if verdict.forces is not None else "falls" if verdict.motion is not None else "open"
        proof = proofs.contradiction(structure) if verdict.motion is not None else None
        rows = problem.system.row_matrix(problem.system.rows)
        error = math.nan
        if problem.forces is not None:
            left = np.where(problem.system.free.ravel(), problem.forces @ rows + problem.system.force.ravel(), 0.0)
            error = float(np.abs(left).max())
        print(
            f"{path.stem:>13}: {told}, {len(structure.blocks)} blocks, {len(problem.contacts)} points of contact, "
            f"residual {error:.1e}, "
            f"CPU {np.median(times):.1f} ms{'' if proof is None else '; ' + proof.message}"
        )


def main(argv: list[str] | None = None) -> int:
    """Print the results; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="500 random stacks instead of 50")
    parser.add_argument("--assemblies", type=Path, default=None, help="a folder with assemblies of compas_cra")
    options = parser.parse_args(argv)
    random_stacks(500 if options.all else 50)
    if options.assemblies is not None:
        assemblies(options.assemblies)
    return 0


if __name__ == "__main__":
    sys.exit(main())
