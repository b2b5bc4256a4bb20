"""What a comparison found."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Parity:
    """What the comparison found."""

    worst: dict[str, float] = field(default_factory=dict)
    judged: dict[str, float] = field(default_factory=dict)

    def note(self, output: str, error: float) -> None:
        self.worst[output] = max(error, self.worst.get(output, 0.0))

    def include(self, other: Parity, prefix: str = "") -> None:
        """Take what was found at another example, or, under a prefix, in another stage."""
        for output, error in other.worst.items():
            self.note(prefix + output, error)
        for output, error in other.judged.items():
            self.judged[prefix + output] = max(error, self.judged.get(prefix + output, 0.0))
