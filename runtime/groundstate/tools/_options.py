"""What the developer fixes when making a tool, and the language model never sees."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypedDict, cast

from groundstate import _catalog
from groundstate._errors import OptionError
from groundstate._load import load
from groundstate._solver import Solver

Model = str | os.PathLike[str] | bytes | Solver
"""The name of an installed model, the path of an artefact, its bytes, or a solver that is loaded already."""


class SolveOptions(TypedDict, total=False):
    """Options of `groundstate.Solver.solve`; those left out are the artefact's defaults.

    Attributes:
        restarts: Chains that may be started.
        max_steps: Updates that each chain may make.
        deadline: Seconds after which the best so far is returned. Only without it do identical calls give identical bytes.
        seed: Decides every random draw.
        alternatives: Different answers to look for; 2 where left out, so that the tool notices when there is more than one.
        ask: Whether to look for a question where there are several answers or none.
    """

    restarts: int | None
    max_steps: int | None
    deadline: float | None
    seed: int
    alternatives: int
    ask: bool


def opened(model: Model, device: str = "cpu") -> Solver:
    """The solver for a model.

    Raises:
        GroundstateError: As `groundstate.load` does.
        OptionError: If a loaded solver is to change its device.
    """
    if not isinstance(model, Solver):
        return load(model, device=device)
    if device not in ("cpu", model.device):
        raise OptionError(f"device is {device!r}, but a loaded solver keeps its own; give it to groundstate.load.")
    return model


def collected(models: Iterable[Model], device: str = "cpu") -> list[Solver]:
    """The solvers for several models, in their order. The path of a folder stands for every ``.onnx`` file in it, by name.

    Raises:
        GroundstateError: If a model cannot be loaded.
        OptionError: If there is no model at all, a folder holds none, or two have the same name.
    """
    single: list[Model] = []
    for model in models:
        single += _within(model)
    solvers = [opened(model, device) for model in single]
    if not solvers:
        raise OptionError("No model was given; give the name of an installed model, or the path of an artefact.")
    names = Counter(solver.header.name for solver in solvers)
    if repeated := [name for name, count in names.items() if count > 1]:
        raise OptionError(
            f"Two of the models are named {repeated[0]!r}, and tools are called by name; give one of them."
        )
    return solvers


def card(name: str) -> str | None:
    """The model card of an installed model, in Markdown; None where there is no such model, or it brings no card."""
    if name not in _catalog.names():
        return None
    path = _catalog.locate(name).with_name("CARD.md")
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _within(model: Model) -> list[Model]:
    if not isinstance(model, str | os.PathLike) or not Path(model).is_dir():
        return [model]
    if isinstance(model, str) and model in _catalog.names():
        return [model]  # a folder of that name may stand in the working directory
    files = sorted(Path(model).glob("*.onnx"))
    if not files:
        raise OptionError(f"There is no .onnx file in {os.fspath(model)!r}.")
    return list(files)


def checked(solver: Solver, options: dict[str, Any]) -> SolveOptions:
    """The options, once the solver has found nothing wrong with them: a tool that is made does not fail on them later.

    Raises:
        OptionError: If an option is unknown or out of range.
    """
    known = sorted(SolveOptions.__annotations__)
    for name in options.keys() - set(known):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(map(repr, known))}."
        raise OptionError(f"The option {name!r} is unknown; {hint}")
    fixed = cast("SolveOptions", {"alternatives": 2, **options})
    solver.solve_many([], **fixed)
    return fixed
