"""What format 4 adds: tolerances, acceptance, noise by a chain's own steps, learned numbers, stages, and float64."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from groundstate_export import (
    Accept,
    Adam,
    BadArgument,
    Card,
    Check,
    Constant,
    Decoded,
    GradientDescent,
    HeavyBall,
    Langevin,
    NoiseTimes,
    ParityError,
    Rule,
    Schedule,
    Stage,
    Until,
    export,
)
from groundstate_export._verify import answers

X = torch.linspace(-1, 1, 12).reshape(3, 4)


def bowl(y: Tensor, x: Tensor) -> Tensor:
    return (y - x).square().sum(-1)


def save(path: Path, energy: Callable[..., Any] = bowl, **options: Any) -> tuple[ort.InferenceSession, dict[str, Any]]:
    given: dict[str, Any] = {
        "inputs": {"x": X}, "state": torch.zeros(3, 4), "rule": GradientDescent(0.1), "unroll": 2, "batches": (1, 3),
    }  # fmt: skip
    export(energy, path=path, **given | options)
    session = ort.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session, json.loads(session.get_modelmeta().custom_metadata_map["groundstate"])


def inner(session: ort.InferenceSession, key: str) -> ort.InferenceSession:
    return ort.InferenceSession(base64.b64decode(session.get_modelmeta().custom_metadata_map[key]))


def run(session: ort.InferenceSession, feeds: dict[str, Any]) -> dict[str, Any]:
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds), strict=True))


# Checks, tolerances and acceptance


def distances(answer: dict[str, Tensor], x: Tensor) -> dict[str, Tensor]:
    return {"gap": answer["y"] - x, "sum": answer["y"].sum(1), "high": (answer["y"] > 1).sum(1)}


CARD = Card(checks={"gap": Check("Each gap is small.", tolerance=0.5, unit="mm"), "sum": Check("", tolerance=0.0)})


def test_a_check_of_amounts_counts_what_exceeds_the_tolerance_and_returns_the_excess(tmp_path: Path) -> None:
    session, header = save(tmp_path / "a.onnx", checks=distances, card=CARD)
    assert header["checks"] == [
        {"name": "gap", "description": "Each gap is small.", "tolerance": 0.5, "unit": "mm"},
        {"name": "sum", "description": "", "tolerance": 0.0, "unit": None},
        {"name": "high", "description": "", "tolerance": None, "unit": None},
    ]
    checker = inner(session, "groundstate.checker")
    y = np.array([[0.5, 0.75, 2, -9], [0, 0, 0, 0.0], [np.nan, 0, 0, 0], [np.inf, 0, 0, 0]], np.float32)
    found = run(checker, {"x": np.zeros((4, 4), np.float32), "answer.y": y})
    assert found["violations"].dtype == np.int64
    assert found["excess"].dtype == np.float32
    assert found["violations"].tolist() == [[2, 0, 1], [0, 0, 0], [1, 1, 0], [1, 1, 1]]
    np.testing.assert_array_equal(found["excess"], [[1.5, 0, 1], [0, 0, 0], [np.inf, np.inf, 0], [np.inf, np.inf, 1]])
    np.testing.assert_array_equal(found["state.y"], y)


def test_the_segment_says_the_same_of_its_answer_as_the_checker(tmp_path: Path) -> None:
    session, _ = save(tmp_path / "a.onnx", checks=distances, card=CARD)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 64, 4)).astype(np.float32) * 2
    found = run(session, {"x": x, "state.y": y, "step_scale": np.ones(64, np.float32)})
    again = run(inner(session, "groundstate.checker"), {"x": x, "answer.y": found["answer.y"]})
    np.testing.assert_array_equal(found["violations"], again["violations"])
    np.testing.assert_allclose(found["excess"], again["excess"], rtol=1e-5)
    assert (found["violations"] > 0).any(0).all()


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, {"checks": "none", "converged": True, "polish": 0}),
        ({"checks": distances, "card": CARD}, {"checks": "all", "converged": False, "polish": 1}),
        (
            {"checks": lambda answer, x: {"high": (answer["y"] > 1).sum(1)}},
            {"checks": "all", "converged": False, "polish": 0},
        ),
        (
            {"checks": distances, "card": CARD, "accept": Accept(["gap", "high"], converged=True, polish=3)},
            {"checks": ["gap", "high"], "converged": True, "polish": 3},
        ),
    ],
)
def test_the_header_says_which_chains_have_an_answer(options: Any, wanted: Any, tmp_path: Path) -> None:
    assert save(tmp_path / "a.onnx", **options)[1]["accept"] == wanted


def test_nothing_asked_for_is_refused() -> None:
    with pytest.raises(ValueError, match="anything would be an answer"):
        Accept("none")
    with pytest.raises(ValueError, match="polish is -1"):
        Accept(polish=-1)
    with pytest.raises(ValueError, match="tolerance is nan"):
        Check(tolerance=math.nan)


def test_a_wrong_excess_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = answers.excess
    monkeypatch.setattr(answers, "excess", lambda *given: original(*given) * 1.01)
    with pytest.raises(ParityError, match="excess"):
        save(tmp_path / "a.onnx", checks=distances, card=CARD)
    assert not list(tmp_path.iterdir())


# The answer as the state


@pytest.mark.parametrize(
    ("decode", "name"), [(None, "y"), (lambda state, x: {"y": state}, "y"), (lambda state, x: {"z": state}, "z")]
)
def test_where_the_answer_is_the_state_an_answer_can_be_placed(decode: Any, name: str, tmp_path: Path) -> None:
    session, header = save(tmp_path / "a.onnx", decode=decode)
    assert header["answers"] == {name: {"dtype": "float32", "shape": [4]}}
    y = np.arange(8, dtype=np.float32).reshape(2, 4)
    found = run(inner(session, "groundstate.checker"), {"x": y, f"answer.{name}": y})
    assert set(found) == {"state.y"}
    np.testing.assert_array_equal(found["state.y"], y)


@pytest.mark.parametrize(
    "decode",
    [
        lambda state, x: {"z": 2 * state},
        lambda state, x: {"y": state.clamp(-5, 5)},
        lambda state, x: {"y": state.round().long()},
    ],
)
def test_where_the_answer_is_something_else_it_cannot(decode: Any, tmp_path: Path) -> None:
    session, _ = save(tmp_path / "a.onnx", decode=decode)
    assert "groundstate.checker" not in session.get_modelmeta().custom_metadata_map


# Noise and schedules by the chain's own steps


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_the_slots_of_a_segment_are_where_any_of_its_multiples_draws_noise(period: int, steps: int, data: Any) -> None:
    offsets = data.draw(st.sets(st.integers(0, period - 1), min_size=1))
    times = NoiseTimes(period, tuple(sorted(offsets)))
    due = {t % steps for t in range(steps * period * 2) if t % period in offsets}
    assert times.within(steps) == tuple(sorted(due))
    fitting = times.fitting(steps)
    assert fitting.period % steps == 0 or steps % fitting.period == 0
    assert [t for t in range(144) if t % period in offsets] == [
        t for t in range(144) if t % fitting.period in fitting.offsets
    ]


def descend(
    session: ort.InferenceSession, header: dict[str, Any], steps: int, draws: Any, state: Any
) -> dict[str, Any]:
    """Chains from their start, as a host runs them: a chain's next draw for each slot that is due, zeros for the others."""
    batch = len(state["state.y"])
    taken, trace = 0, []
    for first in range(0, steps, header["steps"]):
        feeds = dict(state) | {"step_scale": np.ones(batch, np.float32)}
        for name, spec in header["noise"].items():
            period, offsets, length = spec["period"], spec["offsets"], header["steps"]
            assert period % length == 0 or length % period == 0
            residues = {offset % math.gcd(period, length) for offset in offsets}
            places = [place for place in range(length) if place % math.gcd(period, length) in residues]
            assert spec["shape"][0] == len(places)
            noise = np.zeros((batch, *spec["shape"]), np.float32)
            for slot, place in enumerate(places):
                if (first + place) % period in offsets:
                    noise[:, slot] = draws[taken]
                    taken += 1
            feeds[f"noise.{name}"] = noise
        found = run(session, feeds)
        state = {f"state.{name}": found[f"next.{name}"] for name in header["state"]}
        trace.append(found["trace"])
    return {**found, "trace": np.concatenate(trace, 1)}


