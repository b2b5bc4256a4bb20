"""Every rule of descent, exported, over several segments, against the same rule in PyTorch; and compositions of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from groundstate_export import (
    Adam,
    AugmentedLagrangian,
    BadArgument,
    Best,
    Box,
    Breakout,
    Clipped,
    Descent,
    Fixed,
    GaussNewton,
    GradientDescent,
    HeavyBall,
    Landscapes,
    Langevin,
    LevenbergMarquardt,
    MirrorDescent,
    Nesterov,
    Normalised,
    Projected,
    Rejecting,
    RMSProp,
    Rule,
    Schedule,
    Simplex,
    Sphere,
    Switch,
    Uniform,
    export,
)

WIDTH, UNROLL, SEGMENTS = 5, 3, 3


class Hills(nn.Module):
    """A bowl with ripples around ``centre``; its landscapes are more and more rippled."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Parameter(torch.linspace(0.4, 1.6, WIDTH))

    def forward(
        self, state: Tensor, centre: Tensor, mask: Tensor, landscape: Tensor | None = None
    ) -> dict[str, Tensor]:
        sharp = 1.0 if landscape is None else 0.5 * landscape.to(state.dtype).unsqueeze(-1)
        away = state - centre
        return {
            "bowl": 0.5 * (self.mix * away.square()).sum(-1),
            "ripples": 0.3 * (sharp * torch.cos(3 * state)).sum(-1),
        }


def given_tensors(batch: int = 4) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(batch)
    return {
        "centre": torch.randn(batch, WIDTH, generator=generator),
        "mask": torch.rand(batch, WIDTH, generator=generator) < 0.4,
    }


def total_of(state: Tensor, centre: Tensor, mask: Tensor) -> Tensor:
    return state.sum(-1, keepdim=True) - 1


def below(state: Tensor, centre: Tensor, mask: Tensor) -> Tensor:
    return state[:, :2] - 0.25


def outside(state: Tensor, centre: Tensor, mask: Tensor) -> Tensor:
    return torch.relu(torch.stack([state - 1.0, -state], dim=1))


def pull(state: Tensor, centre: Tensor, mask: Tensor) -> Tensor:
    return torch.cat([state - centre, 0.5 * state[:, :2].square() - 0.2], dim=1)


