"""How low to aim when a better answer is sought: far below the best one first, just below it in between.

A bound just below the best answer is always possible but steers little: each improvement is small. A bound near the proven
least steers strongly, and may be impossible. So the bounds take turns for as long as no better answer is found, and aim less far
each time; an answer that meets a far bound lets the next one aim as far.
"""

from __future__ import annotations

from dataclasses import dataclass

SHARE = 0.5
"""The share of the distance by which the next far bound aims less far."""


@dataclass
class Aim:
    """The bounds of one problem.

    Attributes:
        share: The share of the distance from the best answer to the least that the next far bound asks for, at most 1.
    """

    share: float = 1.0
    _cost: float | None = None
    _far: bool = True
    _bound: int | None = None

    def below(self, cost: float, least: int, most: int) -> int:
        """The largest cost to allow, from ``least`` to ``most``, in units of the least."""
        if cost == self._cost:  # nothing better was found since
            if self._far:
                self.share *= SHARE
            self._far = not self._far
        else:
            self._far = True
            if self._bound is not None and most < self._bound:
                self.share = min(1.0, self.share / SHARE)
        self._cost = cost
        found = most - round(self.share * (most - least)) if self._far else most
        self._bound = found if self._far else None
        return found
