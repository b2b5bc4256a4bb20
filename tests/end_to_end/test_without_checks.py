"""An energy without checks, as most are: Python, the command line, LangChain and MCP settle it, and none speaks of checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from mcp import Client
from torch import Tensor

import groundstate as gs
from groundstate.cli import main
from groundstate_export import Card, GradientDescent, Normal, export
from groundstate_mcp import build_server
from langchain_groundstate import EnergyTool

NOISY = {"x": [1.0, 2.5, -3.0]}


def energy(state: Tensor, x: Tensor) -> Tensor:
    """Denoising: near the observation, and small; the minimum is x / 1.1 and its energy the sum of x² / 11."""
    return (state - x).square().sum(1) + 0.1 * state.square().sum(1)


LOWEST = sum(x * x for x in NOISY["x"]) / 11


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("own") / "denoise.onnx"
    export(
        energy,
        inputs={"x": torch.randn(4, 3)},
        state=torch.randn(4, 3),
        initial=Normal(0.0, 1.0),
        rule=GradientDescent(step_size=0.2),
        decode=lambda state, x: {"clean": state},
        unroll=8,
        path=target,
        card=Card(description="Cleans three noisy numbers."),
    )
    return target


def silent_about_checks(text: str) -> bool:
    return not any(word in text.lower() for word in ("check", "rule", "broken", "violat", "unsolved", "not found"))


def test_python_gets_a_settled_solution_with_the_right_energy(path: Path) -> None:
    solution = gs.load(path).solve(NOISY)
    assert solution.status == "settled"
    assert solution.answer is not None
    assert solution.answer["clean"] == pytest.approx([x / 1.1 for x in NOISY["x"]], abs=1e-3)
    assert solution.energy == pytest.approx(LOWEST, rel=1e-5)
    assert silent_about_checks(solution.message + solution.explanation)


def test_descent_stops_when_the_chains_have_converged(path: Path) -> None:
    solver = gs.load(path)
    spent = solver.solve(NOISY, restarts=4, max_steps=4096).steps
    assert spent <= 128


def test_score_gives_the_energy_of_a_configuration(path: Path) -> None:
    solver = gs.load(path)
    score = solver.score(NOISY, {"clean": NOISY["x"]})
    assert score.valid is None
    assert score.energy == pytest.approx(0.1 * sum(x * x for x in NOISY["x"]), rel=1e-5)


def test_the_command_line_ends_with_0(path: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    request = tmp_path / "request.json"
    request.write_text(json.dumps(NOISY))
    assert main(["solve", str(path), str(request)]) == 0
    out, err = capsys.readouterr()
    assert "ettled" in out + err
    assert silent_about_checks(out + err)


def test_langchain_gets_the_answer(path: Path) -> None:
    reply = json.loads(EnergyTool.from_model(path).invoke(NOISY))
    assert reply["status"] == "settled"
    assert reply["answer"]["clean"] == pytest.approx([x / 1.1 for x in NOISY["x"]], abs=1e-3)
    assert reply["energy"] == pytest.approx(LOWEST, rel=1e-4)
    assert silent_about_checks(json.dumps(reply))


async def test_mcp_gets_the_answer(path: Path) -> None:
    async with Client(build_server(gs.load(path))) as client:
        result = await client.call_tool("solve_denoise", NOISY)
    assert not result.is_error
    reply = result.structured_content
    assert reply is not None
    assert reply["status"] == "settled"
    assert reply["energy"] == pytest.approx(LOWEST, rel=1e-4)
    assert silent_about_checks(json.dumps(reply))