def pull_linearised(state: Tensor, centre: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    eye = torch.eye(state.shape[1]).expand(state.shape[0], -1, -1)
    return pull(state, centre, mask), torch.cat([eye, eye[:, :2] * state[:, None]], dim=1)


ROW = torch.linspace(0.02, 0.1, WIDTH)
RULES: dict[str, Callable[[], Rule]] = {
    "descent": lambda: GradientDescent(0.1),
    "descent, a size an entry": lambda: GradientDescent(ROW, learn=True),
    "descent, cosine": lambda: GradientDescent(Schedule.cosine(0.2, 0.01, 6)),
    "descent, linear": lambda: GradientDescent({"y": Schedule.linear(0.2, 0.0, 4)}),
    "descent, exponential after a warm-up": lambda: GradientDescent(Schedule.exponential(0.2, 0.01, 4).warmed_up(3)),
    "descent, learned a step and an entry": lambda: GradientDescent(Schedule(0.1 + ROW * torch.ones(7, 1), learn=True)),
    "heavy ball": lambda: HeavyBall(ROW, 0.8, noise=0.1, noise_every=1, temperature=(0.5, 2.0)),
    "heavy ball, scheduled": lambda: HeavyBall(Schedule([0.2, 0.1, 0.05]), 0.8),
    "Nesterov": lambda: Nesterov(0.05, 0.9),
    "RMSProp": lambda: RMSProp(0.05, smoothing=0.9),
    "Adam": lambda: Adam(0.1),
    "Adam, scheduled": lambda: Adam(Schedule.cosine(0.2, 0.01, 8), betas=(0.8, 0.95)),
    "Langevin": lambda: Langevin(0.05),
    "Langevin, annealed": lambda: Langevin(Schedule.linear(0.1, 0.02, 5), temperature=Schedule.exponential(1.0, 0.01, 6)),
    "Langevin, as in IGEBM": lambda: Langevin(0.1, noise=0.05),
    "mirror": lambda: MirrorDescent(0.5),
    "Levenberg-Marquardt": lambda: LevenbergMarquardt(pull, iterations=4),
    "Levenberg-Marquardt, dense, thrown": lambda: LevenbergMarquardt(
        pull, linearised=pull_linearised, iterations=4, noise_every=3, heat=lambda state, **_: 0.1 * torch.ones_like(state)
    ),
    "Gauss-Newton": lambda: GaussNewton(pull, damping=1e-4, iterations=6),
    "switch": lambda: Switch(HeavyBall(0.05, 0.8), LevenbergMarquardt(pull, iterations=3), steps=3),
    "clipped": lambda: Clipped(GradientDescent(0.3), value=0.5, norm=0.8),
    "normalised": lambda: Normalised(GradientDescent(Schedule.linear(0.3, 0.05, 8))),
    "box": lambda: Projected(HeavyBall(0.1, 0.8), Box(-ROW, 0.5)),
    "simplex": lambda: Projected(GradientDescent(0.3), Simplex()),
    "sphere": lambda: Projected(Nesterov(0.1, 0.5), {"y": Sphere(2.0)}),
    "box and fixed": lambda: Projected(GradientDescent(0.1), [Box(-3.0, 3.0), Fixed("mask", "centre")]),
    "rejecting": lambda: Rejecting(GradientDescent(0.9)),
    "rejecting, shrinking": lambda: Rejecting(HeavyBall(0.6, 0.5), shrink=0.5),
    "landscapes": lambda: Landscapes(GradientDescent(0.1), 3, steps=[2, 1, 4], rates=[1.0, 0.5, 0.2]),
    "landscapes, rescaled": lambda: Landscapes(
        Rejecting(Projected(HeavyBall(0.1, 0.5), Box(-1.0, 1.0))), [2, 0, 3], steps=2, rescale=[1.5, 0.8]
    ),
    "lagrangian": lambda: AugmentedLagrangian(
        GradientDescent(0.05), equality=total_of, inequality=below, every=2, max_penalty=5.0
    ),
    "breakout": lambda: Breakout(GradientDescent(0.05), outside, raises=0.5),
    "breakout, forgetting": lambda: Breakout(
        Clipped(HeavyBall(0.05, 0.6, noise=0.1, noise_every=1), norm=3.0), outside, raises=2.0, keep=0.8, learn=True
    ),
    "breakout among others": lambda: Best(
        Breakout(Rejecting(Projected(Adam(0.1), Box(-1.5, 1.5)), shrink=0.7), outside, keep=0.9)
    ),
    "best": lambda: Best(Langevin(0.3)),
    "best under constraints": lambda: Best(
        AugmentedLagrangian(Projected(Adam(0.1), Box(-1.0, 1.0)), inequality=below, every=3)
    ),
    "all at once": lambda: Best(
        Rejecting(Projected(Clipped(Adam(Schedule.cosine(0.3, 0.01, 8)), norm=1.0), {"y": Simplex()}), shrink=0.5)
    ),
}  # fmt: skip


def make(rule: Rule, path: Path, unroll: int = UNROLL, **options: Any) -> Any:
    generator = torch.Generator().manual_seed(9)
    settings: dict[str, Any] = {"batches": (1, 7), "seeds": (0, 1), "initial": Uniform(-1.0, 2.0)}
    energy = options.pop("energy", None) or Hills()
    return export(
        energy, inputs=given_tensors(), state=torch.rand(4, WIDTH, generator=generator), rule=rule, unroll=unroll,
        path=path, **settings | options,
    )  # fmt: skip


def feeds_of(runner: Any, batch: int, seed: int = 0) -> dict[str, Any]:
    """A start as a host draws it."""
    rng = np.random.default_rng(seed)
    feeds: dict[str, Any] = {name: t.numpy() for name, t in given_tensors(batch).items() if name in runner.inputs}
    for name, one in runner.header["state"].items():
        shape = (batch, *one["shape"])
        ((kind, value),) = one["initial"].items()
        drawn = rng.uniform(*value, shape) if kind == "uniform" else np.full(shape, value)
        feeds[f"state.{name}"] = drawn.astype(np.float32)
    for name, one in runner.header["noise"].items():
        feeds[f"noise.{name}"] = rng.standard_normal((batch, *one["shape"])).astype(np.float32)
    return feeds | {"step_scale": np.ones(batch, np.float32)}


def follow(rule: Rule, feeds: dict[str, Any], unroll: int) -> tuple[dict[str, Tensor], Tensor]:
    """A segment in PyTorch, and the chains in which it ranked no two energies that are equal to rounding."""
    tensors = {name: torch.from_numpy(array) for name, array in feeds.items()}
    inputs = given_tensors(len(tensors["step_scale"]))
    state = {name.removeprefix("state."): t for name, t in tensors.items() if name.startswith("state.")}
    clear = torch.ones(len(tensors["step_scale"]), dtype=torch.bool)

    def compare(one: Tensor, other: Tensor, size: Tensor) -> Tensor:
        clear.logical_and_(((one - other).abs() > 1e-6 * size) | (one > 1e30))
        return one <= other

    descent, trace = Descent(ENERGY, rule, inputs, compare=compare), []
    with torch.no_grad():
        state = descent.begin(state, tensors["step_scale"])
        for step in range(unroll):
            noisy = rule.noise_times.within(unroll) if rule.noise_times is not None else ()
            noise = {"y": tensors["noise.y"][:, noisy.index(step)]} if step in noisy else None
            state, probe = descent.step(state, noise, tensors["step_scale"])
            trace.append(probe.energy)
        reading = descent.read(state)
    found = {f"next.{name}": t for name, t in state.items()} | {"trace": torch.stack(trace, 1)}
    found |= {"energy": reading.energy, "residual": reading.residual, "answer.at": reading.point["y"]}
    return found | {"terms": torch.stack(list(reading.terms.values()), 1)}, clear


ENERGY = Hills()


def hold_to_pytorch(rule: Rule, runner: Any, batch: int, unroll: int = UNROLL, segments: int = SEGMENTS) -> int:
    """Runs both from the same start, segment by segment. Returns how many chains of how many segments could be compared."""
    feeds, compared = feeds_of(runner, batch), 0
    for segment in range(segments):
        found = runner.run(feeds)
        wanted, clear = follow(rule, feeds, unroll)
        assert set(found) == set(wanted)
        compared += int(clear.sum())
        for name, tensor in wanted.items():
            scale = float(tensor.abs().max())
            shown, wanted = found[name][clear.numpy()], tensor[clear]
            np.testing.assert_allclose(shown, wanted, rtol=0, atol=2e-5 * scale, err_msg=f"{name} {segment}")
        feeds |= {f"state.{name.removeprefix('next.')}": a for name, a in found.items() if name.startswith("next.")}
    return compared


def at(state: Tensor, centre: Tensor, mask: Tensor) -> dict[str, Tensor]:
    return {"at": state}


@pytest.mark.parametrize("name", RULES)
def test_an_exported_rule_does_what_it_does_in_pytorch(name: str, host: Any, tmp_path: Path) -> None:
    rule = RULES[name]()
    report = make(rule, tmp_path / "rule.onnx", decode=at)
    assert report.worst <= 1e-5 or report.judged
    assert hold_to_pytorch(rule, host(tmp_path / "rule.onnx"), 6) >= 6


LEAVES: dict[str, Callable[[], Rule]] = {
    "descent": lambda: GradientDescent(Schedule.linear(0.2, 0.02, 5)),
    "heavy ball": lambda: HeavyBall(ROW, 0.7, noise=0.1, noise_every=1),
    "Nesterov": lambda: Nesterov(0.05, 0.8),
    "RMSProp": lambda: RMSProp(0.05, smoothing=0.9),
    "Adam": lambda: Adam(0.1),
    "Langevin": lambda: Langevin(0.05, temperature=Schedule.linear(1.0, 0.0, 4)),
}
AROUND: dict[str, Callable[[Rule], Rule]] = {
    "clipped": lambda rule: Clipped(rule, norm=1.0),
    "normalised": Normalised,
    "box": lambda rule: Projected(rule, Box(-1.0, 1.5)),
    "simplex": lambda rule: Projected(rule, Simplex(2.0)),
    "givens": lambda rule: Projected(rule, Fixed("mask", "centre")),
    "rejecting": lambda rule: Rejecting(rule, shrink=0.7),
    "landscapes": lambda rule: Landscapes(rule, 3, steps=2, rates=[1.0, 0.7, 0.5]),
    "multipliers": lambda rule: AugmentedLagrangian(rule, equality=total_of, every=2, max_penalty=5.0),
    "best": Best,
}


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(LEAVES)), st.lists(st.sampled_from(sorted(AROUND)), min_size=2, max_size=5, unique=True))
def test_rules_compose(host: Any, tmp_path_factory: pytest.TempPathFactory, leaf: str, around: list[str]) -> None:
    rule = LEAVES[leaf]()
    for place, name in enumerate(around):
        if name in {"box", "simplex", "givens"} and "rejecting" in around[:place]:
            with pytest.raises(ValueError, match="before it is projected"):
                AROUND[name](rule)
            return
        rule = AROUND[name](rule)
    path = tmp_path_factory.mktemp("composed") / "rule.onnx"
    if "simplex" in around and {"box", "givens"} & set(around):
        with pytest.raises(BadArgument, match="do not fit together"):
            make(rule, path, batches=(3,), decode=at)
        return
    make(rule, path, batches=(3,), decode=at)
    hold_to_pytorch(rule, host(path), 5)


