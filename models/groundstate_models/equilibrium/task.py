"""The equilibrium task: bodies at rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from groundstate import Fault, RequestError, Task, Understands
from groundstate_models.equilibrium.reading import EquilibriumReading


class EquilibriumTask(Task, Understands):
    """Structures: the request is `schema.REQUEST`, the answer `schema.ANSWER`."""

    reading = EquilibriumReading
    spans_lines = True

    def read(self, request: dict[str, Any]) -> EquilibriumReading:
        return EquilibriumReading(self.header, request)

    def coerce(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """Accept other names, and text in place of a list."""
        changed = dict(request)
        notes = []
        for other, name in (("constraints", "statements"), ("edges", "members"), ("points", "nodes")):
            if other in changed and name not in changed:
                changed[name] = changed.pop(other)
                notes.append(f"{other} was read as {name}.")
        for key in ("statements", "members"):
            value = changed.get(key)
            if isinstance(value, str):
                changed[key] = [part.strip() for part in re.split(r"[;\n]", value) if part.strip()]
                notes.append(f"{key} is a list; the text was split.")
        if isinstance(changed.get("preset"), str):
            changed["statements"] = [changed.pop("preset"), *changed.get("statements", [])]
            notes.append("preset was read as a statement.")
        return changed, notes

    def parse(self, text: str) -> dict[str, Any]:
        """Read statements, one per line or separated by semicolons."""
        found = [one.strip() for one in re.split(r"[;\n]", text) if one.strip()]
        if not found:
            raise RequestError(
                [
                    Fault(
                        "",
                        "The text holds no statement; write such as: A fixed at (0, 0); cable A-m length 5; mass 1 at m.",
                    )
                ]
            )
        return {"statements": found}

    def explain(self, request: Mapping[str, Any]) -> Fault | None:
        del request
        return None
