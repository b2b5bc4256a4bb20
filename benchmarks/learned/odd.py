"""Odd values planted in tables and boards: how well they are ranked, and whether the right repair comes first.

``python -m benchmarks.learned.odd FOLDER [--tables strong,weak,wine,raisin,iris] [--rows 600] [--boards 20]``

Needs ``groundstate[bench,train,cpu]``.

In tables, one cell in every second test row gets the value of another random row that is at least one standard deviation
off. A cell's score is the gain of `TableModel.odd`, how much less surprising the row is with another value in its place;
a row's is the largest. In the same run: each cell's own likelihood beside the others, by which the tool judges, and
as the peer the distance from the column's mean in standard deviations.

What is planted where the others of a row say little cannot be found by any method. The generated tables ``strong`` and
``weak`` show how much can: their true distribution is known, and its best measure is beside ours.

Boards are solved grids with one or two wrong cells; a repair is right if it names exactly those.
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


FACTORS = {"strong": 0.3, "weak": 1.0}
"""Standard deviation of a value about its factors, which have about 1, in the generated tables."""


def generated(name: str, rows: int) -> tuple[Floats, Floats]:
    """Rows of a normal distribution of eight columns with three common factors, and its covariance."""
    random = np.random.default_rng(5)
    loadings = random.normal(size=(8, 3)) / np.sqrt(3)
    x = random.normal(size=(rows, 3)) @ loadings.T + FACTORS[name] * random.normal(size=(rows, 8))
    return x.round(3), loadings @ loadings.T + FACTORS[name] ** 2 * np.eye(8)


def best(x: Floats, covariance: Floats) -> Floats:
    """The log odds that each cell was drawn on its own instead of beside the others: no measure ranks better."""
    precision = np.linalg.inv(covariance)
    own, alone = 1 / np.diag(precision), np.diag(covariance)
    away = x @ precision * own
    return np.asarray(0.5 * (away**2 / own + np.log(own) - x**2 / alone - np.log(alone)))


def table(name: str, x: Floats, covariance: Floats | None = None) -> dict[str, Any]:
    """One table: learned from clean rows, tested on others with planted values."""
    random = np.random.default_rng(0)
    order = random.permutation(len(x))
    many = max(len(x) - 150, len(x) * 2 // 3)
    train, test = x[order[:many]], x[order[many:]]
    keep = train.std(0) > 0
    train, test = train[:, keep], test[:, keep]
    names = [f"c{k}" for k in range(train.shape[1])]
    model = learn([dict(zip(names, map(float, row), strict=True)) for row in train], kind="table")
    assert isinstance(model, TableModel)
    clean = test
    test, column = planted(test, random)
    alone, gains = np.ones(test.shape), np.zeros(test.shape)
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
                alone[row, k] = chance / max(float(belief.chances.max()), 1e-9)
            else:
                alone[row, k] = belief.likelihood(value)
    repairs: list[list[tuple[int, float]]] = []
    for row, found in enumerate(model.odd([dict(zip(names, map(float, one), strict=True)) for one in test])):
        for one in found:
            gains[row, names.index(one.column)] = one.gain
        repairs.append([(names.index(one.column), float(one.instead)) for one in found[:1]])
    odd = column >= 0
    cells = np.arange(test.shape[1]) == column[:, None]
    plain = np.abs((test - train.mean(0)) / train.std(0))
    measures = {"gain": gains, "own likelihood": -np.log(alone + 1e-6), "distance from the mean": plain}
    if covariance is not None:
        measures["the true distribution"] = best(test, covariance)
    near = [
        first == column[row] and abs(instead - clean[row, first]) <= train[:, first].std()
        for row, one in enumerate(repairs)
        for first, instead in one
        if odd[row]
    ]
    return {
        "table": name,
        "rows": len(test),
        **{f"AUROC of cells by {way}": auroc(cells, by) for way, by in measures.items()},
        **{f"of rows by {way}": round(float(roc_auc_score(odd, by.max(1))), 3) for way, by in measures.items()},
        **{
            f"right column first by {way}": f"{int((by.argmax(1) == column)[odd].sum())} of {int(odd.sum())}"
            for way, by in measures.items()
        },
        "… and repaired within a standard deviation": f"{sum(near)} of {int(odd.sum())}",
    }


def auroc(cells: NDArray[np.bool_], by: Floats) -> float:
    """The area under the curve of a measure of all cells."""
    return round(float(roc_auc_score(cells.ravel(), by.ravel())), 3)


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
    parser.add_argument("--tables", default="strong,weak,wine,raisin,iris")
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--boards", type=int, default=20)
    options = parser.parse_args()
    if options.boards:
        print(json.dumps(boards(options.boards)), flush=True)
    for name in filter(None, options.tables.split(",")):
        rows = options.rows + 150
        made = generated(name, rows) if name in FACTORS else (read(options.folder / f"{name}.csv", rows),)
        print(json.dumps(table(name, *made)), flush=True)


if __name__ == "__main__":
    main()
