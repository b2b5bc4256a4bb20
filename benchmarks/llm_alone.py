"""A small language model on 4×4 Sudokus, alone and with the tool, scored exactly.

Alone it sends a completed grid. With the tool it sends the puzzle as the arguments of a call, reads the result, and sends the
completed grid. In both cases a JSON schema forces the form, and the model chooses every digit greedily. It sees one
example of each message. Puzzles have one solution each, from the project's own generator, with a seed that training does
not use.

    python -m benchmarks.llm_alone [--puzzles 50]

`benchmarks.local_llm` names the wheels that it needs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Any, NamedTuple

from benchmarks.local_llm import LocalModel
from benchmarks.rates import wilson

from groundstate.tools import SolveTool
from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.data import generate

SEED = 6_000_102
GIVENS = 10
"""Of the easy half; the other half is minimal."""

Grid = list[list[int]]


class Run(NamedTuple):
    """The outcome of a puzzle: which messages and answers were right, and seconds."""

    alone: bool
    seconds_alone: float
    copied: bool
    found: bool
    reported: bool
    seconds: float


class Contest:
    """The model, the tool, and the example of the tool's schema, which is not one of the puzzles."""

    def __init__(self) -> None:
        self.llm = LocalModel()
        self.tool = SolveTool("sudoku_4x4")
        self.example: Grid = self.tool.schema["examples"][0]["grid"]
        self.result = self.tool.call({"grid": self.example})
        self.solved: Grid = self.result.record["answer"]["grid"]

    def run(self, puzzle: Grid, solution: Grid) -> Run:
        begun = time.perf_counter()
        alone = self._send(_asked(self.example), self.solved, _asked(puzzle), least=1)
        between = time.perf_counter()
        sent = self._send(_asked(self.example), self.example, _asked(puzzle), least=0)
        result = self.tool.call({"grid": sent})
        reported = self._send(self.result.text, self.solved, result.text, least=1)
        ended = time.perf_counter()
        found = result.record["status"] == "solved" and result.record["answer"]["grid"] == solution
        return Run(alone == solution, between - begun, sent == puzzle, found, reported == solution, ended - between)

    def _send(self, shown: str, reply: Grid, text: str, least: int) -> Grid:
        """The grid that the model sends for a text, after one example of a text and its reply."""
        row: dict[str, Any] = {"type": "array", "items": {"type": "integer", "minimum": least, "maximum": 4}}
        rows = {"type": "array", "items": {**row, "minItems": 4, "maxItems": 4}, "minItems": 4, "maxItems": 4}
        schema = {"type": "object", "properties": {"grid": rows}, "required": ["grid"], "additionalProperties": False}
        turns = [("user", shown), ("assistant", json.dumps({"grid": reply})), ("user", text)]
        grid: Grid = self.llm.send([{"role": role, "content": text} for role, text in turns], schema)["grid"]
        return grid


def table(runs: dict[str, list[Run]]) -> str:
    lines = [f"| | {' | '.join(f'{kind} ({len(part)})' for kind, part in runs.items())} | seconds |"]
    lines.append("|---" * (len(runs) + 2) + "|")
    rows = {
        "alone: the grid in its message": ("alone", "seconds_alone"),
        "with the tool: the puzzle copied into the call": ("copied", None),
        "with the tool: the answer found": ("found", None),
        "with the tool: the grid in its last message": ("reported", "seconds"),
    }
    for label, (field, clock) in rows.items():
        rates = [wilson(sum(getattr(run, field) for run in part), len(part)) for part in runs.values()]
        times = [getattr(run, clock) for part in runs.values() for run in part] if clock else []
        lines.append(f"| {label} | {' | '.join(rates)} | {f'{statistics.median(times):.1f}' if times else ''} |")
    return "\n".join(lines)


def _asked(grid: Grid) -> str:
    return f"Solve this Sudoku, 0 is an empty cell: {json.dumps(grid)}"


def main() -> None:
    parser = argparse.ArgumentParser(description="A small language model on 4×4 Sudokus, alone and with the tool.")
    parser.add_argument("--puzzles", type=int, default=50, help="half of them minimal (default: %(default)s)")
    half = parser.parse_args().puzzles // 2
    made = generate(half, 0, SEED, board=BOARDS[4], easy=half, givens=GIVENS)
    contest = Contest()
    runs = [
        contest.run(puzzle.reshape(4, 4).tolist(), solution.reshape(4, 4).tolist())
        for puzzle, solution in zip(made.puzzle, made.solution, strict=True)
    ]
    print(table({"4 or 5 givens": runs[:half], f"{GIVENS} givens": runs[half:]}))
    print(
        f"Seconds are medians. {sum(run.alone for run in runs)}, {sum(run.found for run in runs)} and "
        f"{sum(run.reported for run in runs)} of {len(runs)} in all."
    )


if __name__ == "__main__":
    main()
