"""From a checkpoint to the artefact: ``python -m groundstate_models.sudoku.export --checkpoint runs/sudoku/checkpoint.pt``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from groundstate_export import Normal, Tool, export
from groundstate_export.rules import HeavyBall
from groundstate_models.sudoku import artefact, weights
from groundstate_models.sudoku.data import Puzzles, generate
from groundstate_models.sudoku.energy import RULES, SudokuEnergy, rules
from groundstate_models.sudoku.trainer import CHUNK

VERSION = "0.1.0"

_ROW = {"type": "array", "minItems": 9, "maxItems": 9}


def _grid(least: int, description: str) -> dict[str, Any]:
    digit = {"type": "integer", "minimum": least, "maximum": 9}
    return {
        "type": "object",
        "properties": {"grid": {**_ROW, "items": {**_ROW, "items": digit}, "description": description}},
        "required": ["grid"],
        "additionalProperties": False,
    }


def _rows(flat: Any) -> list[list[int]]:
    rows: list[list[int]] = flat.reshape(9, 9).tolist()
    return rows


def restore(checkpoint: Path, temperature: tuple[float, float]) -> tuple[SudokuEnergy, HeavyBall]:
    """The averaged weights of a training run, or those kept with the artefact, and the rule with the temperatures to serve with.

    Raises:
        ValueError: If the file is neither a checkpoint of this version's training nor weights saved by `keep`.
    """
    if checkpoint.suffix == ".npz":
        stored = dict(np.load(checkpoint))
        preset = json.loads(str(stored.pop("preset")))
        averaged = {name: torch.from_numpy(array) for name, array in stored.items()}
    else:
        state = torch.load(checkpoint, weights_only=False, map_location="cpu")
        if not isinstance(state, dict) or state.get("format") != 1:
            raise ValueError(f"{checkpoint} is not a checkpoint of this version of groundstate_models.sudoku.train.")
        preset, averaged = state["preset"], state["averaged"]
    energy = SudokuEnergy(preset["width"], preset["hidden"], preset["group"], preset["intersection"])
    # Checkpoints of training runs do not know yet where answers lie; `place_answers` sets that.
    energy.load_state_dict(_part(averaged, "energy."), strict=False)
    width = preset["width"]
    rule = HeavyBall(
        torch.full((width,), 0.1),
        torch.full((width,), 0.8),
        noise=preset["noise"],
        noise_every=CHUNK,
        temperature=temperature,
        learn=True,
    )
    rule.load_state_dict(_part(averaged, "rule."))
    return energy.requires_grad_(requires_grad=False), rule.requires_grad_(requires_grad=False)


def keep(energy: SudokuEnergy, rule: HeavyBall, path: Path) -> None:
    """Save what the artefact was made from, so that it can be held against PyTorch, and made again, without the training run."""
    weights = {f"energy.{k}": v for k, v in energy.state_dict().items()} | {
        f"rule.{k}": v for k, v in rule.state_dict().items()
    }
    preset = json.dumps({**energy.config, "noise": rule.noise})
    np.savez(path, preset=np.array(preset), **{name: tensor.numpy() for name, tensor in weights.items()})


def _part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}


@torch.no_grad()
def place_answers(energy: SudokuEnergy, rule: HeavyBall, puzzles: Puzzles, steps: int = 256) -> float:
    """Set where candidates that hold and that do not rest on average, over the puzzles that are solved. Returns their share."""
    grid = torch.from_numpy(puzzles.puzzle.reshape(-1, 9, 9)).long()
    solution = torch.from_numpy(puzzles.solution.reshape(-1, 9, 9)).long()
    generator = torch.Generator().manual_seed(0)
    state = {"z": 0.1 * torch.randn(*grid.shape, 9, energy.config["width"], generator=generator)}
    state["z.velocity"] = torch.zeros_like(state["z"])
    drive = energy.drive(grid)
    for _ in range(steps):
        state = rule(state, {"z": energy.gradient(state["z"], drive)})
    solved = (energy.decode(state["z"], grid)["grid"] == solution).flatten(1).all(1)
    if not solved.any():
        raise ValueError("The energy solves none of the validation puzzles; train it before it is exported.")
    rest = state["z"][solved]
    chosen = torch.nn.functional.one_hot(solution[solved] - 1, 9).bool()
    open_cells = (grid[solved] == 0).unsqueeze(-1).expand_as(chosen)
    energy.holds.copy_(rest[chosen & open_cells].mean(0))
    energy.fails.copy_(rest[~chosen & open_cells].mean(0))
    return float(solved.float().mean())


def arguments(
    checkpoint: Path | None = None, steps: int = 16, temperature: tuple[float, float] = (0.0, 3.0)
) -> dict[str, Any]:
    """What `groundstate_export.export` takes: ``groundstate export groundstate_models.sudoku.export:arguments``.

    Args:
        checkpoint: Of a training run, or weights kept by `keep`; the bundled weights, if None.
        steps: Updates in a segment.
        temperature: Range of the chains' temperatures.
    """
    energy, rule = restore(checkpoint or weights(), temperature)
    puzzles = generate(96, 32, seed=77)
    share = place_answers(energy, rule, puzzles)
    print(
        f"{share:.0%} of the puzzles that answers are placed by are solved by one chain without noise.", file=sys.stderr
    )
    easiest = int(np.lexsort((-np.count_nonzero(puzzles.puzzle, axis=1), puzzles.nodes))[0])
    example = puzzles.puzzle[easiest]
    grid = torch.from_numpy(puzzles.puzzle[:7].reshape(-1, 9, 9)).long()
    state: dict[str, Tensor] = {"z": 0.1 * torch.randn(7, 9, 9, 9, energy.config["width"])}
    tool = Tool(
        name="sudoku",
        title="Sudoku",
        description=(
            "Solves a 9×9 Sudoku. Send `grid`: 9 rows of 9 whole numbers, 1 to 9 for a given digit and 0 for an empty cell. "
            "You get the completed grid, checked against every rule; or which given digits contradict each other; or that no "
            "answer was found. Use this instead of working out digits yourself."
        ),
        licence="Apache-2.0",
        version=VERSION,
        task="sudoku",
        request={**_grid(0, "The puzzle, row by row; 0 is an empty cell."), "examples": [{"grid": _rows(example)}]},
        answer=_grid(1, "The completed grid, row by row."),
        terms={
            "candidates": "What a candidate costs by itself.",
            "cells": "The nine digits of a cell, of which one holds.",
            "rows": "The nine places of a digit in a row, of which one holds.",
            "columns": "The nine places of a digit in a column, of which one holds.",
            "boxes": "The nine places of a digit in a box, of which one holds.",
            "intersections": "The three places of a digit where a line crosses a box, against the rest of both.",
            "confinement": "Keeps the state near the origin.",
        },
        rules=RULES,
        defaults={"restarts": 32, "max_steps": 512, "patience": 256, "settled": 1e-4},
        limits={"restarts": 4096, "max_steps": 65536, "batch": 4096},
        self_test={"request": {"grid": _rows(example)}, "answer": {"grid": _rows(puzzles.solution[easiest])}},
    )
    return {
        "energy": _Bare(energy),
        "inputs": {"grid": grid},
        "state": state,
        "rule": rule,
        "unroll": steps,
        "decode": lambda state, grid: energy.decode(state["z"], grid),
        "rules": rules,
        "embed": lambda answer, grid: {"z": energy.embed(answer, grid)},
        "initial": {"z": Normal(0.0, 0.1)},
        "record": True,
        "tool": tool,
    }


def main(argv: list[str] | None = None) -> int:
    """Export a checkpoint."""
    parser = argparse.ArgumentParser(
        prog="python -m groundstate_models.sudoku.export", description="Export a trained energy."
    )
    parser.add_argument("--checkpoint", type=Path, default=weights(), help="default: the weights of the bundled file")
    parser.add_argument("--out", type=Path, default=artefact())
    parser.add_argument("--steps", type=int, default=16, help="updates in a segment (default: %(default)s)")
    parser.add_argument(
        "--temperature", type=float, nargs=2, default=(0.0, 3.0), help="range of the chains' temperatures"
    )
    options = parser.parse_args(argv)

    taken = arguments(options.checkpoint, options.steps, tuple(options.temperature))
    report = export(**taken, path=options.out)
    keep(taken["energy"].energy, taken["rule"], options.out.with_name(weights().name))
    print(report)
    return 0


class _Bare(torch.nn.Module):
    """The energy of a state given by name."""

    def __init__(self, energy: SudokuEnergy) -> None:
        super().__init__()
        self.energy = energy

    def forward(self, state: dict[str, Tensor], grid: Tensor) -> dict[str, Tensor]:
        return dict(self.energy(state["z"], grid))


if __name__ == "__main__":
    sys.exit(main())
