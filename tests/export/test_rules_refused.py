"""Rules that make no sense, or do not fit an energy, are refused in a sentence; a loop stops where they do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from groundstate_export import (
    Adam,
    AugmentedLagrangian,
    BadArgument,
    Best,
    Box,
    Breakout,
    Clipped,
    Constant,
    Fixed,
    GradientDescent,
    HeavyBall,
    Landscapes,
    Langevin,
    MirrorDescent,
    Projected,
    Rejecting,
    Rule,
    Schedule,
    Simplex,
)
from tests.export.descents import bowl, save


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Projected(Rejecting(GradientDescent(0.1)), Box(0, 1)), r"Rejecting\(Projected\(…\)\)"),
        (lambda: Projected(MirrorDescent(0.1), Box(0, 1)), "stays on the simplex by itself"),
        (lambda: Rejecting(Landscapes(GradientDescent(0.1), 2, steps=1, rescale=[2.0])), r"Landscapes\(Rejecting\(…\), …\)"),
        (lambda: Best(Clipped(Best(GradientDescent(0.1)), norm=1.0)), "Best contains another Best"),
        (lambda: Clipped(GradientDescent(0.1)), "nothing to clip"),
        (lambda: Clipped(GradientDescent(0.1), norm=0.0), "norm is 0; it must be positive"),
        (lambda: Adam(0.1, betas=(0.9, 1.0)), r"betas\[1\] is 1; it must lie in \[0, 1\)"),
        (lambda: Schedule([0.1, -0.1]), "from -0.1"),
        (lambda: Schedule([0.1, 0.0], learn=True), "positive, because it is learned"),
        (lambda: Schedule.exponential(1.0, 0.0, 5), "both must be positive"),
        (lambda: Schedule.cosine(1.0, 0.0, 0), "0 steps"),
        (lambda: Langevin(0.1, temperature=-1.0), "temperature is -1"),
        (lambda: Box(1.0, 0.0), "low must be at most high"),
        (lambda: Landscapes(GradientDescent(0.1), 3, steps=[1, 2]), "for each of 3 landscapes"),
        (lambda: Landscapes(GradientDescent(0.1), 3, steps=1, rescale=[1.0]), "rescale has 1 numbers; it needs 2"),
        (lambda: AugmentedLagrangian(GradientDescent(0.1)), "no constraints"),
        (lambda: Breakout(GradientDescent(0.1), torch.relu, raises=0.0), "raises is 0; it must be positive"),
        (lambda: Breakout(GradientDescent(0.1), torch.relu, keep=0.0), "keep is 0; it must be above 0 and at most 1"),
        (lambda: Breakout(Breakout(GradientDescent(0.1), torch.relu), torch.relu), "Breakout contains another Breakout"),
        (lambda: Rejecting(GradientDescent(0.1), shrink=0.0), r"shrink is 0; it must lie in \(0, 1\]"),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(make: Callable[[], Rule], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Projected(GradientDescent(0.1), {"z": Box(0, 1)}), r"sets for \['z'\]; the state has \['y'\]"),
        (Projected(GradientDescent(0.1), Fixed("known", "x")), "reads the input 'known'"),
        (AugmentedLagrangian(GradientDescent(0.1), equality=lambda y, x: y.sum(-1)), r"is \(3,\) at batch 3"),
        (Breakout(GradientDescent(0.1), lambda y, x: y.sum(-1)), r"The violations are \(3,\) at batch 3; they must be \(3, …\)"),
        (Breakout(GradientDescent(0.1), lambda y, x: y - x, terms=("rules",)), r"The energy has no terms \['rules'\]; its"),
        (GradientDescent({"z": Schedule([0.1])}), "no entry for the state 'y'"),
        (Landscapes(GradientDescent(0.1), 2, steps=1), "landscape"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_fit_the_energy_is_refused(rule: Rule, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=sentence):
        save(bowl, rule, tmp_path / "no.onnx", inputs={"x": torch.randn(3, 4)}, initial=Constant(0.5))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "rule",
    [
        Best(Rejecting(Projected(HeavyBall(0.1, 0.5), Simplex()), shrink=0.5)),
        AugmentedLagrangian(Projected(GradientDescent(0.1), Box(0.0, 1.0)), equality=lambda y, x: y.sum(-1, keepdim=True) - 1),
    ],
    ids=["the best on the simplex", "multipliers in a box"],
)  # fmt: skip
def test_a_loop_does_what_the_unrolled_file_does_and_stops_by_what_is_left_of_the_projection(
    rule: Rule, host: Any, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"inputs": {"x": torch.randn(3, 4)}, "unroll": 40}
    save(bowl, rule, tmp_path / "u.onnx", **settings)
    save(bowl, rule, tmp_path / "l.onnx", form="loop", **settings)
    unrolled, loop = host(tmp_path / "u.onnx"), host(tmp_path / "l.onnx")
    feeds = unrolled.random_feeds(3)
    limits = {"max_steps": np.array(40, np.int64), "tolerance": np.array(0, np.float32)}
    wanted, found = unrolled.run(feeds), loop.run(feeds | limits)
    np.testing.assert_allclose(found["next.y"], wanted["next.y"], atol=1e-5)
    np.testing.assert_allclose(found["energy"], wanted["energy"], rtol=1e-5)
    early = loop.run(feeds | limits | {"max_steps": np.array(4000, np.int64), "tolerance": np.array(1e-2, np.float32)})
    assert (early["steps"] < 4000).all()
    assert (early["residual"] < 1e-2).all()
