"""Rate against compute: a figure, its data as JSON, and a table of chains by steps.

    python -m benchmarks.sudoku.curve PUZZLES.csv … [--puzzles 100] [--chains 64] [--runs 32] [--steps 512]
    python -m benchmarks.sudoku.curve --redraw                # the figure again, from its data

Each puzzle is solved once by many chains, as admitted by `Solver.solve`, with the largest budget; the total steps of all its
chains until it is solved give the curve for every smaller budget. It is also solved by K single chains with
different seeds, each until it would restart. In sequence they give the curve of a single chain with restarts; drawn in
groups of c they give the rate of c chains of s steps each, 1 − C(K−m, c) / C(K, c) where m of them were right within s steps
(the estimate of M. Chen et al., "Evaluating large language models trained on code", 2021).

Runs are kept in a journal as by `benchmarks.sudoku`; the same command resumes.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.journal import Journal, Record
from benchmarks.loaded import Model
from benchmarks.rates import interval
from benchmarks.sudoku import exact, figure
from benchmarks.sudoku.puzzles import Puzzle, read
from benchmarks.sudoku.solving import Budget, recorded, solve


def powers(least: int, most: int) -> list[int]:
    """``least``, twice that, and so on, and ``most``."""
    return [*(least << i for i in range(64) if least << i < most), most]


def any_of(runs: int, right: int, drawn: int) -> float:
    """The probability that at least one of some runs, drawn without replacement, is right."""
    return 1.0 - math.comb(runs - right, drawn) / math.comb(runs, drawn)


def one_after_another(runs: Sequence[Record]) -> int | None:
    """Steps until the first right answer of runs in sequence; None if none is right."""
    spent = 0
    for run in runs:
        spent += run["updates"]
        if run["right"]:
            return spent
    return None


def grid(puzzles: Sequence[Sequence[Record]], segment: int, steps: int) -> dict[str, Any]:
    """Rates of c chains of s steps each."""
    chains, lengths = powers(1, len(puzzles[0])), powers(segment, steps)
    rates = [
        [statistics.mean(any_of(len(runs), _within(runs, length), c) for runs in puzzles) for length in lengths]
        for c in chains
    ]
    return {"chains": chains, "steps": lengths, "rates": rates}


def _within(runs: Sequence[Record], steps: int) -> int:
    return sum(run["right"] and run["updates"] <= steps for run in runs)


def measure(
    model: Model, puzzles: Sequence[Puzzle], many: Budget, singles: Sequence[Budget], journal: Journal
) -> dict[str, Any]:
    """The data of the figure and the table for a set."""
    for budget in (many, *singles):
        solve(model, puzzles, budget, journal)
    together = [record for _, record in recorded(model, puzzles, many, journal)]
    columns = [[record for _, record in recorded(model, puzzles, budget, journal)] for budget in singles]
    runs = list(zip(*columns, strict=True))
    alone = [spent for one in runs if (spent := one_after_another(one)) is not None]
    return {
        "name": puzzles[0].source,
        "puzzles": len(puzzles),
        "many": {
            "chains": many.chains,
            "budget": many.chains * many.steps,
            "solved_at": sorted(record["updates"] for record in together if record["right"]),
        },
        "one": {"runs": len(singles), "budget": sum(one.steps for one in singles), "solved_at": sorted(alone)},
        "grid": grid(runs, model.solver.header.steps, singles[0].steps),
        "exact_ms": 1e3 * statistics.median(exact.times(puzzles)),
    }


def table(one: dict[str, Any]) -> str:
    n, wide = one["puzzles"], one["grid"]
    lines = [f"\n{one['name']}, {n} puzzles: solved by so many chains of so many updates each\n"]
    lines.append(f"| chains | {' | '.join(map(str, wide['steps']))} |\n|{'---|' * (1 + len(wide['steps']))}")
    for chains, rates in zip(wide["chains"], wide["rates"], strict=True):
        cells = (
            f"{100 * p:.1f} % [{100 * low:.0f}, {100 * high:.0f}]" for p in rates for low, high in [interval(n * p, n)]
        )
        lines.append(f"| {chains} | {' | '.join(cells)} |")
    for name, spent in (("many chains", one["many"]), ("one chain after another", one["one"])):
        at = np.array(powers(wide["steps"][0], spent["budget"]), float)
        rates = figure.share(spent["solved_at"], n, at)
        lines.append(f"\n| {name}, updates in all | {' | '.join(f'{u:,.0f}' for u in at)} |\n|{'---|' * (1 + len(at))}")
        lines.append(f"| solved | {' | '.join(f'{100 * p:.1f} %' for p in rates)} |")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The rate of a Sudoku model against the updates it may make.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--model", default="sudoku", help="an installed model or a file (default: %(default)s)")
    parser.add_argument("--puzzles", type=int, default=100, help="a seeded sample of each file (default: %(default)s)")
    parser.add_argument("--chains", type=int, default=64, help="of the many (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=32, help="single chains a puzzle (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="steps that each chain may make (default: the model's)")
    parser.add_argument("--figure", type=Path, default=Path("docs/images/sudoku-curve.svg"))
    parser.add_argument("--redraw", action="store_true", help="only draw the figure again from its data")
    parser.add_argument("--journal", type=Path, default=Path("runs/benchmarks/sudoku.jsonl"))
    options = parser.parse_args()
    if bool(options.files) == options.redraw:
        parser.error("name the files of puzzles to measure on, or --redraw without any")
    return options


def main() -> int:
    options = arguments()
    beside = options.figure.with_suffix(".json")
    if not options.redraw:
        model, journal = Model.load(options.model), Journal(options.journal)
        header = model.solver.header
        steps = -(-(options.steps or int(header.defaults["max_steps"])) // header.steps) * header.steps
        life = min(steps, int(header.defaults["patience"]))
        singles = [Budget(1, life, seed) for seed in range(1, options.runs + 1)]
        try:
            sets = [
                measure(model, read(path, options.puzzles), Budget(options.chains, steps), singles, journal)
                for path in options.files
            ]
        except KeyboardInterrupt:
            print(f"Stopped; the same command goes on from {options.journal}.", file=sys.stderr)
            return 130
        data = {"model": f"{header.name} {header.version}", "segment": header.steps, "sets": sets}
        beside.write_text(json.dumps(data) + "\n", encoding="utf-8")
    data = json.loads(beside.read_text(encoding="utf-8"))
    print("\n".join(map(table, data["sets"])))
    figure.draw(data, options.figure)
    return 0


if __name__ == "__main__":
    sys.exit(main())
