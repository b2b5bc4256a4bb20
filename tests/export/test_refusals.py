"""An export that is refused has a message and leaves no file."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from groundstate_export import (
    Accept,
    BadArgument,
    BadEnergy,
    Card,
    Check,
    Constant,
    Decoded,
    ExportError,
    GradientDescent,
    HeavyBall,
    ParityError,
    Rule,
    UnsupportedOperator,
    export,
)
from groundstate_export._lower.lowering import HANDLERS


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
        "batches": (1, 5),
        "seeds": (0,),
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
    def __init__(self, *, tracked: bool = True) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3, track_running_stats=tracked)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(state * x)
        return normed.square().sum(-1)


class Kept(nn.Module):
    """Whatever a module may keep from one call to the next."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.calls = 0
        self.weight = nn.Parameter(torch.ones(3))
        self.register_buffer("mean", torch.zeros(3))
        self.last: Tensor | None = None

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        shift = torch.zeros(3)
        if self.kind == "a buffer":
            self.mean.mul_(0.9).add_(state.detach().mean(0))
        elif self.kind == "a replaced buffer":
            self.mean = 0.9 * self.mean + 1
        elif self.kind == "a parameter":
            self.weight.data.mul_(1.01)
        elif self.kind == "a count":
            self.calls += 1
            shift = shift + 0.1 * self.calls
        elif self.kind == "the first state" and self.last is None:
            self.last = state.detach().mean(0)
        elif self.kind == "the last state":
            shift, self.last = (shift if self.last is None else self.last), state.detach()[0].clone()
        if self.kind == "the first state" and self.last is not None:
            shift = self.last
        return (state * self.weight - x - shift).square().sum(-1)


def _in_numpy(state: Tensor, x: Tensor) -> Tensor:
    largest = state.detach().numpy().max()
    return bowl(state, x) if largest > 1e9 else 2 * bowl(state, x)


def _in_lists(state: Tensor, x: Tensor) -> Tensor:
    return bowl(state, x) * (2.0 if state.detach().tolist()[0][0] > 1e9 else 1.0)


def _of_chosen_rows(state: Tensor, x: Tensor) -> Tensor:
    return torch.stack([bowl(row[None], x[i : i + 1])[0] for i, row in enumerate(state)])


def _raising(state: Tensor, x: Tensor) -> Tensor:
    return (state @ x).sum(-1)


