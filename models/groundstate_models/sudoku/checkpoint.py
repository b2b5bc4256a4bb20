"""Trained weights: read from a run's checkpoint or from the file beside the artefacts, and kept there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from groundstate_export.rules import HeavyBall
from groundstate_models.sudoku.energy import SudokuEnergy
from groundstate_models.sudoku.trainer import FORMAT, PERIOD


class CheckpointError(ValueError):
    """The file holds no weights that this version can use. It is left as it is."""


def restore(checkpoint: Path, temperature: tuple[float, float]) -> tuple[SudokuEnergy, HeavyBall]:
    """The averaged weights of a training run, or those kept with the artefacts, and the rule to serve them with.

    A run's checkpoint is unpickled, so it must come from someone you trust; kept weights (``.npz``) are plain arrays.

    Args:
        checkpoint: ``checkpoint.pt`` of a run, or an ``.npz`` file written by `keep`.
        temperature: Range of the chains' temperatures.

    Raises:
        CheckpointError: If the file cannot be read, is damaged, or is of another version or architecture.
    """
    stored = _read(checkpoint)
    try:
        energy = SudokuEnergy(**stored["config"])
        energy.load_state_dict(_part(stored["averaged"], "energy."))
        width = stored["config"]["width"]
        rule = HeavyBall(
            torch.full((width,), 0.1),
            torch.full((width,), 0.8),
            noise=float(stored["noise"]),
            # As many steps at a segment's end are quiet, so one of `PERIOD` steps is kicked once, where it begins.
            noise_every=PERIOD // 2,
            temperature=temperature,
            learn=True,
        )
        rule.load_state_dict(_part(stored["averaged"], "rule."))
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise CheckpointError(
            f"{checkpoint} holds an energy of another architecture than this version's ({_line(error)}); "
            "train it again, or use the version that trained it."
        ) from None
    return energy.requires_grad_(requires_grad=False), rule.requires_grad_(requires_grad=False)


def keep(energy: SudokuEnergy, rule: HeavyBall, path: Path) -> None:
    """Save what artefacts are made from, so that they can be held against PyTorch, and made again, without the training run."""
    parts = {"energy": energy.state_dict(), "rule": rule.state_dict()}
    arrays = {f"{part}.{name}": tensor.numpy() for part, weights in parts.items() for name, tensor in weights.items()}
    preset = json.dumps({"format": FORMAT, "config": energy.config, "noise": rule.noise})
    np.savez(path, preset=np.array(preset), **arrays)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = _kept(path) if path.suffix == ".npz" else torch.load(path, map_location="cpu", weights_only=False)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror or error}.") from None
    except Exception as error:  # noqa: BLE001 - damaged bytes raise nearly anything
        raise CheckpointError(
            f"{path} is damaged, or no checkpoint ({_line(error)}); name the checkpoint.pt of a training run, or its weights.npz."
        ) from None
    if not isinstance(found, dict) or "format" not in found:
        raise CheckpointError(f"{path} is no checkpoint of groundstate_models.sudoku.train.")
    if found["format"] != FORMAT:
        raise CheckpointError(
            f"{path} is a checkpoint of format {found['format']!r}; this version takes format {FORMAT} alone. "
            "Train again, or use the version that trained it."
        )
    return found


def _kept(path: Path) -> dict[str, Any]:
    with path.open("rb") as file, np.load(file) as stored:
        arrays = dict(stored)
    preset = json.loads(str(arrays.pop("preset")))
    return {"format": 1, **preset, "averaged": {name: torch.from_numpy(array) for name, array in arrays.items()}}


def _part(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
