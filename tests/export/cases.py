"""All operator cases, by subject and name."""

from __future__ import annotations

from tests.export.battery import GROUPS, Case
from tests.export.battery_layers import LAYERS
from tests.export.battery_moves import MOVES

CASES: dict[str, Case] = {
    f"{subject}: {name}": term if isinstance(term, Case) else Case(term)
    for subject, group in (GROUPS | LAYERS | MOVES).items()
    for name, term in group.items()
}
