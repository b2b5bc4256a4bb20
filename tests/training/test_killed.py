"""A training run that is killed without warning continues from its checkpoint and ends at the same weights."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from groundstate_training._checkpoint import read_checkpoint

PROGRAM = """
import sys, time
import torch
from torch import nn
from groundstate_export import HeavyBall
from groundstate_training import GradientPreset, _run, losses, train

_run.SAVE_EVERY_SECONDS = 0.0  # the default would save this short run only at its end
torch.manual_seed(0)
torch.set_num_threads(1)

class Energy(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(6, 3)

    def forward(self, y, x):
        return (y - self.net(x)).square().sum(1)

def batches(draw):
    x = torch.randn(16, 6, generator=draw)
    return {"x": x, "y": x[:, :3]}

def loss(energy, batch, draw):
    error = lambda y: (y - batch["y"]).square().mean(1)
    start = torch.randn(16, 3, generator=draw)
    return losses.unrolled(energy, HeavyBall(0.1, 0.5), start, {"x": batch["x"]}, error, steps=4)

pause = float(sys.argv[2])
train(Energy(), loss, batches, GradientPreset(iterations=200), folder=sys.argv[1], progress=lambda *_: time.sleep(pause))
"""


def weights(folder: Path) -> dict[str, np.ndarray]:
    found = read_checkpoint(folder / "checkpoint.npz")
    assert found["iteration"] == 200
    return {f"{part} {name}": value for part in ("weights", "average") for name, value in found[part].items()}


@pytest.mark.nightly
def test_a_run_that_is_killed_continues_and_ends_at_the_same_weights(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    subprocess.run([sys.executable, "-c", PROGRAM, str(whole), "0"], check=True, timeout=120)
    first = subprocess.Popen([sys.executable, "-c", PROGRAM, str(broken), "0.1"])
    end = time.monotonic() + 60
    while not (broken / "checkpoint.npz").exists() and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    subprocess.run([sys.executable, "-c", PROGRAM, str(broken), "0"], check=True, timeout=120)
    one, other = weights(whole), weights(broken)
    assert len(one) == 4
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)
