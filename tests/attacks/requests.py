"""Requests that are huge, deep or strange: each ends with a solution that holds, or with a sentence, in bounded time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request, and the model that it is sent to.

    Attributes:
        name: What is strange about it.
        model: An installed model.
        build: Makes the request.
        says: A pattern of the refusal; None if it may be solved.
    """

    name: str
    model: str
    build: Callable[[], Any]
    says: str | None


def _nested(depth: int) -> Any:
    found: Any = 0
    for _ in range(depth):
        found = [found]
    return found


GRID = [[1, 0, 0, 0], [0, 0, 0, 2], [0, 3, 0, 0], [0, 0, 4, 0]]


def meeting(**changes: Any) -> dict[str, Any]:
    """A small scheduling problem with some of Ada's fields changed."""
    return {
        "days": ["mon"],
        "people": {"Ada": changes},
        "activities": [{"name": "Plan", "duration": 60, "who": ["Ada"]}],
    }


def busy(characters: int) -> str:
    """A text of busy times of about this many characters."""
    times = [
        f"mon {hour}:{minute:02d}-{hour}:{minute + 5:02d}" for hour in range(10, 17) for minute in range(0, 50, 10)
    ]
    text = ", ".join(times)
    return ", ".join([text] * max(characters // len(text), 1))


REQUESTS = [
    Asked("a_million_cells", "sudoku", lambda: {"grid": [[0] * 1000] * 1000}, "There are 1000 entries"),
    Asked("a_million_cells_in_a_row", "sudoku", lambda: {"grid": [[0] * 1_000_000] * 9}, "There are 1000000 entries"),
    Asked("a_hundred_thousand_levels", "sudoku_4x4", lambda: {"grid": _nested(100_000)}, "nested too deeply|entries"),
    Asked(
        "a_number_of_a_thousand_digits", "sudoku_4x4", lambda: {"grid": [[10**999, 0, 0, 0], *GRID[1:]]}, "not allowed"
    ),
    Asked("a_text_of_a_megabyte", "sudoku_4x4", lambda: {"grid": "x" * 1_000_000}, "not allowed here"),
    Asked(
        "a_hundred_thousand_properties", "sudoku_4x4", lambda: {str(n): 0 for n in range(100_000)}, "missing|unknown"
    ),
    Asked("five_as_a_float", "sudoku_4x4", lambda: {"grid": [[1.0, 0, 0, 0], *GRID[1:]]}, None),
    Asked("no_number", "sudoku_4x4", lambda: {"grid": [[float("nan"), 0, 0, 0], *GRID[1:]]}, "not allowed|finite"),
    Asked("a_complex_number", "sudoku_4x4", lambda: {"grid": [[1j, 0, 0, 0], *GRID[1:]]}, "not allowed"),
    Asked("bytes_for_text", "sudoku_4x4", lambda: {b"grid": GRID}, "unknown|missing"),
    Asked("a_lone_surrogate", "sudoku_4x4", lambda: {"grid": "\ud800"}, "not allowed"),
    Asked("busy_text_of_144_kilobytes", "scheduling", lambda: meeting(busy=busy(144_000)), None),
    Asked("busy_text_of_a_megabyte", "scheduling", lambda: meeting(busy=busy(1_000_000)), "at most 200000 are read"),
    Asked("busy_text_that_means_nothing", "scheduling", lambda: meeting(busy="x " * 72_000), "Ada"),
    Asked("a_list_of_busy_times", "scheduling", lambda: meeting(busy=["mon 10:00-11:00"] * 10_000), None),
]
