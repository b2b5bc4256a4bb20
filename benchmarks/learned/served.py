"""The tool of a learned table: seconds of learning, size of the file, seconds of loading, milliseconds a row.

``python -m benchmarks.learned.served [--rows 1000] [--columns 12] [--asked 50]``

Needs ``groundstate[train,cpu]``. The table is generated: half its columns are noise, the others nonlinear functions of two
of them. In each row that is asked for, a third of the values is missing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

import groundstate as gs
from groundstate_training import learn


def generated(rows: int, columns: int, seed: int) -> list[dict[str, float]]:
    """Rows of a table with noise columns and functions of them."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, (columns + 1) // 2))
    made = [
        np.sin(2 * x[:, k]) + x[:, k - 1] ** 2 / 2 + 0.2 * random.normal(size=rows) for k in range(columns - x.shape[1])
    ]
    return [{f"c{k}": round(float(v), 3) for k, v in enumerate(row)} for row in np.column_stack([x, *made]) if len(row)]


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=12)
    parser.add_argument("--asked", type=int, default=50)
    options = parser.parse_args()
    rows = generated(options.rows, options.columns, 0)
    wall, processor = time.perf_counter(), time.process_time()
    model = learn(rows, kind="table")
    found = {
        "learning, s": round(time.perf_counter() - wall, 1),
        "of the processor, s": round(time.process_time() - processor, 1),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.onnx"
        begun = time.perf_counter()
        model.export(path)
        found["export, s"] = round(time.perf_counter() - begun, 1)
        found["file, kB"] = round(path.stat().st_size / 1000)
        begun = time.perf_counter()
        solver = gs.load(path)
        found["loading, s"] = round(time.perf_counter() - begun, 2)
        random, took = np.random.default_rng(1), []
        for row in generated(options.asked, options.columns, 2):
            known = {name: value for name, value in row.items() if random.random() > 1 / 3}
            begun = time.perf_counter()
            solver.solve({"row": known})
            took.append(1000 * (time.perf_counter() - begun))
    found["a row, ms: median"], found["95th"] = (round(float(np.quantile(took, q)), 1) for q in (0.5, 0.95))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
