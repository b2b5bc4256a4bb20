"""The learned energy compared with hand-written energies of the rules, with the same runtime, chains and steps.

    python -m benchmarks.sudoku.baseline PUZZLES.csv … [--chains 32] [--steps 512] [--limit 200]
    python -m benchmarks.sudoku.baseline --tune [--trials 60] [--puzzles 32]

The hand-written energies (`benchmarks.sudoku.knowing`) contain every rule of Sudoku and no learned weight. Each is
exported by the project's exporter, verified like any other, and solved by the same runtime: a heavy ball on squared violations,
the same while the landscape is annealed, and a heavy ball within an augmented Lagrangian. Their settings are the best random
ones on generated hard puzzles, tried twice, as printed by ``--tune``. Runs are kept in a journal; the same command
resumes.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.journal import Journal, Progress
from benchmarks.loaded import Model
from benchmarks.rates import wilson
from benchmarks.sudoku.knowing import Settings, trial, write
from benchmarks.sudoku.puzzles import Puzzle, read
from benchmarks.sudoku.solving import Budget, recorded, solve, updates

from groundstate_export import export
from groundstate_models.sudoku.data import Puzzles, generate
from groundstate_models.sudoku.export import arguments as exported
from groundstate_models.sudoku.learned import Settings as Learned

SETTINGS = {
    "knowing": Settings(1.25, 0.95, 0.0, 1.0, 0.0, 0.003),
    "knowing_annealed": Settings(0.75, 0.95, 0.01, 1.0, 0.8, 0.001, anneal=256),
    "knowing_multipliers": Settings(0.51, 0.0, 0.01, 1.0, 0.1, 0.03, penalty=1.09, every=4),
}
SEED = 5_000_011
FINALISTS = 8


def drawn(name: str, chance: random.Random) -> Settings:
    """Random settings of one kind."""
    settings = Settings(
        step_size=10 ** chance.uniform(-1.7, 0.5),
        momentum=chance.choice((0.0, 0.5, 0.8, 0.9, 0.95)),
        noise=chance.choice((0.0, 0.003, 0.01, 0.03)),
        sharpness=chance.choice((1.0, 2.0, 4.0)),
        confidence=chance.choice((0.0, 0.1, 0.3, 0.5, 0.8)),
        confinement=chance.choice((0.001, 0.003, 0.01, 0.03, 0.1)),
    )
    if name == "knowing_annealed":
        return replace(settings, confidence=chance.choice((0.3, 0.5, 0.8, 1.2)), anneal=chance.choice((64, 128, 256)))
    if name == "knowing_multipliers":
        return replace(settings, penalty=10 ** chance.uniform(-1.0, 0.7), every=chance.choice((1, 4, 10)))
    return settings


def tune(trials: int, n: int) -> None:
    """Try random settings of every kind, retry the best on four times as many other puzzles, and print them."""
    first, second, chance = generate(0, n, SEED), generate(0, 4 * n, SEED + 1), random.Random(0)
    for name, used in SETTINGS.items():
        progress = Progress(name, trials + FINALISTS)

        def tried(settings: Settings, puzzles: Puzzles, progress: Progress = progress) -> float:
            share = trial(settings, puzzles, chains=2)
            progress()
            return share

        found = sorted((drawn(name, chance) for _ in range(trials)), key=lambda one: -tried(one, first))
        best = [(tried(settings, second), settings) for settings in (used, *found[: FINALISTS - 1])]
        print(f"\n| {name}, {4 * n} hard puzzles | chains that are right |\n|---|---|")
        for share, settings in sorted(best, key=lambda one: -one[0]):
            print(f"| {settings}{' (in use)' if settings == used else ''} | {100 * share:.1f} % |", flush=True)


def untrained(folder: Path) -> Model:
    """The form of the learned energy with the numbers that training starts from."""
    settings, path = folder / "untrained.json", folder / "untrained.onnx"
    Learned().keep(settings)
    export(**exported(settings), path=path)
    return Model.load(str(path))


def row(name: str, model: Model, puzzles: Sequence[Puzzle], budget: Budget, journal: Journal) -> str:
    found = [record for _, record in recorded(model, puzzles, budget, journal)]
    n, hits = len(found), sum(record["right"] for record in found)
    wrong = sum(record["claimed"] and not record["right"] for record in found)
    each = f"{1e3 * sum(record['seconds'] for record in found) / n:.0f} ms" if n else "–"
    cells = (puzzles[0].source, name, f"{n} of {len(puzzles)}", wilson(hits, n), str(wrong), updates(found), each)
    return f"| {' | '.join(cells)} |"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The learned Sudoku energy beside energies written by hand.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument(
        "--model", default="sudoku", help="the learned one: installed, or a file (default: %(default)s)"
    )
    parser.add_argument("--chains", type=int, help="default: the model's")
    parser.add_argument("--steps", type=int, help="steps that each chain may make (default: the model's)")
    parser.add_argument("--limit", type=int, default=200, help="a seeded sample of each file (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("runs/benchmarks"), help="where the baselines are written")
    parser.add_argument("--journal", type=Path, default=Path("runs/benchmarks/sudoku.jsonl"))
    parser.add_argument("--tune", action="store_true", help="try settings instead of solving files")
    parser.add_argument("--trials", type=int, default=60, help="of each kind (default: %(default)s)")
    parser.add_argument("--puzzles", type=int, default=32, help="to try them on (default: %(default)s)")
    options = parser.parse_args()
    if bool(options.files) == options.tune:
        parser.error("name the files of puzzles to solve, or --tune without any")
    return options


def main() -> int:
    options = arguments()
    if options.tune:
        tune(options.trials, options.puzzles)
        return 0
    journal, learned = Journal(options.journal), Model.load(options.model)
    models = {f"learned, {learned.title}": learned}
    taken = exported()
    options.folder.mkdir(parents=True, exist_ok=True)
    models["the same form, untrained"] = untrained(options.folder)
    for name, settings in SETTINGS.items():
        path = options.folder / f"{name}.onnx"
        write(settings, name, path, taken)
        models[name.replace("_", ", ")] = Model.load(str(path))
    defaults = learned.solver.header.defaults
    budget = Budget(options.chains or int(defaults["restarts"]), options.steps or int(defaults["max_steps"]))
    sets = [read(path, options.limit) for path in options.files]
    stopped = False
    try:
        for puzzles in sets:
            for model in models.values():
                solve(model, puzzles, budget, journal)
    except KeyboardInterrupt:
        stopped = True
    print(f"{budget} (chains × updates)\n")
    print(
        "| set | energy | puzzles | solved and checked, 95 % interval | reported solved, wrong | steps of all chains, ",
        end="",
    )
    print("median / 95th / mean | in a batch |\n|---|---|---|---|---|---|---|")
    for puzzles in sets:
        for name, model in models.items():
            print(row(name, model, puzzles, budget, journal))
    return 130 if stopped else 0


if __name__ == "__main__":
    sys.exit(main())