STOCHASTIC: dict[str, Callable[[], Rule]] = {
    "heavy ball": lambda: HeavyBall(0.05, 0.8, noise=0.3, noise_every=4, temperature=(0.5, 1.5)),
    "with quiet steps": lambda: HeavyBall(0.05, 0.8, noise=0.3, noise_every=4, noise_period=16),
    "at odd steps": lambda: HeavyBall(0.05, 0.8, noise=0.3, noise_every=3),
    "scheduled": lambda: HeavyBall(Schedule.cosine(0.1, 0.01, 24), 0.8, noise=0.3, noise_every=8),
    "Langevin": lambda: Langevin(0.05, temperature=Schedule.linear(1.0, 0.0, 20)),
}


@pytest.mark.parametrize("name", STOCHASTIC)
def test_the_length_of_a_segment_does_not_change_what_a_chain_does(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((64, 5, 4)).astype(np.float32)
    ends = []
    for unroll in (4, 8, 16, 32):
        session, header = save(
            tmp_path / f"{unroll}.onnx", lambda y: (y.square() - 1).square().sum(-1), inputs={}, rule=STOCHASTIC[name](),
            unroll=unroll, initial=Constant(0.5),
        )  # fmt: skip
        state = {
            f"state.{key}": np.full((5, *spec["shape"]), np.mean(next(iter(spec["initial"].values()))), np.float32)
            for key, spec in header["state"].items()
        }
        ends.append(descend(session, header, 64, draws, state))
    for other in ends[1:]:
        for key in ("trace", "next.y", "energy"):
            np.testing.assert_allclose(other[key], ends[0][key], rtol=2e-5, atol=2e-5)
    assert not np.allclose(ends[0]["trace"][0], ends[0]["trace"][1]), "each chain has noise of its own"


@pytest.mark.parametrize("name", STOCHASTIC)
def test_noise_of_zeros_is_no_noise(name: str, tmp_path: Path) -> None:
    rule = STOCHASTIC[name]()
    session, header = save(tmp_path / "a.onnx", rule=rule, unroll=1)
    state = {f"state.{key}": np.full((3, *spec["shape"]), 0.5, np.float32) for key, spec in header["state"].items()}
    feeds = state | {"x": X.numpy(), "step_scale": np.ones(3, np.float32), "noise.y": np.zeros((3, 1, 4), np.float32)}
    y = torch.full((3, 4), 0.5)
    torch_state = {name.removeprefix("state."): torch.from_numpy(array) for name, array in state.items()}
    wanted = rule(torch_state, {"y": 2 * (y - X)}, None)
    np.testing.assert_allclose(run(session, feeds)["next.y"], wanted["y"].detach().numpy(), rtol=1e-6)


# Learned numbers


def springs(y: Tensor, x: Tensor, stiffness: Tensor, rest: Tensor) -> Tensor:
    return (stiffness * (y - x - rest.unsqueeze(1)).square()).sum(-1)


def test_learned_numbers_are_inputs_with_defaults_and_each_row_may_have_its_own(tmp_path: Path) -> None:
    learned = {"stiffness": torch.tensor([1.0, 2.0, 3.0, 0.1]), "rest": torch.tensor(0.5)}
    session, header = save(tmp_path / "a.onnx", springs, parameters=learned)
    assert header["inputs"]["stiffness"] == {
        "dtype": "float32", "shape": [4], "default": learned["stiffness"].tolist()
    }  # fmt: skip
    assert header["inputs"]["rest"] == {"dtype": "float32", "shape": [], "default": 0.5}
    assert header["request"]["required"] == ["x"]
    assert set(header["request"]["properties"]) == {"x"}
    rng = np.random.default_rng(0)
    stiffness, rest = rng.random((3, 4)).astype(np.float32), rng.random(3).astype(np.float32)
    y = rng.standard_normal((3, 4)).astype(np.float32)
    feeds = {"x": X.numpy(), "stiffness": stiffness, "rest": rest, "state.y": y, "step_scale": np.zeros(3, np.float32)}
    wanted = springs(*map(torch.from_numpy, (y, X.numpy(), stiffness, rest)))
    np.testing.assert_allclose(run(session, feeds)["energy"], wanted.numpy(), rtol=1e-5)


def test_an_energy_that_mixes_the_learned_numbers_of_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="rows of a batch influence each other"):
        save(
            tmp_path / "a.onnx", lambda y, x, w: (w.mean(0) * (y - x).square()).sum(-1), parameters={"w": torch.ones(4)}
        )


