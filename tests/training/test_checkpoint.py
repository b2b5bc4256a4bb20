"""Checkpoints: what is written is read again, without pickles; a damaged or foreign file is refused and left as it is."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from groundstate_training import TrainingError, read_checkpoint, write_checkpoint

NAMES = st.text(min_size=1, max_size=8).filter(lambda name: "/" not in name and "\0" not in name and name.isprintable())
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
DTYPES = st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), arrays.arrays(DTYPES, SHAPES))
STATES = st.dictionaries(
    NAMES, st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8)
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    return type(one) is type(other) and one == other


@given(state=STATES)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_again(state: dict[str, Any], tmp_path: Path) -> None:
    write_checkpoint(state, tmp_path / "checkpoint.npz")
    assert same(read_checkpoint(tmp_path / "checkpoint.npz"), state)


class Harmful:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (pytest.fail, ("A pickle was loaded.",))


def npz(**entries: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **entries)
    return file.getvalue()


TEXT = np.frombuffer(b"{}", np.uint8)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a checkpoint",
        pickle.dumps(Harmful()),
        npz(json=TEXT, points=np.array([Harmful()], object)),
        npz(json=np.array([Harmful()], object)),
        npz(points=np.zeros(3)),
        npz(json=np.frombuffer(b"{", np.uint8)),
        npz(json=TEXT, **{"nowhere/points": np.zeros(3)}),
        npz(json=TEXT)[:-20],
    ],
    ids=["empty", "text", "pickle", "pickled entry", "pickled text", "no text", "torn text", "no place", "truncated"],
)
def test_a_damaged_or_foreign_file_is_refused_and_kept(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="cannot be read"):
        read_checkpoint(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a/b": 1}, "must be a string without '/'"),
        ({"a": {3: 1}}, "must be a string without '/'"),
        ({"a": np.array([None])}, "has the dtype object"),
        ({"a": object()}, "not JSON serializable"),
    ],
)
def test_a_state_that_cannot_be_kept_is_an_error_of_the_caller(state: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=message):
        write_checkpoint(state, tmp_path / "checkpoint.npz")
    assert not list(tmp_path.iterdir())
