"""Rules of a configuration: exact meaning, text and evidence, the same for learned and known rules.

There are three kinds. `Different`: no value twice in a group. `Pairs`: two variables never have certain values
together. `Count`: the number of variables of a group with one of certain values has bounds. Values are indices
into `Layout.values`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

from groundstate_models.learned.layout import Layout

Group = tuple[int, ...]
Configuration = Sequence[int | None]
"""The value index of each variable; None where it is unknown."""

ORIGINS = ("learned", "known", "confirmed")
"""Origins of a rule: the examples, the caller, or the examples and a reply of the caller."""


@dataclass(frozen=True)
class Evidence:
    """The evidence of the examples for a rule.

    Attributes:
        examples: Examples that could show a violation.
        held: Examples without a violation.
        broken: Violated places over all examples.
        expected: Expected number of violated places if the variables were independent.
    """

    examples: int = 0
    held: int = 0
    broken: int = 0
    expected: float = 0.0

    def text(self) -> str:
        """The evidence in words."""
        if not self.examples:
            return "not measured on examples"
        summary = f"holds in {self.held} of {self.examples} examples"
        if self.broken:
            summary += f" ({self.broken} {'place breaks' if self.broken == 1 else 'places break'} it)"
        return f"{summary}; chance alone would break it in about {self.expected:.0f} places"


@dataclass(frozen=True)
class Rule(ABC):
    """One rule about a family of groups or pairs of variables.

    Attributes:
        text: The rule in words, as a sentence without its full stop.
        evidence: The evidence of the examples.
        origin: One of `ORIGINS`.
        weight: Cost of one violated place; None for a hard rule.
        pattern: The family in terms of attributes, for other layouts; None if it names variables.
    """

    text: str
    evidence: Evidence = field(default_factory=Evidence, kw_only=True)
    origin: str = field(default="learned", kw_only=True)
    weight: float | None = field(default=None, kw_only=True)
    pattern: Mapping[str, Any] | None = field(default=None, kw_only=True)

    kind: ClassVar[str]

    @property
    @abstractmethod
    def places(self) -> Sequence[Group]:
        """The rule's groups of variables, one constraint each."""

    @abstractmethod
    def holds(self, place: int, configuration: Configuration) -> bool:
        """Whether a configuration satisfies the rule in one of its places, as far as its values are known."""

    @abstractmethod
    def constraint(self, place: int, layout: Layout) -> dict[str, Any]:
        """The rule in one of its places, as a constraint of the model ``constraints``."""

    @abstractmethod
    def _own(self) -> dict[str, Any]: ...

    @property
    def hard(self) -> bool:
        """Whether every answer must satisfy it."""
        return self.weight is None

    def broken(self, configuration: Configuration) -> Iterator[int]:
        """The places where a configuration breaks the rule."""
        return (place for place in range(len(self.places)) if not self.holds(place, configuration))

    def to_json(self) -> dict[str, Any]:
        """The rule as JSON."""
        e = self.evidence
        return {
            "kind": self.kind,
            "text": self.text,
            "evidence": [e.examples, e.held, e.broken, round(e.expected, 2)],
            "origin": self.origin,
            "weight": self.weight,
            "pattern": self.pattern,
            **self._own(),
        }


@dataclass(frozen=True)
class Different(Rule):
    """No two variables of a group have the same value."""

    kind = "different"
    groups: tuple[Group, ...] = ()

    @property
    def places(self) -> Sequence[Group]:
        return self.groups

    def holds(self, place: int, configuration: Configuration) -> bool:
        seen = [value for i in self.groups[place] if (value := configuration[i]) is not None]
        return len(set(seen)) == len(seen)

    def constraint(self, place: int, layout: Layout) -> dict[str, Any]:
        return {"type": "all_different", "variables": [layout.names[i] for i in self.groups[place]]}

    def _own(self) -> dict[str, Any]:
        return {"groups": [list(group) for group in self.groups]}


