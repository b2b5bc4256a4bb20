"""Tables with 30 % of their cells hidden: a learned table against what a user would pick instead, in the same run.

``python -m benchmarks.learned.tables FOLDER [--masks 1] [--rows 600] [--tables iris,wine] [--mechanisms random,others,own]``

Needs ``groundstate[bench,train]``. FOLDER holds CSV files of numbers whose first column is a row number. Cells are
hidden at random, depending on two other columns, or depending on the value itself (large ones more often). Errors are
in standard deviations of the whole column; CRPS is the fair estimate from draws (Ferro, 2014), RMSE is that of the
mean. Nothing is tuned on the hidden cells.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.learned.imputers import IMPUTERS
from numpy.typing import NDArray

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


def measure(x: Floats, hidden: Mask, seed: int, methods: list[str]) -> dict[str, dict[str, float]]:
    """Scores of all methods on one table with one mask."""
    shown = np.where(hidden, np.nan, x)
    keep = np.nanstd(shown, 0) > 0  # a column of which one value is left has nothing to learn
    x, shown, hidden = x[:, keep], shown[:, keep], hidden[:, keep]
    middle, spread = np.nanmean(shown, 0), np.nanstd(shown, 0) + 1e-12
    scale = x.std(0)
    cells = np.nonzero(hidden)
    results = {}
    for name in methods:
        if name == "learned":
            results[name] = of_learned(shown, x, hidden, seed)
            continue
        begun = time.perf_counter()
        draws = IMPUTERS[name]((shown - middle) / spread, seed) * spread + middle
        seconds = time.perf_counter() - begun
        results[name] = _scores(draws[:, *cells] / scale[cells[1]], x[cells] / scale[cells[1]]) | {"seconds": seconds}
    return results


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
    parser.add_argument("--methods", default=",".join([*IMPUTERS, "learned"]))
    options = parser.parse_args()
    torch.set_num_threads(1)
    paths = sorted(options.folder.glob("*.csv"))
    wanted = set(filter(None, options.tables.split(",")))
    methods = options.methods.split(",")
    for mechanism in options.mechanisms.split(","):
        records = []
        for path in paths:
            if wanted and path.stem not in wanted:
                continue
            x = read(path, options.rows)
            for seed in range(options.masks):
                hidden = MECHANISMS[mechanism](x, np.random.default_rng([seed, 7]))
                scores = measure(x, hidden, seed, methods)
                rounded = {m: {k: round(v, 4) for k, v in one.items()} for m, one in scores.items()}
                records.append({"table": path.stem, "mechanism": mechanism, "mask": seed, "scores": rounded})
                print(json.dumps(records[-1]), flush=True)
        if {"learned", "mice-norm", "mice-rf", "missForest"} <= set(methods):
            print(json.dumps({"mechanism": mechanism, **summary(records)}), flush=True)


if __name__ == "__main__":
    main()
