"""Two artefacts of one model side by side, such as before and after an export with the same learned numbers.

    python -m benchmarks.ported BEFORE.onnx AFTER.onnx [--requests 40] [--restarts 16] [--max-steps 512] [--seeds 2]

Both solve the same generated requests with the same seeds in one process. For each file the table has the solved share, the
steps of all chains, and processor time for a request. The files use the same random draws only if their noise and segments
agree, so rates agree up to chance. Energies must agree up to rounding: the last line is the largest relative difference of the
energies of the answers, each scored by both files.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import groundstate as gs
from groundstate_models.constraints.families import FAMILIES, mixed
from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.search import easy_puzzles, minimal_puzzles

SEED = 90_000_053


def sudokus(size: int, count: int) -> list[dict[str, Any]]:
    board = BOARDS[size]
    made = easy_puzzles(count, SEED, 130, board) if size == 16 else minimal_puzzles(count, SEED, board)
    return [{"grid": puzzle.reshape(size, size).tolist()} for puzzle in made[0]]


def constraints(count: int) -> list[dict[str, Any]]:
    return [dict(example.request) for example in mixed(SEED, count, 0.8, list(FAMILIES))]


def schedules(count: int) -> list[dict[str, Any]]:
    draw = np.random.default_rng(SEED)
    return [week(draw) for _ in range(count)]


def week(draw: np.random.Generator) -> dict[str, Any]:
    """Meetings of random people in two days, with some busy times."""
    names = ["Ada", "Bob", "Cem", "Dee", "Eva"]
    busy = {name: [f"mon {h}:00-{h + 1}:00" for h in draw.choice(np.arange(9, 16), 3, replace=False)] for name in names}
    return {
        "days": ["mon", "tue"],
        "hours": "9:00-17:00",
        "people": {name: {"busy": times} for name, times in busy.items()},
        "activities": [
            {"name": f"M{i}", "duration": 60, "who": draw.choice(names, 2, replace=False).tolist()} for i in range(9)
        ],
    }


def requests_for(header: gs.Header, count: int) -> list[dict[str, Any]]:
    made: Mapping[str, Callable[[int], list[dict[str, Any]]]] = {"constraints": constraints, "scheduling": schedules}
    if header.task in made:
        return made[header.task](count)
    return sudokus(header.inputs["grid"].shape[0], count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--requests", type=int, default=40)
    parser.add_argument("--restarts", type=int, default=16)
    parser.add_argument("--max-steps", type=int, default=512)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    solvers = {path: gs.load(path, threads=1) for path in (options.before, options.after)}
    requests = requests_for(solvers[options.after].header, options.requests)
    solved, updates, spent, apart = ({path: [] for path in solvers} for _ in range(4))
    for seed in range(options.seeds):
        for request in requests:
            for path, solver in solvers.items():
                begun = time.process_time()
                outcome = solver.solve(
                    request, restarts=options.restarts, max_steps=options.max_steps, seed=seed, ask=False
                )
                spent[path].append(time.process_time() - begun)
                solved[path].append(outcome.solved)
                updates[path].append(outcome.steps * outcome.chains)
                if outcome.solved:
                    scores = [other.score(request, outcome.answer).energy for other in solvers.values()]
                    if None not in scores:
                        apart[path].append(abs(scores[0] - scores[1]) / max(1e-3, *map(abs, scores)))
    print("| file | solved | updates, median | processor time, median / mean |\n|---|---|---|---|")
    for path in solvers:
        times = f"{1e3 * np.median(spent[path]):.1f} / {1e3 * np.mean(spent[path]):.1f} ms"
        print(f"| {path} | {100 * np.mean(solved[path]):.1f} % | {np.median(updates[path]):.0f} | {times} |")
    both = [*apart[options.before], *apart[options.after]]
    print(f"energies of {len(both)} answers, scored by both: apart by {max(both, default=0.0):.1e} at most")


if __name__ == "__main__":
    main()
