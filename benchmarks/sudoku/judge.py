"""The energy as a checker: right boards against wrong ones near them, one of each kind a puzzle.

    python -m benchmarks.sudoku.judge [PUZZLES.csv …] [--puzzles 1000] [--model sudoku] [--settings settings.json]

The puzzles are generated, half of them minimal, half made hard, with a seed that training does not use; or come from the named
files: sets that are hard for the model have more of its wrong basins. Every wrong board goes through `Solver.score`: whether it
is reported valid, which must never happen, and its energy, which should be above that of the right board. The table has, for
each kind, the probability that a wrong board of any puzzle lies above the right board of any puzzle (AUROC, ties counted as
half, with an interval from resampling puzzles), and the share of puzzles whose wrong board lies above their own right one
(strictly, with a Wilson interval).

The model's own wrong basins are the boards of chains that converge or restart without an answer: a random one of each puzzle,
and the one of lowest energy. The hardest neighbours are found by greedy search among all swaps within rows, columns and
boxes that keep the givens. Both searches compare energies in PyTorch, from the numbers of the file, which is checked.
The same command resumes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.journal import Journal, Progress, Record
from benchmarks.loaded import Model
from benchmarks.rates import wilson
from benchmarks.sudoku.neighbours import MUTATIONS, Board, hardest
from benchmarks.sudoku.puzzles import digits, read, sample
from numpy.typing import NDArray

import groundstate as gs
from groundstate_models.sudoku.data import Puzzles, generate
from groundstate_models.sudoku.export import arguments as exported

SEED = 4_000_037
BLOCK = 32
OWN, LOWEST, HARDEST = "own wrong basin, by chance", "own wrong basin, the lowest", "hardest wrong neighbour"
KINDS = (*MUTATIONS, OWN, LOWEST, HARDEST)


class Energies:
    """Energies of boards of one puzzle, many at a time, in PyTorch."""

    def __init__(self, settings: Path | None) -> None:
        self._taken = exported(settings)

    @torch.no_grad()
    def __call__(self, puzzle: Board, boards: NDArray[np.int64]) -> NDArray[np.float64]:
        found = []
        for part in np.array_split(boards, -(-len(boards) // 64)):
            filled = torch.from_numpy(part).reshape(-1, 9, 9)
            grid = torch.from_numpy(puzzle).reshape(1, 9, 9).expand_as(filled)
            terms = self._taken["energy"](self._taken["encode_answer"]({"grid": filled}, grid=grid), grid=grid)
            found.append(sum(terms.values()).double().numpy())
        return np.concatenate(found)


class Basins:
    """Full boards of chains that ended or restarted without an answer: a ``watch`` of `solve_many`."""

    def __init__(self) -> None:
        self.found: dict[int, list[Board]] = {}
        self._last: dict[int, dict[int, Board]] = {}

    def __call__(self, segment: gs.Segment) -> None:
        before = self._last.get(segment.index, {})
        now = {int(c): b.ravel() for c, b in zip(segment.chain, segment.answer["grid"], strict=True)}
        gone = [board for chain, board in before.items() if chain not in now]
        self.found.setdefault(segment.index, []).extend(gone)
        self._last[segment.index] = now

    def done(self, index: int, outcome: gs.Solution | gs.RequestError) -> None:
        """Chains that were still moving when another one found the answer are not basins; those that ran out are."""
        last = self._last.pop(index, {})
        if isinstance(outcome, gs.Solution) and not outcome.solved:
            self.found[index] = [*self.found.get(index, []), *last.values()]


def basins(model: Model, puzzles: Puzzles, chains: int) -> list[list[Board]]:
    """The distinct wrong basins of each puzzle."""
    seen = Basins()
    requests = [{"grid": puzzle.reshape(9, 9)} for puzzle in puzzles.puzzle]
    model.solver.solve_many(requests, restarts=chains, seed=SEED, watch=seen, done=seen.done)
    distinct = []
    for index, solution in enumerate(puzzles.solution):
        boards = {b.tobytes(): b for b in seen.found.get(index, []) if not np.array_equal(b, solution)}
        distinct.append([boards[name] for name in sorted(boards)])
    return distinct


def wrong_boards(
    puzzle: Board, solution: Board, own: Sequence[Board], energies: Energies, rounds: int, chance: np.random.Generator
) -> dict[str, Board]:
    """One wrong board of every kind that there is for a puzzle."""
    boards = {name: mutate(puzzle, solution, chance) for name, mutate in MUTATIONS.items()}
    if own:
        boards[OWN] = own[chance.integers(len(own))]
        boards[LOWEST] = own[int(energies(puzzle, np.stack(own)).argmin())]
    boards[HARDEST] = hardest(puzzle, solution, lambda near: energies(puzzle, near), rounds)
    return boards


def scored(model: Model, puzzle: Board, board: Board) -> Record:
    score = model.solver.score({"grid": puzzle.reshape(9, 9)}, {"grid": board.reshape(9, 9)})
    if score.energy is None:
        raise SystemExit(
            f"{model.title} cannot encode answers, so it cannot score them; export it with encode_answer=…"
        )
    return {"energy": score.energy, "valid": score.valid}


def measure(
    model: Model, puzzle: Board, solution: Board, own: Sequence[Board], energies: Energies, rounds: int, row: int
) -> Record:
    """Scores of a puzzle's right board and of a wrong one of every kind, by `Solver.score`."""
    best = scored(model, puzzle, solution)
    here = float(energies(puzzle, solution[None])[0])
    if not best["valid"]:
        raise SystemExit(f"{model.title} calls the right board of puzzle {row} wrong.")
    if abs(here - best["energy"]) > 1e-4 * max(1.0, abs(here)):
        raise SystemExit(
            f"The right board of puzzle {row} has energy {here:g} in PyTorch and {best['energy']:g} in "
            f"{model.title}; give the numbers that the file was made from as --settings."
        )
    boards = wrong_boards(puzzle, solution, own, energies, rounds, np.random.default_rng((SEED, row)))
    return {"right": best["energy"], "wrong": {name: scored(model, puzzle, board) for name, board in boards.items()}}


