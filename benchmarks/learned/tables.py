"""Tables with 30 % of their cells hidden: a learned table against what a user would pick instead, in the same run.

``python -m benchmarks.learned.tables FOLDER [--masks 1] [--rows 600] [--tables iris,wine] [--mechanisms random,others,own]
[--cache FILE]``

Needs ``groundstate[bench,train]``; for ``--methods HyperImpute`` also ``pip install hyperimpute "pandas<3" "scikit-learn<1.6"``
in an environment of its own. With a cache, scores that are there are not measured again.

FOLDER holds CSV files of numbers whose first column is a row number. Cells are
hidden at random, depending on two other columns, or depending on the value itself (large ones more often). Errors are
in standard deviations of the whole column; CRPS is the fair estimate from draws (Ferro, 2014), RMSE is that of the
mean. Nothing is tuned on the hidden cells.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.learned.imputers import ASKED_FOR, IMPUTERS
from numpy.typing import NDArray

import groundstate_models.learned.columns
import groundstate_training.learning
from groundstate_training import learn
from groundstate_training.learning import TableModel

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
QUANTILES = (np.arange(50) + 0.5) / 50
PART = 0.3
"""Part of the cells that is hidden."""


def read(path: Path, rows: int) -> Floats:
    """A table without its row numbers and constant columns; a random part of the rows of a long one."""
    with path.open(encoding="utf-8") as file:
        x = np.array([[float(v) for v in row[1:]] for row in list(csv.reader(file))[1:]])
    x = x[:, x.std(0) > 0]
    return np.asarray(x[np.sort(np.random.default_rng(0).permutation(len(x))[:rows])])


def _logistic(z: Floats, part: float) -> Floats:
    """Chances that rise with z and have a given mean."""
    shifts = np.linspace(-12, 12, 481)
    means = [(1 / (1 + np.exp(-2 * z - s))).mean() for s in shifts]
    return np.asarray(1 / (1 + np.exp(-2 * z - np.interp(part, means, shifts))))


def at_random(x: Floats, random: np.random.Generator) -> Mask:
    """Every cell with the same chance."""
    return np.asarray(random.random(x.shape) < PART)


def by_others(x: Floats, random: np.random.Generator) -> Mask:
    """Depending on two columns that are never hidden."""
    z = (x - x.mean(0)) / x.std(0)
    drivers = random.choice(x.shape[1], 2, replace=False)
    hidden = np.zeros(x.shape, bool)
    for k in range(x.shape[1]):
        if k not in drivers:
            signs = random.choice([-1.0, 1.0], 2)
            chance = _logistic(z[:, drivers] @ signs, min(PART * x.shape[1] / (x.shape[1] - 2), 0.6))
            hidden[:, k] = random.random(len(x)) < chance
    return hidden


def by_itself(x: Floats, random: np.random.Generator) -> Mask:
    """Depending on the value itself: large ones more often."""
    z = (x - x.mean(0)) / x.std(0)
    return np.stack([random.random(len(x)) < _logistic(z[:, k], PART) for k in range(x.shape[1])], 1)


MECHANISMS: dict[str, Callable[[Floats, np.random.Generator], Mask]] = {
    "random": at_random,
    "others": by_others,
    "own": by_itself,
}


def _crps(draws: Floats, true: Floats, fair: bool) -> float:
    """Mean CRPS of draws ``(draws, cells)``; quantiles are not draws and need no correction for their number."""
    m = len(draws)
    ordered = np.sort(draws, 0)
    weights = (2 * np.arange(1, m + 1) - m - 1)[:, None]
    pairs = 2 * (weights * ordered).sum(0) / (m * (m - 1) if fair else m * m)
    return float((np.abs(draws - true).mean(0) - 0.5 * pairs).mean())


def _scores(draws: Floats, true: Floats) -> dict[str, float]:
    mean = draws.mean(0)
    one = len(draws) == 1
    found = {
        "rmse": float(np.sqrt(((mean - true) ** 2).mean())),
        "crps": float(np.abs(mean - true).mean()) if one else _crps(draws, true, fair=True),
    }
    if not one:
        low, high = np.quantile(draws, [0.05, 0.95], axis=0)
        found["covered"] = float(((low <= true) & (true <= high)).mean())
    return found


def of_learned(x: Floats, true: Floats, hidden: Mask, seed: int) -> dict[str, float]:
    """The learned table's scores."""
    names = [f"c{k}" for k in range(x.shape[1])]
    rows = [{n: None if np.isnan(v) else float(v) for n, v in zip(names, row, strict=True)} for row in x]
    begun = time.perf_counter()
    model = learn(rows, kind="table", seed=seed)
    assert isinstance(model, TableModel)
    found = model.beliefs(rows)
    seconds = time.perf_counter() - begun
    spread = true.std(0)
    quantiles, means, goals, inside = [], [], [], []
    for row, beliefs in enumerate(found):
        for k, belief in beliefs.items():
            quantiles.append(belief.quantiles(QUANTILES) / spread[k])
            means.append(belief.mean / spread[k])
            goals.append(true[row, k] / spread[k])
            low, high = belief.interval()
            inside.append(low - 1e-9 <= true[row, k] <= high + 1e-9)
    assert len(goals) == hidden.sum()
    y = np.array(goals)
    return {
        "rmse": float(np.sqrt(((np.array(means) - y) ** 2).mean())),
        "crps": _crps(np.array(quantiles).T, y, fair=False),
        "covered": float(np.mean(inside)),
        "seconds": seconds,
    }