ENERGIES: dict[str, tuple[Callable[..., Any], type[ExportError], str]] = {
    "a scalar": (
        lambda state, x: bowl(state, x).sum(), BadEnergy, r"must be \(4,\).*Sum over every dimension but the first"
    ),
    "one number a dimension": (lambda state, x: state * x, BadEnergy, r"'energy' is \(4, 3\) at batch 4"),
    "a column": (lambda state, x: bowl(state, x)[:, None], BadEnergy, r"'energy' is \(4, 1\)"),
    "a term that is wrong": (lambda state, x: {"a": bowl(state, x), "b": state}, BadEnergy, "term 'b'"),
    "a term that is not a tensor": (lambda state, x: {"a": bowl(state, x), "b": 1.0}, BadEnergy, "term 'b' is float"),
    "a term without a name": (lambda state, x: {0: bowl(state, x)}, BadEnergy, "term 0 has no name"),
    "no terms": (lambda state, x: {}, BadEnergy, "no terms"),
    "nothing": (lambda state, x: None, BadEnergy, "returned NoneType"),
    "a number": (lambda state, x: float(bowl(state, x).sum()), BadEnergy, "returned float"),
    "a pair": (lambda state, x: (bowl(state, x), state), BadEnergy, "returned tuple"),
    "float64": (lambda state, x: bowl(state, x).double(), BadEnergy, r"float64.*\.float\(\)"),
    "NaN": (lambda state, x: (state - 1e9).sqrt().sum(-1), BadEnergy, "not finite at the example, in row 0"),
    "infinity": (lambda state, x: (1e30 * (1 + state.square())).square().sum(-1), BadEnergy, "not finite at the example"),
    "NaN gradient": (
        lambda state, x: (0 * state).sqrt().sum(-1), BadEnergy, "gradient for the state 'y' is not finite"
    ),
    "a float64 weight": (lambda state, x: bowl(state, x.double()), BadEnergy, "Call `.float\\(\\)` on the energy.s tensors"),
    "no state": (lambda state, x: x.square().sum(-1), BadEnergy, "does not depend on the state 'y'"),
    "detached": (lambda state, x: bowl(state.detach(), x), BadEnergy, "does not depend on the state 'y'"),
    "an argmax": (lambda state, x: x.gather(1, state.argmax(1, keepdim=True))[:, 0], BadEnergy, "does not depend on the state"),
    "without gradients": (torch.no_grad()(bowl), BadEnergy, "torch.no_grad"),
    "mean over the batch": (lambda state, x: bowl(state - state.mean(0), x), BadEnergy, "rows of a batch influence"),
    "a little of the batch's mean": (
        lambda state, x: bowl(state, x) + 1e-4 * state.mean(), BadEnergy, "rows of a batch influence each other"
    ),
    "a neighbour": (
        lambda state, x: bowl(state, x) + 1e-3 * (state * state.roll(1, 0)).sum(-1), BadEnergy, "influence each other"
    ),
    "random": (lambda state, x: bowl(state, x) + torch.rand(()), BadEnergy, "draws random numbers"),
    "random from numpy": (
        lambda state, x: bowl(state, x) * float(np.random.rand()), BadEnergy, "or draws from elsewhere"  # noqa: NPY002
    ),
    "random from Python": (lambda state, x: bowl(state, x) * random.random(), BadEnergy, "or draws from elsewhere"),
    "dropout": (Dropped(), BadEnergy, r"draws random numbers.*\.eval\(\)"),
    "batch norm": (Normed(), BadEnergy, r"changes its own 'norm.running_mean'.*\.eval\(\)"),
    "batch norm that keeps nothing": (Normed(tracked=False), BadEnergy, r"influence each other.*\.eval\(\)"),
    "a buffer that moves": (Kept("a buffer"), BadEnergy, "changes its own 'mean'"),
    "a buffer that is replaced": (Kept("a replaced buffer"), BadEnergy, "changes its own 'mean'"),
    "a parameter that moves": (Kept("a parameter"), BadEnergy, "changes its own 'weight'"),
    "a count of calls": (Kept("a count"), BadEnergy, "differ, although it draws no random numbers.*from one call"),
    "the first state": (Kept("the first state"), BadEnergy, "an earlier call computed"),
    "the last state": (Kept("the last state"), BadEnergy, "from one call to the next"),
    "an input that is written to": (lambda state, x: bowl(state, x.mul_(2)), BadEnergy, "writes to its argument 'x'"),
    "a state that is written to": (
        lambda state, x: bowl(state.data.mul_(2) + state, x), BadEnergy, "writes to its argument 'state'"
    ),
    "singular values": (
        lambda state, x: torch.linalg.svdvals(state.unsqueeze(-1) * x.unsqueeze(-2) + torch.eye(3)).sum(-1),
        UnsupportedOperator, r"aten\._linalg_svd",
    ),
    "a branch on values": (
        lambda state, x: bowl(state, x) if x.sum() > 1e9 else 2 * bowl(state, x), BadEnergy, "torch.where"
    ),
    "a branch on an item": (lambda state, x: bowl(state, x) * max(0.0, x[0, 0].item()), BadEnergy, "torch.where|influence"),
    "a branch in numpy": (_in_numpy, BadEnergy, "depends on the values"),
    "a branch on a list": (_in_lists, BadEnergy, "depends on the values"),
    "a boolean index": (
        lambda state, x: bowl(state, x) + 0 * state[state > 0].sum(), UnsupportedOperator, "depends on its values"
    ),
    "a loop over the batch": (_of_chosen_rows, BadEnergy, "another path at batch 3.*torch.vmap"),
    "a fixed batch": (lambda state, x: bowl(state.reshape(4, 3), x), BadEnergy, r"raised RuntimeError at batch 5 \(test_"),
    "the batch size itself": (
        lambda state, x: bowl(state, x) * (1 + 0 * torch.ones(len(x) + 1).sum()), BadEnergy, "batch"
    ),
    "a mistake": (_raising, BadEnergy, r"raised RuntimeError at the example \(test_refusals.py:\d+, in _raising"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENERGIES)
def test_an_energy_that_cannot_be_exported_is_refused(folder: Path, name: str) -> None:
    energy, error, message = ENERGIES[name]
    with pytest.raises(error, match=message):
        attempt(energy, folder)


class Weighted(nn.Module):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, **options))

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        return (self.weight * state - x).square().sum(-1)


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


