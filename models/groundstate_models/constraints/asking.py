"""Questions about a problem of typed constraints, and its relaxations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from groundstate import Attempt, Change, Patch, Violation, pointer
from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.loosening import loosened
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.tensors import Network


def choices(network: Network, variable: str) -> list[Value]:
    """Values of a variable after propagation, in the order of the request."""
    values = network.graph.domains[variable]
    literals = [network.graph.literal(variable, value) for value in values]
    return [value for value, one in zip(values, literals, strict=True) if one is not None and network.open[one]]


def fix(request: Mapping[str, Any], variable: str, value: Value) -> Patch:
    """The change that reduces a variable's domain to one value."""
    path = pointer("variables", variable)
    return (
        {"op": "test", "path": path, "value": request["variables"][variable]},
        {"op": "replace", "path": path, "value": [value]},
    )


def relaxations(
    request: Mapping[str, Any],
    problem: Problem,
    attempt: Attempt | None,
    violations: Sequence[Violation],
    refuted: Callable[[Mapping[str, Any]], bool],
) -> list[Change]:
    """Relaxations: least changes of bounds in a contradiction; then constraints dropped, all of them if nothing is proven."""
    named = [
        int(place.removeprefix("constraints[").removesuffix("]"))
        for violation in violations
        for place in violation.places
        if place.startswith("constraints[")
    ]
    rest = [] if attempt is None else range(len(problem.constraints))
    bounds = [] if attempt is not None else loosened(request, list(dict.fromkeys(named)), refuted)
    return [*bounds, *(_left_out(request, problem, index) for index in dict.fromkeys([*named, *rest]))]


def _left_out(request: Mapping[str, Any], problem: Problem, index: int) -> Change:
    name, path = problem.names[index], pointer("constraints", index)
    patch = (
        {"op": "test", "path": path, "value": request["constraints"][index]},
        {"op": "remove", "path": path},
    )
    alone = problem.names.count(name) == 1
    return Change(
        f"without {name if alone else f'constraints[{index}]'}",
        f"Without {name}: {problem.constraints[index].in_words()}.",
        patch,
    )
