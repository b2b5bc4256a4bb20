"""The olympia net from a cold process, beside jax_fdm: ``python -m benchmarks.equilibrium.cold FOLDER [--rival PYTHON]``.

FOLDER holds the net of jax_fdm's reference tests (olympia-nodes.csv, olympia-edges.csv). ``--rival`` names a Python in which
jax_fdm is installed. Each run is a new process that reads the net from JSON and ends with places and residual: imports, loading
the model and compilation included, as for somebody who runs a script once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.equilibrium.structures import olympia

OURS = """
import json, sys
import groundstate as gs
found = gs.load("equilibrium").solve(json.load(open(sys.argv[1])), ask=False)
print(json.dumps([found.status, found.answer["residual"], found.answer["positions"]]))
"""

THEIRS = """
import json, sys
import numpy as np
from jax_fdm.datastructures import FDNetwork
from jax_fdm.equilibrium import fdm
net = json.load(open(sys.argv[1]))
names = list(net["nodes"])
number = {name: k for k, name in enumerate(names)}
network = FDNetwork()
for k, name in enumerate(names):
    x, y, z = net["nodes"][name].get("at", [0.0, 0.0, 0.0])
    network.add_node(k, x=x, y=y, z=z)
for member in net["members"]:
    a, b = (number[name] for name in member["between"])
    network.add_edge(a, b)
    network.edge_forcedensity((a, b), member["force_density"])
for k, name in enumerate(names):
    if net["nodes"][name].get("fixed"):
        network.node_support(k)
    network.node_load(k, load=[0.0, 0.0, 0.0])
found = fdm(network)
at = {name: [float(v) for v in found.node_coordinates(k)] for k, name in enumerate(names)}
pull = {name: np.zeros(3) for name in names}
for member in net["members"]:
    a, b = member["between"]
    force = member["force_density"] * np.subtract(at[b], at[a])
    pull[a] += force
    pull[b] -= force
free = [name for name in names if not net["nodes"][name].get("fixed")]
print(json.dumps(["solved", max(float(np.linalg.norm(pull[name])) for name in free), at]))
"""


def run(python: str, code: str, file: Path) -> tuple[float, list[object]]:
    """Seconds of a new process, and what it printed."""
    begun = time.perf_counter()
    out = subprocess.run([python, "-c", code, str(file)], check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - begun, json.loads(out.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rival", help="a Python with jax_fdm")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    ways = {"groundstate": (sys.executable, OURS)}
    if options.rival:
        ways["jax_fdm"] = (options.rival, THEIRS)
    middles: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.json"
        file.write_text(json.dumps(olympia(options.folder)))
        for name, (python, code) in ways.items():
            seconds, results = zip(*(run(python, code, file) for _ in range(options.runs)), strict=True)
            status, residual, _ = results[0]
            print(f"{name}: {status}, residual {residual:.1e}, cold process median {median(seconds):.2f} s", flush=True)
            middles.append(median(seconds))
    if len(middles) == 2:
        print(f"ratio: {middles[1] / middles[0]:.1f}")


if __name__ == "__main__":
    main()