def test_a_translation_that_is_wrong_is_caught_and_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "tanh", HANDLERS["square"])
    with pytest.raises(
        ParityError, match=r"'(energy|trace|residual|next\.y)'.*at batch .* No file was written"
    ) as caught:
        attempt(lambda state, x: (state * x).tanh().sum(-1) + bowl(state, x), folder)
    assert caught.value.tolerance < caught.value.error
    assert caught.value.batch in (1, 5)


def test_an_answer_that_is_decoded_wrongly_is_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "gt", HANDLERS["logical_not"])
    with pytest.raises(ParityError, match=r"'answer\.side'"):
        attempt(bowl, folder, decode=lambda state, x: {"side": state > 0})


def test_rules_that_are_counted_wrongly_are_caught(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HANDLERS, "lt", HANDLERS["logical_not"])
    with pytest.raises(ParityError, match="violations"):
        attempt(
            bowl,
            folder,
            decode=lambda state, x: {"value": state},
            checks=lambda answer, x: {"positive": (answer["value"] < 0).sum(-1)},
        )


def test_a_rule_that_ignores_its_step_scale_is_refused(folder: Path) -> None:
    class Stubborn(Rule):
        def forward(
            self, state: dict[str, Tensor], gradient: Any, noise: Any = None, step_scale: Any = None, probe: Any = None
        ) -> dict[str, Tensor]:
            return {name: y - 0.1 * gradient[name] for name, y in state.items()}

    with pytest.raises(BadArgument, match="`step_scale` 0"):
        attempt(bowl, folder, rule=Stubborn())


def test_a_descent_that_diverges_is_refused(folder: Path) -> None:
    with pytest.raises(BadEnergy, match="smaller step size"):
        attempt(lambda state, x: bowl(state, x).square().square(), folder, rule=GradientDescent(1e6), unroll=8)


STAGES = ["examine", "capture_all", "lower_all", "optimise_all", "unroll", "verify", "header_of", "write"]


@pytest.mark.parametrize("stage", [*STAGES, "pathlib.Path.replace", "pathlib.Path.chmod"])
def test_an_export_that_is_cut_short_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "mine.onnx"
    path.write_bytes(b"precious")
    monkeypatch.setattr(stage if "." in stage else f"groundstate_export._pipeline.{stage}", stop)
    with pytest.raises(KeyboardInterrupt):
        attempt(bowl, tmp_path, path=path)
    assert path.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [path]


