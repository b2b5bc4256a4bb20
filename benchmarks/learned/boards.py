"""The rules of Sudoku from solved grids, no box named: missed and invented pairs of cells, and hard puzzles solved by the tool.

``python -m benchmarks.learned.boards [--draws 10] [--first 0] [--only clean,wrong,missing,few,fewer] [--puzzles file.csv …]
[--most 2000] [--journal FILE]``; needs ``groundstate[train,cpu]``.

The puzzles file has the columns ``puzzle`` and ``solution``. Nothing is learned from it. Peer in the same run: elimination, which
takes every pair that was never seen equal for a rule.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.learned.records import Records, add_options
from numpy.typing import NDArray

import groundstate as gs
from groundstate_models.sudoku.board import Board
from groundstate_models.sudoku.search import easy_puzzles
from groundstate_training import learn
from groundstate_training.learning import RulesModel

Ints = NDArray[np.int64]
ROW, COLUMN = np.divmod(np.arange(81), 9)
BOX = ROW // 3 * 3 + COLUMN // 3
FIRST, SECOND = np.triu_indices(81, 1)
TRUE = (ROW[FIRST] == ROW[SECOND]) | (COLUMN[FIRST] == COLUMN[SECOND]) | (BOX[FIRST] == BOX[SECOND])


def grids(many: int, seed: int) -> Ints:
    """Solved grids from the project's generator, ``(many, 81)``."""
    return np.asarray(easy_puzzles(many, seed, 60)[1], np.int64)


def found(model: RulesModel) -> NDArray[np.bool_]:
    """The pairs of cells that the model's rules keep different."""
    differ = np.zeros((81, 81), bool)
    other = 0
    for rule in model.rules:
        if rule.kind != "different":
            other += 1
            continue
        for group in rule.places:
            differ[np.ix_(group, group)] = True
    assert other == 0, [rule.text for rule in model.rules]
    return np.asarray(differ[FIRST, SECOND])


def case(x: Ints) -> dict[str, Any]:
    """Learn from grids (0: missing) and count pairs of cells."""
    rows = [[None if v == 0 else int(v) for v in one] for one in x]
    begun = time.perf_counter()
    model = learn([[row[k : k + 9] for k in range(0, 81, 9)] for row in rows])
    seconds = time.perf_counter() - begun
    assert isinstance(model, RulesModel)
    pairs = found(model)
    equal = ((x[:, FIRST] == x[:, SECOND]) & (x[:, FIRST] > 0)).any(0)
    return {
        "exact": bool((pairs == TRUE).all()),
        "missed": int((TRUE & ~pairs).sum()),
        "invented": int((~TRUE & pairs).sum()),
        "elimination missed": int((TRUE & equal).sum()),
        "elimination invented": int((~TRUE & ~equal).sum()),
        "seconds": round(seconds, 1),
        "questions": len(model.questions),
    }


def corrupted(x: Ints, part: float, random: np.random.Generator) -> Ints:
    """A part of the grids with two wrong cells each."""
    x = x.copy()
    for k in random.choice(len(x), round(part * len(x)), replace=False):
        for i in random.choice(81, 2, replace=False):
            x[k, i] = (x[k, i] - 1 + random.integers(1, 9)) % 9 + 1
    return x


def answered(many: int, seed: int, most: int) -> dict[str, Any]:
    """Few grids, then questions that the true rules reply to."""
    model = learn(grids(many, seed).reshape(-1, 9, 9))
    asked = 0
    while model.questions and asked < most:
        question = model.questions[0]
        case = {model.layout.index[name]: value for name, value in question.options[0].patch[0]["value"].items()}
        clash = any(
            case[i] == case[j] and TRUE[(min(i, j) == FIRST) & (max(i, j) == SECOND)][0]
            for i in case
            for j in case
            if i < j
        )
        model = model.reply(question.id, "no" if clash else "yes")
        asked += 1
    pairs = found(model)
    missed, invented = int((TRUE & ~pairs).sum()), int((~TRUE & pairs).sum())
    return {"exact": missed + invented == 0, "asked": asked, "missed": missed, "invented": invented}


