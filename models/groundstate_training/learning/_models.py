"""The models that `learn` returns: they report, ask questions about their rules, and export a tool."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from groundstate import Question
from groundstate_models.learned.columns import Belief, Column
from groundstate_models.learned.layout import Layout, Value
from groundstate_models.learned.rules import Rule
from groundstate_training._errors import TrainingError
from groundstate_training.learning import _export
from groundstate_training.learning._examples import Row
from groundstate_training.learning._experts import Experts
from groundstate_training.learning._odd import Odd, odd_values
from groundstate_training.learning._questions import Case
from groundstate_training.learning._resize import resized_layout, resized_rules
from groundstate_training.learning._tables import beliefs, tabulate


class Model(ABC):
    """An energy learned from examples."""

    @property
    @abstractmethod
    def report(self) -> str:
        """What was learned, as text: one fact per line."""

    @property
    def questions(self) -> list[Question]:
        """Questions that the examples leave open, the most likely rule first; reply with `reply`."""
        return []

    @abstractmethod
    def knowledge(self) -> dict[str, Any]:
        """The data for the task ``learned`` besides the graph, as JSON."""

    @abstractmethod
    def export(self, path: str | Path, *, name: str | None = None, title: str | None = None) -> Any:
        """Write the tool: one ``.onnx`` file that completes, scores and asks, without torch. Returns the exporter's report.

        Args:
            path: The file.
            name: Name of the tool; by default the file's name.
            title: Title of the tool, for people.

        Raises:
            ExportError: If the file cannot be proven equal to PyTorch, or written.
        """

    def _repr_markdown_(self) -> str:
        return "\n".join(f"* {line}" for line in self.report.splitlines())


@dataclass(frozen=True)
class RulesModel(Model):
    """Rules and preferences of finite configurations.

    Attributes:
        layout: The variables.
        rules: Rules that always hold, with evidence.
        preferences: Patterns that usually hold, with weights.
        examples: Number of examples.
        odd: Examples that break a rule, by index, with the number of violated places.
        possible, impossible: Cases from replies.
        origin: How the rules came to this layout, if they were learned on another one or the names form a grid.
    """

    layout: Layout
    rules: tuple[Rule, ...]
    preferences: tuple[Rule, ...] = ()
    examples: int = 0
    odd: Mapping[int, int] = field(default_factory=dict)
    possible: tuple[Case, ...] = ()
    impossible: tuple[Case, ...] = ()
    asked: tuple[Question, ...] = ()
    again: Any = field(default=None, repr=False, compare=False)
    origin: str = ""

    @property
    def questions(self) -> list[Question]:
        return list(self.asked)

    def reply(self, question: str, option: str) -> RulesModel:
        """Learn again with the reply to a question.

        Args:
            question: Its id.
            option: ``yes`` (it may be) or ``no`` (never).

        Raises:
            TrainingError: If the question or the option is unknown.
        """
        for one in self.asked:
            if one.id == question:
                for other in one.options:
                    if other.id == option:
                        case = other.patch[0]["value"]
                        yes = (*self.possible, case) if option == "yes" else self.possible
                        no = (*self.impossible, case) if option == "no" else self.impossible
                        model: RulesModel = self.again(yes, no)
                        return model
                raise TrainingError(f"The question {question!r} has no option {option!r}; yes and no are the options.")
        raise TrainingError(f"This model asks no question {question!r}.")

    def resized(
        self,
        grid: tuple[int, int],
        *,
        values: Sequence[Value] | None = None,
        attributes: Mapping[str, Sequence[int]] | None = None,
    ) -> RulesModel:
        """The model on a grid of another size, such as 9 × 9 after learning from solved grids of 6 × 6.

        Rules are carried over as relations of positions relative to the grid's shape. Preferences about single cells are left
        out; the report counts them. Open questions stay with the model that was learned.

        Args:
            grid: Rows and columns.
            values: The values; by default the same ones, or 1 to the new side where a line held whole numbers in a row, one for
                each of its cells.
            attributes: Labels of the cells, one list for each attribute that was given for learning.

        Raises:
            TrainingError: If a rule names single cells or values, so that its meaning on another size is unknown; with the rule.
        """
        layout = resized_layout(self.layout, grid, values, attributes)
        rules, left = resized_rules(self.layout, self.rules, layout)
        if left:
            more = f", and so have {len(left) - 1} more" if len(left) > 1 else ""
            raise TrainingError(
                f"The rule '{left[0].text}' has no meaning on a grid of {grid[0]} × {grid[1]}{more}: its cells or values do not "
                "follow from the grid's shape."
            )
        preferences, lost = resized_rules(self.layout, self.preferences, layout)
        rows, columns = self.layout.grid or (0, 0)
        origin = f"The rules were learned on {rows} × {columns} and are carried over to {grid[0]} × {grid[1]}."
        if lost:
            origin += f" Left out: {len(lost)} preferences about single cells or values."
        return RulesModel(layout, tuple(rules), tuple(preferences), self.examples, origin=origin)

    def broken(self, configuration: Mapping[str, Value | None]) -> list[str]:
        """The rules that a configuration breaks, as text, once for each place."""
        places = {value: place for place, value in enumerate(self.layout.values)}
        values = [None if (v := configuration.get(n)) is None else places.get(v) for n in self.layout.names]
        return [f"{rule.text}: broken at {place + 1}" for rule in self.rules for place in rule.broken(values)]

    def cost(self, configuration: Mapping[str, Value]) -> float:
        """The cost of a configuration by the preferences: lower is closer to the usual patterns."""
        places = {value: place for place, value in enumerate(self.layout.values)}
        values = [places[configuration[name]] for name in self.layout.names]
        return sum((rule.weight or 0.0) * sum(1 for _ in rule.broken(values)) for rule in self.preferences)

    @property
    def report(self) -> str:
        lines = [
            f"{self.examples} examples of {len(self.layout.names)} variables with {len(self.layout.values)} values"
        ]
        if self.origin:
            lines.append(self.origin)
        lines += [f"Rule ({rule.origin}): {rule.text}. It {rule.evidence.text()}." for rule in self.rules]
        if not self.rules:
            lines.append("No rule was found: no pair, group, window or count is always kept.")
        if self.odd:
            worst = sorted(self.odd, key=lambda place: -self.odd[place])[:5]
            shown = ", ".join(str(place + 1) for place in worst)
            lines.append(
                f"1 example breaks a rule and looks wrong: {shown}."
                if len(self.odd) == 1
                else f"{len(self.odd)} examples break a rule and look wrong; the worst are {shown}."
            )
        lines += [f"Preference, weight {rule.weight}: {rule.text}." for rule in self.preferences[:10]]
        if len(self.preferences) > 10:
            more = len(self.preferences) - 10
            lines.append(f"{more} weaker {'preference' if more == 1 else 'preferences'}.")
        lines.append("Looked for: values of pairs, groups that differ, counts in rows, columns and windows. Not learned: sums, "
                     "reachability, and rules of three or more variables that are not counts.")  # fmt: skip
        if self.asked:
            are = "1 open question" if len(self.asked) == 1 else f"{len(self.asked)} open questions; the first"
            lines.append(f"{are}: {self.asked[0].text}")
        return "\n".join(lines)

    def knowledge(self) -> dict[str, Any]:
        return {
            "kind": "rules",
            "layout": self.layout.to_json(),
            "rules": [rule.to_json() for rule in self.rules],
            "preferences": [rule.to_json() for rule in self.preferences],
            "examples": self.examples,
        }

    def export(self, path: str | Path, *, name: str | None = None, title: str | None = None) -> Any:
        return _export.export_rules(self, Path(path), name, title)


@dataclass(frozen=True)
class TableModel(Model):
    """Distributions of the columns of a table, given any of the others.

    Attributes:
        columns: The columns, calibrated.
        order: The columns' indices in the order of the network.
        experts: The trained network and the other experts.
        rows: Number of rows of the examples.
        held_out: Negative log likelihood of held-out cells, per cell, in nats.
        frequency: The same for each column's own frequencies, without the other columns.
        sample: Some rows.
        used: Number of rows that were learned from: all, or a random sample.
    """

    columns: tuple[Column, ...]
    order: tuple[int, ...]
    experts: Experts
    rows: int
    held_out: float
    frequency: float
    sample: Sequence[Row] = field(default=(), repr=False)
    used: int = 0

    @property
    def report(self) -> str:
        lines = [f"{self.rows} rows of {len(self.columns)} columns"]
        if 0 < self.used < self.rows:
            lines.append(f"Learned from a random sample of {self.used} of them.")
        for column in self.columns:
            if column.kind == "number":
                low, high = column.knots[0][0], column.knots[0][-1]
                lines.append(f"{column.name}: {'whole ' if column.whole else ''}numbers, {low:g} to {high:g}.")
            else:
                shown = ", ".join(map(str, column.levels[:6])) + (", …" if len(column.levels) > 6 else "")
                lines.append(f"{column.name}: {len(column.levels)} levels ({shown}).")
        gain = self.frequency - self.held_out
        lines.append(
            f"Held-out cells: {gain:.2f} nats a cell better than each column's own frequencies."
            if gain > 0.02
            else "Held-out cells are predicted no better than by each column's own frequencies: the columns look independent."
        )
        return "\n".join(lines)

    def beliefs(self, rows: Sequence[Mapping[str, Value | float | None]]) -> list[dict[int, Belief]]:
        """The distribution of every missing value of each row, by the index of its column."""
        values = [[row.get(column.name) for column in self.columns] for row in rows]
        return beliefs(self.experts, self.columns, tabulate(self.columns, values))

    def odd(self, rows: Sequence[Mapping[str, Value | float | None]]) -> list[list[Odd]]:
        """The values of each row, the oddest first: by how much less surprising the row were with another in its place.

        Each takes as many passes as the table has columns; the tool judges every value by its own likelihood only.
        """
        values = [[row.get(column.name) for column in self.columns] for row in rows]
        return odd_values(self.experts, self.columns, tabulate(self.columns, values), values)

    def knowledge(self) -> dict[str, Any]:
        return {
            "kind": "table",
            "columns": [column.to_json() for column in self.columns],
            "order": list(self.order),
            "rows": self.rows,
        }

    def export(self, path: str | Path, *, name: str | None = None, title: str | None = None) -> Any:
        return _export.export_table(self, Path(path), name, title)
