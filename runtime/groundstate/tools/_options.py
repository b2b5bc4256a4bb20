"""Options that the developer sets for a tool. The language model never sees them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypedDict, cast

from groundstate import _catalog, _words
from groundstate._ceilings import Ceilings
from groundstate._errors import GroundstateError, OptionError
from groundstate._load import load
from groundstate._solver import Solver
from groundstate.tools._base import tool_name

Model = str | os.PathLike[str] | bytes | Solver
"""The name of an installed model, the path of an artefact, its bytes, or a loaded solver."""


IMPROVE_FOR = 1.8
"""Seconds after which a tool returns its best answer, with the proven bound on the cost: a language model waits for it."""


class SolveOptions(TypedDict, total=False):
    """Options of `groundstate.Solver.solve`; the artefact has the defaults.

    Attributes:
        restarts: Largest number of chains.
        max_steps: Largest number of steps for each chain.
        deadline: Seconds until the best result so far is returned. Only calls without a deadline are reproducible.
        seed: Seed of every random draw.
        alternatives: Number of different answers to look for; default 2, so that the tool detects ambiguity.
        improve_for: Seconds for the search for cheaper answers; default `IMPROVE_FOR`; None for the solver's own rule.
        ask: Whether to look for a question if there are several answers or none.
    """

    restarts: int | None
    max_steps: int | None
    deadline: float | None
    seed: int
    alternatives: int
    improve_for: float | None
    ask: bool


def opened(model: Model, device: str = "cpu", ceilings: Ceilings | None = None) -> Solver:
    """The solver for a model.

    Raises:
        GroundstateError: If the model cannot be loaded; see `groundstate.load`.
        OptionError: If `device` is given for a loaded solver.
    """
    if not isinstance(model, Solver):
        return load(model, device=device, ceilings=ceilings)
    if device not in ("cpu", model.device):
        raise OptionError(
            f"device is {device!r}, but a loaded solver keeps its own; pass the device to groundstate.load."
        )
    return model


def collected(
    models: Iterable[Model] | Model,
    device: str = "cpu",
    *,
    ceilings: Ceilings | None = None,
    skipped: Callable[[Model, GroundstateError], None] | None = None,
) -> list[Solver]:
    """The solvers for several models, in order. A folder's path means all its ``.onnx`` files, ordered by name.

    Args:
        models: The models; or a single model, such as an installed name.
        ceilings: As in `groundstate.load`.
        skipped: Called with each model that cannot be loaded, and the reason; the other models are returned. If None, the first
            such model raises.

    Raises:
        GroundstateError: If a model cannot be loaded; with `skipped`, if no model can be loaded.
        OptionError: If there is no model, a folder is empty, or two models have the same tool name.
    """
    given = [models] if isinstance(models, str | os.PathLike | bytes | bytearray | Solver) else list(models)
    single = [one for model in given for one in _within(model)]
    if not single:
        raise OptionError("No model was given; give the name of an installed model, or the path of an artefact.")
    solvers: list[Solver] = []
    errors: list[tuple[Model, GroundstateError]] = []
    for model in single:
        try:
            solvers.append(opened(model, device, ceilings))
        except GroundstateError as error:
            if skipped is None:
                raise
            errors.append((model, error))
    if not solvers:
        raise errors[0][1]
    if skipped is not None:
        for model, reason in errors:
            skipped(model, reason)
    _check_names([solver.header.name for solver in solvers])
    return solvers


def _check_names(names: list[str]) -> None:
    taken: dict[str, str] = {}
    for name in names:
        other = taken.setdefault(tool_name("solve", name), name)
        if names.count(name) > 1:
            raise OptionError(f"Two of the models are named {name!r}, and tools are called by name; give one of them.")
        if other != name:
            raise OptionError(
                f"The models {other!r} and {name!r} would both be the tool {tool_name('solve', name)!r}; give one of them."
            )


def card(name: str) -> str | None:
    """The model card of an installed model, in Markdown; None if there is no such model, or it has no card."""
    if name not in _catalog.names(every=True):
        return None
    path = _catalog.locate(name).with_name("CARD.md")
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _within(model: Model) -> list[Model]:
    if not isinstance(model, str | os.PathLike) or not Path(model).is_dir():
        return [model]
    if isinstance(model, str) and model in _catalog.names(every=True):
        return [model]  # the working directory may have a folder of that name
    files = sorted(Path(model).glob("*.onnx"))
    if not files:
        raise OptionError(f"There is no .onnx file in {os.fspath(model)!r}.")
    return list(files)


def checked(solver: Solver, options: dict[str, Any]) -> SolveOptions:
    """The options, checked by the solver, so that a tool with wrong options fails at construction.

    Raises:
        OptionError: If an option is unknown or out of range.
    """
    known = sorted(SolveOptions.__annotations__)
    for name in options.keys() - set(known):
        hint = _words.did_you_mean(name, known) or f" Known are {_words.quoted(known)}."
        raise OptionError(f"There is no option {name!r}.{hint}")
    fixed = cast("SolveOptions", {"alternatives": 2, "improve_for": IMPROVE_FOR, **options})
    solver.solve_many([], **fixed)
    return fixed
