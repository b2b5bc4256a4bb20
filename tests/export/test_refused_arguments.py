"""A wrong argument of an export is refused with its name and what is allowed, and leaves no file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from groundstate_export import (
    Accept,
    BadArgument,
    Card,
    Check,
    Constant,
    Decoded,
    GradientDescent,
    HeavyBall,
    Rule,
)
from tests.export.attempts import Weighted, attempt, bowl

X = torch.ones(4, 3)
ARGUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "no steps": ({"unroll": 0}, "unroll is 0"),
    "fewer than no steps": ({"unroll": -2}, "unroll is -2"),
    "a truth for steps": ({"unroll": True}, "unroll is True"),
    "half a step": ({"unroll": 2.5}, r"unroll is 2\.5"),
    "millions of steps": ({"unroll": 10_000_000}, "hosts run several segments"),
    "integer state": ({"state": torch.ones(4, 3, dtype=torch.int64)}, "must be float32 or float64"),
    "float16 state": ({"state": torch.ones(4, 3, dtype=torch.float16)}, "must be float32 or float64"),
    "states of two dtypes": ({"state": {"y": X.clone(), "z": X.double()}}, "all states must have the same dtype"),
    "a state that is not finite": ({"state": X * torch.inf}, "not finite"),
    "a state that is a list": ({"state": [[0.0]]}, "state is list"),
    "no state": ({"state": {}}, "state is empty"),
    "inputs that are a tensor": ({"inputs": X}, "dict of tensors by name"),
    "an input that is a number": ({"inputs": {"x": 1.0}}, r"inputs\['x'\] is float"),
    "an input without a batch": ({"inputs": {"x": torch.tensor(1.0)}}, "batch first"),
    "an empty input": ({"inputs": {"x": torch.zeros(4, 0)}}, "at least one element"),
    "an empty batch": ({"state": torch.zeros(0, 3)}, "at least one element"),
    "an input elsewhere": ({"inputs": {"x": X.to("meta")}}, "on the device 'meta' and holds no values"),
    "a state elsewhere": ({"state": X.to("meta")}, "on the device 'meta' and holds no values"),
    "a sparse input": ({"inputs": {"x": X.to_sparse()}}, "must be dense"),
    "two batch sizes": ({"state": torch.randn(5, 3)}, "same batch size"),
    "a reserved name": ({"inputs": {"step_scale": torch.randn(4, 3)}}, "'step_scale'"),
    "a name with a space": ({"inputs": {"my x": X}}, "'my x'"),
    "a keyword": ({"inputs": {"lambda": X}}, "'lambda'"),
    "a number for a name": ({"inputs": {3: X}}, "has the name 3"),
    "one name twice": ({"inputs": {"y": X}}, "both have"),
    "a name that the energy does not take": ({"inputs": {"target": X}}, r"takes \(state.*x.*\['target'\]"),
    "a missing input": ({"inputs": {}}, "missing a required argument: 'x'"),
    "an unknown initial": ({"initial": {"z": Constant(0.0)}}, r"\['z'\]"),
    "amounts without a tolerance": (
        {"checks": lambda answer, x: {"gap": x.sum(1)}},
        "'gap' returns amounts .* need a tolerance",
    ),
    "a count with a tolerance": (
        {"checks": lambda answer, x: {"n": x.sum(1).long()}, "card": Card(checks={"n": Check("few", tolerance=1.0)})},
        "'n' counts .* no tolerance",
    ),
    "a check that is not there": (
        {"checks": lambda answer, x: {"n": x.sum(1).long()}, "card": Card(checks={"m": "few"})},
        r"describes \['m'\]; the checks",
    ),
    "a description of no checks": ({"card": Card(checks={"m": "few"})}, "there are no checks"),
    "acceptance by unknown checks": (
        {"checks": lambda answer, x: {"n": x.sum(1).long()}, "accept": Accept(["m"])},
        r"accept names the checks \['m'\]",
    ),
    "acceptance by no checks": ({"accept": Accept("all")}, "requires all checks, and there are none"),
    "acceptance in a word": ({"accept": "all"}, "must be an Accept"),
    "a parameter named like an input": ({"parameters": {"x": torch.ones(1)}}, r"both have \['x'\]"),
    "a parameter that is not finite": ({"parameters": {"w": torch.tensor([torch.nan])}}, "only finite ones"),
    "a million parameters": ({"parameters": {"w": torch.ones(1 << 20)}}, "a header holds 65536 at most"),
    "a start that no stage decodes": ({"initial": Decoded("place")}, "there is no stage before"),
    "a stage that is none": ({"stages": [bowl]}, r"stages\[0\] is function"),
    "a decode that takes no inputs": ({"decode": lambda state: {"a": state}}, "The decode takes"),
    "a decode that is not a function": ({"decode": 3}, "decode is int"),
    "a rule that is a number": ({"rule": 0.1}, "must be a Rule"),
    "a rule that is a class": ({"rule": GradientDescent}, "the class GradientDescent"),
    "a step size that does not fit": ({"rule": GradientDescent(torch.ones(7))}, "rule does not fit"),
    "a complex input": ({"inputs": {"x": torch.randn(4, 3, dtype=torch.complex64)}}, "complex64"),
    "no batches": ({"batches": ()}, "nothing is verified"),
    "a batch of none": ({"batches": (0, 2)}, r"batches is \(0, 2\)"),
    "no tolerance": ({"tolerance": 0.0}, "tolerance is 0.0"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_wrong_argument_is_refused(folder: Path, name: str) -> None:
    changes, message = ARGUMENTS[name]
    with pytest.raises(BadArgument, match=message):
        attempt(bowl, folder, **changes)


@pytest.mark.parametrize(
    ("energy", "message"),
    [
        (Weighted(device="meta"), "energy's 'weight' is on the device 'meta'"),
        (Weighted(dtype=torch.float64), r"parameter 'weight' is torch.float64.*\.float\(\)"),
        (Weighted(dtype=torch.float16), r"parameter 'weight' is torch.float16"),
        (Weighted, "the class Weighted"),
        (3.0, r"energy is float \(3\.0\)"),
    ],
)
def test_an_energy_that_is_elsewhere_or_otherwise_is_refused(folder: Path, energy: Any, message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        attempt(energy, folder)


def test_an_unknown_keyword_is_refused(folder: Path) -> None:
    with pytest.raises(TypeError, match="steps"):
        attempt(bowl, folder, steps=3)


@pytest.mark.parametrize(
    ("name", "message"), [("", "a folder; name a file in it"), ("mine.pt", r"must end in \.onnx"), ("mine", r"\.onnx")]
)
def test_a_path_that_is_no_onnx_file_is_refused(folder: Path, name: str, message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        attempt(bowl, folder, path=folder / name)


def test_a_folder_that_cannot_be_written_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    with pytest.raises(BadArgument, match="not writable"):
        attempt(bowl, folder)


def test_a_folder_that_does_not_exist_is_refused(folder: Path) -> None:
    with pytest.raises(BadArgument, match="does not exist"):
        attempt(bowl, folder, path=folder / "nowhere" / "bad.onnx")


def test_a_rule_that_ignores_its_step_scale_is_refused(folder: Path) -> None:
    class Stubborn(Rule):
        def forward(
            self, state: dict[str, Tensor], gradient: Any, noise: Any = None, step_scale: Any = None, probe: Any = None
        ) -> dict[str, Tensor]:
            return {name: y - 0.1 * gradient[name] for name, y in state.items()}

    with pytest.raises(BadArgument, match="`step_scale` 0"):
        attempt(bowl, folder, rule=Stubborn())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GradientDescent(-1.0), "must be positive"),
        (lambda: HeavyBall(0.1, 1.0), r"must lie in \[0, 1\)"),
        (lambda: HeavyBall(0.1, 0.9, noise=-1.0), "must be 0 or more"),
        (lambda: HeavyBall(0.1, 0.9, noise=1.0, temperature=(2.0, 1.0)), "low <= high"),
    ],
)
def test_a_rule_says_which_parameters_it_takes(make: Callable[[], Rule], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
