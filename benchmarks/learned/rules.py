"""Rules from examples of ten hidden families: what is found, what is missed, and whether the learned tool solves.

``python -m benchmarks.learned.rules [--examples 100] [--families queens,rosters] [--instances 100] [--seed 0] [--journal FILE]``

Needs ``groundstate[bench,train,cpu]``. Peer in the same run: elimination, which forbids every pair of values that no example has.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.learned.families import FAMILIES, Family
from benchmarks.learned.records import Records

import groundstate as gs
from groundstate_training import learn
from groundstate_training.learning import RulesModel


def shown(family: Family, x: np.ndarray) -> list[Any]:
    """Configurations as examples."""
    values = np.array(family.problem.values, dtype=object)
    rows = [values[one].tolist() for one in x]
    if family.grid is None:
        return rows
    wide = family.grid[1]
    return [[row[k : k + wide] for k in range(0, len(row), wide)] for row in rows]


def elimination(x: np.ndarray, fresh: np.ndarray) -> float:
    """Part of fresh right configurations that elimination calls wrong."""
    n, v = x.shape[1], int(max(x.max(), fresh.max())) + 1
    hot = (x[..., None] == np.arange(v)).reshape(len(x), -1).astype(np.float32)
    seen = (hot.T @ hot > 0).reshape(n, v, n, v)
    wrong = 0
    for one in fresh:
        i, j = np.triu_indices(n, 1)
        wrong += not seen[i, one[i], j, one[j]].all()
    return wrong / len(fresh)


def measure(family: Family, examples: int, instances: int, seed: int) -> dict[str, Any]:
    """One family: learn, then hold the model against the true rules: exact if it calls nothing right wrong, and answers right."""
    random = np.random.default_rng(seed)
    x = family.problem.draw(examples, random)
    begun = time.perf_counter()
    model = learn(shown(family, x), kind="rules")
    learned = time.perf_counter() - begun
    assert isinstance(model, RulesModel)
    fresh = family.problem.draw(100, random)
    names = model.layout.names
    values = family.problem.values
    invented = sum(bool(model.broken(dict(zip(names, [values[a] for a in one], strict=True)))) for one in fresh)
    place = {value: k for k, value in enumerate(values)}
    right = solved = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "learned.onnx"
        model.export(path)
        solver = gs.load(path)
        seconds = []
        for k in range(instances):
            one = fresh[k % len(fresh)]
            # From nothing known to nearly everything known.
            keep = random.random(len(one)) < random.uniform(0.0, 0.7)
            known = {names[i]: values[one[i]] for i in np.flatnonzero(keep)}
            begun = time.perf_counter()
            solution = solver.solve({"known": known, **({"usual": False} if model.preferences else {})}, seed=k)
            seconds.append(time.perf_counter() - begun)
            if solution.answer is not None:
                solved += 1
                flat = (
                    [v for row in solution.answer["grid"] for v in row]
                    if family.grid
                    else list(solution.answer["values"].values())
                )
                c = np.array([place[v] for v in flat])
                right += family.problem.right(c) and bool((c[keep] == one[keep]).all())
    return {
        "exact": invented == 0 and right == solved,
        "rules": len(model.rules),
        "seconds": round(learned, 1),
        "right configurations called wrong": f"{invented} of {len(fresh)}",
        "by elimination": f"{round(elimination(x, fresh) * len(fresh))} of {len(fresh)}",
        "solved": f"{solved} of {instances}",
        "right by the true rules": f"{right} of {instances}",
        "right, or the model asks": f"{instances if model.questions else right + instances - solved} of {instances}",
        "median ms": round(1000 * float(np.median(seconds)), 1),
        "questions": len(model.questions),
    }


def main() -> None:
    """Measure the families; one JSON line each."""
    parser = argparse.ArgumentParser(description="Rules from examples.")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--instances", type=int, default=100)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--journal", type=Path, help="keep every measurement here; the same command goes on with the rest"
    )
    options = parser.parse_args()
    records = Records(options.journal)
    for name in options.families.split(","):
        key = {"family": name, "examples": options.examples, "instances": options.instances, "seed": options.seed}

        def measured(name: str = name) -> dict[str, Any]:
            family = FAMILIES[name](np.random.default_rng(options.seed))
            return measure(family, options.examples, options.instances, options.seed)

        records.of(key, measured)


if __name__ == "__main__":
    main()
