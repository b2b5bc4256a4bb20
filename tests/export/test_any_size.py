"""Everyday energies over any size: a sample in every run, all of them at night."""

from __future__ import annotations

import pytest

from groundstate_export import BadEnergy
from tests.export.any_size import PATTERNS, compare

REFUSED = {"LSTM", "FFT"}
SAMPLE = [
    "arange", "learned positions", "rotary, causal, class token", "all but the first", "circular padding", "max pool",
    "patches by unfold", "pairs by triu_indices", "strided convolution", "two halves", "graph",
    "U-Net, average pool, resized to a size",
]  # fmt: skip


def _matches(name: str) -> None:
    # Two steps and an energy in float32, on both sides.
    assert compare(name) < 1e-4


@pytest.mark.parametrize("name", SAMPLE)
def test_a_file_of_any_size_matches_pytorch_at_sizes_that_no_example_had(name: str) -> None:
    _matches(name)


@pytest.mark.nightly
@pytest.mark.parametrize("name", sorted(PATTERNS.keys() - REFUSED - set(SAMPLE)))
def test_so_does_every_other_pattern(name: str) -> None:
    _matches(name)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_is_refused_is_refused_with_its_line(name: str) -> None:
    with pytest.raises(BadEnergy, match=r"turns the size n into the number 7 \(any_size\.py:\d+, in "):
        compare(name)
