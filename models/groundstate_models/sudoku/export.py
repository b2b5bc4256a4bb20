"""Make the artefacts from learned numbers: ``python -m groundstate_models.sudoku.export --settings runs/sudoku/settings.json``.

One artefact for each size of board, all from the same numbers. Either all requested files are written, or none.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from groundstate_export import Card, Normal
from groundstate_models._export import Files, export_command, export_parser
from groundstate_models.sudoku import artefact
from groundstate_models.sudoku import settings as kept
from groundstate_models.sudoku.board import BOARDS, Board
from groundstate_models.sudoku.data import Puzzles, generate
from groundstate_models.sudoku.energy import CHECKS, SudokuEnergy, checks
from groundstate_models.sudoku.learned import SEGMENT, TEMPERATURE, Settings

VERSION = "0.4.1"
TRACE_EVERY = 8
EASY_GIVENS = 140
"""Givens of the 16×16 puzzles in the parity proof."""

_TERMS = {
    "rules": "How far each digit is from being expected once in each row, column and box, squared.",
    "decision": "Keeps cells open for as long as it matters.",
    "undecided": "How far cells are from holding one digit; weighs more the longer it lasts.",
    "confinement": "Keeps the logits near the origin.",
}


def arguments(
    settings: Path | None = None,
    steps: int = SEGMENT,
    temperature: tuple[float, float] = TEMPERATURE,
    size: int = 9,
) -> dict[str, Any]:
    """The arguments of `groundstate_export.export`: ``groundstate export groundstate_models.sudoku.export:arguments``.

    Args:
        settings: The numbers of a training run; default: those of the bundled files.
        steps: Steps in a segment.
        temperature: Range of the chains' temperatures.
        size: Rows of the board.

    Raises:
        SettingsError: If the settings cannot be used.
        ValueError: If the size is not supported, or the temperatures are not a range.
    """
    board, learned = Board.of(size), Settings.read(settings or kept())
    energy = SudokuEnergy(board, learned.energy).requires_grad_(requires_grad=False)
    puzzles = _puzzles(board)
    example = puzzles.take(slice(0, 7))
    start = torch.randn(len(example), size, size * size, generator=torch.Generator().manual_seed(0))
    return {
        "energy": energy,
        "inputs": {"grid": torch.from_numpy(example.puzzle.reshape(-1, size, size)).long()},
        "state": learned.start * start,
        "rule": learned.descent(energy, temperature).requires_grad_(requires_grad=False),
        "unroll": steps,
        "decode": energy.decode,
        "checks": checks,
        "encode_answer": energy.encode_answer,
        "initial": Normal(0.0, learned.start),
        "record": True,
        "trace_every": min(TRACE_EVERY, steps),
        "card": _card(board, puzzles, learned.lifetime),
    }


def _puzzles(board: Board) -> Puzzles:
    if board.size == 16:
        return generate(0, 0, 77, board=board, easy=32, givens=EASY_GIVENS)
    return generate(32, 0, 77, board=board)


def _card(board: Board, puzzles: Puzzles, patience: int) -> Card:
    n = board.size
    easiest = int(np.lexsort((-np.count_nonzero(puzzles.puzzle, axis=1), puzzles.nodes))[0])
    request, answer = ({"grid": grid[easiest].reshape(n, n).tolist()} for grid in (puzzles.puzzle, puzzles.solution))
    boxes = "" if n == 9 else f", whose boxes have {board.height} rows and {board.width} columns"
    return Card(
        name=board.name,
        title="Sudoku" if n == 9 else f"Sudoku {n}×{n}",
        description=(
            f"Solves a {n}×{n} Sudoku{boxes}. Send `grid`: {n} rows of {n} whole numbers, 1 to {n} for a given digit and 0 for "
            "an empty cell. You get the completed grid, checked against every rule; or which given digits contradict each "
            "other; or that no answer was found. Use this instead of working out digits yourself."
        ),
        licence="Apache-2.0",
        version=VERSION,
        task="sudoku",
        request={**_schema(n, 0, "The puzzle, row by row; 0 is an empty cell."), "examples": [request]},
        answer=_schema(n, 1, "The completed grid, row by row."),
        terms=_TERMS,
        checks=CHECKS,
        # Later answers of a chain are very unlikely, for easy and for hard puzzles.
        defaults={
            "restarts": 64,
            "max_steps": 2048,
            "patience": patience,
            "luby_exponent": 0,
            "residual_tolerance": 1e-5,
        },
        # The state grows with the cube of the size.
        limits={"restarts": 4096, "max_steps": 65536, "batch": 4096 if n <= 9 else 512},
        self_test={"request": request, "answer": answer},
    )


def _schema(n: int, least: int, description: str) -> dict[str, Any]:
    row = {"type": "array", "minItems": n, "maxItems": n}
    digit = {"type": "integer", "minimum": least, "maximum": n}
    return {
        "type": "object",
        "properties": {"grid": {**row, "items": {**row, "items": digit}, "description": description}},
        "required": ["grid"],
        "additionalProperties": False,
    }


def main(argv: list[str] | None = None) -> int:
    """Export settings; returns the exit code."""
    parser = export_parser("sudoku", kept(), artefact().parent)
    parser.add_argument(
        "--size", type=int, nargs="+", default=list(BOARDS), help="rows of the boards (default: all four)"
    )
    parser.add_argument("--steps", type=int, default=SEGMENT, help="steps in a segment (default: %(default)s)")
    parser.add_argument(
        "--temperature", type=float, nargs=2, default=TEMPERATURE, help="range of the chains' temperatures"
    )
    options = parser.parse_args(argv)

    def files() -> Files:
        boards = [Board.of(size) for size in dict.fromkeys(options.size)]
        return {
            artefact(board.size).name: partial(
                arguments, steps=options.steps, temperature=tuple(options.temperature), size=board.size
            )
            for board in boards
        }

    return export_command(options, Settings, files)


if __name__ == "__main__":
    sys.exit(main())
