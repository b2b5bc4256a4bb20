"""A rule that the examples leave open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Doubt:
    """A rule that the examples neither support nor exclude.

    Attributes:
        words: The rule.
        case: The smallest configuration that it forbids: variables with values.
        evidence: Its evidence in nats, beyond the threshold for its competitors.
    """

    words: str
    case: tuple[tuple[int, int], ...]
    evidence: float
