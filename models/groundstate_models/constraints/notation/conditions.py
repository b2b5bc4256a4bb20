"""Conditions, and what they are joined by: if, or, and, not; lists that all differ; how many of some hold."""

from __future__ import annotations

import re
from collections.abc import Sequence

from groundstate_models.constraints.kinds import read as typed
from groundstate_models.constraints.notation.comparisons import Comparisons, terms_of
from groundstate_models.constraints.notation.sums import Sum
from groundstate_models.constraints.notation.words import JSON, MeaningError, Names, NotationError


def read(text: str, names: Names) -> JSON:
    """The typed constraint that a text means.

    Raises:
        NotationError: If it means none, or could mean several.
    """
    parser = _Parser(text, names)
    found = parser.statement()
    if parser.token.kind != "end":
        raise parser.wrong(f"{parser.token.text!r} is one word too many")
    return found


_ARITHMETIC = ("+", "-", "*", "<=", ">=", "<", ">", "==", "!=")


def objective(text: str, names: Names) -> JSON:
    """The typed objective of a text: ``"minimise 3*x + 2*(y == red)"``, ``"minimise the latest end of a for 3"``.

    A number that is not a weighted sum is a mapping with the key "sum".

    Raises:
        NotationError: If it is none.
    """
    verb = re.match(r"\s*(minimi[sz]e|maximi[sz]e|(?:min|max)(?!\s*\())\b\s*:?", text, re.IGNORECASE)
    if verb is None:
        raise NotationError(0, "an objective begins with minimise or maximise")
    parser = _Parser(" " * verb.end() + text[verb.end() :], names)  # places in the text stay the same
    found = parser.objective()
    if parser.token.kind != "end":
        raise parser.wrong(f"{parser.token.text!r} is one word too many")
    return {"minimise" if verb[1].lower().startswith("min") else "maximise": found}


