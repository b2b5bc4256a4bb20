"""An exact solver beside the energy: CP-SAT, from the package ortools, on the factors of a problem."""

from __future__ import annotations

from typing import Any

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.problem import Problem


def solve(request: dict[str, Any], seconds: float = 60.0, workers: int = 1) -> dict[str, Value] | None:
    """Values of least cost for a request in the constraints language; None if there are none.

    Raises:
        TimeoutError: If nothing is found, or nothing proven, in that time.
    """
    from ortools.sat.python import cp_model

    problem = Problem.of(request)
    model, hard = cp_model.CpModel(), len(problem.constraints)
    literals = [model.new_bool_var(f"x{i}") for i in range(problem.graph.count)]
    kept = [model.new_bool_var(f"p{k}") for k in range(len(problem.preferences))]
    for factor in problem.graph.factors:
        total = sum(a * literals[x] for x, a in zip(factor.literals, factor.coefficients, strict=True))
        bounded = model.add_linear_constraint(total, factor.low, factor.high)
        if factor.source >= hard:
            bounded.only_enforce_if(kept[factor.source - hard])
    model.maximize(sum(round(1000 * p.weight) * keeps for p, keeps in zip(problem.preferences, kept, strict=True)))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        raise TimeoutError(f"CP-SAT ended as {solver.status_name(status)} after {seconds:g} s.")
    return {
        name: next(v for v in values if solver.value(literals[problem.graph.first[name] + values.index(v)]))
        for name, values in problem.domains.items()
    }


def size(request: dict[str, Any]) -> dict[str, int]:
    """How large the problem of a request is."""
    graph = Problem.of(request).graph
    return {
        "variables": len(graph.domains),
        "literals": graph.count,
        "factors": len(graph.factors),
        "edges": sum(len(factor.literals) for factor in graph.factors),
    }