# Stages


def polish(y: dict[str, Tensor], x: Tensor) -> Tensor:
    return (y["z"] - x.double()).square().sum(-1) + y["w"].square().sum(-1)


def two_stages(path: Path, **options: Any) -> tuple[ort.InferenceSession, dict[str, Any]]:
    first = Stage(
        energy=lambda y, x: (y - x.abs()).square().sum(-1), state=torch.ones(3, 4), rule=Adam(0.1), unroll=4,
        decode=lambda state, x: {"place": state * x.sign()}, until=Until(residual=0.5, max_steps=40),
    )  # fmt: skip
    given: dict[str, Any] = {
        "state": {"z": torch.randn(3, 4).double(), "w": torch.randn(3, 2).double()}, "rule": GradientDescent(0.4),
        "initial": {"z": Decoded("place")}, "stages": [first],
    }  # fmt: skip
    return save(path, polish, **given | options)


def test_a_file_of_two_stages_holds_both_and_a_host_can_run_them_one_after_the_other(tmp_path: Path) -> None:
    session, header = two_stages(tmp_path / "a.onnx")
    (stage,) = header["stages"]
    assert {k: stage[k] for k in ("name", "model", "steps", "trace_every", "noise", "until")} == {
        "name": "stage_1", "model": "groundstate.stage.0", "steps": 4, "trace_every": 1, "noise": {},
        "until": {"residual": 0.5, "max_steps": 40},
    }  # fmt: skip
    assert stage["answers"] == {"place": {"dtype": "float32", "shape": [4]}}
    assert header["state"]["z"]["initial"] == {"answer": "place"}
    assert header["state"]["z"]["dtype"] == "float64"
    assert {"stage_1: next.y", "next.z"} <= header["parity"]["outputs"].keys()
    model = onnx.load_from_string(base64.b64decode(session.get_modelmeta().custom_metadata_map["groundstate.stage.0"]))
    onnx.checker.check_model(model)
    assert all(entry.domain == "" for entry in model.opset_import)
    x, scale = X.numpy(), np.ones(3, np.float32)
    first = ort.InferenceSession(model.SerializeToString())
    state = {
        f"state.{name}": np.full((3, *one["shape"]), next(iter(one["initial"].values())), np.float32)
        for name, one in stage["state"].items()
    }
    for _ in range(10):
        found = run(first, {"x": x, "step_scale": scale} | state)
        state = {f"state.{name}": found[f"next.{name}"] for name in stage["state"]}
    second = {"state.z": found["answer.place"].astype(np.float64), "state.w": np.ones((3, 2))}
    np.testing.assert_allclose(second["state.z"], x, atol=0.2)
    for _ in range(10):
        found = run(session, {"x": x, "step_scale": scale} | second)
        second = {f"state.{name}": found[f"next.{name}"] for name in header["state"]}
    np.testing.assert_allclose(found["answer.z"], x, atol=1e-9)
    assert (found["energy"] < 1e-15).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"initial": {"z": Decoded("position")}},
            r"the answer 'position' of the stage before, but that has \['place'\]",
        ),
        ({"initial": {"w": Decoded("place")}}, r"which is \(3, 4\), but the state is \(3, 2\)"),
    ],
)
def test_a_stage_that_does_not_fit_the_one_before_is_refused(options: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=message):
        two_stages(tmp_path / "a.onnx", **options)
    assert not list(tmp_path.iterdir())