class _Parser(Comparisons):
    """Reads whole constraints."""

    def __init__(self, text: str, names: Names) -> None:
        super().__init__(text, names)
        self.no_conditions: set[int] = set()
        """Words at which brackets begin that hold no condition."""

    def objective(self) -> JSON:
        """The number to be minimised or maximised, as a typed object without the verb."""
        if self.latest_end():
            moved = [{"variable": name, "plus": many} for name, many in self.lasting()]
            return {"latest": moved}
        one = self.numeric(self.sum())
        if not one.variables:
            raise self.meaningless("the objective has no variable")
        if one.terms is not None:
            return {"terms": terms_of(one), "plus": one.constant}
        for kind, parts in (("latest", one.largest), ("earliest", one.least)):
            if parts:
                return {kind: [{"variable": next(iter(p.terms or {})), "plus": p.constant} for p in parts]}
        return {"sum": one}

    def latest_end(self) -> bool:
        """Step over "the latest end of"."""
        words = [token.text.lower() for token in self.tokens[self.place : self.place + 4]]
        for phrase in (["the", "latest", "end", "of"], ["latest", "end", "of"]):
            if words[: len(phrase)] == phrase:
                self.place += len(phrase)
                return True
        return False

    def lasting(self) -> list[tuple[str, int]]:
        """``a for 3, b for 2``."""
        found: list[tuple[str, int]] = []
        while True:
            name = self.variable()
            if not self.taken("for"):
                raise self.wrong("write how long each lasts: 'a for 3, b for 2'")
            found.append((name, self.whole()))
            if not self.taken(",", "and"):
                return found

    def condition_in_brackets(self) -> Sum | None:
        before, depth = self.place, self.depth
        self.place += 1
        try:
            found = self.statement()
            self.expect(")", "after the condition")
            literals = self.literals_of(found)
        except NotationError:
            literals = None
        if not literals:
            self.place, self.depth = before, depth
            return None
        held = {(one["variable"], one["value"]): 1 for one in literals}
        name = literals[0]["variable"]
        return Sum((name,), lambda given: int((name, given[name]) in held), {}, 0, held)

    def statement(self) -> JSON:
        with self.deeper():
            return self.implication()

    def implication(self) -> JSON:
        if self.taken("if"):
            when = self.either()
            if not self.taken("then", ",", ":"):
                raise self.wrong(f"'then' is missing before {self.token.text!r}")
            self.taken("then")
            return _implied(when, self.statement())
        one = self.either()
        if self.taken("->"):
            return _implied(one, self.statement())
        if self.taken("<->"):
            other = self.either()
            return {"type": "all", "of": [_implied(one, other), _implied(other, one)]}
        if self.taken("if"):
            return _implied(self.either(), one)
        return one

    def either(self) -> JSON:
        found = [self.both()]
        while self.taken("or"):
            found.append(self.both())
        return found[0] if len(found) == 1 else {"type": "any", "of": found}

    def both(self) -> JSON:
        found = [self.negation()]
        while self.taken("and"):
            found.append(self.negation())
        return found[0] if len(found) == 1 else {"type": "all", "of": found}

    def negation(self) -> JSON:
        if self.taken("not"):
            return {"type": "not", "constraint": self.negation()}
        if self.token.kind == "(" and self.place not in self.no_conditions:
            # A condition in brackets, a tuple, or a sum that begins with a bracket.
            before, depth = self.place, self.depth
            self.place += 1
            try:
                found = self.statement()
                self.expect(")", "after the condition")
                if self.token.kind in _ARITHMETIC:  # (a == 1) + (b == 1) <= 1
                    self.place, self.depth = before, depth
                    return self.atom()
            except MeaningError:
                raise
            except NotationError as error:
                self.place, self.depth = before, depth
                self.no_conditions.add(before)
                return self.atom_or(error)
            return found
        return self.atom()

    def atom_or(self, error: NotationError) -> JSON:
        """A condition without brackets; where that fails too, the fault is the one that came later in the text."""
        try:
            return self.atom()
        except NotationError as other:
            raise (error if error.at > other.at else other) from None

    def atom(self) -> JSON:
        kind = self.token.kind
        if kind in ("alldifferent", "allequal", "different", "equal"):
            return self.several(kind)
        if kind == "nooverlap":
            return self.no_overlap()
        if kind in ("exactly", "atleast", "atmost", "between"):
            return self.count()
        if kind == "(" and (found := self.table()) is not None:
            return found
        return self.comparison()

    def several(self, kind: str) -> JSON:
        """``all different: a, b+1, c``, with or without a colon or brackets."""
        self.place += 1
        self.taken(":")
        sums = self.listed()
        self.expect_several(sums)
        moved = [one.constant for one in sums]
        names = [list(one.terms or {}) for one in sums]
        if any(one.terms is None or list(one.terms.values()) != [1] for one in sums):
            raise self.wrong("this lists variables, each plus or minus a number at most")
        flat = [name for (name,) in names]
        if kind in ("allequal", "equal"):
            if any(moved):
                raise self.wrong("variables that are equal are listed without numbers")
            return {"type": "equal", "variables": flat}
        return {"type": "all_different", "variables": flat, **({"plus": moved} if any(moved) else {})}

    def expect_several(self, sums: Sequence[Sum]) -> None:
        names = [next(iter(one.terms)) for one in sums if one.terms]
        if len(sums) < 2:
            raise self.wrong("at least two variables are listed here")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise self.wrong(f"{twice!r} is listed twice")

    def no_overlap(self) -> JSON:
        self.place += 1
        self.taken(":")
        starts, durations = [], []
        while True:
            starts.append(self.variable())
            if not self.taken("for"):
                raise self.wrong("write how long each lasts: 'no overlap: a for 3, b for 2'")
            durations.append(self.whole())
            if not self.taken(",", "and"):
                break
        return {"type": "no_overlap", "starts": starts, "durations": durations}

    def count(self) -> JSON:
        """``at most 2 of a, b, c are red``, ``exactly 1 of a == 1, b > 2``."""
        kind = self.token.kind
        self.place += 1
        bounds: JSON = {}
        if kind == "between":
            bounds["at_least"] = self.whole()
            self.expect("and", "between the two numbers")
            bounds["at_most"] = self.whole()
        else:
            bounds[{"exactly": "exactly", "atleast": "at_least", "atmost": "at_most"}[kind]] = self.whole()
        self.expect("of", "after the number")
        self.taken(":")
        before = self.place
        opened = self.token.kind if self.token.kind in ("(", "[", "{") else None
        names = self.names_listed()
        if names is not None and (len(names) > 1 or opened) and self.token.kind in ("==", "in"):
            values = [self.one_value(names)] if self.taken("==") else self.values_after_in(names)
            return {"type": "count", "of": [{"variable": n, "value": v} for n in names for v in values], **bounds}
        self.place = before
        conditions = self.conditions_listed(opened)
        literals = []
        for condition in conditions:
            told = self.literals_of(condition)
            if told is None:
                raise self.meaningless("what is counted is each about one variable, such as a == 1")
            literals += told
        return {"type": "count", "of": literals, **bounds}

    def conditions_listed(self, opened: str | None) -> list[JSON]:
        """Conditions one after another; where brackets are around them all, in those."""
        before = self.place
        try:
            found = [self.negation()]
            while self.taken(",", "and"):
                found.append(self.negation())
        except MeaningError:
            raise
        except NotationError:
            if opened is None:
                raise
            self.place = before + 1
            found = self.conditions_listed(None)
            self.expect({"(": ")", "[": "]", "{": "}"}[opened], "after the list")
        return found

    def names_listed(self) -> list[str] | None:
        """Variables one after another; None where something else stands there."""
        opened = self.token.kind if self.token.kind in ("(", "[", "{") else None
        if opened:
            self.place += 1
        found: list[str] = []
        while self.token.kind in ("name", "quoted") and self.token.value in self.domains:
            found.append(str(self.token.value))
            self.place += 1
            if not self.taken(",", "and"):
                break
            self.taken("and", "or")
        if opened and not self.taken({"(": ")", "[": "]", "{": "}"}[opened]):
            return None
        return found or None

    def literals_of(self, condition: JSON) -> list[JSON] | None:
        """A condition about one variable as the values that it leaves."""
        constraint = typed(condition)
        if len(constraint.variables) != 1:
            return None
        (name,) = constraint.variables
        return [{"variable": name, "value": value} for value in self.domains[name] if constraint.holds({name: value})]

    def table(self) -> JSON | None:
        """``(a, b) in {(1, 2), (2, 1)}``; None where no tuple of variables stands here."""
        before = self.place
        self.place += 1
        names: list[str] = []
        while self.token.kind in ("name", "quoted") and self.token.value in self.domains:
            names.append(str(self.token.value))
            self.place += 1
            if not self.taken(","):
                break
        if not self.taken(")") or len(names) < 2 or self.token.kind not in ("in", "notin"):
            self.place = before
            return None
        kind = "allowed" if self.taken("in") else "forbidden"
        self.taken("notin")
        closing = {"{": "}", "[": "]", "(": ")"}.get(self.token.kind)
        if closing is None:
            raise self.wrong("the tuples are missing: write {(1, 2), (2, 1)}")
        self.place += 1
        rows = []
        while not self.taken(closing):
            if not self.taken("(", "["):
                raise self.wrong(f"{self.token.text!r} begins no tuple; write (1, 2)")
            row = []
            for name in names:
                row.append(self.value_of(name))
                self.taken(",")
            if not self.taken(")", "]"):
                raise self.wrong(f"each tuple has {len(names)} values")
            rows.append(row)
            self.taken(",")
        return {"type": kind, "variables": names, "tuples": rows}


def _implied(when: JSON, then: JSON) -> JSON:
    """``if when then then``, as the plain type where both sides are values of variables."""
    conditions = [_literal(one) for one in (when["of"] if when["type"] == "all" else [when])]
    outcomes = [_literal(one) for one in (then["of"] if then["type"] == "any" else [then])]
    if None not in conditions and None not in outcomes:
        return {"type": "implies", "if": conditions, "then": outcomes}
    return {"type": "if", "if": when, "then": then}


def _literal(one: JSON) -> JSON | None:
    if one["type"] == "count" and len(one["of"]) == 1 and one.get("exactly", one.get("at_least")) == 1:
        literal: JSON = one["of"][0]
        return literal
    return None
