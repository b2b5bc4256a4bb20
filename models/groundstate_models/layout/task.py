"""The layout task: places from items and relations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundstate import Fault, RequestError, Task, Understands
from groundstate_models.layout.block_reading import BlockReading
from groundstate_models.layout.reading import LayoutReading
from groundstate_models.layout.request import read


class LayoutTask(Task, Understands):
    """Layouts: the request is `schema.REQUEST`, the answer `schema.ANSWER`."""

    reading = LayoutReading
    spans_lines = True

    def read(self, request: dict[str, Any]) -> LayoutReading:
        plan = read(request)
        soft = any(item.soft is not None for item in plan.items.values())
        return (BlockReading if soft else LayoutReading)(self.header, request, plan)

    def coerce(self, request: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
        """Accept other names for the parts of a request, and text in place of a list."""
        changed = dict(request)
        notes = []
        for key, others in (
            ("area", ("room", "page", "slide", "canvas")),
            ("items", ("objects", "furniture", "elements")),
            ("relations", ("constraints", "rules")),
            ("prefer", ("preferences", "wishes")),
        ):
            for other in others:
                if other in changed and key not in changed:
                    changed[key] = changed.pop(other)
                    notes.append(f"{other} was read as {key}.")
        for key in ("relations", "prefer"):
            if isinstance(changed.get(key), str):
                changed[key] = [part.strip() for part in changed[key].replace("\n", ";").split(";") if part.strip()]
                notes.append(f"{key} is a list; the text was split.")
        return changed, notes

    def parse(self, text: str) -> dict[str, Any]:
        """Read a request on one line: ``400 x 300; bed 180 x 200, lamp 30 x 30; bed against north wall``.

        The first part is the area, the second the items, the others are relations.
        """
        parts = [part.strip() for part in text.replace("\n", ";").split(";") if part.strip()]
        if len(parts) < 2:
            raise RequestError(
                [
                    Fault(
                        "",
                        "Write the area, the items and relations: 400 x 300; bed 180 x 200, lamp 30 x 30; lamp next to bed.",
                    )
                ]
            )
        items: dict[str, Any] = {}
        for one in parts[1].split(","):
            name, _, size = one.strip().partition(" ")
            if not size:
                raise RequestError([Fault("items", f"{one.strip()!r} has no size; write such as bed 180 x 200.")])
            items[name] = {"size": size.strip()}
        area: dict[str, Any] = {"area": parts[0], "items": items}
        return {**area, **({"relations": parts[2:]} if parts[2:] else {})}

    def explain(self, request: Mapping[str, Any]) -> Fault | None:
        if "area" not in request:
            return Fault("area", 'The area is missing; write such as "area": {"width": 400, "height": 300}.')
        if not request.get("items"):
            return Fault("items", 'There is nothing to place; write such as "items": {"bed": [180, 200]}.')
        return None
