"""What a file computes, held against PyTorch by a reference written out here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from groundstate_export import ExportReport, GradientDescent, HeavyBall, Rule, export

STEPS = 3
NAMES = ["quadratic", "mlp", "conv", "attention", "cross_entropy", "several", "no_inputs"]


def slopes_of(
    energy: Callable[..., Any], state: dict[str, Tensor], inputs: dict[str, Tensor]
) -> tuple[Any, dict[str, Tensor]]:
    leaves = {k: v.clone().requires_grad_() for k, v in state.items()}
    result = energy(leaves["y"] if list(leaves) == ["y"] else leaves, **inputs)
    terms = result if isinstance(result, dict) else {"energy": result}
    torch.stack(list(terms.values())).sum().backward()
    return {k: v.detach() for k, v in terms.items()}, {k: v.grad for k, v in leaves.items() if v.grad is not None}


def number(size: Any, name: str) -> Any:
    return size[name] if isinstance(size, Mapping) else size


def descend(energy: Callable[..., Any], rule: Rule, feeds: dict[str, Any], names: list[str]) -> dict[str, Tensor]:
    """Gradient descent and heavy ball as their papers have them; nothing of the package runs here but the parameters."""
    tensors = {k: torch.from_numpy(v) for k, v in feeds.items()}
    inputs = {k: v for k, v in tensors.items() if "." not in k and k != "step_scale"}
    state = {name: tensors[f"state.{name}"] for name in names}
    velocity = {name: tensors.get(f"state.{name}.velocity", torch.zeros(())) for name in names}
    sizes = {k: v.detach().exp() for k, v in rule.log_step_size.items()}  # type: ignore[union-attr, operator]
    momentum = torch.sigmoid(rule.momentum_logit.detach()) if isinstance(rule, HeavyBall) else torch.zeros(())
    trace, slot = [], 0
    for step in range(STEPS):
        noisy = rule.noise_times is not None and step % rule.noise_times.period in rule.noise_times.offsets
        terms, slopes = slopes_of(energy, state, inputs)
        trace.append(sum(terms.values()))
        for name in names:
            velocity[name] = momentum * velocity[name] - sizes[name if name in sizes else "*"] * slopes[name]
            if noisy:
                warmth = tensors[f"state.{name}.temperature"].reshape(-1, *[1] * (state[name].dim() - 1))
                velocity[name] = velocity[name] + rule.noise * warmth * tensors[f"noise.{name}"][:, slot]  # type: ignore[operator]
            state[name] = state[name] + velocity[name]
        slot += noisy
    terms, slopes = slopes_of(energy, state, inputs)
    found = {f"next.{name}": state[name] for name in names} | {
        "energy": sum(terms.values()),
        "trace": torch.stack(trace, 1),
    }
    found["terms"] = torch.stack(list(terms.values()), 1)
    found["residual"] = torch.cat([slopes[n].flatten(1) for n in names], 1).norm(dim=1)
    return found


@pytest.fixture(scope="module")
def exported(example: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Any, Path, ExportReport]]:
    made: dict[str, tuple[Any, Path, ExportReport]] = {}

    def of(name: str) -> tuple[Any, Path, ExportReport]:
        if name not in made:
            energy, inputs, state, rule = example(name)
            path = tmp_path_factory.mktemp(name) / f"{name}.onnx"
            report = export(energy, inputs=inputs, state=state, rule=rule, unroll=STEPS, path=path)
            made[name] = ((energy, rule, ["y"] if isinstance(state, Tensor) else list(state)), path, report)
        return made[name]

    return of


@pytest.mark.parametrize("batch", [1, 2, 7, 64])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_computes_what_pytorch_computes(exported: Any, host: Any, name: str, batch: int) -> None:
    (energy, rule, names), path, _ = exported(name)
    runner = host(path)
    feeds = runner.random_feeds(batch, seed=batch)
    wanted = descend(energy, rule, feeds, names)
    found = runner.run(feeds)
    for output, tensor in wanted.items():
        # Float32 has 7 digits; a few steps of a small network lose one or two.
        scale = float(tensor.abs().max())
        np.testing.assert_allclose(found[output], tensor.numpy(), rtol=0, atol=1e-5 * scale, err_msg=output)


@pytest.mark.parametrize("name", NAMES)
def test_the_report_says_how_well_it_matches(exported: Any, name: str) -> None:
    _, path, report = exported(name)
    assert report.worst <= 1e-5
    assert report.bytes == path.stat().st_size
    for part in (str(path), "3 steps", "a step", "hoisted", "batches 1, 2, 7, 16", "energy", "verify"):
        assert part in str(report)


def test_terms_add_up_to_the_energy(exported: Any, host: Any) -> None:
    _, path, _ = exported("several")
    runner = host(path)
    found = runner.run(runner.random_feeds(5))
    assert [t["name"] for t in runner.header["terms"]] == ["explain", "latent", "solution"]
    np.testing.assert_allclose(found["terms"].sum(1), found["energy"], rtol=1e-5)


def test_noise_and_temperature_decide_where_a_chain_goes(exported: Any, host: Any) -> None:
    _, path, _ = exported("mlp")
    runner = host(path)
    feeds = runner.random_feeds(2)
    feeds["state.y.temperature"] = np.zeros(2, np.float32)
    silent = runner.run(feeds)["next.y"]
    other = feeds | {"noise.y": feeds["noise.y"] + 1}
    np.testing.assert_array_equal(runner.run(other)["next.y"], silent)
    other["state.y.temperature"] = np.ones(2, np.float32)
    moved = runner.run(other)
    assert np.abs(moved["next.y"] - silent).max() > 1e-2
    np.testing.assert_array_equal(moved["next.y.temperature"], other["state.y.temperature"])


def test_step_scale_scales_the_step_of_each_chain_alone(exported: Any, host: Any) -> None:
    _, path, _ = exported("quadratic")
    runner = host(path)
    feeds = runner.random_feeds(3)
    feeds["step_scale"] = np.array([0.0, 0.5, 1.0], np.float32)
    found = runner.run(feeds)
    # The quadratic shrinks the distance to its target by 1 - step_scale * step_size a step.
    away = feeds["state.y"] - feeds["target"]
    expected = feeds["target"] + away * ((1 - 0.3 * feeds["step_scale"]) ** STEPS)[:, None]
    np.testing.assert_array_equal(found["next.y"][0], feeds["state.y"][0])
    np.testing.assert_allclose(found["next.y"], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["mlp", "attention"])
def test_a_segment_of_sixteen_is_sixteen_segments_of_one(example: Any, host: Any, tmp_path: Path, name: str) -> None:
    energy, inputs, state, _ = example(name)
    rule = HeavyBall(0.05, 0.8)
    hosts = {}
    for steps in (1, 16):
        path = tmp_path / f"{steps}.onnx"
        export(energy, inputs=inputs, state=state, rule=rule, unroll=steps, path=path, batches=(1, 3), seeds=(0,))
        hosts[steps] = host(path)
    feeds = hosts[16].random_feeds(4)
    whole = hosts[16].run(feeds)
    trace = []
    for _ in range(16):
        part = hosts[1].run(feeds)
        feeds |= {"state.y": part["next.y"], "state.y.velocity": part["next.y.velocity"]}
        trace.append(part["trace"][:, 0])
    for output in ("next.y", "next.y.velocity", "energy", "residual"):
        np.testing.assert_allclose(whole[output], part[output], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(whole["trace"], np.stack(trace, 1), rtol=1e-5, atol=1e-6)


def test_learned_parameters_of_a_rule_are_exported_as_they_are_now(host: Any, tmp_path: Path) -> None:
    rule = GradientDescent(0.1, learn=True)
    with torch.no_grad():
        rule.log_step_size["*"].fill_(float(np.log(0.5)))
    export(
        lambda y: 0.5 * y.square().sum(-1),
        inputs={},
        state=torch.randn(2, 3),
        rule=rule,
        unroll=1,
        path=tmp_path / "q.onnx",
    )
    runner = host(tmp_path / "q.onnx")
    feeds = runner.random_feeds(2)
    np.testing.assert_allclose(runner.run(feeds)["next.y"], 0.5 * feeds["state.y"], rtol=1e-6)


def test_terms_that_cancel_are_held_to_their_own_size(tmp_path: Path) -> None:
    def energy(state: Tensor) -> dict[str, Tensor]:
        bowl = state.square().sum(-1)
        return {"up": 1e4 + bowl, "down": 0.5 * bowl - 1e4}

    report = export(
        energy, inputs={}, state=torch.randn(2, 3), rule=GradientDescent(0.1), unroll=1, path=tmp_path / "c.onnx"
    )
    assert report.errors["energy"] <= 1e-6  # relative to 2e4, although the energy itself is about 4
