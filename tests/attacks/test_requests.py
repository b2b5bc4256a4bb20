"""Requests that are huge, deep or strange end with a solution or a sentence, in time and memory that do not explode."""

from __future__ import annotations

import time
from functools import cache

import pytest

import groundstate as gs
from tests.attacks.requests import REQUESTS, Asked, busy, meeting

SECONDS = 5.0
"""Processor time of the longest on a slow machine; benchmarks/attacks.py measures it."""


@cache
def loaded(name: str) -> gs.Solver:
    return gs.load(name)


@pytest.mark.parametrize("asked", REQUESTS, ids=lambda asked: asked.name)
def test_a_strange_request_ends_with_a_solution_or_a_sentence(asked: Asked) -> None:
    solver, request = loaded(asked.model), asked.build()
    begun = time.process_time()
    if asked.says is None:
        assert solver.solve(request, deadline=5).has_answer
    else:
        with pytest.raises(gs.RequestError, match=asked.says) as refusal:
            solver.solve(request, deadline=5)
        assert len(str(refusal.value)) < 5000
    assert time.process_time() - begun < SECONDS


def test_a_longer_text_of_busy_times_takes_longer_in_proportion() -> None:
    solver = loaded("scheduling")

    def seconds(characters: int) -> float:
        request = meeting(busy=busy(characters))
        times = []
        for _ in range(3):
            begun = time.process_time()
            solver.read(request)
            times.append(time.process_time() - begun)
        return min(times)

    # Quadratic would be sixteen times.
    assert seconds(144_000) < 9 * seconds(36_000)
