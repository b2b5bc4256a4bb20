"""When chains start, and how long they live."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import groundstate as gs
from groundstate._flight import luby
from groundstate._problem import width
from tests.end_to_end.test_from_energy_to_tool import made


def recursive(i: int) -> int:
    """Luby's sequence from 1, as the paper defines it."""
    k = i.bit_length()
    return 1 << (k - 1) if i == (1 << k) - 1 else recursive(i - (1 << (k - 1)) + 1)


def test_the_sequence_is_lubys() -> None:
    assert [luby(n) for n in range(15)] == [1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8]
    assert [luby(n) for n in range(3000)] == [recursive(n + 1) for n in range(3000)]


@pytest.mark.parametrize("restarts", [1, 3, 8, 64, 1000])
def test_chains_in_flight_never_become_fewer_nor_more_than_asked_for(restarts: int) -> None:
    widths = [width(rounds, restarts) for rounds in range(200)]
    assert widths == sorted(widths)
    assert (widths[0], widths[-1]) == (min(2, restarts), min(restarts, 256))


def test_small_problems_begin_with_more_chains_and_large_ones_keep_to_fewer() -> None:
    begun, end = ([width(rounds, 1000, entries) for entries in (1, 100, 10_000, 10**6, 10**9)] for rounds in (0, 100))
    assert begun == sorted(begun, reverse=True)
    assert end == sorted(end, reverse=True)
    assert (begun[0], end[0]) == (16, 1000)
    assert (begun[-1], end[-1]) == (2, 8)


def test_a_chain_that_keeps_breaking_rules_starts_anew_after_its_term_of_the_sequence(tmp_path: Path) -> None:
    impatient = {"patience": 12, "residual_tolerance": 0.0}
    file = made(tmp_path / "own.onnx", impatient, unroll=6, batches=(1,), seeds=(0,))
    segments: list[gs.Segment] = []
    unanswerable = {"given": [1, 1, -1, -1, -1]}
    gs.load(file).solve(unanswerable, restarts=1, max_steps=12 * 12, watch=segments.append)
    lives = [len(list(group)) for _, group in itertools.groupby(int(s.chain[0]) for s in segments)]
    assert lives == [2, 2, 4, 2, 2, 4, 8]


def test_all_chains_are_given_up_equally_soon_where_the_file_says_so(tmp_path: Path) -> None:
    impatient = {"patience": 12, "luby_exponent": 0, "residual_tolerance": 0.0}
    file = made(tmp_path / "own.onnx", impatient, unroll=6, batches=(1,), seeds=(0,))
    segments: list[gs.Segment] = []
    gs.load(file).solve({"given": [1, 1, -1, -1, -1]}, restarts=1, max_steps=12 * 6, watch=segments.append)
    assert [len(list(group)) for _, group in itertools.groupby(int(s.chain[0]) for s in segments)] == [2] * 6
