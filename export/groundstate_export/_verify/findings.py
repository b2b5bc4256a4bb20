"""The result of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Parity:
    """The errors of a comparison by output."""

    worst: dict[str, float] = field(default_factory=dict)
    judged: dict[str, float] = field(default_factory=dict)

    def note(self, output: str, error: float) -> None:
        self.worst[output] = max(error, self.worst.get(output, 0.0))

    def include(self, other: Parity, prefix: str = "") -> None:
        """Add the result of another example or, with a prefix, of another stage."""
        for output, error in other.worst.items():
            self.note(prefix + output, error)
        for output, error in other.judged.items():
            self.judged[prefix + output] = max(error, self.judged.get(prefix + output, 0.0))
