"""Odd values planted in tables and boards: how well they are ranked, and whether the right repair comes first.

``python -m benchmarks.learned.odd FOLDER [--tables wine,raisin,iris] [--rows 600] [--boards 20]``

Needs ``groundstate[bench,train,cpu]``.

In tables, one cell in every second test row gets the value of another random row that is at least one standard deviation
off. A cell's score is its likelihood beside the other cells of its row; a row's is that of its least likely cell. Peer in
the same run: the largest distance from the column's mean in standard deviations. Boards are solved grids with one or two
wrong cells; a repair is right if it names exactly those.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.learned.boards import grids
from benchmarks.learned.tables import read
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

import groundstate as gs
from groundstate_training import learn
from groundstate_training.learning import TableModel

Floats = NDArray[np.float64]


def planted(x: Floats, random: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Rows with an odd value in every second one, and the column of it (−1 without)."""
    x, column = x.copy(), np.full(len(x), -1)
    pool = x.copy()
    for row in range(0, len(x), 2):
        k = random.integers(x.shape[1])
        far = np.flatnonzero(np.abs(pool[:, k] - x[row, k]) >= pool[:, k].std())
        if len(far):
            x[row, k], column[row] = pool[random.choice(far), k], k
    return x, column


def table(path: Path, rows: int) -> dict[str, Any]:
    """One table: learned from clean rows, tested on others with planted values."""
    x = read(path, rows + 150)
    random = np.random.default_rng(0)
    order = random.permutation(len(x))
    many = max(len(x) - 150, len(x) * 2 // 3)
    train, test = x[order[:many]], x[order[many:]]
    keep = train.std(0) > 0
    train, test = train[:, keep], test[:, keep]
    names = [f"c{k}" for k in range(train.shape[1])]
    model = learn([dict(zip(names, map(float, row), strict=True)) for row in train], kind="table")
    assert isinstance(model, TableModel)
    test, column = planted(test, random)
    scores = np.ones(test.shape)
    for k in range(test.shape[1]):
        hidden = [
            {n: None if j == k else float(v) for j, (n, v) in enumerate(zip(names, row, strict=True))} for row in test
        ]
        for row, beliefs in enumerate(model.beliefs(hidden)):
            belief, value = beliefs[k], float(test[row, k])
            if belief.column.kind == "levels":
                chance = belief.likelihood(
                    int(value) if value.is_integer() and int(value) in belief.column.index else value
                )
                scores[row, k] = chance / max(float(belief.chances.max()), 1e-9)
            else:
                scores[row, k] = belief.likelihood(value)
    odd = column >= 0
    cells = np.arange(test.shape[1]) == column[:, None]
    doubt, plain = -np.log(scores + 1e-6), np.abs((test - train.mean(0)) / train.std(0))
    named = scores.argmin(1) == column
    return {
        "table": path.stem,
        "rows": len(test),
        "AUROC of cells": round(float(roc_auc_score(cells.ravel(), doubt.ravel())), 3),
        "by distance from the mean": round(float(roc_auc_score(cells.ravel(), plain.ravel())), 3),
        "AUROC of rows": round(float(roc_auc_score(odd, doubt.max(1))), 3),
        "right column first": f"{int(named[odd].sum())} of {int(odd.sum())}",
    }


def boards(many: int) -> dict[str, Any]:
    """Sudoku grids with one or two wrong cells, by a tool that was learned from 30 grids."""
    model = learn(grids(30, 0).reshape(-1, 9, 9))
    random = np.random.default_rng(1)
    flagged, right = [], 0
    with tempfile.TemporaryDirectory() as folder:
        model.export(Path(folder) / "board.onnx")
        solver = gs.load(Path(folder) / "board.onnx")
        for place, cells in enumerate(grids(many, 77)):
            x = cells.copy()
            wrong = random.choice(81, 1 + place % 2, replace=False)
            for i in wrong:
                x[i] = (x[i] - 1 + random.integers(1, 9)) % 9 + 1
            flagged.append(solver.score({}, {"grid": x.reshape(9, 9).tolist()}).valid is False)
            flagged.append(solver.score({}, {"grid": cells.reshape(9, 9).tolist()}).valid is True)
            answer = solver.solve({"grid": x.reshape(9, 9).tolist(), "repair": True}, alternatives=1).answer
            names = {f"r{i // 9 + 1}c{i % 9 + 1}" for i in wrong}
            right += answer is not None and set(answer["changed"]) == names
    return {
        "boards": many,
        "told apart": f"{sum(flagged)} of {len(flagged)}",
        "right repair first": f"{right} of {many}",
    }


def main() -> None:
    """Print one JSON line a table, and one for the boards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", default="wine,raisin,iris")
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--boards", type=int, default=20)
    options = parser.parse_args()
    if options.boards:
        print(json.dumps(boards(options.boards)), flush=True)
    for name in filter(None, options.tables.split(",")):
        print(json.dumps(table(options.folder / f"{name}.csv", options.rows)), flush=True)


if __name__ == "__main__":
    main()