def measure(x: Floats, hidden: Mask, seed: int, method: str) -> dict[str, float]:
    """Scores of a method on one table with one mask."""
    shown = np.where(hidden, np.nan, x)
    keep = np.nanstd(shown, 0) > 0  # a column of which one value is left has nothing to learn
    x, shown, hidden = x[:, keep], shown[:, keep], hidden[:, keep]
    if method == "learned":
        return of_learned(shown, x, hidden, seed)
    middle, spread = np.nanmean(shown, 0), np.nanstd(shown, 0) + 1e-12
    scale = x.std(0)
    cells = np.nonzero(hidden)
    begun = time.perf_counter()
    draws = IMPUTERS[method]((shown - middle) / spread, seed) * spread + middle
    seconds = time.perf_counter() - begun
    return _scores(draws[:, *cells] / scale[cells[1]], x[cells] / scale[cells[1]]) | {"seconds": seconds}


class Cache:
    """Scores on disk, so that a run continues and peers need not be measured again for each change of ours.

    Args:
        path: A file of JSON lines, made by an earlier run, or None.
    """

    def __init__(self, path: Path | None) -> None:
        self.path, self.scores = path, dict[tuple[Any, ...], dict[str, float]]()
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                one = json.loads(line)
                self.scores[tuple(one["key"])] = one["scores"]

    def get(self, key: tuple[Any, ...], measured: Callable[[], dict[str, float]]) -> dict[str, float]:
        """The scores of a key, measured if they are not there."""
        if key not in self.scores:
            self.scores[key] = {name: round(value, 4) for name, value in measured().items()}
            if self.path is not None:
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"key": key, "scores": self.scores[key]}) + "\n")
        return self.scores[key]


def code() -> str:
    """A mark of the code that learns: scores of another code are not taken from the cache."""
    folder = Path(groundstate_training.learning.__file__).parent
    files = [*sorted(folder.glob("*.py")), Path(groundstate_models.learned.columns.__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def summary(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Over all tables: how often the learned table is at least as good, and the mean ratios."""
    by_table: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in records:
        by_table[one["table"]].append(one["scores"])
    crps, rmse, covered = {}, {}, {}
    for table, scores in by_table.items():

        def mean(method: str, score: str, scores: list[dict[str, Any]] = scores) -> float:
            return float(np.mean([one[method][score] for one in scores]))

        crps[table] = mean("learned", "crps") / min(mean("mice-norm", "crps"), mean("mice-rf", "crps"))
        rmse[table] = mean("learned", "rmse") / mean("missForest", "rmse")
        covered[table] = mean("learned", "covered")
    return {
        "CRPS / best MICE": {t: round(v, 3) for t, v in crps.items()},
        "RMSE / missForest": {t: round(v, 3) for t, v in rmse.items()},
        "covered": {t: round(v, 3) for t, v in covered.items()},
        "CRPS <= best MICE": f"{sum(v <= 1 for v in crps.values())} of {len(crps)}, mean {np.mean(list(crps.values())):.3f}",
        "RMSE <= missForest": f"{sum(v <= 1 for v in rmse.values())} of {len(rmse)}, mean {np.mean(list(rmse.values())):.3f}",
        "covered 88 to 92 %": f"{sum(0.88 <= v <= 0.92 for v in covered.values())} of {len(covered)}",
    }


def main() -> None:
    """Print one JSON line a table and mask, and the summary of each mechanism."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--masks", type=int, default=1)
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--tables", default="")
    parser.add_argument("--mechanisms", default=",".join(MECHANISMS))
    parser.add_argument("--methods", default=",".join([*(m for m in IMPUTERS if m not in ASKED_FOR), "learned"]))
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    wanted = set(filter(None, options.tables.split(",")))
    paths = [path for path in sorted(options.folder.glob("*.csv")) if not wanted or path.stem in wanted]
    methods, mechanisms = options.methods.split(","), options.mechanisms.split(",")
    cache, mark = Cache(options.cache), code()
    records: list[dict[str, Any]] = []
    for seed, mechanism, path in product(range(options.masks), mechanisms, paths):
        x = read(path, options.rows)
        hidden = MECHANISMS[mechanism](x, np.random.default_rng([seed, 7]))
        scores = {}
        for method in methods:
            key = (path.stem, options.rows, mechanism, seed, method, *([mark] if method == "learned" else []))
            scores[method] = cache.get(key, partial(measure, x, hidden, seed, method))
        records.append({"table": path.stem, "mechanism": mechanism, "mask": seed, "scores": scores})
        print(json.dumps(records[-1]), flush=True)
    if {"learned", "mice-norm", "mice-rf", "missForest"} <= set(methods):
        for mechanism in mechanisms:
            own = [one for one in records if one["mechanism"] == mechanism]
            print(json.dumps({"mechanism": mechanism, **summary(own)}), flush=True)


if __name__ == "__main__":
    main()