def test_a_wrong_earlier_stage_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from groundstate_export import _pipeline

    original, seen = _pipeline.verify, []

    def spoilt(segment: Any, hosts: Any) -> Any:
        seen.append(segment.examined.what)
        return original(segment, hosts)

    monkeypatch.setattr(_pipeline, "verify", spoilt)
    two_stages(tmp_path / "a.onnx")
    assert seen == ["The energy of stages[0]", "The energy"]


# Float64


def test_a_float64_energy_is_computed_in_float64(tmp_path: Path) -> None:
    def energy(y: Tensor, x: Tensor) -> Tensor:
        return ((y - x).exp() - (y - x)).sum(-1) + (torch.sin(y) * torch.sqrt(1 + y.square())).sum(-1)

    rule = HeavyBall(0.05, 0.5, noise=0.1, noise_every=2)
    session, header = save(
        tmp_path / "a.onnx", energy, inputs={"x": X.double()}, state=torch.zeros(3, 4).double(), rule=rule, unroll=4
    )
    kinds = {v["dtype"] for group in ("inputs", "state", "answers") for v in header[group].values()}
    assert kinds == {"float64"}
    assert header["noise"]["y"]["dtype"] == "float64"
    assert header["parity"]["tolerance"] == 1e-10
    y = np.random.default_rng(0).standard_normal((3, 4))
    feeds: dict[str, Any] = {"x": X.double().numpy(), "state.y": y, "step_scale": np.zeros(3, np.float32)}
    feeds |= {
        "noise.y": np.zeros((3, 2, 4)),
        "state.y.velocity": np.zeros((3, 4)),
        "state.y.temperature": np.ones(3),
    }
    found = run(session, feeds)
    np.testing.assert_allclose(found["energy"], energy(torch.from_numpy(y), X.double()).numpy(), rtol=1e-13)
    assert {found[n].dtype for n in ("energy", "terms", "residual", "trace", "next.y", "answer.y")} == {
        np.dtype(np.float64)
    }


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"])
def test_an_input_and_an_answer_may_be_of_every_dtype_of_the_format(dtype: str, tmp_path: Path) -> None:
    kind = getattr(torch, dtype)
    session, header = save(
        tmp_path / "a.onnx", lambda y, x: (y - x.float()).square().sum(-1), inputs={"x": (X * 3).to(kind)},
        decode=lambda state, x: {"a": (state * 3).to(kind), "same": x},
    )  # fmt: skip
    assert header["inputs"]["x"]["dtype"] == header["answers"]["a"]["dtype"] == dtype
    x = (X * 3).to(kind).numpy()
    found = run(session, {"x": x, "state.y": np.zeros((3, 4), np.float32), "step_scale": np.ones(3, np.float32)})
    assert found["answer.a"].dtype == x.dtype
    np.testing.assert_array_equal(found["answer.same"], x)


