"""Solve rates, steps and times of a model of typed constraints, compared with CP-SAT, as a Markdown table.

    python -m benchmarks.constraints --graphs FOLDER --sudokus PUZZLES.csv … [--only FAMILY …] [--limit N]
    python -m benchmarks.constraints --generalise      # problems four times larger than those it was trained on
    python -m benchmarks.constraints --meeting         # an hour for five people, as a tool call asks for it

All problems have solutions. Every answer reported solved is checked here again: by the meaning of its constraints, and by the
definition of its family (`benchmarks.problems.definitions`), without the solver's own check. Rates come with 95 % Wilson
intervals. Rates, steps and times alone are of single calls of `solve` from a loaded model, with or without an answer;
steps are summed over all chains of a problem. A batch is a call of `solve_many`, within which each problem
has the same deadline. CP-SAT (package ortools) has one worker and the same deadline, and builds its model from the same request.

FOLDER holds DIMACS graphs and their chromatic numbers in ``metadata.json``. Results are kept in a journal, one line a
problem: the same command resumes, and prints a table of the results so far when it is interrupted.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.journal import Journal, Progress, Record
from benchmarks.loaded import Model
from benchmarks.problems import catalogue, larger, meetings
from benchmarks.problems.instance import Family, Instance
from benchmarks.problems.measuring import ALONE, BATCH, CP_SAT, Budget, Job, alone, batch, exactly, wrong
from benchmarks.rates import milliseconds, wilson
from benchmarks.sudoku import solving
from benchmarks.sudoku.puzzles import Puzzle, read

PUZZLES = 100
"""Puzzles of each Sudoku file, unless --limit is given."""
NAMED = 20
"""Problems that a list below the table names at most."""

OF_MODEL = (
    "solved and checked, 95 % interval",
    "reported solved or infeasible, wrong",
    "steps of all chains, median",
    "alone, median / 95th",
    "in a batch, each",
)


def head(models: Sequence[Model]) -> str:
    own = [f"{'beside: ' if model is not models[0] else ''}{column}" for model in models for column in OF_MODEL]
    columns = ("family", "instances", "target", *own, "CP-SAT, solved", "CP-SAT, median / 95th")
    return f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}"


def row(family: Family, job: Job, models: Sequence[Model], journal: Journal) -> str:
    n = len(job.instances)
    cells = [family.name, str(n), family.goal]
    for model in models:
        found = [record for _, record in job.recorded(journal, model.digest, ALONE)]
        together = [record for _, record in job.recorded(journal, model.digest, BATCH)]
        spent = [record["updates"] for record in found if record["right"]]
        cells += [
            _rate(found, n),
            str(sum(wrong(record) for record in (*found, *together))),
            f"{statistics.median(spent):,.0f}" if spent else "–",
            milliseconds([record["seconds"] for record in found]),
            _shared(together, sum(record["right"] for record in found)),
        ]
    proven = [record for _, record in job.recorded(journal, CP_SAT, ALONE)]
    share = f"{100 * sum(record['right'] for record in proven) / len(proven):.0f} %" if proven else "–"
    cells += [share, milliseconds([record["seconds"] for record in proven])]
    return f"| {' | '.join(cells)} |"


def _rate(found: Sequence[Record], n: int) -> str:
    seen = "" if len(found) == n else f", of the first {len(found)}"
    return f"{wilson(sum(record['right'] for record in found), len(found))}{seen}"


def _shared(together: Sequence[Record], alone_hits: int) -> str:
    """Mean time of a problem in a batch, and the number solved if it differs from that alone."""
    if not together:
        return "–"
    hits = sum(record["right"] for record in together)
    solved = "" if hits == alone_hits else f" ({hits} of {len(together)} solved)"
    return f"{1e3 * statistics.mean(record['seconds'] for record in together):.0f} ms{solved}"


def remarks(job: Job, models: Sequence[Model], journal: Journal) -> Iterator[str]:
    """Which problems a model did not solve alone, which it answered wrongly, and how often it found the cheapest answer."""
    for model in models:
        of = f"{job.family}, {model.title}"
        found = job.recorded(journal, model.digest, ALONE)
        every = [*found, *job.recorded(journal, model.digest, BATCH)]
        yield from _list(f"{of}, not solved alone", [one for one, r in found if not r["right"] and not wrong(r)])
        yield from _list(f"{of}, answered wrongly", [one for one, record in every if wrong(record)])
        priced = [(one.least, record["cost"]) for one, record in found if one.least is not None and record["right"]]
        if priced:
            cheapest = sum(cost == least for least, cost in priced)
            yield f"{of}: {cheapest} of {len(priced)} answers cost the least that any does."


def _list(what: str, instances: Sequence[Instance]) -> Iterator[str]:
    if instances:
        more = f" and {len(instances) - NAMED} more" if len(instances) > NAMED else ""
        yield f"{what}: {'; '.join(instance.name for instance in instances[:NAMED])}{more}."


def specialised(puzzles: Sequence[Puzzle], journal: Journal, threads: int | None) -> str:
    """Times of the specialised Sudoku model on the same puzzles."""
    n = round(len(puzzles[0].text) ** 0.5)
    model = Model.load("sudoku" if n == 9 else f"sudoku_{n}x{n}", threads)
    defaults = model.solver.header.defaults
    budget = solving.Budget(int(defaults["restarts"]), int(defaults["max_steps"]))
    solving.alone(model, puzzles, budget, journal)
    times = [record["seconds"] for _, record in solving.recorded(model, puzzles, budget, journal, "alone")]
    return f"{puzzles[0].source}, the specialised model {model.title}, alone, median / 95th: {milliseconds(times)}."


def chosen(options: argparse.Namespace, parser: argparse.ArgumentParser) -> list[Family]:
    """The requested families."""
    if options.generalise:
        known = larger.families()
    elif options.meeting:
        known = meetings.families()
    else:
        known = catalogue.families(options.graphs, options.sudokus, options.limit or PUZZLES)
    only = tuple(options.only or [""])
    for word in only:
        if not any(family.name.startswith(word) for family in known):
            names = ", ".join(family.name for family in known)
            parser.error(
                f"no family begins with {word!r}; there are {names}; colouring needs --graphs, sudoku --sudokus"
            )
    return [family for family in known if family.name.startswith(only)]


def made(family: Family, limit: int | None) -> list[Instance]:
    count = min(family.size, limit or family.size)
    progress, instances = Progress(f"{family.name}, made", count), []
    for index in range(count):
        instances.append(family.make(index))
        progress()
    return instances


def arguments(parser: argparse.ArgumentParser) -> argparse.Namespace:
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--generalise", action="store_true", help="problems larger than any of their kind in training")
    mode.add_argument("--meeting", action="store_true", help="requests for a meeting of five people")
    parser.add_argument("--graphs", type=Path, help="a folder of DIMACS graphs")
    parser.add_argument("--sudokus", type=Path, nargs="+", default=[], help="CSV files of puzzles")
    parser.add_argument("--only", nargs="+", metavar="FAMILY", help="families with this prefix")
    parser.add_argument(
        "--limit", type=int, help=f"problems of each family (default: all; {PUZZLES} Sudokus of a file)"
    )
    parser.add_argument("--model", default="constraints", help="an installed model or a file (default: %(default)s)")
    parser.add_argument("--beside", help="another model, given the same budget")
    parser.add_argument("--deadline", type=float, default=20.0, help="seconds for a problem (default: %(default)s)")
    parser.add_argument("--chains", type=int, help="for a problem (default: the model's)")
    parser.add_argument("--steps", type=int, help="steps that each chain may make (default: the model's)")
    parser.add_argument("--threads", type=int, help="threads to spread chains over (default: one a processor)")
    parser.add_argument("--journal", type=Path, default=Path("runs/benchmarks/constraints.jsonl"))
    return parser.parse_args()


def main() -> int:
    parser = argparse.ArgumentParser(description="Solve rates, updates and times of a model of typed constraints.")
    options = arguments(parser)
    families = chosen(options, parser)
    models = [Model.load(name, options.threads) for name in (options.model, options.beside) if name]
    defaults, journal = models[0].solver.header.defaults, Journal(options.journal)
    chains, steps = options.chains or int(defaults["restarts"]), options.steps or int(defaults["max_steps"])
    budget = Budget(chains, steps, options.deadline, options.threads)
    measured: list[tuple[Family, Job]] = []
    specialists: list[str] = []
    stopped = False
    try:
        for family in families:
            measured.append((family, Job(family.name, made(family, options.limit), budget)))
            for model in models:
                alone(model, measured[-1][1], journal)
                batch(model, measured[-1][1], journal)
            exactly(measured[-1][1], journal)
        for path in options.sudokus:
            if f"sudoku-{path.stem}" in {family.name for family in families}:
                specialists += [specialised(read(path, options.limit or PUZZLES), journal, options.threads)]
    except KeyboardInterrupt:
        stopped = True
    titles = " beside ".join(model.title for model in models)
    print(f"{titles} on {platform.processor() or platform.machine()}; {budget}; {CP_SAT}\n")
    if options.generalise:
        sizes = ", ".join(f"{kind} {most}" for kind, most in larger.TRAINED.items())
        print(
            f"Most variables of a problem that is trained on: {sizes}. Here there are {larger.TIMES} times as many.\n"
        )
    print(head(models))
    for family, job in measured:
        print(row(family, job, models, journal))
    notes = [note for _, job in measured for note in remarks(job, models, journal)]
    print("".join(f"\n{note}" for note in (*notes, *specialists)))
    mistaken = any(wrong(record) for _, job in measured for record in job.claims(models, journal))
    return 1 if mistaken else 130 if stopped else 0


if __name__ == "__main__":
    sys.exit(main())
