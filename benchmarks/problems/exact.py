"""An exact solver beside an energy: CP-SAT, from the package ortools, on a problem of typed constraints.

`solve` models the meaning of the constraints, with CP-SAT's global constraints where they exist; energies are compared with it.
`from_factors` models the compiled factors of an energy; if the two disagree, the compilation of a constraint is wrong.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from ortools.sat.python import cp_model

from groundstate_models.constraints.factors import Factor, Value
from groundstate_models.constraints.intervals import NoOverlap
from groundstate_models.constraints.language import (
    AllDifferent,
    Constraint,
    Count,
    Equal,
    Implies,
    Linear,
    Literal,
    NotEqual,
    Precedence,
    Table,
    Term,
)
from groundstate_models.constraints.logic import AllOf, AnyOf, If, Not, opposite
from groundstate_models.constraints.problem import Problem


@dataclass(frozen=True)
class Outcome:
    """Result of the exact solver.

    Attributes:
        values: The value of each variable; None where there is no answer, or none was found in time.
        seconds: From the problem to the outcome, including building the solver's model.
        status: ``OPTIMAL`` (with no preferences: an answer), ``FEASIBLE`` (of unproven cost), ``INFEASIBLE`` or ``UNKNOWN``.
    """

    values: dict[str, Value] | None
    seconds: float
    status: str


def solve(problem: Problem, *, limit: float = 60.0, seed: int = 0) -> Outcome:
    """An answer that costs the least, from the meaning of the constraints, by one worker within ``limit`` seconds."""
    begun = time.perf_counter()
    meaning = _Meaning(problem)
    for constraint in problem.constraints:
        meaning.post(constraint, None)
    for preference in problem.preferences:
        meaning.prefer(preference.constraint, preference.weight)
    solver, status = _run(meaning.model, meaning.costs, begun + limit - time.perf_counter(), seed)
    values = meaning.read(solver) if status in ("OPTIMAL", "FEASIBLE") else None
    return Outcome(values, time.perf_counter() - begun, status)


def from_factors(problem: Problem, *, limit: float = 60.0, seed: int = 0) -> Outcome:
    """The same from the compiled factors and the costs of literals alone."""
    begun = time.perf_counter()
    graph, model = problem.graph, cp_model.CpModel()
    literals = [model.new_bool_var(f"literal {i}") for i in range(graph.count)]
    for factor in graph.factors:
        model.add_linear_constraint(_sum(literals, factor), factor.low, factor.high)
    costs = [cost * literals[i] for i, cost in graph.costs.items()]
    solver, status = _run(model, costs, begun + limit - time.perf_counter(), seed)
    values = None
    if status in ("OPTIMAL", "FEASIBLE"):
        values = {
            name: next(v for i, v in enumerate(domain, graph.first[name]) if solver.boolean_value(literals[i]))
            for name, domain in problem.domains.items()
        }
    return Outcome(values, time.perf_counter() - begun, status)


def _sum(literals: Sequence[Any], factor: Factor) -> Any:
    return cp_model.LinearExpr.weighted_sum([literals[i] for i in factor.literals], list(factor.coefficients))


def _run(model: Any, costs: Sequence[Any], limit: float, seed: int) -> tuple[Any, str]:
    if costs:
        model.minimize(sum(costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_time_in_seconds = max(limit, 0.0)
    status = solver.status_name(solver.solve(model))
    if status == "MODEL_INVALID":
        raise ValueError(f"CP-SAT refuses the model: {model.validate()}")
    return solver, status


class _Meaning:
    """A CP-SAT model of typed constraints: an integer variable for each variable, names numbered beyond all numbers."""

    def __init__(self, problem: Problem) -> None:
        self.model: Any = cp_model.CpModel()
        self.costs: list[Any] = []
        self._domains = problem.domains
        words = dict.fromkeys(v for domain in problem.domains.values() for v in domain if isinstance(v, str))
        numbers = (v for domain in problem.domains.values() for v in domain if isinstance(v, int))
        self._codes = {word: code for code, word in enumerate(words, max(numbers, default=-1) + 1)}
        self._variables: dict[str, Any] = {
            name: self.model.new_int_var_from_domain(cp_model.Domain.from_values([self._code(v) for v in domain]), name)
            for name, domain in problem.domains.items()
        }
        self._literals: dict[Literal, Any] = {}

    def prefer(self, constraint: Constraint, weight: float) -> None:
        """Add a constraint that may be broken at the cost of its weight."""
        kept = self.model.new_bool_var("")
        self.post(constraint, kept)
        self.costs.append(weight * (1 - kept))

    def _post_parts(self, constraint: AllOf | AnyOf | If | Not, kept: Any | None) -> None:
        match constraint:
            case AllOf(parts):
                for part in parts:
                    self.post(part, kept)
            case AnyOf(parts):
                held = [self.model.new_bool_var("") for _ in parts]
                for part, one in zip(parts, held, strict=True):
                    self.post(part, one)
                self._only_if(self.model.add_bool_or(held), kept)
            case If(when, then):
                self.post(AnyOf((opposite(when), then)), kept)
            case Not(part):
                self.post(opposite(part), kept)

    def post(self, constraint: Constraint, kept: Any | None) -> None:
        """Add a constraint: always, or only if ``kept`` holds."""
        match constraint:
            case AllOf() | AnyOf() | If() | Not():
                self._post_parts(constraint, kept)
            case AllDifferent() | NotEqual():
                plus = constraint.plus if isinstance(constraint, AllDifferent) else ()
                self._differ(constraint.names, plus or (0,) * len(constraint.names), kept)
            case Equal(names):
                self._agree(self._of(names), kept)
            case Count(of, low, high):
                self._between(low, sum(self._literal(literal) for literal in of), high, kept)
            case Implies(when, then):
                clause = [*(~self._literal(literal) for literal in when), *(self._literal(literal) for literal in then)]
                self._only_if(self.model.add_bool_or(clause), kept)
            case Table(names, rows, allowed):
                self._table(names, sorted(self._inside(names, rows), key=repr), allowed, kept)
            case Linear(terms, low, high):
                self._between(low, sum(map(self._term, terms)), high, kept)
            case Precedence(before, after, gap):
                self._between(gap, self._variables[after] - self._variables[before], None, kept)
            case NoOverlap(starts, durations):
                self._one_at_a_time(self._of(starts), durations, kept)
            case other:
                raise TypeError(f"The CP-SAT model does not support constraints of the type {type(other).__name__}.")

    def _term(self, term: Term) -> Any:
        if term.value is None:
            return term.times * self._variables[term.variable]
        return (
            term.times * self._literal((term.variable, term.value)) if term.value in self._domains[term.variable] else 0
        )

    def read(self, solver: Any) -> dict[str, Value]:
        """The values of a solver's solution."""
        words = {code: word for word, code in self._codes.items()}
        found = {name: int(solver.value(variable)) for name, variable in self._variables.items()}
        return {name: words.get(code, code) for name, code in found.items()}

    def _code(self, value: Value) -> int:
        return self._codes[value] if isinstance(value, str) else value

    def _of(self, names: Iterable[str]) -> list[Any]:
        return [self._variables[name] for name in names]

    def _literal(self, literal: Literal) -> Any:
        """A Boolean that holds if and only if a variable has a value of its domain."""
        if literal not in self._literals:
            name, value = literal
            holds = self.model.new_bool_var(f"{name} = {value}")
            self.model.add(self._variables[name] == self._code(value)).only_enforce_if(holds)
            self.model.add(self._variables[name] != self._code(value)).only_enforce_if(~holds)
            self._literals[literal] = holds
        return self._literals[literal]

    def _only_if(self, constraint: Any, kept: Any | None) -> None:
        if kept is not None:
            constraint.only_enforce_if(kept)

    def _agree(self, variables: Sequence[Any], kept: Any | None) -> None:
        for one, other in pairwise(variables):
            self._only_if(self.model.add(one == other), kept)

    def _between(self, low: int | None, total: Any, high: int | None, kept: Any | None) -> None:
        low, high = cp_model.INT_MIN if low is None else low, cp_model.INT_MAX if high is None else high
        self._only_if(self.model.add_linear_constraint(total, low, high), kept)

    def _inside(self, names: Sequence[str], rows: Iterable[tuple[Value, ...]]) -> list[tuple[Value, ...]]:
        return [row for row in rows if all(v in self._domains[n] for n, v in zip(names, row, strict=True))]

    # CP-SAT's global constraints cannot be conditional, so preferences are decomposed.

    def _differ(self, names: Sequence[str], plus: Sequence[int], kept: Any | None) -> None:
        moved = [variable + more for variable, more in zip(self._of(names), plus, strict=True)]
        if kept is None:
            self.model.add_all_different(moved)
            return
        for one, other in combinations(moved, 2):
            self.model.add(one != other).only_enforce_if(kept)

    def _table(self, names: Sequence[str], rows: Sequence[tuple[Value, ...]], allowed: bool, kept: Any | None) -> None:
        if kept is None:
            add = self.model.add_allowed_assignments if allowed else self.model.add_forbidden_assignments
            if rows or allowed:
                add(self._of(names), [[self._code(value) for value in row] for row in rows])
            return
        chosen = []
        for row in rows:
            literals = [self._literal(literal) for literal in zip(names, row, strict=True)]
            if allowed:
                chosen.append(self.model.new_bool_var(""))
                self.model.add_bool_and(literals).only_enforce_if(chosen[-1])
            else:
                self.model.add_bool_or([~literal for literal in literals]).only_enforce_if(kept)
        if allowed:
            self.model.add_bool_or(chosen).only_enforce_if(kept)

    def _one_at_a_time(self, starts: Sequence[Any], durations: Sequence[int], kept: Any | None) -> None:
        present = self.model.new_constant(1) if kept is None else kept
        self.model.add_no_overlap(
            self.model.new_optional_fixed_size_interval_var(start, duration, present, "")
            for start, duration in zip(starts, durations, strict=True)
        )
