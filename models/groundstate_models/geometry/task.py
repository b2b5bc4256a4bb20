"""The geometry task: figures from statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundstate import Fault, RequestError, Task, Understands
from groundstate_models.geometry.reading import GeometryReading


class GeometryTask(Task, Understands):
    """Figures: the request is `schema.REQUEST`, the answer `schema.ANSWER`."""

    reading = GeometryReading
    spans_lines = True

    def read(self, request: dict[str, Any]) -> GeometryReading:
        return GeometryReading(self.header, request)

    def coerce(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """Accept other names for the statements, and text in place of a list."""
        changed = dict(request)
        notes = []
        for other in ("statements", "conditions", "relations"):
            if other in changed and "constraints" not in changed:
                changed["constraints"] = changed.pop(other)
                notes.append(f"{other} was read as constraints.")
        for key, mark in (("constraints", None), ("measure", ","), ("points", None)):
            value = changed.get(key)
            if isinstance(value, str):
                parts = value.replace("\n", ";").split(";") if key != "points" else value.replace(",", " ").split()
                if mark and ";" not in value:
                    parts = value.split(mark)
                changed[key] = [part.strip() for part in parts if part.strip()]
                notes.append(f"{key} is a list; the text was split.")
        return changed, notes

    def parse(self, text: str) -> dict[str, Any]:
        """Read statements, one per line or separated by semicolons; a line ``measure: …`` asks for measures."""
        constraints, measure = [], []
        for line in text.replace(";", "\n").splitlines():
            one = line.strip()
            if one.lower().startswith("measure"):
                measure += [part.strip() for part in one.partition(":")[2].split(",") if part.strip()]
            elif one:
                constraints.append(one)
        if not constraints:
            raise RequestError(
                [Fault("", "The text holds no statement; write such as: AB = 5; BC = 4; angle ABC = 90.")]
            )
        return {"constraints": constraints, **({"measure": measure} if measure else {})}

    def explain(self, request: Mapping[str, Any]) -> Fault | None:
        del request
        return None