def test_several_states_each_have_their_own_slots_and_one_count(host: Any, tmp_path: Path) -> None:
    def energy(state: dict[str, Tensor], x: Tensor) -> Tensor:
        return (state["a"] - x).square().sum(-1) + (state["b"] - state["a"].sum(-1)).square()

    sizes = {"a": Schedule([0.1, 0.05]), "b": 0.1}
    rule = Best(Projected(Adam(sizes), {"a": [Box(-1.0, 1.0)]}))
    export(
        energy, inputs={"x": torch.randn(3, 2)}, state={"a": torch.randn(3, 2), "b": torch.randn(3)}, rule=rule,
        unroll=4, path=tmp_path / "two.onnx", batches=(1, 5),
    )  # fmt: skip
    runner = host(tmp_path / "two.onnx")
    assert {name: tuple(one["shape"]) for name, one in runner.header["state"].items()} == {
        "a": (2,), "b": (),
        "a.mean": (2,), "a.square": (2,), "a.best": (2,), "b.mean": (), "b.square": (), "b.best": (),
        "chain.mean_weight": (), "chain.square_weight": (), "chain.step": (), "chain.best_merit": (),
    }  # fmt: skip
    feeds = {f"state.{n}": np.zeros((2, *s["shape"]), np.float32) for n, s in runner.header["state"].items()}
    feeds["state.chain.best_merit"] += np.finfo(np.float32).max
    x = np.array([[0.5, 3.0], [-0.2, 0.1]], np.float32)
    for _ in range(200):
        out = runner.run(feeds | {"x": x, "step_scale": np.ones(2, np.float32)})
        feeds = {name.replace("next.", "state."): a for name, a in out.items() if name.startswith("next.")}
    np.testing.assert_allclose(out["next.a"], x.clip(-1, 1), atol=1e-3)
    np.testing.assert_allclose(out["next.b"], x.clip(-1, 1).sum(1), atol=1e-3)
