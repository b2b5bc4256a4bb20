"""Steps a second with separate learned numbers for each row: the cost of training, by implementation.

    python -m benchmarks.rows [--seconds 4] [--rows 64 512]

``file`` is the exported file that `groundstate_training.RowSearch` runs, in ONNX Runtime on one thread; ``PyTorch`` is the same
energy and rule under `groundstate_export.Descent`, on one and two threads. The implementations take turns in one process. A
figure is rows times steps per second of processor time, which other load changes less than wall time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import groundstate as gs
from groundstate_export import Descent, export
from groundstate_models.constraints import train as constraints
from groundstate_models.sudoku import train as sudoku
from groundstate_models.sudoku.board import BOARDS

TURNS = 3


def rate(advance: Callable[[], int], seconds: float) -> float:
    """Rows times steps per second of processor time."""
    done, begun = 0, time.process_time()
    while (spent := time.process_time() - begun) < seconds:
        done += advance()
    return done / spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="processor time of a turn (default: %(default)s)")
    parser.add_argument("--rows", type=int, nargs="+", default=[64, 512])
    options = parser.parse_args()
    print("| model | rows | file | PyTorch, 1 thread | PyTorch, 2 threads |\n|---|---|---|---|---|")
    for name, arguments in (("sudoku", sudoku.row_arguments(BOARDS[9])), ("constraints", constraints.row_arguments())):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.onnx"
            export(**arguments, path=path)
            solver = gs.load(path, threads=1)
        for rows in options.rows:
            cells = (f"{one:,.0f}" for one in measured(arguments, solver, rows, options.seconds))
            print(f"| {name} | {rows} | {' | '.join(cells)} |", flush=True)


def measured(arguments: dict, solver: gs.Solver, rows: int, seconds: float) -> list[float]:
    """Medians over the turns, of the file, of PyTorch on one thread, and on two."""

    def many(tensor: torch.Tensor) -> torch.Tensor:
        return tensor[torch.arange(rows) % len(tensor)].contiguous()

    inputs, start = {name: many(tensor) for name, tensor in arguments["inputs"].items()}, many(arguments["state"])
    arrays, steps = {name: tensor.numpy() for name, tensor in inputs.items()}, solver.header.steps
    descent = Descent(arguments["energy"], arguments["rule"], inputs)
    state = descent.start(start, torch.Generator().manual_seed(0))

    def in_file() -> int:
        solver.minimise(arrays, {"y": start.numpy()})
        return rows * steps

    def in_pytorch() -> int:
        with torch.no_grad():
            descent.step(state, None)
        return rows

    found: list[list[float]] = [[], [], []]
    for turn in range(TURNS + 1):
        for place, (threads, advance) in enumerate(((1, in_file), (1, in_pytorch), (2, in_pytorch))):
            torch.set_num_threads(threads)
            value = rate(advance, seconds if turn else 0.1)
            if turn:
                found[place].append(value)
    return [float(np.median(one)) for one in found]


if __name__ == "__main__":
    main()