class Busy(nn.Module):
    """An energy with everything that an export must leave alone."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3))
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(3)
        self.seen: Tensor | None = None
        self.layer.bias.requires_grad_(requires_grad=False)
        self.calls: list[tuple[int, ...]] = []
        self.register_forward_hook(lambda module, args, result: None)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        self.seen = self.drop(self.norm(self.layer(state * x)))
        return self.seen.square().sum(-1)


def _inventory(module: nn.Module) -> dict[str, Any]:
    held: dict[str, Any] = {"state": {k: v.clone() for k, v in module.state_dict().items()}}
    held |= {f"{name} {key}": id(value) for name, m in module.named_modules() for key, value in vars(m).items()}
    held |= {f"{name} is training": m.training for name, m in module.named_modules()}
    held |= {f"{name} needs": (p.requires_grad, id(p), id(p.grad), p.is_leaf) for name, p in module.named_parameters()}
    held |= {f"{name} hooks": len(m._forward_hooks) for name, m in module.named_modules()}
    return held


@pytest.mark.parametrize("training", [False, True])
def test_an_export_leaves_the_module_and_the_random_numbers_as_they_were(tmp_path: Path, training: bool) -> None:
    torch.manual_seed(3)
    energy = Busy().train(training)
    next(energy.parameters()).grad = torch.ones(3)
    settings = {"inputs": {"x": torch.randn(4, 3)}, "state": torch.randn(4, 3), "path": tmp_path / "busy.onnx"}
    before, draws = _inventory(energy), (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())  # noqa: NPY002
    with pytest.raises(BadEnergy) if training else contextlib.nullcontext():
        export(energy, rule=GradientDescent(0.1), unroll=2, **settings)  # type: ignore[arg-type]
    after = _inventory(energy)
    states = before.pop("state"), after.pop("state")
    assert before == after
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert torch.equal(draws[0], torch.get_rng_state())
    assert np.array_equal(draws[1], np.random.get_state()[1])  # noqa: NPY002
    assert draws[2] == random.getstate()


TAKEN: dict[str, Callable[[], tuple[Tensor, Tensor]]] = {
    "transposed": lambda: (torch.randn(3, 4).T, torch.randn(3, 4).T),
    "expanded": lambda: (torch.randn(1, 3).expand(4, -1), torch.randn(4, 1).expand(-1, 3)),
    "that need gradients": lambda: (torch.randn(4, 3, requires_grad=True), torch.randn(4, 3, requires_grad=True)),
    "in the middle of a graph": lambda: (torch.randn(4, 3, requires_grad=True) * 2, torch.randn(4, 3).sin()),
    "strided": lambda: (torch.randn(4, 6)[:, ::2], torch.randn(8, 3)[::2]),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_examples_of_any_layout_are_taken_and_left_alone(tmp_path: Path, kind: str) -> None:
    state, x = TAKEN[kind]()
    copies = state.detach().clone(), x.detach().clone()
    attempt(bowl, tmp_path, state=state, inputs={"x": x})
    assert (tmp_path / "bad.onnx").exists()
    assert torch.equal(state, copies[0])
    assert torch.equal(x, copies[1])


@pytest.mark.parametrize("gradients", [torch.no_grad, torch.inference_mode])
def test_an_export_works_where_gradients_are_off(tmp_path: Path, gradients: Any) -> None:
    energy, state, x = Weighted(), torch.randn(4, 3), torch.randn(4, 3)
    with gradients():
        attempt(energy, tmp_path, state=state, inputs={"x": x})
    assert (tmp_path / "bad.onnx").exists()


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


# Users' errors, each with its cause


def scripted(y: Tensor, x: Tensor) -> Tensor:
    return (y - x).square().sum(-1)


def over(layer: nn.Module) -> Callable[..., Tensor]:
    return lambda state, x: layer(state).sum(-1) + x.sum(-1)


class Halving(nn.Module):
    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        y = state
        while bool((y.abs() > 1).any()):
            y = y / 2
        return (y - x).square().sum(-1)


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        self.calls += 1
        return (state - x).square().sum(-1) * self.calls


ERRORS: dict[str, tuple[Callable[[], Any], str]] = {
    "TorchScript of a function": (lambda: torch.jit.script(scripted), "energy is TorchScript"),
    "a closure over TorchScript": (lambda: over(torch.jit.script(nn.Linear(3, 3))), "contains TorchScript"),
    "DataParallel": (lambda: nn.DataParallel(Halving()), r"contains a DataParallel; pass the module inside it, its `\.module`"),
    "a compiled module": (lambda: torch.compile(Halving()), r"torch.compile; pass the original module, its `\._orig_mod`"),
    "a compiled function": (lambda: torch.compile(bowl), "was compiled by torch.compile"),
    "a while over values": (Halving, r"takes a value out of a tensor .*test_refusals\.py:\d+, in forward: `while bool"),
    "a functional dropout": (lambda: lambda state, x: nn.functional.dropout(state - x, 0.5).square().sum(-1), "F.dropout"),
    "a count": (Counter, "it keeps something from one call to the next, such as a count"),
    "vmap": (
        lambda: torch.vmap(lambda state, x: (state - x).square().sum()),
        r"maps arguments by position only.* `lambda state, x: torch.vmap\(row\)\(state, x\)`",
    ),
    "numpy": (
        lambda: lambda state, x: torch.from_numpy(np.square(state.detach().numpy() - x.numpy()).sum(-1)),
        r"does not depend on the state.* takes a value out of a tensor .*which cuts the gradient",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_a_user_is_reported_with_its_cause(name: str, folder: Path) -> None:
    make, message = ERRORS[name]
    with pytest.raises((BadEnergy, BadArgument), match=message):
        attempt(make(), folder)


def test_a_place_that_cannot_be_written_is_refused_before_anything_runs() -> None:
    def never(*_: Any) -> Tensor:
        raise AssertionError

    with pytest.raises(BadArgument, match="is not writable"):
        attempt(never, Path("/proc"))


def test_a_tensor_without_values_is_distinguished_from_one_on_another_device(folder: Path) -> None:
    with pytest.raises(BadArgument, match="holds no values"):
        attempt(bowl, folder, inputs={"x": torch.zeros(4, 3, device="meta")})
