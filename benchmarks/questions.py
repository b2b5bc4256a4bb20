"""Whether the model asks exactly when it should, with real options, and whether replies lead to the answer.

    python -m benchmarks.questions multi_solution_500.csv no_solution_300.csv tdoku_17_clue.csv … [--limit N] [--chains 64]

A file is read by its columns. With ``one_solution`` its boards have several answers: how many end as AMBIGUOUS, whether every
option offered is a real alternative (an exact solver, CP-SAT, looks for a solution with it), and whether replies from the
stored solution end as SOLVED with exactly that solution. With ``kind`` its boards have none: how many are reported infeasible,
which options are offered, and whether every option leads to a board with a solution. With ``solution`` its boards have one: how
many still cause a question. Every answer is checked here again. A journal keeps the results.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.journal import Journal, Progress, Record
from benchmarks.loaded import Model
from benchmarks.rates import milliseconds, wilson
from benchmarks.sudoku.exact import solvable
from benchmarks.sudoku.puzzles import Puzzle, digits, right, sample

import groundstate as gs

MOST_QUESTIONS = 30
"""Questions in a row, after which a dialogue counts as failed."""


@dataclass(frozen=True)
class Case:
    """A board, its set, and its columns in the file."""

    puzzle: Puzzle
    kind: str

    @property
    def key(self) -> Record:
        return {"set": self.puzzle.source, "row": self.puzzle.row}


def read(path: Path, limit: int | None) -> list[Case]:
    """The boards of a file, or a seeded sample of them."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cases = []
    for number, row in enumerate(rows):
        several = row.get("one_solution")
        solution = several or row.get("solution") or ""
        kind = row.get("kind") or ("several" if several else "one")
        cases.append(Case(Puzzle(path.stem, number, row["puzzle"], solution, 0), kind))
    if limit is None or limit >= len(cases):
        return cases
    return [case for case in cases if case.puzzle in set(sample([case.puzzle for case in cases], limit, seed=0))]


def real(request: Mapping[str, Any], question: gs.Question) -> bool:
    """Whether every option of a question leaves a board with a solution, by an exact solver."""
    boards = (option.apply(request)["grid"] for option in question.options)
    return all(solvable([digit for row in board for digit in row]) for board in boards)


def measured(solver: gs.Solver, case: Case, options: Mapping[str, Any]) -> Record:
    """Solve one board; return the status, the questions, and the result of the replies."""
    request = solver.parse(case.puzzle.text)
    begun = time.perf_counter()
    solution = solver.solve(request, **options)
    found: Record = {"status": solution.status.value, "seconds": time.perf_counter() - begun}
    answers = [] if not solution.solved else [solution.answer, *(other.answer for other in solution.alternatives)]
    board = Puzzle(
        case.puzzle.source, case.puzzle.row, case.puzzle.text, case.puzzle.solution * (case.kind == "one"), 0
    )
    found["wrong"] = sum(not right(board, answer) for answer in answers if answer is not None)
    if solution.question is not None:
        found["options"] = len(solution.question.options)
        found["real"] = real(request, solution.question)
    if case.kind == "direct_duplicate":
        found["named"] = named(request, solution)
    if case.kind == "several":
        found.update(followed(solver, case, solution, options))
    return found


def named(request: Mapping[str, Any], solution: gs.Solution) -> bool:
    """Whether each violation names two cells with the same digit."""
    grid = request["grid"]
    for violation in solution.violations:
        cells = [
            tuple(map(int, place.removeprefix("grid[").removesuffix("]").split("]["))) for place in violation.places
        ]
        if len(cells) < 2 or len({grid[row][column] for row, column in cells}) != 1:
            return False
    return bool(solution.violations)


def followed(solver: gs.Solver, case: Case, solution: gs.Solution, options: Mapping[str, Any]) -> Record:
    """Reply to each question with the stored solution's digit, until there is none."""
    stored, size = digits(case.puzzle.solution), 9
    asked = 0
    while solution.question is not None and solution.status is gs.Status.AMBIGUOUS and asked < MOST_QUESTIONS:
        asked += 1
        row, column = map(int, solution.question.about.removeprefix("grid[").removesuffix("]").split("]["))
        digit = str(stored[size * row + column])
        if digit not in {option.id for option in solution.question.options}:
            return {"questions": asked, "led": "the stored digit was not offered"}
        solution = solver.solve(solution.question.option(digit).apply(solution.request), **options)
    answer = solution.answer if solution.solved else None
    exact = answer is not None and [digit for row in answer["grid"] for digit in row] == stored
    if solution.status is not gs.Status.SOLVED:
        return {"questions": asked, "led": solution.status.value}
    return {"questions": asked, "led": "the stored solution" if exact else "another solution"}


def table(name: str, found: Sequence[tuple[Case, Record]]) -> Iterator[str]:
    """The results of a set, one line each."""
    seconds = milliseconds([record["seconds"] for _, record in found])
    yield f"**{name}**, {len(found)} boards, from the request to the outcome with its question {seconds} (median / 95th)"
    yield ""
    yield "| what | share, 95 % interval |"
    yield "|---|---|"
    for kind in sorted({case.kind for case, _ in found}):
        records = [record for case, record in found if case.kind == kind]
        for status in sorted({record["status"] for record in records}):
            some = [record for record in records if record["status"] == status]
            yield f"| {kind}: ended as {status} | {wilson(len(some), len(records))} |"
        asked = [record for record in records if "options" in record]
        if asked:
            yield f"| {kind}: with a question | {wilson(len(asked), len(records))} |"
            yield f"| … whose every option has a solution | {wilson(sum(r['real'] for r in asked), len(asked))} |"
            yield f"| … options, median | {statistics.median(r['options'] for r in asked):g} |"
        if kind == "direct_duplicate":
            yield f"| … both cells named | {wilson(sum(r['named'] for r in records), len(records))} |"
        for led in sorted({record["led"] for record in records if "led" in record}):
            some = [record for record in records if record.get("led") == led]
            yield f"| questions followed, led to: {led} | {wilson(len(some), len(records))} |"
        ends = [r["questions"] for r in records if r.get("led") == "the stored solution"]
        if ends:
            yield f"| … questions to it, median / most | {statistics.median(ends):g} / {max(ends)} |"
    yield f"| wrong answers called right | {sum(record['wrong'] for _, record in found)} |"
    yield ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--model", default="sudoku")
    parser.add_argument("--limit", type=int, help="a seeded sample of this many boards of each file")
    parser.add_argument("--chains", type=int, default=64)
    parser.add_argument("--steps", type=int, default=2048)
    parser.add_argument("--alternatives", type=int, default=2)
    parser.add_argument("--journal", type=Path, default=Path("runs/questions.jsonl"))
    options = parser.parse_args()
    model, journal = Model.load(options.model), Journal(options.journal)
    budget = {"restarts": options.chains, "max_steps": options.steps, "alternatives": options.alternatives}
    print(f"{model.title}, {options.chains} chains × {options.steps} updates, alternatives={options.alternatives}\n")
    for path in options.files:
        cases = read(path, options.limit)
        progress, found = Progress(path.stem, len(cases)), []
        try:
            for case in cases:
                key = {**case.key, "model": model.digest, **budget}
                record = journal.get(key)
                if record is None:
                    journal.add(key, record := measured(model.solver, case, budget))
                found.append((case, record))
                progress()
        except KeyboardInterrupt:
            print("\nStopped; the same command goes on.", file=sys.stderr)
        if found:
            print("\n".join(table(path.stem, found)), flush=True)


if __name__ == "__main__":
    main()
