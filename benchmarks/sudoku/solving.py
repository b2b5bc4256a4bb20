"""Puzzles solved and counted: which answers are right, and the total steps of all chains of a puzzle."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.journal import Journal, Progress, Record
from benchmarks.loaded import Ledger, Model
from benchmarks.rates import percentile
from benchmarks.sudoku.puzzles import Puzzle, right

import groundstate as gs


@dataclass(frozen=True)
class Budget:
    """Budget of each puzzle: chains, steps a chain, and the seed of all draws.

    A single chain restarts only if ``anew`` is set; several restart when their patience ends.
    """

    chains: int
    steps: int
    seed: int = 0
    anew: bool = False

    def __str__(self) -> str:
        return f"{self.chains} × {self.steps}{', restarts' if self.anew else ''}"


@contextmanager
def _patience(model: Model, budget: Budget) -> Iterator[None]:
    """Disable restarts of a single chain, whatever the model's patience, unless they are requested."""
    defaults = model.solver.header.defaults
    before = defaults["patience"]
    if budget.chains == 1 and not budget.anew:
        defaults["patience"] = budget.steps
    try:
        yield
    finally:
        defaults["patience"] = before


def key(model: Model, puzzle: Puzzle, budget: Budget, kind: str = "solve") -> dict[str, Any]:
    """The key of a record: a changed part causes a new measurement."""
    place = {"model": model.digest, "set": puzzle.source, "row": puzzle.row, "puzzle": puzzle.text}
    anew = {"anew": True} if budget.anew else {}
    return {"kind": kind, **place, "chains": budget.chains, "steps": budget.steps, "seed": budget.seed, **anew}


def solve(model: Model, puzzles: Sequence[Puzzle], budget: Budget, journal: Journal) -> None:
    """Solve the puzzles missing from the journal in shared batches.

    A record holds ``claimed`` (the library reported it solved), ``right`` (an independent check agrees), ``updates`` (of all
    chains, until the answer or the end), ``started`` (chains), and ``seconds`` since the last puzzle that ended: their
    sum over a set is the time it took in a batch.
    """
    missing = [puzzle for puzzle in puzzles if journal.get(key(model, puzzle, budget)) is None]
    ledger, progress = Ledger(model.solver.header), Progress(f"{_source(puzzles)}, {budget}", len(missing))
    last = time.perf_counter()

    def done(index: int, outcome: gs.Solution | gs.RequestError) -> None:
        nonlocal last
        if isinstance(outcome, gs.RequestError):
            raise SystemExit(f"Row {missing[index].row} of {missing[index].source} is refused: {outcome}")
        now = time.perf_counter()
        good = outcome.solved and outcome.answer is not None and right(missing[index], outcome.answer)
        spent = {"updates": ledger.updates.pop(index, 0), "started": outcome.chains, "seconds": now - last}
        journal.add(key(model, missing[index], budget), {"claimed": outcome.solved, "right": good, **spent})
        last = now
        progress()

    with _patience(model, budget):
        model.solver.solve_many(
            (model.solver.parse(puzzle.text) for puzzle in missing),
            restarts=budget.chains,
            max_steps=budget.steps,
            seed=budget.seed,
            done=done,
            watch=ledger,
        )


def _source(puzzles: Iterable[Puzzle]) -> str:
    return ", ".join(dict.fromkeys(puzzle.source for puzzle in puzzles))


def alone(model: Model, puzzles: Sequence[Puzzle], budget: Budget, journal: Journal) -> None:
    """Time single calls, from a request to a checked answer or the end of the budget, for puzzles missing from the journal."""
    missing = [puzzle for puzzle in puzzles if journal.get(key(model, puzzle, budget, "alone")) is None]
    progress = Progress(f"{_source(puzzles)}, {budget}, alone", len(missing))
    for puzzle in missing:
        request = model.solver.parse(puzzle.text)
        begun = time.perf_counter()
        with _patience(model, budget):
            model.solver.solve(request, restarts=budget.chains, max_steps=budget.steps, seed=budget.seed, ask=False)
        seconds = time.perf_counter() - begun
        journal.add(key(model, puzzle, budget, "alone"), {"seconds": seconds})
        progress()


def recorded(
    model: Model, puzzles: Sequence[Puzzle], budget: Budget, journal: Journal, kind: str = "solve"
) -> list[tuple[Puzzle, Record]]:
    """The measured puzzles, with their records."""
    found = [(puzzle, journal.get(key(model, puzzle, budget, kind))) for puzzle in puzzles]
    return [(puzzle, record) for puzzle, record in found if record is not None]


def updates(records: Sequence[Record]) -> str:
    """Median, 95th percentile and mean of the total steps of all chains, over the solved puzzles."""
    spent = [record["updates"] for record in records if record["right"]]
    if not spent:
        return "–"
    return f"{statistics.median(spent):,.0f} / {percentile(spent, 0.95):,} / {statistics.mean(spent):,.0f}"