def auroc(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> float:
    """The chance that a wrong board has a higher energy than a right one, ties counted as half."""
    order = np.sort(right)
    places = np.searchsorted(order, wrong, side="left") + np.searchsorted(order, wrong, side="right")
    return float(places.mean() / (2 * len(right)))


def bootstrapped(right: NDArray[np.float64], wrong: NDArray[np.float64], draws: int = 1000) -> str:
    """AUROC of right boards ``(n,)`` and wrong ones ``(n, kinds)``, NaN for none, with a 95 % interval from resampled puzzles."""

    def area(rows: NDArray[np.int64]) -> float:
        drawn = wrong[rows].ravel()
        return auroc(right[rows], drawn[~np.isnan(drawn)])

    n, chance = len(right), np.random.default_rng(0)
    low, high = np.quantile([area(chance.integers(n, size=n)) for _ in range(draws)], (0.025, 0.975))
    return f"{area(np.arange(n)):.4f} [{low:.4f}, {high:.4f}]"


def line(name: str, found: Sequence[Record], kinds: Sequence[str]) -> str:
    found = [one for one in found if any(kind in one["wrong"] for kind in kinds)]
    if not found:
        return f"| {name} | 0 | – | – | – |"
    right = np.array([one["right"] for one in found])
    none = {"energy": np.nan, "valid": False}
    scores = [[one["wrong"].get(kind, none) for kind in kinds] for one in found]
    wrong = np.array([[score["energy"] for score in row] for row in scores])
    valid = sum(score["valid"] for row in scores for score in row)
    n, above = int(np.isfinite(wrong).sum()), int((wrong > right[:, None]).sum())
    # Boards of one puzzle are not independent: only a row with one board of each puzzle has an interval.
    share = wilson(above, n) if len(kinds) == 1 else f"{100 * above / n:.2f} %"
    return f"| {name} | {n} | {valid} | {bootstrapped(right, wrong)} | {share} |"


def report(found: Sequence[Record]) -> None:
    print("| wrong boards | boards | called valid | AUROC, any puzzle's | above their own right board |")
    print("|---|---|---|---|---|")
    for kind in KINDS:
        print(line(kind, found, [kind]))
    print(line("all of them", found, KINDS))


def boards(options: argparse.Namespace) -> Puzzles:
    """The puzzles, in a mixed order."""
    if not options.files:
        found = generate(options.puzzles - options.puzzles // 2, options.puzzles // 2, SEED)
        return found.take(np.random.default_rng(SEED).permutation(len(found)))
    drawn = sample([puzzle for path in options.files for puzzle in read(path)], options.puzzles, SEED)
    unknown = [puzzle for puzzle in drawn if len(puzzle.solution) != 81]
    if unknown:
        raise SystemExit(f"Row {unknown[0].row} of {unknown[0].source} has no solution of 81 digits to compare with.")
    grids, solutions = (
        np.array([digits(text) for text in texts], np.uint8)
        for texts in zip(*((puzzle.text, puzzle.solution) for puzzle in drawn), strict=True)
    )
    return Puzzles(grids, solutions, np.array([puzzle.nodes for puzzle in drawn]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Whether a Sudoku energy tells right boards from wrong ones.")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--puzzles", type=int, default=1000)
    parser.add_argument("--model", default="sudoku", help="an installed model or a file (default: %(default)s)")
    parser.add_argument("--settings", type=Path, help="the numbers of the file (default: those of the bundled one)")
    parser.add_argument("--chains", type=int, default=16, help="that supply wrong basins (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of the greedy search (default: %(default)s)")
    parser.add_argument("--journal", type=Path, default=Path("runs/benchmarks/judge.jsonl"))
    return parser.parse_args()


def main() -> int:
    options = arguments()
    model, journal, energies = Model.load(options.model), Journal(options.journal), Energies(options.settings)
    puzzles = boards(options)

    def key(row: int) -> dict[str, Any]:
        text = "".join(map(str, puzzles.puzzle[row]))
        return {"model": model.digest, "puzzle": text, "chains": options.chains, "rounds": options.rounds}

    missing = [row for row in range(len(puzzles)) if journal.get(key(row)) is None]
    progress = Progress("puzzles", len(missing))
    stopped = False
    try:
        for start in range(0, len(missing), BLOCK):
            block = missing[start : start + BLOCK]
            owned = basins(model, puzzles.take(np.array(block)), options.chains)
            for row, own in zip(block, owned, strict=True):
                pair = puzzles.puzzle[row].astype(np.int64), puzzles.solution[row].astype(np.int64)
                journal.add(key(row), measure(model, *pair, own, energies, options.rounds, row))
                progress()
    except KeyboardInterrupt:
        stopped = True
    found = [record for row in range(len(puzzles)) if (record := journal.get(key(row))) is not None]
    print(f"{model.title}, {len(found)} of {len(puzzles)} puzzles\n")
    report(found)
    if any(wrong["valid"] for one in found for wrong in one["wrong"].values()):
        return 1
    return 130 if stopped else 0


if __name__ == "__main__":
    sys.exit(main())