@dataclass(frozen=True)
class Pairs(Rule):
    """Two variables never have certain values together.

    Attributes:
        pairs: The pairs, in order.
        forbidden: Pairs of values that no pair of variables has; with ``by_pair``, one tuple of them for each pair.
    """

    kind = "pairs"
    pairs: tuple[Group, ...] = ()
    forbidden: tuple[tuple[int, int], ...] = ()
    by_pair: tuple[tuple[tuple[int, int], ...], ...] = ()

    @property
    def places(self) -> Sequence[Group]:
        return self.pairs

    @cached_property
    def _sets(self) -> tuple[frozenset[tuple[int, int]], ...]:
        return tuple(map(frozenset, self.by_pair)) or (frozenset(self.forbidden),)

    def of(self, place: int) -> frozenset[tuple[int, int]]:
        """The forbidden pairs of values in one place."""
        return self._sets[place if self.by_pair else 0]

    def holds(self, place: int, configuration: Configuration) -> bool:
        i, j = self.pairs[place]
        return (configuration[i], configuration[j]) not in self.of(place)

    def constraint(self, place: int, layout: Layout) -> dict[str, Any]:
        i, j = self.pairs[place]
        names, forbidden = [layout.names[i], layout.names[j]], self.of(place)
        if forbidden == {(a, a) for a in range(len(layout.values))}:
            return {"type": "not_equal", "variables": names}
        tuples = [[layout.values[a], layout.values[b]] for a, b in sorted(forbidden)]
        return {"type": "forbidden", "variables": names, "tuples": tuples}

    def _own(self) -> dict[str, Any]:
        return {
            "pairs": [list(pair) for pair in self.pairs],
            "forbidden": [list(entry) for entry in self.forbidden],
            "by_pair": [[list(entry) for entry in entries] for entries in self.by_pair],
        }


@dataclass(frozen=True)
class Count(Rule):
    """From ``low`` to ``high`` variables of a group have one of certain values."""

    kind = "count"
    groups: tuple[Group, ...] = ()
    values: tuple[int, ...] = ()
    low: int = 0
    high: int = 0

    @property
    def places(self) -> Sequence[Group]:
        return self.groups

    def holds(self, place: int, configuration: Configuration) -> bool:
        known = [configuration[i] for i in self.groups[place]]
        have, may = sum(value in self.values for value in known), known.count(None)
        return have <= self.high and have + may >= self.low

    def constraint(self, place: int, layout: Layout) -> dict[str, Any]:
        group = self.groups[place]
        literals = [{"variable": layout.names[i], "value": layout.values[a]} for i in group for a in self.values]
        if self.low == self.high:
            return {"type": "count", "of": literals, "exactly": self.low}
        bounds = {"at_least": self.low} if self.low > 0 else {}
        return {"type": "count", "of": literals, **bounds, "at_most": min(self.high, len(group))}

    def _own(self) -> dict[str, Any]:
        return {
            "groups": [list(group) for group in self.groups],
            "values": list(self.values),
            "low": self.low,
            "high": self.high,
        }


def read(raw: Mapping[str, Any]) -> Rule:
    """The rule that `Rule.to_json` wrote.

    Raises:
        ValueError: If its kind is unknown.
    """
    common: dict[str, Any] = {
        "text": raw["text"],
        "evidence": Evidence(*raw["evidence"]),
        "origin": raw["origin"],
        "weight": raw["weight"],
        "pattern": raw["pattern"],
    }
    groups = tuple(tuple(group) for group in raw.get("groups", ()))
    match raw["kind"]:
        case "different":
            return Different(**common, groups=groups)
        case "pairs":
            by_pair = tuple(tuple((a, b) for a, b in entries) for entries in raw["by_pair"])
            forbidden = tuple((a, b) for a, b in raw["forbidden"])
            return Pairs(**common, pairs=tuple(map(tuple, raw["pairs"])), forbidden=forbidden, by_pair=by_pair)
        case "count":
            return Count(**common, groups=groups, values=tuple(raw["values"]), low=raw["low"], high=raw["high"])
    raise ValueError(f"The rule kind {raw['kind']!r} is unknown; known are different, pairs and count.")
