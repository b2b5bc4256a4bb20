"""What the developer fixes when making a tool, and the language model never sees."""

from __future__ import annotations

import difflib
import os
from typing import Any, TypedDict, cast

from groundstate._errors import OptionError
from groundstate._solver import Solver, load

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
