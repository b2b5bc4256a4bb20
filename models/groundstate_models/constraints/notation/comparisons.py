"""What is compared, and the typed constraint that says it best."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from itertools import pairwise, product
from typing import Any

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.notation.sums import Sum, Sums, added, number
from groundstate_models.constraints.notation.words import JSON, Token

MOST_COMBINATIONS = 20_000
"""Values that are tried together where a condition is not a weighted sum."""

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt,
}  # fmt: skip
_TURNED = {"==": "==", "!=": "!=", "<=": ">=", ">=": "<=", "<": ">", ">": "<"}


class Comparisons(Sums):
    """Reads comparisons, memberships and orders."""

    def comparison(self) -> JSON:
        first = self.sum()
        chain: list[tuple[str, Token, Sum]] = []
        if self.token.kind in ("in", "notin"):
            return self.membership(first)
        if self.token.kind in ("before", "after", "rightbefore") or self.token.kind == "number":
            return self.order(first)
        while self.token.kind in _COMPARED:
            token = self.token
            self.place += 1
            chain.append((token.kind, token, self.sum()))
        if not chain:
            raise self.wrong(f"a comparison is missing before {self.token.text!r}, such as ==, != or <=")
        if len(chain) > 1 and any(op == "!=" for op, _, _ in chain):
            raise self.meaningless(
                "a chain of != does not say whether all differ; write 'all different: a, b, c', or two conditions"
            )
        sides = [first, *(one for _, _, one in chain)]
        pairs = [
            self.compared(one, op, other, token)
            for (one, other), (op, token, _) in zip(pairwise(sides), chain, strict=True)
        ]
        return pairs[0] if len(pairs) == 1 else {"type": "all", "of": pairs}

    def order(self, first: Sum) -> JSON:
        """``a before b``, ``a 2 before b``, ``a right before b``, ``a after b``."""
        gap = self.whole() if self.token.kind == "number" else None
        token = self.token
        if not self.taken("before", "after", "rightbefore"):
            raise self.wrong(f"a comparison is missing before {token.text!r}, such as ==, != or <=")
        second = self.sum()
        one, other = first.alone, second.alone
        if one is None or other is None:
            raise self.wrong(f"on both sides of {token.text!r} stands a variable", token)
        if token.kind == "after":
            one, other, first, second = other, one, second, first
        if token.kind == "rightbefore":
            return self.compared(added(first, number(1), 1), "==", second, token)
        return {"type": "precedence", "before": one, "after": other, "gap": 1 if gap is None else gap}

    def membership(self, first: Sum) -> JSON:
        token, name = self.token, first.alone
        if name is None:
            raise self.wrong("only a variable, or a tuple of them, is in a set", token)
        within = token.kind == "in"
        values = self.values_after_in([name])
        of = [{"variable": name, "value": value} for value in values]
        return {"type": "count", "of": of, **({"at_least": 1} if within else {"exactly": 0})}

    def compared(self, one: Sum, op: str, other: Sum, token: Token) -> JSON:
        if one.alone is None and other.alone is not None:
            one, other, op = other, one, _TURNED[op]
        name, second = one.alone, other.alone
        if name is not None and op in ("==", "!="):
            if other.word is not None and (second is None or other.word in self.domains[name]):
                return _one_value(name, self.value(name, other.word, other.token or token), op)
            if one.word is not None and second is not None and one.word in self.domains[second]:
                return _one_value(second, one.word, op)
            if second is not None:
                return self.two_variables(name, op, second, token)
            if (number := other.number) is not None and not self.all_numbers(name):
                return _one_value(name, self.value(name, number, other.token or token), op)
            if number is not None and number in self.domains[name]:
                return _one_value(name, number, op)
        if one.word is not None and not one.variables and not other.variables:
            raise self.meaningless("a variable is missing on one side", token)
        return self.numbers_compared(self.numeric(one), op, self.numeric(other), token)

    def two_variables(self, one: str, op: str, other: str, token: Token) -> JSON:
        for name, value in ((one, other), (other, one)):
            if value in self.domains[name]:
                raise self.meaningless(
                    f'{value!r} is a variable, and a value of {name!r}; write {name} {op} "{value}" for the value, or '
                    f"{'all equal' if op == '==' else 'all different'}: {name}, {value} for the variable",
                    token,
                )
        if one == other:
            raise self.meaningless(f"{one!r} is compared with itself", token)
        return {"type": "equal" if op == "==" else "not_equal", "variables": [one, other]}

    def all_numbers(self, name: str) -> bool:
        return all(isinstance(value, int) for value in self.domains[name])

    def numbers_compared(self, one: Sum, op: str, other: Sum, token: Token) -> JSON:
        if not one.variables:
            one, other, op = other, one, _TURNED[op]
        moved = added(one, other, -1)
        if not moved.variables:
            raise self.meaningless("this has no variable", token)
        if moved.terms is None:
            return self.tried(moved, op, token)
        terms = terms_of(moved)
        bound = -moved.constant
        if not terms:
            raise self.meaningless("the variables on both sides cancel each other", token)
        if not moved.literals and (two := self.difference(moved.terms, op, bound)) is not None:
            return two
        if op == "!=":
            sides = [{"at_most": bound - 1}, {"at_least": bound + 1}]
            return {"type": "any", "of": [{"type": "linear", "terms": terms, **side} for side in sides]}
        bounds = {
            "==": {"equals": bound},
            "<=": {"at_most": bound},
            ">=": {"at_least": bound},
            "<": {"at_most": bound - 1},
            ">": {"at_least": bound + 1},
        }
        return {"type": "linear", "terms": terms, **bounds[op]}

    def difference(self, terms: Mapping[str, int], op: str, bound: int) -> JSON | None:
        """``x - y`` compared with a number, by the types that say it best; None where it is another sum, or a large one."""
        if sorted(times for times in terms.values() if times) != [-1, 1] or op == "==":
            return None
        (plus, minus) = sorted((name for name in terms if terms[name]), key=lambda name: -terms[name])
        if op == "!=":
            return {"type": "all_different", "variables": [plus, minus], "plus": [0, bound]}
        if len(self.domains[plus]) * len(self.domains[minus]) > MOST_COMBINATIONS:
            return None
        if op in ("<", "<="):
            return {"type": "precedence", "before": plus, "after": minus, "gap": (op == "<") - bound}
        return {"type": "precedence", "before": minus, "after": plus, "gap": (op == ">") + bound}

    def tried(self, moved: Sum, op: str, token: Token) -> JSON:
        """A condition that is not a weighted sum, as the values with which it holds, or those with which it does not."""
        domains = [self.domains[name] for name in moved.variables]
        many = reduce(operator.mul, map(len, domains), 1)
        if many > MOST_COMBINATIONS:
            raise self.meaningless(
                f"this is not a weighted sum, and {', '.join(moved.variables)} have {many} values together; at most "
                f"{MOST_COMBINATIONS} are tried",
                token,
            )
        rows: dict[bool, list[list[Value]]] = {True: [], False: []}
        for values in product(*domains):
            given = dict(zip(moved.variables, values, strict=True))
            rows[_COMPARED[op](moved.value(given), 0)].append(list(values))
        names = list(moved.variables)
        if len(names) == 1:
            of = [{"variable": names[0], "value": value} for (value,) in rows[True]]
            return (
                {"type": "count", "of": of, "at_least": 1}
                if of
                else {"type": "allowed", "variables": names, "tuples": []}
            )
        kind = len(rows[True]) <= len(rows[False])
        return {"type": "allowed" if kind else "forbidden", "variables": names, "tuples": rows[kind]}


def terms_of(one: Sum) -> list[JSON]:
    """The terms of a weighted sum, as JSON, without the constant."""
    plain: list[JSON] = [{"variable": name, "times": times} for name, times in (one.terms or {}).items() if times]
    weighted = [
        {"variable": name, "value": value, "times": times} for (name, value), times in one.literals.items() if times
    ]
    return [*plain, *weighted]


def _one_value(variable: str, value: Value, op: str) -> JSON:
    return {"type": "count", "of": [{"variable": variable, "value": value}], "exactly": int(op == "==")}
