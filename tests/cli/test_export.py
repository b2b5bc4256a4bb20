"""`groundstate export`: as a user types it, right and wrong."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import groundstate as gs
from tests.cli.conftest import Groundstate

ENERGIES = '''
from dataclasses import dataclass
from typing import Any

import torch

from groundstate_export import GradientDescent


def bowl(y, x):
    return 0.5 * (y - x).square().sum(-1)


def export():
    """Everything that the command needs."""
    return {
        "energy": bowl, "inputs": {"x": torch.zeros(2, 3)}, "state": torch.ones(2, 3), "rule": GradientDescent(0.5), "unroll": 2,
        "batches": (1, 3), "seeds": (0,),
    }


@dataclass
class Recipe:
    energy: Any
    inputs: Any
    state: Any
    rule: Any
    unroll: int


def recipe():
    return Recipe(*(export()[k] for k in ("energy", "inputs", "state", "rule", "unroll")))


def incomplete():
    return {k: v for k, v in export().items() if k not in ("rule", "unroll")}


def misspelt():
    return export() | {"steps": 3}


def nothing():
    return None


def broken():
    raise KeyError("weights")


def needy(checkpoint):
    return export()


def rootless():
    return export() | {"energy": lambda y, x: bowl(y, x) + (x - 1).sqrt().sum(-1)}


def shapeless():
    return export() | {"energy": lambda y, x: y}


def listed():
    return export() | {"inputs": [torch.zeros(2, 3)]}


number = 3
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of one's own with a file of energies, as the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "energies.py").write_text(ENERGIES)
    (tmp_path / "typo.py").write_text("import tortch\n")
    yield tmp_path
    for name in ("energies", "typo"):
        sys.modules.pop(name, None)


def test_a_function_of_a_file_becomes_a_model_that_loads(here: Path, groundstate: Groundstate) -> None:
    ran = groundstate("export", "energies.py:export")
    assert (ran.code, ran.err) == (0, "")
    told = " ".join(ran.out.split())
    for part in (
        "export.onnx",
        "2 steps unrolled, float32, batch any",
        "nodes run once: ",
        "matches PyTorch",
        "next.y",
        "verify",
    ):
        assert part in told
    solver = gs.load(here / "export.onnx")
    assert solver.header.steps == 2


def test_a_module_is_found_in_the_working_folder_and_a_dataclass_will_do(here: Path, groundstate: Groundstate) -> None:
    ran = groundstate("export", "energies:recipe", "--quiet", "-o", "mine.onnx")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert gs.load(here / "mine.onnx").header.name == "mine"


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--unroll", "5"], {"steps": 5, "trace_every": 1}),
        (["--unroll", "6", "--trace-every", "4"], {"steps": 6, "trace_every": 4}),
        (["--form", "loop"], {"form": "loop"}),
        (["--precision", "float16", "--tolerance", "0.05"], {"precision": "float16", "tolerance": 0.05}),
    ],
)
def test_options_override_what_the_function_returns(
    here: Path, groundstate: Groundstate, options: list[str], wanted: dict[str, object]
) -> None:
    ran = groundstate("export", "energies.py:export", "--json", *options)
    assert (ran.code, ran.err) == (0, "")
    report = json.loads(ran.out)
    assert report.items() >= wanted.items()
    assert set(report["errors"]) >= {"next.y", "energy", "residual", "trace"}
    assert report["worst"] <= report["tolerance"]


def test_a_fixed_batch_is_an_option(here: Path, groundstate: Groundstate) -> None:
    ran = groundstate("export", "energies.py:recipe", "--batch", "4", "--json", "--output", "four.onnx")
    assert json.loads(ran.out)["batch"] == 4
    assert gs.load(here / "four.onnx").header.batch == 4


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("energies.py", "'energies.py' names no function; write module:function or path/to/file.py:function."),
        ("nowhere.py:export", "There is no file 'nowhere.py'."),
        ("nowhere:export", "There is no module 'nowhere' that can be imported from here."),
        ("no.where:export", "There is no module 'no.where' that can be imported from here."),
        ("energies.py:exprot", "energies.py has no 'exprot'; its functions are bowl, export, recipe,"),
        ("energies.py:number", "energies.py:number is of type int; it must be a function without arguments."),
        (
            "energies.py:needy",
            "energies.py:needy cannot be called without arguments: missing a required argument: 'checkpoint'.",
        ),
        ("energies.py:nothing", "energies.py:nothing returned NoneType; it must return the arguments of export"),
        (
            "energies.py:incomplete",
            "returned no 'rule' and no 'unroll'; needed are energy, inputs, state, rule, unroll.",
        ),
        (
            "energies.py:misspelt",
            "returned 'steps', which is not an argument of export; those are energy, inputs, state, rule, unroll,",
        ),
        ("energies.py:broken", "energies.py:broken raised KeyError in "),
        ("typo.py:export", "typo.py raised ModuleNotFoundError in "),
        ("typo:export", "typo raised ModuleNotFoundError in "),
    ],
)
def test_a_target_that_will_not_do_is_told_in_one_line(
    here: Path, groundstate: Groundstate, target: str, told: str
) -> None:
    ran = groundstate("export", target)
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(r"groundstate: .+\n", ran.err)
    assert told in ran.err
    assert not list(here.glob("*.onnx"))


@pytest.mark.parametrize(
    ("target", "options", "told"),
    [
        ("rootless", [], "is not finite at the example, in row 0"),
        ("shapeless", [], "The energy's term 'energy' is (2, 3) at batch 2; it must be (2,)"),
        ("listed", [], "it must be a dict of tensors by name."),
        ("export", ["--trace-every", "3"], "trace_every is 3; it must be a whole number from 1 to unroll, which is 2."),
        ("export", ["-o", "no/where.onnx"], "The folder of 'no/where.onnx' does not exist."),
        ("export", ["--tolerance", "0"], "tolerance is 0.0; it must lie between 0 and 1."),
    ],
)
def test_a_refused_export_is_one_sentence_and_leaves_no_file(
    here: Path, groundstate: Groundstate, target: str, options: list[str], told: str
) -> None:
    ran = groundstate("export", f"energies.py:{target}", *options)
    assert (ran.code, ran.out) == (1, "")
    assert re.fullmatch(r"groundstate: .+\n", ran.err)
    assert told in ran.err
    assert {p.suffix for p in here.iterdir()} == {".py"}


def test_a_refusal_is_json_where_json_was_asked_for(here: Path, groundstate: Groundstate) -> None:
    ran = groundstate("export", "energies.py:rootless", "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["status"], told["error"]) == (1, "error", "BadEnergy")
    assert told["message"] in ran.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--unroll", "0"], "Invalid value for '--unroll': 0 is not in the range x>=1."),
        (["--form", "spiral"], "Invalid value for '--form': 'spiral' is not one of 'unrolled', 'loop'."),
        (["--precision", "int8"], "Invalid value for '--precision'"),
        (["-o", "x.txt"], "--output is 'x.txt'; it must end in .onnx."),
    ],
)
def test_bad_usage_exits_with_2(here: Path, groundstate: Groundstate, options: list[str], told: str) -> None:
    ran = groundstate("export", "energies.py:export", *options)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert {p.suffix for p in here.iterdir()} == {".py"}


def test_without_the_extra_one_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['onnx'] = None\n"
        "from groundstate.cli import main; sys.exit(main(['export', 'energies.py:export']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert re.fullmatch(r"groundstate: The command 'export' cannot be loaded: .+\n", ran.stderr)
    assert ran.stderr.count("pip install 'groundstate[") == 1


def test_help_names_every_command_and_imports_none_of_them() -> None:
    code = (
        "import sys; from groundstate.cli import main; main(['--help'])\n"
        "print([m for m in ('torch', 'onnx', 'mcp', 'onnxruntime') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.search(r"^  export +Turn an energy", ran.stdout, flags=re.MULTILINE)
    assert re.search(r"^  serve +Serve models", ran.stdout, flags=re.MULTILINE)
    assert ran.stdout.endswith("[]\n")
