"""Deadlines of Python code: what is ended, what is kept, and what is known of an answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

import groundstate as gs
from groundstate import _meaning
from groundstate._overdue import Deadline, OverdueError

from . import toys

GENEROUS = 20.0
REQUEST = {"ac": 1.0, "bc": 1.0, "side": 1.0}


def forever() -> None:
    """Take much longer than any deadline here, in Python alone."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass


def test_a_call_is_ended_at_its_time_and_others_go_on_after_it_is_moved() -> None:
    deadline = Deadline(time.monotonic() + 0.02)
    assert deadline.call(lambda: 5) == 5
    with pytest.raises(OverdueError):
        deadline.call(forever)
    assert deadline.passed
    with pytest.raises(OverdueError):
        deadline.call(lambda: 5)
    deadline.move(time.monotonic() + GENEROUS)
    assert deadline.call(lambda: 5) == 5
    deadline.close()


def test_an_end_that_is_swallowed_comes_again() -> None:
    """As Python itself does with an error that rises in a finaliser, or in a callback of a weak reference."""

    def swallowing() -> None:
        with suppress(OverdueError):
            forever()
        forever()

    begun = time.monotonic()
    deadline = Deadline(begun + 0.01)
    with pytest.raises(OverdueError):
        deadline.call(swallowing)
    deadline.close()
    assert time.monotonic() - begun < GENEROUS


class Slow(gs.Reading):
    """Never satisfied, and slow in the method that a test names."""

    slow = ""

    def check(self, answer: dict[str, Any]) -> list[gs.Violation]:
        if self.slow == "check":
            forever()
        return [gs.Violation("never", "Nothing is right.")]

    def decode(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        if self.slow == "decode":
            forever()
        return super().decode(tensors)


class SlowTask(gs.Task):
    reading = Slow


@pytest.mark.parametrize("method", ["check", "decode"])
def test_a_deadline_ends_checks_and_decoding_and_the_closest_attempt_is_left_out(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(Slow, "slow", method)
    monkeypatch.setattr(_meaning, "find", SlowTask)
    solver = gs.load(toys.triangle(task="toy"))
    begun = time.monotonic()
    solution = solver.solve(REQUEST, deadline=0.1, restarts=4)
    assert time.monotonic() - begun < GENEROUS
    assert (solution.status, solution.closest) == ("unsolved", None)
    assert "which proves nothing" in solution.explanation


def test_an_explanation_is_read_after_the_deadline_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_meaning, "find", SlowTask)
    solution = gs.load(toys.triangle(task="toy")).solve(REQUEST, deadline=0.2, restarts=4)
    time.sleep(0.25)
    assert solution.to_json()["explanation"].startswith("Asked: ")


def test_copies_of_a_solution_are_explained_alike() -> None:
    solver = gs.load("sudoku_4x4")
    request = {"grid": [[1, 0, 0, 0], [0] * 4, [0] * 4, [0] * 4]}
    first, again = solver.solve(request), solver.solve(request)
    changed = first.changed(seed=7)
    assert (changed.explanation, changed.decided) == (again.explanation, again.decided)
    assert first == again
    assert first.decided


def test_seeds_that_are_remembered_and_those_that_are_not_begin_alike() -> None:
    request = {"grid": [[0] * 4] * 4}
    options: dict[str, Any] = {"alternatives": 3, "ask": False, "restarts": 16, "max_steps": 512}
    known = gs.load("sudoku_4x4")
    for _ in range(2):
        texts = [str(known.solve(request, seed=seed, **options).to_json()) for seed in (0, 1, 0)]
        fresh = [str(gs.load("sudoku_4x4").solve(request, seed=seed, **options).to_json()) for seed in (0, 1, 0)]
        assert texts == fresh
