"""Puzzles that the tests share, from the project's own generator (seed 2024)."""

from __future__ import annotations

import threading
import time
from typing import Any

from groundstate._session import StoppedRunError

EASY = "820000060000000000409028005500800030290700000000090008000000900032540001080307006"
EASY_SOLUTION = "821953467356174892479628315547862139298731654163495278715286943632549781984317526"
MEDIUM = "060000000070000082108054030050020700904000000700006000000640003000103207300005400"
TWO_SOLUTIONS = "000000007050020094800059000094001003000030020060000809000700030008000060007018000"
REPEATED = "55" + EASY[2:]


def rows(text: str) -> list[list[int]]:
    """81 characters as 9 lists of 9 digits."""
    digits = [int(c) for c in text]
    return [digits[i : i + 9] for i in range(0, 81, 9)]


class Stalled:
    """Stands in for a session's `run`: a run that goes on until its options end it.

    Attributes:
        begun: Set when a run has begun.
        ended: Set when a run has been ended.
        runs: Number of runs.
    """

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()
        self.runs = 0

    def __call__(self, feeds: Any, fetch: Any = None, options: Any = None) -> Any:
        del feeds, fetch
        self.runs += 1
        self.begun.set()
        while not options.terminate:
            time.sleep(0.001)
        self.ended.set()
        raise StoppedRunError("ended by its options")
