"""Sums and other numbers that depend on variables: ``2*x + y``, ``abs(x - y)``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.names import hinted
from groundstate_models.constraints.notation.words import NotationError, Reader, Token

_FUNCTIONS: dict[str, Callable[..., int]] = {
    "abs": abs,
    "min": lambda *numbers: min(numbers),
    "max": lambda *numbers: max(numbers),
    "sum": lambda *numbers: sum(numbers),
}
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Sum:
    """A number that depends on variables: a weighted sum where ``terms`` is not None, else only what it comes to."""

    variables: tuple[str, ...]
    value: Callable[[Mapping[str, Value]], int]
    terms: Mapping[str, int] | None
    constant: int = 0
    literals: Mapping[tuple[str, Value], int] = field(default_factory=dict)
    """What each literal adds if it holds, beside the terms."""
    largest: tuple[Sum, ...] = ()
    least: tuple[Sum, ...] = ()
    """The sums of which it is the greatest, or the least."""
    word: Value | None = None
    """A name that is not a variable, or a quoted text."""
    token: Token | None = None

    @property
    def alone(self) -> str | None:
        """The variable that it is, if it is just that."""
        if self.terms is not None and not self.constant and not self.literals and list(self.terms.values()) == [1]:
            return self.variables[0]
        return None

    @property
    def number(self) -> int | None:
        return self.constant if self.terms == {} and not self.literals and self.word is None else None


class Sums(Reader):
    """Reads numbers."""

    def sum(self) -> Sum:
        with self.deeper():
            return self.total()

    def total(self) -> Sum:
        found = self.product()
        while self.token.kind in ("+", "-"):
            sign = 1 if self.token.kind == "+" else -1
            self.place += 1
            found = added(self.numeric(found), self.numeric(self.product()), sign)
        return found

    def product(self) -> Sum:
        found = self.factor()
        while True:
            token = self.token
            if token.kind in ("*", "//", "/", "%"):
                self.place += 1
                other = self.factor()
                if token.kind == "/":
                    raise self.meaningless(
                        "'/' leaves fractions; multiply the other side, or write // for whole division", token
                    )
                found = self.times(self.numeric(found), token.kind, self.numeric(other), token)
            elif found.number is not None and token.kind in ("name", "(") and self.multiplies(token):
                found = self.times(found, "*", self.numeric(self.factor()), token)  # 2x, 3(x + y)
            else:
                return found

    def multiplies(self, token: Token) -> bool:
        """Whether a number right before this word multiplies it."""
        before = self.tokens[self.place - 1]
        return before.kind == "number" and before.at + len(before.text) == token.at

    def factor(self) -> Sum:
        token = self.token
        if self.taken("-"):
            return added(number(0), self.numeric(self.factor()), -1)
        if self.taken("+"):
            return self.numeric(self.factor())
        if token.kind in _FUNCTIONS:
            return self.call()
        if token.kind == "(":
            before, depth = self.place, self.depth
            self.place += 1
            try:
                found = self.sum()
                self.expect(")", "after the sum")
            except NotationError as error:
                self.place, self.depth = before, depth
                condition = self.condition_in_brackets()
                if condition is None:
                    raise error from None
                return condition
            return found
        if self.taken("|"):
            found = self.sum()
            self.expect("|", "after the sum")
            return called("abs", [self.numeric(found)])
        if token.kind == "number":
            self.place += 1
            return replace(number(int(token.value)), token=token)
        if token.kind in ("name", "quoted"):
            self.place += 1
            return self.named(token)
        raise self.wrong(f"a variable, a value or a number is missing before {token.text!r}")

    def condition_in_brackets(self) -> Sum | None:
        """``(a == red)``: 1 if a condition about one variable holds, else 0; None if there is no such condition here."""
        return None

    def call(self) -> Sum:
        name = self.token.kind
        self.place += 1
        if self.token.kind != "(":
            raise self.wrong(f"{name} is followed by brackets: {name}(x, y)")
        sums = [self.numeric(one) for one in self.listed()]
        if name == "abs" and len(sums) != 1:
            raise self.wrong("abs has one number in its brackets")
        return reduce(lambda one, other: added(one, other, 1), sums) if name == "sum" else called(name, sums)

    def named(self, token: Token) -> Sum:
        name = str(token.value)
        if name in self.domains:
            return Sum(
                (name,),
                lambda given: int(given[name]),
                {name: 1},
                word=name if token.kind == "quoted" else None,
                token=token,
            )
        if token.kind == "name" and not self.names.known(name):
            raise self.meaningless(f"there is no variable or value {name!r}{hinted(name, self.names.all())}", token)
        return Sum((), lambda _: 0, {}, word=name, token=token)

    def numeric(self, one: Sum) -> Sum:
        if one.word is not None and not one.variables:
            raise self.meaningless(f"{one.word!r} is neither a number nor a variable")
        only_literals = {name for name, _ in one.literals} - set(one.terms or {})
        for name in one.variables:
            if name in only_literals:
                continue
            odd = next((value for value in self.domains[name] if not isinstance(value, int)), None)
            if odd is not None:
                raise self.meaningless(f"sums need numbers, and {name!r} may be {odd!r}")
        return one

    def times(self, one: Sum, sign: str, other: Sum, token: Token) -> Sum:
        if sign == "*":
            for factor, rest in ((one, other), (other, one)):
                if (many := factor.number) is not None and rest.terms is not None:
                    return scaled(rest, many)
        elif other.number is None or other.number < 1:
            raise self.meaningless("only a number above 0 divides", token)
        act = {"*": operator.mul, "//": operator.floordiv, "%": operator.mod}[sign]
        names = tuple(dict.fromkeys((*one.variables, *other.variables)))
        if not names:
            return number(act(one.constant, other.constant))
        return Sum(names, lambda given: act(one.value(given), other.value(given)), None)

    def listed(self) -> list[Sum]:
        """Sums one after another, in brackets of any kind or in none."""
        closing: list[str] = []
        while self.token.kind in _BRACKETS and not (self.token.kind == "(" and closing):
            closing.append(_BRACKETS[self.token.kind])
            self.place += 1
        found = [self.sum()]
        while self.taken(",", "and"):
            found.append(self.sum())
        for bracket in reversed(closing):
            self.expect(bracket, "after the list")
        return found


def number(value: int) -> Sum:
    return Sum((), lambda _: value, {}, value)


def scaled(one: Sum, many: int) -> Sum:
    terms = {name: many * times for name, times in (one.terms or {}).items()}
    literals = {literal: many * times for literal, times in one.literals.items()}
    return Sum(one.variables, lambda given: many * one.value(given), terms, many * one.constant, literals)


def added(one: Sum, other: Sum, sign: int) -> Sum:
    names = tuple(dict.fromkeys((*one.variables, *other.variables)))
    terms: dict[str, int] | None = None
    if one.terms is not None and other.terms is not None:
        terms = dict(one.terms)
        for name, times in other.terms.items():
            terms[name] = terms.get(name, 0) + sign * times
    literals = dict(one.literals)
    for literal, times in other.literals.items():
        literals[literal] = literals.get(literal, 0) + sign * times
    constant = one.constant + sign * other.constant
    return Sum(names, lambda given: one.value(given) + sign * other.value(given), terms, constant, literals)


def called(name: str, sums: Sequence[Sum]) -> Sum:
    names = tuple(dict.fromkeys(variable for one in sums for variable in one.variables))
    act = _FUNCTIONS[name]
    if not names:
        return number(act(*(one.constant for one in sums)))
    whole = Sum(names, lambda given: act(*(one.value(given) for one in sums)), None)
    moved = all(list((one.terms or {}).values()) in ([], [1]) and not one.literals for one in sums)
    if moved and all(one.terms for one in sums):
        return (
            replace(whole, largest=tuple(sums))
            if name == "max"
            else replace(whole, least=tuple(sums))
            if name == "min"
            else whole
        )
    return whole