def solved(path: Path, most: int) -> dict[str, Any]:
    """Puzzles of a file solved by a tool that was learned from 30 grids."""
    model = learn(grids(30, 0).reshape(-1, 9, 9))
    assert isinstance(model, RulesModel)
    return _puzzles(model, path, most)


def _puzzles(model: RulesModel, path: Path, most: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, path.open(encoding="utf-8") as file:
        model.export(Path(folder) / "learned.onnx")
        solver = gs.load(Path(folder) / "learned.onnx")
        right = wrong = 0
        seconds = []
        rows = list(csv.DictReader(file))[:most]
        for row in rows:
            cells = [int(c) if c in "123456789" else None for c in row["puzzle"]]
            begun = time.perf_counter()
            solution = solver.solve({"grid": [cells[k : k + 9] for k in range(0, 81, 9)]})
            seconds.append(time.perf_counter() - begun)
            if solution.answer is not None:
                same = "".join(str(v) for line in solution.answer["grid"] for v in line) == row["solution"]
                right, wrong = right + same, wrong + (not same)
    return {
        "puzzles": len(rows),
        "right": right,
        "called solved and wrong": wrong,
        "median ms": round(1000 * float(np.median(seconds)), 1),
    }


def carried(path: Path, most: int) -> dict[str, Any]:
    """Puzzles of 9 × 9 solved by a tool that was learned from 60 grids of 6 × 6, no box named."""
    model = learn(np.asarray(easy_puzzles(60, 0, 30, Board.of(6))[1]).reshape(-1, 6, 6))
    assert isinstance(model, RulesModel)
    nine = model.resized((9, 9))
    pairs = found(nine)
    return {
        **_puzzles(nine, path, most),
        "missed": int((TRUE & ~pairs).sum()),
        "invented": int((~TRUE & pairs).sum()),
    }


def missing(seed: int) -> Ints:
    """60 grids, 30 % of whose cells are missing."""
    x = grids(60, seed)
    x[np.random.default_rng(seed).random(x.shape) < 0.3] = 0
    return x


CASES: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "clean": ("30 grids", lambda seed: case(grids(30, seed))),
    "wrong": (
        "200 grids, 30 % with two wrong cells",
        lambda seed: case(corrupted(grids(200, seed), 0.3, np.random.default_rng(seed))),
    ),
    "missing": ("60 grids, 30 % of cells missing", lambda seed: case(missing(seed))),
    "few": ("20 grids, up to 10 questions", lambda seed: answered(20, seed, 10)),
    "fewer": ("12 grids, up to 10 questions", lambda seed: answered(12, seed, 10)),
}


def main() -> None:
    """Print one JSON line a case, then how many draws of each were exact."""
    parser = argparse.ArgumentParser(description="The rules of Sudoku from solved grids.")
    add_options(parser, "draws", 10)
    parser.add_argument("--only", default=",".join(CASES), help="cases of each draw")
    parser.add_argument("--puzzles", type=Path, nargs="*", default=[])
    parser.add_argument("--most", type=int, default=2000)
    options = parser.parse_args()
    records = Records(options.journal)
    learn(grids(30, 999).reshape(-1, 9, 9))  # loads and compiles what is needed
    exact: dict[str, list[bool]] = {}
    for seed in range(options.first, options.first + options.draws):
        for name in options.only.split(","):
            words, measure = CASES[name]
            found = records.of({"draw": seed, "case": words}, lambda m=measure, s=seed: m(s))  # type: ignore[misc]
            exact.setdefault(words, []).append(found["exact"])
    for words, draws in exact.items():
        print(f"{words}: exact in {sum(draws)} of {len(draws)} draws", flush=True)
    for path in options.puzzles:
        records.of({"case": path.stem, "most": options.most}, lambda p=path: solved(p, options.most))  # type: ignore[misc]
        most = min(options.most, 100)
        key = {"case": f"learned on 6 × 6, used on {path.stem}", "most": most}
        records.of(key, lambda p=path, m=most: carried(p, m))  # type: ignore[misc]


if __name__ == "__main__":
    main()
