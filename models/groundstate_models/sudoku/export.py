"""From a checkpoint to the artefacts: ``python -m groundstate_models.sudoku.export --checkpoint runs/sudoku/checkpoint.pt``.

One artefact for each size of board, all from the same weights. Either all files that were asked for are written, or none.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from groundstate_export import ExportError, ExportReport, Normal, Tool, export
from groundstate_export.arguments import destination
from groundstate_export.rules import HeavyBall
from groundstate_models.sudoku import artefact, weights
from groundstate_models.sudoku.board import BOARDS, Board
from groundstate_models.sudoku.checkpoint import CheckpointError, keep, restore
from groundstate_models.sudoku.data import Puzzles, generate
from groundstate_models.sudoku.energy import RULES, SudokuEnergy, rules
from groundstate_models.sudoku.trainer import PERIOD

VERSION = "0.2.1"
STEPS = PERIOD
TRACE_EVERY = 8
TEMPERATURE = (2.0, 6.0)
PATIENCE = 4 * PERIOD
"""Most chains that find the answer to a hard puzzle find it by then, and few soon after: `benchmarks/sudoku_settings.py`."""
EASY_GIVENS = 140
"""Givens of the 16×16 puzzles that answers are placed by."""

_TERMS = {
    "candidates": "What a candidate costs by itself.",
    "cells": "The digits of a cell, of which one holds.",
    "rows": "The places of a digit in a row, of which one holds.",
    "columns": "The places of a digit in a column, of which one holds.",
    "boxes": "The places of a digit in a box, of which one holds.",
    "intersections": "The places of a digit where a line crosses a box, against the rest of both.",
    "confinement": "Keeps the state near the origin.",
}


def arguments(
    checkpoint: Path | None = None,
    steps: int = STEPS,
    temperature: tuple[float, float] = TEMPERATURE,
    size: int = 9,
) -> dict[str, Any]:
    """What `groundstate_export.export` takes: ``groundstate export groundstate_models.sudoku.export:arguments``.

    Args:
        checkpoint: Of a training run, or weights kept by `keep`; the bundled weights, if None.
        steps: Updates in a segment.
        temperature: Range of the chains' temperatures.
        size: Rows of the board.

    Raises:
        CheckpointError: If the checkpoint cannot be used, or its energy solves nothing.
        ValueError: If the size is not supported, or the temperatures are no range.
    """
    board = Board.of(size)
    energy, rule = restore(checkpoint or weights(), temperature)
    puzzles = _puzzles(board)
    share = place_answers(energy, rule, puzzles, board)
    print(
        f"{size}×{size}: one chain without noise solves {share:.0%} of the puzzles that answers are placed by.",
        file=sys.stderr,
    )
    example = puzzles.take(slice(0, 7))
    return {
        "energy": _Bare(energy),
        "inputs": {"grid": _grids(example.puzzle, board)},
        "state": _start(energy, len(example), board),
        "rule": rule,
        "unroll": steps,
        "decode": lambda state, grid: energy.decode(state["z"], grid),
        "rules": rules,
        "embed": lambda answer, grid: {"z": energy.embed(answer, grid)},
        "initial": {"z": Normal(0.0, 0.1)},
        "record": True,
        "trace_every": min(TRACE_EVERY, steps),
        "tool": _tool(board, puzzles),
    }


@torch.no_grad()
def place_answers(energy: SudokuEnergy, rule: HeavyBall, puzzles: Puzzles, board: Board, steps: int = 256) -> float:
    """Set where candidates that hold and that do not rest on average, over the puzzles that are solved. Returns their share.

    Raises:
        CheckpointError: If none is solved.
    """
    grid, solution = _grids(puzzles.puzzle, board), _grids(puzzles.solution, board)
    state = _start(energy, len(puzzles), board)
    state["z.velocity"] = torch.zeros_like(state["z"])
    drive = energy.drive(grid)
    for _ in range(steps):
        state = rule(state, {"z": energy.gradient(state["z"], drive)})
    solved = (energy.decode(state["z"], grid)["grid"] == solution).flatten(1).all(1)
    if not solved.any():
        raise CheckpointError(
            f"The energy solves none of {len(puzzles)} {board.size}×{board.size} puzzles; train it before it is exported, "
            "or leave that size out."
        )
    rest = state["z"][solved]
    chosen = torch.nn.functional.one_hot(solution[solved] - 1, board.size).bool()
    open_cells = (grid[solved] == 0).unsqueeze(-1).expand_as(chosen)
    energy.holds.copy_(rest[chosen & open_cells].mean(0))
    energy.fails.copy_(rest[~chosen & open_cells].mean(0))
    return float(solved.float().mean())


def _start(energy: SudokuEnergy, batch: int, board: Board) -> dict[str, Tensor]:
    shape = (batch, board.size, board.size, board.size, energy.config["width"])
    return {"z": 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(0))}


def _puzzles(board: Board) -> Puzzles:
    match board.size:
        case 9:
            return generate(96, 32, seed=77)
        case 16:
            return generate(0, 0, 77, board=board, easy=32, givens=EASY_GIVENS)
        case _:
            return generate(32, 0, 77, board=board)


def _grids(flat: Any, board: Board) -> Tensor:
    return torch.from_numpy(flat.reshape(-1, board.size, board.size)).long()


def _tool(board: Board, puzzles: Puzzles) -> Tool:
    n = board.size
    easiest = int(np.lexsort((-np.count_nonzero(puzzles.puzzle, axis=1), puzzles.nodes))[0])
    request, answer = ({"grid": grid[easiest].reshape(n, n).tolist()} for grid in (puzzles.puzzle, puzzles.solution))
    boxes = "" if n == 9 else f", whose boxes have {board.height} rows and {board.width} columns"
    return Tool(
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
        rules=RULES,
        defaults={"restarts": 64, "max_steps": 2048, "patience": PATIENCE, "settled": 1e-4},
        # The state grows with the third power of the size.
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


class _Bare(torch.nn.Module):
    """The energy of a state given by name."""

    def __init__(self, energy: SudokuEnergy) -> None:
        super().__init__()
        self.energy = energy

    def forward(self, state: dict[str, Tensor], grid: Tensor) -> dict[str, Tensor]:
        return dict(self.energy(state["z"], grid))


def main(argv: list[str] | None = None) -> int:
    """Export a checkpoint; returns the exit code."""
    options = _options(argv)
    try:
        boards = [Board.of(size) for size in dict.fromkeys(options.size)]
        reports = _export(options, _targets(options.out, boards))
    except OSError as error:
        print(
            f"export: {options.out} cannot be written: {error.strerror or error}. Nothing there was changed.",
            file=sys.stderr,
        )
        return 2
    except (ExportError, ValueError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    print(*reports, sep="\n\n")
    return 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m groundstate_models.sudoku.export",
        description="Export a trained energy, and keep its weights beside the files. Either all files are written, or none.",
    )
    parser.add_argument("--checkpoint", type=Path, default=weights(), help="default: the weights of the bundled files")
    parser.add_argument(
        "--out",
        type=Path,
        default=artefact().parent,
        help="a folder, or one .onnx file (default: that of the bundled files)",
    )
    parser.add_argument(
        "--size", type=int, nargs="+", default=list(BOARDS), help="rows of the boards (default: all four)"
    )
    parser.add_argument("--steps", type=int, default=STEPS, help="updates in a segment (default: %(default)s)")
    parser.add_argument(
        "--temperature", type=float, nargs=2, default=TEMPERATURE, help="range of the chains' temperatures"
    )
    return parser.parse_args(argv)


def _targets(out: Path, boards: Sequence[Board]) -> dict[Board, Path]:
    if out.suffix != ".onnx":
        return {board: destination(out / artefact(board.size).name) for board in boards}
    if len(boards) > 1:
        raise ValueError(
            f"{out} is one file, and {len(boards)} sizes are to be exported; name a folder with --out, or one size with --size."
        )
    return {boards[0]: destination(out)}


def _export(options: argparse.Namespace, targets: dict[Board, Path]) -> list[ExportReport]:
    """Make every file beside its place, and move all of them there at the end."""
    folder = next(iter(targets.values())).parent
    temperature = tuple(options.temperature)
    reports = []
    with tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as staging:
        keep(*restore(options.checkpoint, temperature), Path(staging) / weights().name)
        for board, target in targets.items():
            taken = arguments(options.checkpoint, options.steps, temperature, board.size)
            reports.append(replace(export(**taken, path=Path(staging) / target.name), path=target))
        for file in Path(staging).iterdir():
            file.replace(folder / file.name)
    return reports


if __name__ == "__main__":
    sys.exit(main())
