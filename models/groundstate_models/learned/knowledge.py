"""The contents of a learned file of finite configurations: layout, rules and preferences; the schema of requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from groundstate_models.learned import rules as learned_rules
from groundstate_models.learned.layout import Layout, Value
from groundstate_models.learned.rules import Configuration, Rule


@dataclass(frozen=True)
class Knowledge:
    """Rules and preferences of configurations.

    Attributes:
        layout: The variables.
        rules: Rules that always hold.
        preferences: Patterns that usually hold.
        examples: Number of training examples.
    """

    layout: Layout
    rules: tuple[Rule, ...]
    preferences: tuple[Rule, ...]
    examples: int

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The knowledge in a header."""
        return cls(
            Layout.from_json(raw["layout"]),
            tuple(map(learned_rules.read, raw["rules"])),
            tuple(map(learned_rules.read, raw["preferences"])),
            raw["examples"],
        )

    @cached_property
    def places(self) -> dict[Value, int]:
        """The index of each value."""
        return {value: place for place, value in enumerate(self.layout.values)}

    def configuration(self, values: Mapping[str, Any]) -> Configuration:
        """Value indices of named values; None where a name is missing."""
        return [None if (v := values.get(n)) is None else self.places.get(v, -1) for n in self.layout.names]

    @cached_property
    def constraints(self) -> list[dict[str, Any]]:
        """The rules as constraints of the model ``constraints``, one for each place, named by the rule's text."""
        return [
            {**rule.constraint(place, self.layout), "name": self.called(rule, place)}
            for rule in self.rules
            for place in range(len(rule.places))
        ]

    @cached_property
    def usual(self) -> list[dict[str, Any]]:
        """The preferences as preferences of the model ``constraints``."""
        return [
            {"constraint": rule.constraint(place, self.layout), "weight": rule.weight}
            for rule in self.preferences
            for place in range(len(rule.places))
        ]

    def called(self, rule: Rule, place: int) -> str:
        """A rule in one of its places, in words."""
        group = rule.places[place]
        names = [self.layout.names[i] for i in group]
        shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
        return f"{rule.text} ({shown}; {rule.origin})"

    def cost(self, configuration: Configuration) -> float:
        """The cost of a configuration by the preferences."""
        return sum((rule.weight or 0.0) * sum(1 for _ in rule.broken(configuration)) for rule in self.preferences)


def request_schema(layout: Layout, *, usual: bool) -> dict[str, Any]:
    """The JSON schema of requests."""
    value: dict[str, Any] = {"enum": list(layout.values)}
    blank: dict[str, Any] = {"enum": [*layout.values, None]}
    properties: dict[str, Any] = {}
    if layout.grid:
        rows, columns = layout.grid
        line = {"type": "array", "items": blank, "minItems": columns, "maxItems": columns}
        properties["grid"] = {
            "type": "array",
            "description": "The rows of the grid; null where a value is to be found.",
            "items": line,
            "minItems": rows,
            "maxItems": rows,
        }
    names = (
        {"type": "object", "propertyNames": {"enum": list(layout.names)}}
        if len(layout.names) <= 30
        else {"type": "object"}
    )
    shown = ", ".join(layout.names[:3])
    properties["known"] = {
        **names,
        "description": f"Values that are fixed, by variable ({shown}, …).",
        "additionalProperties": value,
    }
    properties["never"] = {
        "type": "object",
        "description": "Values that a variable must not have.",
        "additionalProperties": {"type": "array", "items": value},
    }
    properties["wishes"] = {
        "type": "array",
        "description": "Values that would be nice, with what it costs to miss them (1 if not given).",
        "items": {
            "type": "object",
            "properties": {
                "variable": {"type": "string"},
                "value": value,
                "weight": {"type": "number", "exclusiveMinimum": 0},
            },
            "required": ["variable", "value"],
            "additionalProperties": False,
        },
    }
    properties["repair"] = {
        "type": "boolean",
        "description": "Change as few of the given values as possible, instead of keeping them all.",
    }
    if usual:
        properties["usual"] = {
            "type": "boolean",
            "description": "Prefer what the examples usually do (true), or keep to their rules alone.",
        }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def answer_schema(layout: Layout) -> dict[str, Any]:
    """The JSON schema of answers."""
    value: dict[str, Any] = {"enum": list(layout.values)}
    properties: dict[str, Any]
    if layout.grid:
        properties = {"grid": {"type": "array", "items": {"type": "array", "items": value}}}
    else:
        properties = {"values": {"type": "object", "additionalProperties": value}}
    return {
        "type": "object",
        "properties": {
            **properties,
            "cost": {"type": "number", "description": "What the answer costs by preferences and wishes."},
            "changed": {
                "type": "array",
                "items": {"type": "string"},
                "description": "With repair: variables that changed.",
            },
        },
        "required": list(properties),
        "additionalProperties": False,
    }
