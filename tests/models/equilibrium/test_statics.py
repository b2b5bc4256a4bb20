"""Forces as drawn: certificates either way, stacks against the rule of the centre of mass, tipping blocks named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstate_models.equilibrium import proofs
from groundstate_models.equilibrium.families import stack
from groundstate_models.equilibrium.request import read
from groundstate_models.equilibrium.simplex import balanced
from groundstate_models.equilibrium.statics import statics


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 14))
def test_a_verdict_has_a_certificate_that_holds(seed: int, rows: int, columns: int) -> None:
    draw = np.random.default_rng(seed)
    matrix = draw.standard_normal((rows, columns)) * (draw.random((rows, columns)) < 0.6)
    load = matrix @ np.abs(draw.standard_normal(columns)) if draw.random() < 0.5 else draw.standard_normal(rows)
    found = balanced(matrix, load)
    assert (found.forces is None) != (found.motion is None)
    if found.forces is not None:
        assert (found.forces >= 0).all()
        np.testing.assert_allclose(matrix @ found.forces, load, atol=1e-7 * max(float(np.abs(load).max()), 1e-9))
    if found.motion is not None:
        assert (found.motion @ matrix >= -1e-6).all()
        assert found.motion @ load < 0


def test_stacks_stand_or_tip_as_the_centre_of_mass_decides() -> None:
    draw = np.random.default_rng(7)
    seen = {True: 0, False: 0}
    for _ in range(40):
        made = stack(draw, 8)
        if made.about["margin"] < 1e-6:
            continue
        structure = read(made.request)
        proof = proofs.contradiction(structure)
        seen[made.about["stands"]] += 1
        assert (proof is None) == made.about["stands"]
        if proof is None:
            assert statics(structure).forces is not None
        else:
            assert proof.kind == "tips"
            assert proof.name in made.about["tips"]
    assert min(seen.values()) > 5


def test_the_tipping_block_and_its_edge_are_named() -> None:
    found = proofs.contradiction(read({"statements": ["block a 2 x 1 on floor", "block b 2 x 1 on a at 1.2"]}))
    assert found is not None
    assert found.message == "b tips over the edge of a at (1, 1)."
    assert found.places == ("statements[1]",)


@pytest.mark.parametrize(("friction", "slides"), [(0.3, True), (0.8, False)])
def test_a_block_on_a_slope_slides_where_friction_is_less_than_the_slope(friction: float, slides: bool) -> None:
    ramp = {"corners": [[0, 0], [4, 0], [0, 2]], "fixed": True}
    u, n = np.array([2, -1]) / 5**0.5, np.array([1, 2]) / 5**0.5
    start = np.array([0, 2]) + 1.5 * u
    corners = [start, start + u, start + u + 0.3 * n, start + 0.3 * n]
    body = {"corners": [[float(v) for v in corner] for corner in corners]}
    found = proofs.contradiction(read({"blocks": {"ramp": ramp, "body": body}, "friction": friction}))
    assert (found is not None) == slides
    if found is not None:
        assert found.message == "body slides on ramp: friction 0.3 is not enough."


def cube(x: float, z: float, **more: Any) -> dict[str, Any]:
    corners = [[x + a, b, z + c] for c in (0, 1) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
    faces = [[3, 2, 1, 0], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]
    return {"corners": corners, "faces": faces, **more}


@pytest.mark.parametrize(("shift", "stands"), [(0.4, True), (0.6, False)])
def test_cubes_in_space_stand_or_tip(shift: float, stands: bool) -> None:
    structure = read({"blocks": {"low": cube(0, 0, fixed=True), "high": cube(shift, 1)}})
    found = proofs.contradiction(structure)
    assert (found is None) == stands
    if found is not None:
        assert found.name == "high"
        assert "over the edge of low at (1, " in found.message


def test_a_mechanism_under_a_load_is_named_and_one_without_is_not() -> None:
    frame = {
        "type": "truss",
        "nodes": {"A": [0, 0], "B": [4, 0], "C": [4, 2], "D": [0, 2]},
        "bars": ["BC", "CD", "AD"],
        "supports": ["A", "B"],
    }
    found = proofs.contradiction(read({"preset": {**frame, "loads": {"C": [1, 0]}}}))
    assert found is not None
    assert "C, D can move together" in found.message
    braced = {**frame, "bars": ["BC", "CD", "AD", "AC"], "loads": {"C": [1, 0]}}
    assert proofs.contradiction(read({"preset": braced})) is None
    assert proofs.contradiction(read({"preset": {**frame, "loads": {"C": [0, -1]}}})) is None
