"""The error for questions that cannot be asked."""

from __future__ import annotations

import groundstate as gs


class CannotAskError(gs.OptionError):
    """The program's setup does not let a question reach a person.

    Attributes:
        solution: The result so far, with its question.
    """

    def __init__(self, message: str, solution: gs.Solution) -> None:
        super().__init__(message)
        self.solution = solution
