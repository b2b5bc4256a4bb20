"""What the developer fixes when making a tool, and the language model never sees."""

from __future__ import annotations

import difflib
import os
from typing import Any, TypedDict, cast

import groundstate as gs

Model = str | os.PathLike[str] | bytes | gs.Solver
"""The name of an installed model, the path of an artefact, its bytes, or a solver that is loaded already."""


class SolveOptions(TypedDict, total=False):
    """Options of `groundstate.Solver.solve`; those left out are the artefact's defaults.

    Attributes:
        restarts: Chains that may be started.
        max_steps: Updates that each chain may make.
        deadline: Seconds after which the best so far is returned. Only without it do identical calls give identical bytes.
        seed: Decides every random draw.
        alternatives: Different answers to look for.
    """

    restarts: int | None
    max_steps: int | None
    deadline: float | None
    seed: int
    alternatives: int


def opened(model: Model, device: str) -> gs.Solver:
    """The solver for a model.

    Raises:
        GroundstateError: As `groundstate.load` does.
        OptionError: If a loaded solver is to change its device.
    """
    if not isinstance(model, gs.Solver):
        return gs.load(model, device=device)
    if device != "cpu":
        raise gs.OptionError(f"device is {device!r}, but a loaded solver keeps its own; give it to groundstate.load.")
    return model


def checked(solver: gs.Solver, options: dict[str, Any]) -> SolveOptions:
    """The options, once the solver has found nothing wrong with them: a tool that is made does not fail on them later.

    Raises:
        OptionError: If an option is unknown or out of range.
    """
    known = sorted(SolveOptions.__annotations__)
    for name in options.keys() - set(known):
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(map(repr, known))}."
        raise gs.OptionError(f"The option {name!r} is unknown; {hint}")
    fixed = cast("SolveOptions", options)
    solver.solve_many([], **fixed)
    return fixed
