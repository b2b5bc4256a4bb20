"""The one script for whoever has a GPU: it runs to its end on a CPU, and on a GPU that is only on paper."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks import gpu

from tests.runtime.paper import PaperRuntime


def test_the_script_runs_to_its_end_on_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = PaperRuntime()
    monkeypatch.setattr("groundstate._session.runtime", lambda: runtime)
    monkeypatch.setattr("groundstate._devices._residency.AT_LOAD", 4)
    monkeypatch.setattr(gpu, "BUDGET", 600.0)
    assert gpu.main(["--device", "cuda", "--quick", "--without-torch", "--out", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "gpu.json").read_text())
    assert (tmp_path / "gpu.png").exists()
    measured = {(row["what"], row["where"]) for row in rows}
    for where in ("cuda", "cuda without CUDA graphs", "cpu"):
        assert ("segment", where) in measured
    assert {"puzzle, chains", "solve_many", "solve_many, host's share", "2 callers"} <= {row["what"] for row in rows}
    assert all(row["value"] == 1 for row in rows if row["unit"] == "solved")
    assert all(row["value"] < 1e-4 for row in rows if row["what"].startswith("difference of"))
    assert runtime.counts["plain run"]
    assert runtime.counts["replay"]


def test_without_a_gpu_the_script_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--quick", "--out", str(tmp_path)]) == 1
    assert "use device='cpu'" in capsys.readouterr().out
