"""Cost of starting: imports, a complete process that solves a puzzle, and the size of the environment.

    python benchmarks/startup.py [--runs 15]        # in the environment to be measured

Every run is a fresh process; the two imports take turns, because machines are noisy.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import site
import statistics
import subprocess
import sys
import time
from pathlib import Path

EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
BARE = "import numpy, onnxruntime"
OURS = "import numpy, onnxruntime, groundstate"
FIRST = f"""
import resource, time
import groundstate
solver = groundstate.load("sudoku")
assert solver.solve(solver.parse({EASY!r})).solved
print(time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
"""A fresh process up to its first answer: its processor time, which other load hardly changes, and its memory."""

BOOTSTRAP = {"pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel"}


def seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "ORT_DISABLE_TELEMETRY": "1"})
    return time.perf_counter() - begun


def first() -> tuple[float, float, float]:
    """Seconds, processor seconds and megabytes of a fresh process with one answer."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", FIRST], check=True, stdout=subprocess.PIPE, text=True)
    processor, memory = map(float, done.stdout.split())
    return time.perf_counter() - begun, processor, memory


def main() -> None:
    parser = argparse.ArgumentParser(description="Import time, process time, size of the environment.")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    bare, ours, whole = [], [], []
    for _ in range(options.runs):
        bare.append(seconds([sys.executable, "-c", BARE]))
        ours.append(seconds([sys.executable, "-c", OURS]))
        whole.append(seconds([sys.executable, "-m", "groundstate.cli", "solve", "sudoku", EASY]))
    more = statistics.median(a - b for a, b in zip(ours, bare, strict=True))
    packages = Path(site.getsitepackages()[0])
    own = [p for p in packages.iterdir() if p.name.split("-")[0] not in BOOTSTRAP]
    size = sum(f.stat().st_size for p in own for f in ([p] if p.is_file() else p.rglob("*")) if f.is_file())
    heavy = [name for name in ("torch", "onnx", "pydantic", "langchain_core", "mcp") if importlib.util.find_spec(name)]
    print("| what | median | worst |\n|---|---|---|")
    print(f"| import numpy, onnxruntime | {1e3 * statistics.median(bare):.0f} ms | {1e3 * max(bare):.0f} ms |")
    print(f"| … and groundstate: more by | {1e3 * more:.0f} ms | |")
    print(
        f"| groundstate solve sudoku, whole process | {1e3 * statistics.median(whole):.0f} ms | {1e3 * max(whole):.0f} ms |"
    )
    firsts = [first() for _ in range(options.runs)]
    for name, place, unit in (("all of it", 0, 1e3), ("processor time", 1, 1e3), ("peak memory", 2, 1)):
        values = [unit * one[place] for one in firsts]
        mark = "MB" if place == 2 else "ms"
        print(
            f"| import, load, first answer: {name} | {statistics.median(values):.0f} {mark} | {max(values):.0f} {mark} |"
        )
    print(f"| environment, without pip | {size / 1e6:.0f} MB | {', '.join(heavy) or 'no torch'} |")


if __name__ == "__main__":
    main()
