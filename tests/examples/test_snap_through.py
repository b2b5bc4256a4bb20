"""examples/snap_through.py: two states under small loads, one beyond the load that snaps the truss through."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

EXAMPLE = Path(__file__).parents[2] / "examples" / "snap_through.py"


def test_the_truss_has_two_states_until_it_snaps() -> None:
    done = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    heights = np.linspace(0, 0.5, 5001)
    snap = float((200 * heights * (math.hypot(2, 0.5) / np.hypot(2, heights) - 1)).max())
    for line in done.stdout.splitlines():
        load, states = re.findall(r"load ([\d.]+): (\d)", line)[0]
        assert int(states) == (2 if float(load) < snap else 1)