# Evaluated, and nothing else


def test_at_step_scale_0_an_energy_is_finite_although_its_gradient_is_not(tmp_path: Path) -> None:
    def variation(y: Tensor, x: Tensor) -> Tensor:
        return (y - x).square().sum(-1) + (y[:, 1:] - y[:, :-1]).square().sum(-1).sqrt()

    session, _ = save(tmp_path / "a.onnx", variation, state=torch.randn(3, 4), unroll=4)
    y = np.ones((3, 4), np.float32)
    found = run(session, {"x": X.numpy(), "state.y": y, "step_scale": np.zeros(3, np.float32)})
    np.testing.assert_array_equal(found["next.y"], y)
    np.testing.assert_allclose(found["energy"], variation(torch.from_numpy(y), X).numpy(), rtol=1e-6)


def test_a_rule_that_takes_noise_of_zeros_for_noise_is_not_written(tmp_path: Path) -> None:
    class Shaken(GradientDescent):
        noise_times = NoiseTimes(2)

        def forward(
            self, state: Any, gradient: Any, noise: Any = None, step_scale: Any = None, probe: Any = None
        ) -> Any:
            following = super().forward(state, gradient, noise, step_scale, probe)
            scale = 1 if step_scale is None else step_scale.unsqueeze(1)
            return following if noise is None else {"y": following["y"] + 0.1 * scale * noise["y"].cos()}

    with pytest.raises(ParityError, match="A step with zero noise must equal"):
        save(tmp_path / "a.onnx", rule=Shaken(0.1))
