"""Constraints over constraints: any, all, implication and negation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from groundstate_models.constraints.factors import Graph
from groundstate_models.constraints.language import (
    AllDifferent,
    Assignment,
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


@dataclass(frozen=True)
class _Several(Constraint):
    """A constraint over other constraints."""

    parts: tuple[Constraint, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for part in self.parts for name in part.variables))

    @property
    def literals(self) -> tuple[Literal, ...]:
        return tuple(literal for part in self.parts for literal in part.literals)


@dataclass(frozen=True)
class AllOf(_Several):
    """All of some constraints hold."""

    kind = "all"

    def holds(self, given: Assignment) -> bool:
        return all(part.holds(given) for part in self.parts)

    def compile(self, graph: Graph, source: int) -> None:
        for part in self.parts:
            part.compile(graph, source)

    def in_words(self) -> str:
        return " and ".join(f"({part.in_words()})" for part in self.parts)


@dataclass(frozen=True)
class AnyOf(_Several):
    """At least one of some constraints holds.

    Each one that depends on more than the values of single variables gets a switch (W. P. Williams,
    "Model Building in Mathematical Programming", 1978, calls switches indicator variables).
    """

    kind = "any"

    def holds(self, given: Assignment) -> bool:
        return any(part.holds(given) for part in self.parts)

    def compile(self, graph: Graph, source: int) -> None:
        terms: list[int | None] = []
        for part in self._flat():
            literals = clause(part, graph)
            if literals is not None:
                terms += dict.fromkeys(literals)
                continue
            on, off = graph.choice(2, source)
            first = len(graph.factors)
            part.compile(graph, source)
            graph.relax(first, off, source)
            terms.append(on)
        graph.bound([(literal, 1) for literal in dict.fromkeys(terms)], 1, len(terms), source)

    def _flat(self) -> list[Constraint]:
        """Its parts, with nested parts of the same kind flattened."""
        found: list[Constraint] = []
        for part in self.parts:
            found += AnyOf._flat(part) if isinstance(part, AnyOf) else [part]
        return found

    def in_words(self) -> str:
        return ", or ".join(part.in_words() for part in self.parts)


@dataclass(frozen=True)
class If(Constraint):
    """If one constraint holds, another holds."""

    kind = "if"
    when: Constraint
    then: Constraint

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.when.variables, *self.then.variables)))

    @property
    def literals(self) -> tuple[Literal, ...]:
        return (*self.when.literals, *self.then.literals)

    def holds(self, given: Assignment) -> bool:
        return not self.when.holds(given) or self.then.holds(given)

    def compile(self, graph: Graph, source: int) -> None:
        AnyOf((opposite(self.when), self.then)).compile(graph, source)

    def in_words(self) -> str:
        return f"if {self.when.in_words()}, then {self.then.in_words()}"


@dataclass(frozen=True)
class Not(Constraint):
    """A constraint does not hold."""

    kind = "not"
    part: Constraint

    @property
    def variables(self) -> tuple[str, ...]:
        return self.part.variables

    @property
    def literals(self) -> tuple[Literal, ...]:
        return self.part.literals

    def holds(self, given: Assignment) -> bool:
        return not self.part.holds(given)

    def compile(self, graph: Graph, source: int) -> None:
        opposite(self.part).compile(graph, source)

    def in_words(self) -> str:
        return f"not ({self.part.in_words()})"


def clause(part: Constraint, graph: Graph) -> list[int | None] | None:
    """Literals of which one holds exactly if the constraint holds; None if there are no such literals."""
    names = part.variables
    if len(names) == 1 and names[0] in graph.domains:
        (name,) = names
        return [graph.literal(name, value) for value in graph.domains[name] if part.holds({name: value})]
    if isinstance(part, Count) and part.low == 1 and part.high >= len(part.of):
        return [graph.literal(*literal) for literal in part.of]
    return None


def opposite(constraint: Constraint) -> Constraint:
    """The constraint that holds exactly if another does not.

    Raises:
        ValueError: If no known kind expresses it; see `invertible`.
    """
    match constraint:
        case Not(part):
            return part
        case If(when, then):
            return AllOf((when, opposite(then)))
        case AllOf(parts):
            return AnyOf(tuple(map(opposite, parts)))
        case AnyOf(parts):
            return AllOf(tuple(map(opposite, parts)))
        case Count() | Linear():
            return _outside(constraint)
        case Equal() | NotEqual() | AllDifferent():
            return _unlike(constraint)
    return _otherwise(constraint)


def _outside(constraint: Count | Linear) -> Constraint:
    """Below the lower bound, or above the upper bound."""
    sides: list[Constraint] = []
    if isinstance(constraint, Count):
        of, low, high = constraint.of, constraint.low, constraint.high
        sides += [Count(of, 0, low - 1)] if low > 0 else []
        sides += [Count(of, high + 1, len(of))] if high < len(of) else []
    else:
        sides += [Linear(constraint.terms, None, constraint.low - 1)] if constraint.low is not None else []
        sides += [Linear(constraint.terms, constraint.high + 1, None)] if constraint.high is not None else []
    return sides[0] if len(sides) == 1 else AnyOf(tuple(sides))


def _unlike(constraint: Equal | NotEqual | AllDifferent) -> Constraint:
    names = constraint.names
    if isinstance(constraint, Equal):
        apart = [NotEqual((names[0], other)) for other in names[1:]]
        return apart[0] if len(apart) == 1 else AnyOf(tuple(apart))
    if isinstance(constraint, AllDifferent) and constraint.plus:
        shifted = combinations(zip(names, constraint.plus, strict=True), 2)
        return AnyOf(tuple(Linear((Term(a), Term(b, -1)), j - i, j - i) for (a, i), (b, j) in shifted))
    same = [Equal(pair) for pair in combinations(names, 2)]
    return same[0] if len(same) == 1 else AnyOf(tuple(same))


def _otherwise(constraint: Constraint) -> Constraint:
    match constraint:
        case Precedence(before, after, gap):
            return Precedence(after, before, 1 - gap)
        case Table(names, tuples, allowed):
            return Table(names, tuples, not allowed)
        case Implies(when, then):
            each = [Count((literal,), 1, 1) for literal in when]
            return AllOf((*each, *(Count((literal,), 0, 0) for literal in then)))
    raise ValueError(f"{constraint.in_words()} has no opposite that is known")


def invertible(constraint: Constraint) -> bool:
    """Whether a constraint has an `opposite`."""
    try:
        opposite(constraint)
    except ValueError:
        return False
    return True
