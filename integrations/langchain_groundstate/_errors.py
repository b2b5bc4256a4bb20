"""A question that nobody can be asked."""

from __future__ import annotations

import groundstate as gs


class CannotAskError(gs.OptionError):
    """A question that cannot reach a person, as the program is set up.

    Attributes:
        solution: What was found, and what is asked about it.
    """

    def __init__(self, message: str, solution: gs.Solution) -> None:
        super().__init__(message)
        self.solution = solution
