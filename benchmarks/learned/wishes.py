"""What a request asks of a learned table: both modes where there are two, and sums, ranges and whole numbers that hold.

``python -m benchmarks.learned.wishes [--tables 4] [--rows 400] [--asked 100]``

Needs ``groundstate[train,cpu]``. The tables are generated. In each row, a hidden coin, biased at random by table, sets a
number and a word; the other columns say which two values are possible, and nothing says which one holds. Both modes are
offered if the alternatives of the missing number have one near each of the two. Peer: the mean of the two, which is
the estimate with the least squared error; its distance from the nearer mode is given in widths of a mode.

Requests with wishes leave out a random part of the row and ask for ranges, a sum of some columns, or both; columns of whole
numbers must get whole ones. Those that no values can meet must be called infeasible, and no others; `feasible` of this
file decides that on its own, by trying every whole number.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import groundstate as gs
from groundstate_training import learn

WHOLE = ("rooms", "visits", "score")
NUMBERS = ("size", "load", *WHOLE)
WIDTH = 2.0


def generated(many: int, seed: int) -> tuple[list[dict[str, Any]], list[tuple[float, float]]]:
    """Rows, and the two possible middles of `load` in each."""
    random = np.random.default_rng(seed)
    coin, gap = random.uniform(0.3, 0.7), random.uniform(25, 50)
    rows, modes = [], []
    for _ in range(many):
        size, kind = random.normal(100, 20), str(random.choice(["a", "b", "c"]))
        start = 40 + 0.3 * (size - 100) + {"a": 0, "b": 8, "c": -8}[kind]
        up = random.random() < coin
        modes.append((start, start + gap))
        rows.append(
            {
                "size": round(size, 2),
                "kind": kind,
                "load": round(modes[-1][up] + random.normal(0, WIDTH), 2),
                "rooms": int(np.clip(round(size / 30 + random.normal(0, 0.5)), 1, 6)),
                "visits": int(random.poisson(20 + 15 * (kind == "b"))),
                "score": int(np.clip(round(random.normal(5, 2)), 0, 10)),
            }
        )
    return rows, modes


def offered(solver: gs.Solver, row: dict[str, Any], modes: tuple[float, float]) -> tuple[bool, float]:
    """Whether both modes of the missing load are offered; and how far the mean is from the nearer one, in their widths."""
    known = {name: value for name, value in row.items() if name != "load"}
    answer = solver.solve({"row": known}, alternatives=1).answer
    if answer is None:
        return False, math.nan
    (cell,) = answer["cells"]
    values = [one["value"] for one in cell.get("alternatives", ())]
    near = 0.25 * (modes[1] - modes[0])
    both = all(any(abs(value - mode) < near for value in values) for mode in modes)
    return both, min(abs(cell["mean"] - mode) for mode in modes) / WIDTH


def asked(row: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
    """A request with wishes about a row: near it, or far from any."""
    missing = {name for name in row if random.random() < 0.5} | {str(random.choice(NUMBERS))}
    request: dict[str, Any] = {"row": {name: value for name, value in row.items() if name not in missing}}
    numbers = [name for name in NUMBERS if name in missing]
    between = {}
    for name in numbers:
        if random.random() < 0.5:
            low = row[name] + random.normal(0, 3)
            between[name] = [round(low, 1), round(low + random.exponential(3), 1)]
    if between:
        request["between"] = between
    if random.random() < 0.7:
        columns = [name for name in NUMBERS if name in numbers or random.random() < 0.4]
        if len(columns) > 1:
            total = sum(row[name] for name in columns) + random.normal(0, 5)
            request["sum"] = {"columns": columns, "equals": round(total, random.integers(0, 2))}
    return request


def feasible(request: dict[str, Any]) -> bool:
    """Whether any values meet a request: every whole number within the ranges is tried."""
    row, between, total = request["row"], request.get("between", {}), request.get("sum")
    spans = {}
    for name in set(NUMBERS) - set(row):
        low, high = between.get(name, (-math.inf, math.inf))
        if name in WHOLE and not math.isinf(low) and not any(low <= n <= high for n in range(-200, 400)):
            return False
        spans[name] = (low, high)
    if total is None:
        return True
    rest = total["equals"] - sum(row[name] for name in total["columns"] if name in row)
    open_ = [name for name in total["columns"] if name not in row]
    if not open_:
        return abs(rest) < 1e-6
    free = [spans[name] for name in open_ if name not in WHOLE]
    whole = [spans[name] for name in open_ if name in WHOLE]
    if any(math.isinf(low) for low, _ in free):
        return True
    least, most = sum(low for low, _ in free), sum(high for _, high in free)
    if any(math.isinf(low) for low, _ in whole):
        # An unbounded whole number makes the whole ones' sum any whole number.
        return math.ceil(rest - most - 1e-6) <= rest - least + 1e-6
    choices = [[n for n in range(-200, 400) if low <= n <= high] for low, high in whole]
    return any(least - 1e-6 <= rest - sum(values) <= most + 1e-6 for values in product(*choices))


def holds(request: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a completed row is all that was asked for."""
    total = request.get("sum")
    return (
        all(row[name] == value for name, value in request["row"].items())
        and all(low <= row[name] <= high for name, (low, high) in request.get("between", {}).items())
        and all(float(row[name]).is_integer() for name in WHOLE)
        and (total is None or abs(sum(row[name] for name in total["columns"]) - total["equals"]) < 1e-6)
    )


def table(seed: int, rows: int, many: int) -> dict[str, Any]:
    """One generated table."""
    train, _ = generated(rows, seed)
    tests, modes = generated(rows + many, seed)
    tests, modes = tests[rows:], modes[rows:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.onnx"
        learn(train, kind="table", seed=seed).export(path)
        with gs.load(path) as solver:
            both = [offered(solver, row, pair) for row, pair in zip(tests, modes, strict=True)]
            random = np.random.default_rng(seed + 1000)
            held = wrong = kept = unsolved = 0
            for row in tests:
                request = asked(row, random)
                solution = solver.solve(request, alternatives=1)
                can = feasible(request)
                kept += can
                wrong += (solution.status == "infeasible") == can
                if can and solution.answer is not None:
                    held += holds(request, solution.answer["row"])
                unsolved += can and solution.answer is None
    return {
        "table": seed,
        "both modes offered": f"{sum(one for one, _ in both)} of {many}",
        "the mean is off by": f"{np.nanmean([off for _, off in both]):.1f} widths of a mode",
        "wishes hold": f"{held} of {kept} feasible ones",
        "without an answer": unsolved,
        "infeasible wrongly, or missed": wrong,
    }


def main() -> None:
    """Print one JSON line a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=4)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--asked", type=int, default=100)
    options = parser.parse_args()
    for seed in range(options.tables):
        print(json.dumps(table(seed, options.rows, options.asked)), flush=True)


if __name__ == "__main__":
    main()
