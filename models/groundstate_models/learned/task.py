"""The task ``learned``: serves rules of finite configurations, or a table, learned from examples."""

from __future__ import annotations

from typing import Any

from groundstate import Fault, Header, Reading, RequestError, Task, TaskError, Understands
from groundstate_models.learned.completing import RulesReading, UsualReading
from groundstate_models.learned.knowledge import Knowledge
from groundstate_models.learned.table_knowledge import TableKnowledge
from groundstate_models.learned.tables import TableReading


class LearnedTask(Task, Understands):
    """Reads requests by the knowledge in the header."""

    reading = Reading

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        kind = header.knowledge.get("kind")
        if kind not in ("rules", "table"):
            raise TaskError(f"The file {header.name!r} holds no learned rules and no learned table; learn it again.")
        self.rules = Knowledge.from_json(header.knowledge) if kind == "rules" else None
        self.table = TableKnowledge.from_json(header.knowledge) if kind == "table" else None
        kinds: dict[str, type[Reading]] = {"rules": RulesReading, "table": TableReading}
        self.reading = kinds[kind]

    def read(self, request: dict[str, Any]) -> Reading:
        if self.table is not None:
            return TableReading(self.header, request, self.table)
        if self.rules is None:
            raise TaskError("There is nothing learned.")
        usual = (self.rules.preferences and request.get("usual", True)) or "wishes" in request or request.get("repair")
        return (UsualReading if usual else RulesReading)(self.header, request, self.rules)

    def parse(self, text: str) -> dict[str, Any]:
        """Read a grid as text, one character per cell; ``.`` is unknown, and so is ``0`` unless 0 is a value."""
        layout = None if self.rules is None else self.rules.layout
        cells = "".join(text.split())
        if layout is None or not layout.grid or len(cells) != len(layout.names):
            raise RequestError([Fault("", f"Give the request as JSON. You gave {text[:40]!r}.")])
        by_text = {str(value): value for value in layout.values}
        row: list[Any] = []
        for place, c in enumerate(cells):
            if c not in by_text and c not in ".?_0":
                raise RequestError(
                    [Fault("", f"{c!r} at {layout.names[place]} is none of the values {', '.join(by_text)}.")]
                )
            row.append(by_text.get(c))
        wide = layout.grid[1]
        return {"grid": [row[k : k + wide] for k in range(0, len(row), wide)]}
