"""What cannot be exported is refused in a sentence, and leaves no file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from groundstate_export import (
    BadArgument,
    BadEnergy,
    Constant,
    ExportError,
    GradientDescent,
    HeavyBall,
    ParityError,
    Rule,
    UnsupportedOperator,
    export,
    lower,
    pipeline,
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that must still be empty when the test is over."""
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def attempt(energy: Callable[..., Any], folder: Path, **changes: Any) -> None:
    settings: dict[str, Any] = {
        "inputs": {"x": torch.randn(4, 3)},
        "state": torch.randn(4, 3),
        "rule": GradientDescent(0.1),
        "unroll": 2,
        "path": folder / "bad.onnx",
    }
    export(energy, **settings | changes)


def bowl(state: Tensor, x: Tensor) -> Tensor:
    return (state - x).square().sum(-1)


class Dropped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        kept: Tensor = self.drop(state * x)
        return kept.square().sum(-1)


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        if state.shape[0] == 1:  # PyTorch itself refuses one row in training mode
            return (state * x).square().sum(-1)
        normed: Tensor = self.norm(state * x)
        return normed.square().sum(-1)


ENERGIES: dict[str, tuple[Callable[..., Any], type[ExportError], str]] = {
    "a scalar": (
        lambda state, x: bowl(state, x).sum(),
        BadEnergy,
        r"must be \(4,\).*Sum over every dimension but the first",
    ),
    "one number a dimension": (lambda state, x: state * x, BadEnergy, r"'energy' is \(4, 3\) at batch 4"),
    "a term that is wrong": (lambda state, x: {"a": bowl(state, x), "b": state}, BadEnergy, "term 'b'"),
    "no terms": (lambda state, x: {}, BadEnergy, "no terms"),
    "NaN": (lambda state, x: (state - 1e9).sqrt().sum(-1), BadEnergy, "not finite at the example, in row 0"),
    "NaN gradient": (
        lambda state, x: (0 * state).sqrt().sum(-1),
        BadEnergy,
        "gradient for the state 'y' is not finite",
    ),
    "no state": (lambda state, x: x.square().sum(-1), BadEnergy, "does not depend on the state 'y'"),
    "detached": (lambda state, x: bowl(state.detach(), x), BadEnergy, "does not depend on the state 'y'"),
    "mean over the batch": (
        lambda state, x: bowl(state - state.mean(0), x),
        BadEnergy,
        "rows of a batch influence each other",
    ),
    "random": (lambda state, x: bowl(state, x) + torch.rand(()), BadEnergy, "draws random numbers"),
    "dropout": (Dropped(), BadEnergy, r"draws random numbers.*\.eval\(\)"),
    "batch norm": (Normed(), BadEnergy, r"influence each other.*\.eval\(\)"),
    "singular values": (
        lambda state, x: torch.linalg.svdvals(state.unsqueeze(-1) * x.unsqueeze(-2) + torch.eye(3)).sum(-1),
        UnsupportedOperator,
        r"aten\._linalg_svd",
    ),
    "a branch on values": (
        lambda state, x: bowl(state, x) if x.sum() > 1e9 else 2 * bowl(state, x),
        BadEnergy,
        "torch.where",
    ),
    "the batch size itself": (
        lambda state, x: bowl(state, x) * (1 + 0 * torch.ones(len(x) + 1).sum()),
        BadEnergy,
        "batch",
    ),
}


@pytest.mark.parametrize("name", ENERGIES)
def test_an_energy_that_cannot_be_exported_is_refused(folder: Path, name: str) -> None:
    energy, error, message = ENERGIES[name]
    with pytest.raises(error, match=message):
        attempt(energy, folder)


ARGUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "no steps": ({"unroll": 0}, "unroll is 0"),
    "integer state": ({"state": torch.ones(4, 3, dtype=torch.int64)}, "state is float32"),
    "two batch sizes": ({"state": torch.randn(5, 3)}, "one batch size"),
    "a reserved name": ({"inputs": {"rate": torch.randn(4, 3)}}, "'rate'"),
    "an unknown initial": ({"initial": {"z": Constant(0.0)}}, r"\['z'\]"),
    "rules without decode": ({"rules": lambda answer, x: {}}, "decode must be given"),
    "a step size that does not fit": ({"rule": GradientDescent(torch.ones(7))}, "rule does not fit"),
    "a complex input": ({"inputs": {"x": torch.randn(4, 3, dtype=torch.complex64)}}, "complex64"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_wrong_argument_is_refused(folder: Path, name: str) -> None:
    changes, message = ARGUMENTS[name]
    with pytest.raises(BadArgument, match=message):
        attempt(bowl, folder, **changes)


def test_a_folder_that_does_not_exist_is_refused(folder: Path) -> None:
    with pytest.raises(BadArgument, match="does not exist"):
        attempt(bowl, folder, path=folder / "nowhere" / "bad.onnx")


def test_a_translation_that_is_wrong_is_caught_and_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(lower.HANDLERS, "tanh", lower.HANDLERS["square"])
    with pytest.raises(ParityError, match=r"'(energy|residual|next\.y)'.*at batch .* No file was written") as caught:
        attempt(lambda state, x: (state * x).tanh().sum(-1) + bowl(state, x), folder)
    assert caught.value.tolerance < caught.value.error
    assert caught.value.batch in (1, 2, 7, 64)


def test_an_answer_that_is_decoded_wrongly_is_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(lower.HANDLERS, "gt", lower.HANDLERS["logical_not"])
    with pytest.raises(ParityError, match=r"'answer\.side'"):
        attempt(bowl, folder, decode=lambda state, x: {"side": state > 0})


def test_rules_that_are_counted_wrongly_are_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(lower.HANDLERS, "lt", lower.HANDLERS["logical_not"])
    with pytest.raises(ParityError, match="violations"):
        attempt(
            bowl,
            folder,
            decode=lambda state, x: {"value": state},
            rules=lambda answer, x: {"positive": (answer["value"] < 0).sum(-1)},
        )


def test_a_rule_that_ignores_its_rate_is_refused(folder: Path) -> None:
    class Stubborn(Rule):
        def forward(
            self, state: dict[str, Tensor], gradient: Any, noise: Any = None, rate: Tensor | None = None
        ) -> dict[str, Tensor]:
            return {name: y - 0.1 * gradient[name] for name, y in state.items()}

    with pytest.raises(ParityError, match="`rate` 0"):
        attempt(bowl, folder, rule=Stubborn())


def test_a_descent_that_diverges_is_refused(folder: Path) -> None:
    with pytest.raises(BadEnergy, match="smaller step size"):
        attempt(lambda state, x: bowl(state, x).square().square(), folder, rule=GradientDescent(1e6), unroll=8)


def test_an_interrupted_export_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        attempt(bowl, folder)


def test_a_refused_export_keeps_the_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"precious")

    def disagree(*_: Any) -> None:
        raise ParityError("energy", 1, 0, 1.0, 1e-5)

    monkeypatch.setattr(pipeline, "verify", disagree)
    with pytest.raises(ParityError):
        attempt(bowl, tmp_path, path=path)
    assert path.read_bytes() == b"precious"


def test_a_batch_norm_keeps_its_statistics_when_it_is_refused(folder: Path) -> None:
    energy = Normed()
    with pytest.raises(BadEnergy):
        attempt(energy, folder)
    assert torch.equal(energy.norm.running_mean, torch.zeros(3))  # type: ignore[arg-type]


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
